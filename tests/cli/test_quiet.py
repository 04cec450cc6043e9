"""What real commands leave on standard error: nothing, where all is well."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.conftest import ROOT

SMALL = ("--size", "64x48")


def run(folder: Path, *words: object, **env: str) -> subprocess.CompletedProcess[str]:
    """The program as people start it, without a display."""
    given = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "ANIMATOR_VERBOSE")}
    return subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *map(str, words)],
        cwd=folder, env=given | env, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


@pytest.fixture
def spoilt_pictures(tmp_path: Path) -> Path:
    """A folder with a good picture, and some over which native decoders complain."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    rgb = cv2.resize(np.random.default_rng(0).integers(0, 255, (20, 20, 3), np.uint8), (200, 200))
    jpg, png = (bytearray(cv2.imencode(suffix, rgb)[1].tobytes()) for suffix in (".jpg", ".png"))
    (folder / "a.jpg").write_bytes(jpg)
    jpg[700:720] = b"\xff\xd0" * 10
    (folder / "b.jpg").write_bytes(jpg)
    (folder / "c.png").write_bytes(png[:-200])
    return folder


@pytest.mark.parametrize("tracker", ["litert", "mediapipe"])
def test_a_film_is_made_without_a_word(tmp_path: Path, face_clip: Path, tracker: str) -> None:
    """Both trackers load TensorFlow Lite, and drawing loads VTK and Mesa: each greets when it may."""
    done = run(tmp_path, "run", face_clip, "--tracker", tracker, "--out", "a.mp4", "--take", "a.npz", *SMALL)
    assert (done.returncode, done.stderr) == (0, "")


def test_recording_playing_and_turning_into_other_formats_say_nothing(tmp_path: Path, face_clip: Path) -> None:
    for words in (
        ("record", face_clip, "-o", "b.npz"),
        ("play", "b.npz", "--out", "c.mp4", *SMALL),
        ("convert", "b.npz", "d.glb"),
        ("rigs", "check", "mask"),
    ):
        done = run(tmp_path, *words)
        assert (done.returncode, done.stderr) == (0, ""), words


def test_spoilt_pictures_are_told_in_our_words_alone(tmp_path: Path, spoilt_pictures: Path) -> None:
    done = run(tmp_path, "record", spoilt_pictures, "-o", "a.npz")
    lines = done.stderr.splitlines()
    assert lines[0].endswith("pictures/c.png is not a picture that can be read: left out")
    assert all(line.startswith("animator: ") for line in lines)


def test_all_is_heard_with_vv(tmp_path: Path, spoilt_pictures: Path) -> None:
    done = run(tmp_path, "record", spoilt_pictures, "-o", "a.npz", "-vv")
    assert "libpng" in done.stderr
    assert "Corrupt JPEG data" in done.stderr


def test_a_spoilt_film_is_told_in_one_line(tmp_path: Path, face_clip: Path) -> None:
    data = bytearray(face_clip.read_bytes())
    for place in range(3000, len(data) // 2, 900):
        data[place : place + 40] = b"\x55" * 40
    (tmp_path / "bad.mp4").write_bytes(data)
    done = run(tmp_path, "record", "bad.mp4", "-o", "a.npz")
    assert all(line.startswith("animator: ") for line in done.stderr.splitlines())
    assert len(done.stderr.splitlines()) <= 2


def test_json_is_a_line_for_each_event(tmp_path: Path) -> None:
    done = run(tmp_path, "record", "nowhere.mp4", "-o", "a.npz", ANIMATOR_LOG="json")
    (said,) = map(json.loads, done.stderr.splitlines())
    assert (done.returncode, said["level"]) == (2, "error")
    assert said["message"].startswith("there is no nowhere.mp4")


@pytest.mark.parametrize("words", [("-v", "record"), ("record", "-v"), ("record", "--verbose")])
def test_v_stands_anywhere_and_tells_more(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = run(tmp_path, *words, "nowhere.mp4", "-o", "a.npz")
    assert done.returncode == 2
    assert " ERROR MainThread: there is no nowhere.mp4" in done.stderr
