"""A webcam, by OpenCV."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2

from ..data import Array, Frame
from ..errors import SourceError
from ..recycling import PICTURES
from ..timing import Clock, monotonic_s

log = logging.getLogger("animator")

DEFAULT_SIZE_PX = (640, 480)
DEFAULT_FPS = 30.0
LOOK_AGAIN_S = 1.0
"""A camera that was unplugged is looked for so often."""
RELEASE_S = 2.0
"""A camera that gives no sign for so long while it is to be given back hangs in its driver."""


class CameraSource:
    """A local camera. Frames carry the seconds since the first one by `clock`: a camera's own clock is the world's.

    One that is unplugged is waited for, and goes on once it is back, as whatever it then is: its pictures may have
    another size."""

    live = True
    frame_count: int | None = None

    def __init__(
        self,
        number: int = 0,
        size_px: tuple[int, int] | None = None,
        fps: float | None = None,
        clock: Clock = monotonic_s,
    ) -> None:
        self.name, self._number, self._clock = f"camera {number}", number, clock
        self._wanted = size_px or DEFAULT_SIZE_PX, fps or DEFAULT_FPS
        self._stopped, self._using = threading.Event(), threading.Lock()
        self._shape: tuple[int, ...] | None = None
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # the reason is ours to tell, in one line
        if sys.platform == "linux":
            _check_device(number)
        self._capture = self._opened()
        first = self._read()
        if first is None:
            self._capture.release()
            raise SourceError(
                f"camera {number} gives no picture: another program may be using it, or it is not a camera; "
                f"close that program or name another one (found: {_found()})"
            )
        self.size_px = (first.shape[1], first.shape[0])
        self.fps = float(self._capture.get(cv2.CAP_PROP_FPS)) or fps or DEFAULT_FPS

    def __iter__(self) -> Iterator[Frame]:
        start_s, index = self._clock(), 0
        while not self._stopped.is_set():
            bgr = self._read()
            if bgr is None:
                self._wait_until_it_is_back()
                continue
            yield Frame(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB, dst=bgr), self._clock() - start_s, index)
            index += 1

    def interrupt(self) -> None:
        """End the iteration soon; from any thread."""
        self._stopped.set()

    def close(self) -> None:
        """Give the camera back. May be called twice."""
        self.interrupt()
        # A driver that hangs in a read must not be released under it: it ends with the program.
        if self._using.acquire(timeout=RELEASE_S):
            self._capture.release()
            self._using.release()

    def _opened(self) -> cv2.VideoCapture:
        (width, height), fps = self._wanted
        capture = cv2.VideoCapture(self._number)
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        capture.set(cv2.CAP_PROP_FPS, fps)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        return capture

    def _read(self) -> Array | None:
        """(H, W, 3) uint8 BGR; None where there is none."""
        with self._using:
            into = None if self._shape is None else PICTURES.empty(self._shape)  # OpenCV minds its size and type
            grabbed, bgr = self._capture.read(into) if self._capture.isOpened() else (False, None)
        self._shape = bgr.shape if grabbed else None
        return bgr if grabbed else None

    def _wait_until_it_is_back(self) -> None:
        if self._stopped.is_set():
            return
        log.warning("%s gives no more pictures: plug it in again, and it goes on; Ctrl-C ends", self.name)
        while not self._stopped.wait(LOOK_AGAIN_S):
            with self._using:
                self._capture.release()
                if self._stopped.is_set():
                    return
                self._capture = self._opened()
            if self._read() is not None:
                log.warning("%s is back", self.name)
                return


def camera_numbers() -> list[int]:
    """The cameras that this machine seems to have; on Linux by their device files, elsewhere by trying four."""
    if sys.platform == "linux":
        return sorted(int(p.name[5:]) for p in Path("/dev").glob("video*") if p.name[5:].isdigit())
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return [n for n in range(4) if cv2.VideoCapture(n).isOpened()]


def _found() -> str:
    return ", ".join(f"camera {n}" for n in camera_numbers()) or "none"


def _check_device(number: int) -> None:
    device = f"/dev/video{number}"
    if not os.path.exists(device):
        raise SourceError(f"there is no camera {number} (found: {_found()}): plug one in, or name a video file")
    if not os.access(device, os.R_OK | os.W_OK):
        raise SourceError(f"camera {number} may not be used by this user: join the group `video` and log in again")
