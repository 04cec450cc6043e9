"""What this machine can and cannot do, and the remedy."""

from __future__ import annotations

import ctypes
import importlib.metadata
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .errors import AnimatorError

Verdict = Literal["works", "missing", "optional"]

PACKAGES = ("ai-edge-litert", "mediapipe", "opencv-contrib-python", "numpy", "scipy", "pyvista", "vtk", "av", "aiortc")
GL_TIMEOUT_S = 60.0

# In a process of its own: a driver that crashes takes that one down, and the report still comes.
_GL_PROBE = """
import numpy as np, sys
from animator.rendering.opengl import open_plotter
from animator.errors import AnimatorError
try:
    plotter = open_plotter((64, 64), off_screen=True)
except AnimatorError as error:
    sys.exit(str(error))
plotter.set_background((1.0, 0.0, 0.0))
window = plotter.render_window
window.Render()
red = plotter.screenshot(return_img=True)
if not (red[..., 0] > 250).all():
    sys.exit("it draws, but the picture read back is wrong: update the graphics driver, or install libosmesa6")
said = window.ReportCapabilities().splitlines()
names = [line.split(":", 1)[1].strip() for line in said if "renderer string" in line]
print(window.GetClassName().removeprefix("vtk").removesuffix("RenderWindow").removesuffix("OpenGL"), *names, sep=": ")
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    what: str
    verdict: Verdict
    """`optional`: not there, and the program does without."""
    detail: str
    remedy: str = ""


def examine() -> Iterator[Finding]:
    """Look at everything in turn. A missing face model is fetched; no camera picture is kept."""
    yield _packages()
    yield from _system_libraries()
    yield _model()
    yield _opengl()
    yield _display()
    yield from _cameras()
    yield from _codecs()
    yield _rigs()


def _packages() -> Finding:
    missing, found = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    detail = f"Python {platform.python_version()}, {', '.join(found)}"
    if missing:
        return Finding("packages", "missing", f"{', '.join(missing)} not installed", "install animator again")
    return Finding("packages", "works", detail)


def _system_libraries() -> Iterator[Finding]:
    if not sys.platform.startswith("linux"):
        return
    for library, package in (("libEGL.so.1", "libegl1"), ("libGLESv2.so.2", "libgles2")):
        try:
            ctypes.CDLL(library)
            yield Finding(library, "works", "MediaPipe loads it even on the CPU")
        except OSError:
            yield Finding(library, "missing", "MediaPipe loads it even on the CPU", f"apt-get install {package}")


def _model() -> Finding:
    from .tracking.model import find_or_fetch_model

    try:
        return Finding("face model", "works", f"{find_or_fetch_model()}, verified")
    except AnimatorError as error:
        return Finding("face model", "missing", str(error), "connect to a network once, or use --model FILE")


def _opengl() -> Finding:
    try:
        done = subprocess.run(
            [sys.executable, "-c", _GL_PROBE], capture_output=True, text=True, timeout=GL_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return Finding("OpenGL", "missing", f"no picture within {GL_TIMEOUT_S:.0f} s", "update the graphics driver")
    if done.returncode == 0:
        return Finding("OpenGL", "works", done.stdout.strip())
    said = done.stderr.strip().splitlines()
    reason = said[-1] if said else f"the test drawing ended with code {done.returncode}"
    return Finding("OpenGL", "missing", reason, "apt-get install libegl1 libgl1-mesa-dri, or libosmesa6")


def _display() -> Finding:
    from .display import has_display

    if has_display():
        return Finding("display", "works", "`animator run` opens a window")
    return Finding("display", "optional", "none: `animator run` writes a video instead", "set DISPLAY, or use --out")


def _cameras() -> Iterator[Finding]:
    from .sources.camera import CameraSource, camera_numbers

    numbers = camera_numbers()
    if not numbers:
        yield Finding(
            "cameras", "optional", "none: without SOURCE the bundled performance is played", "plug in a webcam"
        )
    for number in numbers:
        try:
            camera = CameraSource(number)
            width, height = camera.size_px
            camera.close()
            yield Finding(f"camera {number}", "works", f"{width}x{height} at {camera.fps:.0f} fps")
        except AnimatorError as error:
            yield Finding(f"camera {number}", "optional", str(error), "close the program that uses it")


def _codecs() -> Iterator[Finding]:
    import av

    for use, names in (
        ("write .mp4", ("libx264", "libopenh264", "mpeg4")),
        ("write .webm", ("libvpx-vp9",)),
        ("read H.264", ("h264",)),
    ):
        found = next((name for name in names if name in av.codecs_available), None)
        if found:
            yield Finding(use, "works", f"{found}, FFmpeg in PyAV {av.__version__}")
        else:
            verdict: Verdict = "optional" if use == "write .webm" else "missing"
            yield Finding(use, verdict, f"this PyAV has none of {', '.join(names)}", "pip install --force-reinstall av")


def _rigs() -> Finding:
    from .rigging.library import known_rigs, load_rig

    try:
        names = [load_rig(name).name for name in known_rigs()]
    except AnimatorError as error:
        return Finding("avatars", "missing", str(error), "install animator again")
    return Finding("avatars", "works", ", ".join(names))
