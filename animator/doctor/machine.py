"""Packages, system libraries, the face model, the display, room on the disk."""

from __future__ import annotations

import ctypes
import importlib.metadata
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import AnimatorError
from .findings import Finding

PACKAGES = ("ai-edge-litert", "mediapipe", "opencv-contrib-python", "numpy", "scipy", "pyvista", "vtk", "av", "aiortc")
LOW_BYTES, TOO_LOW_BYTES = 2 * 2**30, 100 * 2**20
"""Ten minutes of 640x480 take 40 to 90 MB, with landmarks 300 MB more."""


def packages() -> Finding:
    """What Python packages are installed."""
    missing, found = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding("packages", "bad", f"{', '.join(missing)} not installed", "install animator again")
    return Finding("packages", "ok", f"Python {platform.python_version()}, {', '.join(found)}")


def has_library(name: str) -> bool:
    """Whether the system's loader finds a library."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def system_libraries(is_there: Callable[[str], bool] = has_library) -> Iterator[Finding]:
    """What MediaPipe loads even on the CPU."""
    if not sys.platform.startswith("linux"):
        return
    for library, package in (("libEGL.so.1", "libegl1"), ("libGLESv2.so.2", "libgles2")):
        if is_there(library):
            yield Finding(library, "ok", "MediaPipe loads it even on the CPU")
        else:
            yield Finding(library, "bad", "MediaPipe loads it even on the CPU", f"apt-get install {package}")


def model() -> Finding:
    """The face model, by its hash."""
    from ..tracking.model import MODEL_SHA256, find_or_fetch_model

    try:
        return Finding("face model", "ok", f"{find_or_fetch_model()}, SHA-256 {MODEL_SHA256[:12]}... as it must be")
    except AnimatorError as error:
        return Finding("face model", "bad", str(error), "connect to a network once, or set ANIMATOR_MODEL to the file")


def display() -> Finding:
    """Whether a window can be opened."""
    from ..display import has_display

    if has_display():
        return Finding("display", "ok", "`animator run` opens a window")
    return Finding("display", "warn", "none: `animator run` writes a video instead", "set DISPLAY, or use --out")


def disk(free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free) -> Iterator[Finding]:
    """Room where recordings go, and where calibrations are kept."""
    from ..solving.profile import profile_folder

    kept = profile_folder()
    while not kept.is_dir():
        kept = kept.parent
    for what, folder in (("disk, here", Path.cwd()), ("disk, profiles", kept)):
        try:
            free = free_bytes(folder)
        except OSError as error:
            yield Finding(what, "bad", f"{folder}: {error.strerror}", "choose another folder")
            continue
        detail = f"{free / 2**30:.1f} GB free at {folder}"
        if free < LOW_BYTES:
            verdict = "bad" if free < TOO_LOW_BYTES else "warn"
            yield Finding(what, verdict, detail, "make room before a recording: a full disk ends it, whole")
        else:
            yield Finding(what, "ok", detail)
