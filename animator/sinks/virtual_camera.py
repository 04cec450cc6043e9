"""The avatar as a webcam that other programs can choose, by pyvirtualcam."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ..data import Array, Frame
from ..errors import SinkError

MISSING = "a virtual camera needs pyvirtualcam: pip install 'animator[virtual-camera]'"
REMEDIES = {
    "linux": "install the package v4l2loopback-dkms, then: sudo modprobe v4l2loopback exclusive_caps=1",
    "darwin": "install OBS Studio 30 or later and start its virtual camera once",
    "win32": "install OBS Studio, which brings one",
}


class VirtualCameraSink:
    """Shows pictures as a camera, opened with the size of the first one; others are fitted into it.

    fps : what the camera says of itself; pictures go out when they come"""

    def __init__(self, fps: float) -> None:
        self._pyvirtualcam = _library()
        self._fps, self._camera = fps, None
        self.frames = 0
        self._open(640, 480).close()  # what is missing is told now, not after the first picture

    def write(self, frame: Frame) -> None:
        """Show one picture."""
        height, width = (side // 2 * 2 for side in frame.rgb.shape[:2])  # video devices want even sides
        if self._camera is None:
            self._camera = self._open(width, height)
        try:
            self._camera.send(_fitted(frame.rgb, self._camera.width, self._camera.height))
        except (RuntimeError, OSError) as error:
            raise SinkError(f"the virtual camera stopped: {error}") from error
        self.frames += 1

    def close(self) -> None:
        """Switch the camera off. May be called twice."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None

    def _open(self, width: int, height: int) -> Any:
        try:
            return self._pyvirtualcam.Camera(width, height, self._fps)
        except (RuntimeError, OSError) as error:
            why = " ".join(str(error).split("\n")[0].split()).rstrip(".")
            remedy = REMEDIES.get(sys.platform, "see pyvirtualcam's page for what this system needs")
            raise SinkError(f"there is no virtual camera ({why}): {remedy}") from None


def _library() -> Any:
    try:
        import pyvirtualcam
    except ModuleNotFoundError as error:
        if error.name != "pyvirtualcam":
            raise
        raise SinkError(MISSING) from None
    return pyvirtualcam


def _fitted(rgb: Array, width: int, height: int) -> Array:
    """Cut or surrounded by black, the middle staying in the middle: a camera cannot change its size."""
    if rgb.shape[:2] == (height, width):
        return np.ascontiguousarray(rgb)
    canvas = np.zeros((height, width, 3), np.uint8)
    rows, columns = min(height, rgb.shape[0]), min(width, rgb.shape[1])
    top, left = (height - rows) // 2, (width - columns) // 2
    above, before = (rgb.shape[0] - rows) // 2, (rgb.shape[1] - columns) // 2
    canvas[top : top + rows, left : left + columns] = rgb[above : above + rows, before : before + columns]
    return canvas
