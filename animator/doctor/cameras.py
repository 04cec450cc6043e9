"""Cameras by name, with the modes that they offer, and who holds one that is busy."""

from __future__ import annotations

import errno
import os
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .findings import Finding

# linux/videodev2.h. All structures are laid out as on every 64-bit machine.
_ENUM_FMT, _ENUM_SIZES, _ENUM_INTERVALS = 0xC0405602, 0xC02C564A, 0xC034564B
_REQUEST_BUFFERS = 0xC0145608
"""VIDIOC_REQBUFS: a driver gives buffers to one program only."""
_CAPTURE, _MMAP, _DISCRETE = 1, 1, 1
_MOST_ENTRIES = 64
TRIED_SIZES_PX = ((640, 480), (1280, 720), (1920, 1080))
Ask = Callable[[int, int, bytearray], None]
"""ioctl(file, request, structure), which is changed in place; raises OSError."""


@dataclass(frozen=True, slots=True)
class Device:
    """A camera as the system names it."""

    number: int
    name: str
    path: str
    """`/dev/video0`; empty where there are no such files."""


@dataclass(frozen=True, slots=True)
class Mode:
    """What a camera can give."""

    width_px: int
    height_px: int
    fps: float
    format: str
    """Four letters, such as `MJPG` or `YUYV`."""

    def __str__(self) -> str:
        return f"{self.width_px}x{self.height_px} at {self.fps:g} ({self.format})"


def devices() -> list[Device]:
    """All cameras, by the system's own list."""
    from cv2_enumerate_cameras import enumerate_cameras, supported_backends

    gstreamer = 1800  # the same devices once more
    backend = next((number for number in supported_backends if number != gstreamer), 0)
    found = [Device(camera.index, camera.name, camera.path or "") for camera in enumerate_cameras(backend)]
    return sorted(found, key=lambda device: device.number)


def cameras(found: Callable[[], Sequence[Device]] = devices) -> Iterator[Finding]:
    """A line for each camera."""
    try:
        here = found()
    except (ImportError, OSError, NotImplementedError) as error:
        yield Finding("cameras", "warn", f"the list cannot be had: {error}", "pip install cv2-enumerate-cameras")
        return
    if not here:
        remedy = "plug in a webcam; in a virtual machine or a container hand the device in (--device /dev/video0)"
        yield Finding("cameras", "warn", "none: without SOURCE the bundled performance is played", remedy)
    for device in here:
        yield examined(device)


def examined(device: Device) -> Finding:
    """One camera: its modes, or why it cannot be used."""
    what = f"camera {device.number}"
    if not device.path.startswith("/dev/"):
        return _tried(what, device)
    try:
        file = os.open(device.path, os.O_RDWR | os.O_NONBLOCK)
    except PermissionError:
        return Finding(what, "warn", f"{device.name}: this user may not use {device.path}",
                       "join the group `video` and log in again: sudo usermod -aG video $USER")  # fmt: skip
    except OSError as error:
        return _busy(what, device, error)
    try:
        modes = modes_of(file)
        _check_free(file)
    except OSError as error:
        return _busy(what, device, error)
    finally:
        os.close(file)
    if not modes:
        return Finding(what, "warn", f"{device.name}: it names no modes", f"try it: animator run {device.number}")
    return Finding(what, "ok", f"{device.name}: {told(modes)}")


def told(modes: Sequence[Mode]) -> str:
    """The fastest mode of each size, largest first."""
    best: dict[tuple[int, int], Mode] = {}
    for mode in modes:
        size = (mode.width_px, mode.height_px)
        if size not in best or mode.fps > best[size].fps:
            best[size] = mode
    ordered = sorted(best.values(), key=lambda mode: -mode.width_px * mode.height_px)
    return ", ".join(map(str, ordered[:6])) + (f", and {len(ordered) - 6} more" if len(ordered) > 6 else "")


def modes_of(file: int, ask: Ask | None = None) -> list[Mode]:
    """Every format, size and rate that a V4L2 device lists; a range of sizes or rates counts as its largest."""
    ask = ask or _ioctl
    modes = []
    for format_number in range(_MOST_ENTRIES):
        said = bytearray(64)
        struct.pack_into("<II", said, 0, format_number, _CAPTURE)
        if not _answered(ask, file, _ENUM_FMT, said):
            break
        code = bytes(said[44:48])
        for width, height in _sizes(file, ask, code):
            modes += [Mode(width, height, fps, code.decode("ascii", "replace").strip())
                      for fps in _rates(file, ask, code, width, height)]  # fmt: skip
    return modes


def _sizes(file: int, ask: Ask, code: bytes) -> Iterator[tuple[int, int]]:
    for number in range(_MOST_ENTRIES):
        said = bytearray(44)
        struct.pack_into("<I4s", said, 0, number, code)
        if not _answered(ask, file, _ENUM_SIZES, said):
            return
        kind, *sides = struct.unpack_from("<7I", said, 8)
        if kind != _DISCRETE:  # least, most and step of the width, then of the height
            yield sides[1], sides[4]
            return
        yield sides[0], sides[1]


def _rates(file: int, ask: Ask, code: bytes, width: int, height: int) -> Iterator[float]:
    for number in range(_MOST_ENTRIES):
        said = bytearray(52)
        struct.pack_into("<I4sII", said, 0, number, code, width, height)
        if not _answered(ask, file, _ENUM_INTERVALS, said):
            return
        kind, over, under = struct.unpack_from("<3I", said, 16)
        if over:
            yield round(under / over, 2)
        if kind != _DISCRETE:  # the first of a range is its shortest interval
            return


def _answered(ask: Ask, file: int, request: int, said: bytearray) -> bool:
    """False once the list is at its end, or where a driver has none."""
    try:
        ask(file, request, said)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOTTY):
            return False
        raise
    return True


def _ioctl(file: int, request: int, said: bytearray) -> None:
    import fcntl

    fcntl.ioctl(file, request, said, True)


def _check_free(file: int) -> None:
    """Ask for no buffers: that changes nothing, and is refused while another program has some."""
    said = bytearray(20)
    struct.pack_into("<III", said, 0, 0, _CAPTURE, _MMAP)
    _answered(_ioctl, file, _REQUEST_BUFFERS, said)


def _busy(what: str, device: Device, error: OSError) -> Finding:
    if error.errno != errno.EBUSY:
        return Finding(what, "warn", f"{device.name}: {error.strerror}", "unplug it, and plug it in again")
    who = holders(device.path)
    by = ", ".join(who) or "another program, which the system does not name to this user"
    return Finding(what, "warn", f"{device.name}: busy, held by {by}", "close that program")


def holders(path: str, proc: Path = Path("/proc")) -> list[str]:
    """`name (process id)` of every process that has a file open, as far as this user may see."""
    wanted, found = os.path.realpath(path), []
    for process in sorted(proc.glob("[0-9]*"), key=lambda place: int(place.name)):
        if int(process.name) == os.getpid():
            continue
        try:
            if any(os.path.realpath(file) == wanted for file in (process / "fd").iterdir()):
                found.append(f"{(process / 'comm').read_text('utf-8', 'replace').strip()} ({process.name})")
        except OSError:  # another user's, or gone
            continue
    return found


def _tried(what: str, device: Device) -> Finding:
    """Where the system lists no modes: the sizes that a camera really gives when it is asked."""
    from ..errors import AnimatorError
    from ..sources.camera import CameraSource

    modes = []
    try:
        for size_px in TRIED_SIZES_PX:
            camera = CameraSource(device.number, size_px)
            modes.append(Mode(*camera.size_px, camera.fps, sys.platform))
            camera.close()
    except AnimatorError as error:
        return Finding(what, "warn", f"{device.name}: {error}", "close the program that uses it")
    return Finding(what, "ok", f"{device.name}: {', '.join(dict.fromkeys(map(str, modes)))}")
