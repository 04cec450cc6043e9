"""The avatar as a webcam: by a library that is replaced at its border, and by the real one's refusal."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from animator.data import Frame
from animator.errors import SinkError
from animator.sinks.virtual_camera import VirtualCameraSink
from animator.stages import FrameSink


class Camera:
    """What pyvirtualcam.Camera promises; it refuses other sizes than its own, as the real one does."""

    made: list[Camera]
    refuses: str | None = None

    def __init__(self, width: int, height: int, fps: float) -> None:
        if Camera.refuses:
            raise RuntimeError(Camera.refuses)
        self.width, self.height, self.fps = width, height, fps
        self.pictures: list[np.ndarray] = []
        self.closed = False
        Camera.made.append(self)

    def send(self, picture: np.ndarray) -> None:
        if picture.shape != (self.height, self.width, 3):
            raise ValueError("unexpected frame shape")
        assert picture.dtype == np.uint8
        assert picture.flags.c_contiguous
        self.pictures.append(picture.copy())

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def _library(monkeypatch: pytest.MonkeyPatch) -> None:
    Camera.made, Camera.refuses = [], None
    monkeypatch.setitem(sys.modules, "pyvirtualcam", SimpleNamespace(Camera=Camera))


def picture(width: int, height: int) -> Frame:
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[height // 2, width // 2] = 255
    return Frame(rgb, 0.0, 0)


def test_pictures_are_shown_in_the_size_of_the_first() -> None:
    sink = VirtualCameraSink(25.0)
    assert isinstance(sink, FrameSink)
    for size in ((321, 241), (640, 480), (100, 50)):
        sink.write(picture(*size))
    sink.close()
    sink.close()
    probe, camera = Camera.made
    assert probe.closed
    assert camera.closed
    assert (camera.width, camera.height, camera.fps) == (320, 240, 25.0)
    assert len(camera.pictures) == sink.frames == 3
    for shown in camera.pictures[1:]:  # in the middle stays in the middle
        assert np.abs(np.argwhere(shown.max(2))[0] - (120, 160)).max() <= 1


def test_a_system_without_one_is_told_the_remedy_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    Camera.refuses = "'v4l2loopback' backend: No v4l2 loopback device found.\nAnd more."
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(SinkError, match=r"device found\): install the package v4l2loopback-dkms.*modprobe") as caught:
        VirtualCameraSink(30.0)
    assert "\n" not in str(caught.value)


def test_without_the_library_the_message_is_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(SinkError, match=r"pip install 'animator\[virtual-camera\]'"):
        VirtualCameraSink(30.0)


def test_a_camera_that_stops_is_told() -> None:
    sink = VirtualCameraSink(30.0)
    sink.write(picture(64, 48))
    Camera.made[-1].send = lambda _picture: (_ for _ in ()).throw(OSError("device gone"))
    with pytest.raises(SinkError, match="the virtual camera stopped: device gone"):
        sink.write(picture(64, 48))
    sink.close()


def test_the_real_library_refuses_where_there_is_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    pytest.importorskip("pyvirtualcam", reason="pyvirtualcam is not here: pip install '.[virtual-camera]'")
    if not sys.platform.startswith("linux") or list(Path("/dev").glob("video*")):
        pytest.skip("this system may have a virtual camera")
    with pytest.raises(SinkError, match=r"there is no virtual camera .*v4l2 loopback.*modprobe v4l2loopback"):
        VirtualCameraSink(30.0)
