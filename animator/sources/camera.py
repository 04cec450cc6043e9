"""A webcam, by OpenCV."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2

from ..data import Frame
from ..errors import SourceError
from ..timing import Clock, monotonic_s

DEFAULT_SIZE_PX = (640, 480)
DEFAULT_FPS = 30.0


class CameraSource:
    """A local camera. Frames carry the seconds since the first one by `clock`: a camera's own clock is the world's."""

    live = True
    frame_count: int | None = None

    def __init__(
        self,
        number: int = 0,
        size_px: tuple[int, int] | None = None,
        fps: float | None = None,
        clock: Clock = monotonic_s,
    ) -> None:
        self.name, self._clock = f"camera {number}", clock
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # the reason is ours to tell, in one line
        if sys.platform == "linux":
            _check_device(number)
        self._capture = cv2.VideoCapture(number)
        width, height = size_px or DEFAULT_SIZE_PX
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        self._capture.set(cv2.CAP_PROP_FPS, fps or DEFAULT_FPS)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        opened, first = self._capture.read() if self._capture.isOpened() else (False, None)
        if not opened or first is None:
            self._capture.release()
            raise SourceError(
                f"camera {number} gives no picture: another program may be using it, or it is not a camera; "
                f"close that program or name another one (found: {_found()})"
            )
        self.size_px = (first.shape[1], first.shape[0])
        self.fps = float(self._capture.get(cv2.CAP_PROP_FPS)) or fps or DEFAULT_FPS

    def __iter__(self) -> Iterator[Frame]:
        start_s, index = self._clock(), 0
        while True:
            grabbed, bgr = self._capture.read()
            if not grabbed:
                raise SourceError(f"{self.name} stopped giving pictures: plug it in again and start anew")
            yield Frame(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), self._clock() - start_s, index)
            index += 1

    def close(self) -> None:
        """Give the camera back."""
        self._capture.release()


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
