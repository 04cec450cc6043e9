"""The program in this process, as its own tests have it, and a camera in place of OpenCV's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest

from animator.data import Array
from animator.sources import camera as camera_module
from tests.cli.conftest import animator  # noqa: F401 - a fixture


class Device:
    """What a camera gives, picture by picture, whoever opens it how often: None is a read that fails."""

    def __init__(self, *pictures: Array | None) -> None:
        self._pictures = list(pictures)
        self.opened = self.released = 0
        self.hangs = threading.Event()
        self.may_go = threading.Event()
        """What comes after the last picture: a read that hangs."""

    def open(self, _number: int) -> Device:
        self.opened += 1
        return self

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return True

    def set(self, *_what: object) -> None: ...

    def get(self, _what: int) -> float:
        return 30.0

    def read(self, _into: Array | None = None) -> tuple[bool, Array | None]:
        if not self._pictures:
            self.hangs.set()
            self.may_go.wait()
            return False, None
        bgr = self._pictures.pop(0)
        return bgr is not None, bgr

    def release(self) -> None:
        self.released += 1


@pytest.fixture
def plug_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Device]]:
    """A camera 0 that gives these pictures; the rest of the program is real."""
    devices = []

    def plug(*pictures: Array | None) -> Device:
        devices.append(Device(*pictures))
        monkeypatch.setattr(camera_module, "_check_device", lambda _number: None)
        monkeypatch.setattr(camera_module, "LOOK_AGAIN_S", 0.0)
        monkeypatch.setattr(cv2, "VideoCapture", devices[-1].open)
        return devices[-1]

    yield plug
    for device in devices:
        device.may_go.set()


def grey(value: int, size_px: tuple[int, int] = (64, 48)) -> Array:
    """A picture of one colour, (H, W, 3) uint8."""
    return np.full((size_px[1], size_px[0], 3), value, np.uint8)
