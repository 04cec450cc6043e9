"""Motion to and from the network, as a person types it."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from animator.data import Motion
from animator.takes.npz import save_takes
from animator.takes.take import take_from_motions


@pytest.fixture
def take(tmp_path: Path) -> str:
    save_takes(tmp_path / "in.npz", [take_from_motions([Motion(i / 30, 0) for i in range(5)], 30.0)])
    return str(tmp_path / "in.npz")


@pytest.mark.parametrize("command", ["run", "play", "record"])
@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("udp://127.0.0.1:1", "wanted vmc://HOST:PORT, livelink://HOST:PORT"),
        ("vmc://127.0.0.1:1?names=mine", "wanted names=perfect-sync|vrm0|vrm1|both, got names=mine"),
    ],
)
def test_a_wrong_url_is_one_line_and_makes_no_file(animator, take: str, command: str, url: str, reason: str) -> None:
    made = Path(take).with_name("out.npz")
    said = animator(command, take, "--send", url, *(["-o", str(made)] if command == "record" else []))
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert reason in said.err
    assert not made.exists()


@pytest.mark.parametrize("command", ["run", "play", "record"])
def test_a_take_is_sent_to_several_and_need_not_be_drawn(
    animator, take: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.chdir(Path(take).parent)
    made = Path(take).with_name("out.npz")
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two,
    ):
        for listener in (one, two):
            listener.bind(("127.0.0.1", 0))
            listener.settimeout(20)
        said = animator(
            command, take,
            "--send", f"livelink://127.0.0.1:{one.getsockname()[1]}",
            "--send", f"ifacialmocap://127.0.0.1:{two.getsockname()[1]}",
            *(["-o", str(made)] if command == "record" else []),
        )  # fmt: skip
        assert said.code == 0, said.err
        assert [one.recv(2000)[0] for _ in range(5)] == [6] * 5
        assert all(two.recv(2000).startswith(b"eyeBlink_L-0|") for _ in range(5))
    assert made.exists() == (command == "record")
    assert not list(Path(take).parent.glob("out/*"))


def test_a_port_that_is_taken_is_one_line(animator) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        said = animator("run", f"vmc://127.0.0.1:{taken.getsockname()[1]}")
    assert said.code == 2
    assert "Address already in use" in said.err
    assert said.err.count("\n") == 1


def test_without_a_virtual_camera_the_remedy_is_told(animator, take: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    said = animator("run", take, "--virtual-camera")
    assert said.code == 2
    assert "pip install 'animator[virtual-camera]'" in said.err


def test_the_avatar_is_shown_as_a_webcam_and_no_file_is_made(
    animator, take: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[int, ...]] = []

    class Camera:
        def __init__(self, width: int, height: int, fps: float) -> None:
            self.width, self.height = width, height

        def send(self, picture: np.ndarray) -> None:
            shown.append(picture.shape)

        def close(self) -> None:
            pass

    monkeypatch.setitem(sys.modules, "pyvirtualcam", SimpleNamespace(Camera=Camera))
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.chdir(Path(take).parent)
    said = animator("run", take, "--virtual-camera", "--size", "64x48")
    assert said.code == 0, said.err
    assert set(shown) == {(48, 64, 3)}
    assert not list(Path(take).parent.glob("out/*"))
