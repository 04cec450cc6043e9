"""What commands make: films and takes that open and are as long as they should be."""

from __future__ import annotations

import re
from pathlib import Path

import av
import numpy as np
import pytest

from animator.sources import opening as opening_module
from animator.sources.images import ImageSource
from animator.takes.live_link_csv import load_csv
from animator.takes.npz import load_landmark_take, load_takes

from .helpers import SMALL, Said, files_in, frames_of


def test_run_writes_a_film_and_a_take_of_equal_length(animator, face_clip: Path) -> None:
    said = animator("run", face_clip, "--out", "new/a.mp4", "--take", "new/a.npz", *SMALL)
    assert said == Said(0, "wrote new/a.mp4\nwrote new/a.npz\n", "")
    (take,) = load_takes(Path("new/a.npz"))
    assert frames_of(Path("new/a.mp4")) == len(take) == frames_of(face_clip)
    assert (take.confidence > 0).all()
    assert files_in(Path("new")) == ["a.mp4", "a.npz"]


def test_without_display_and_out_the_film_goes_where_it_says(animator, take_path: Path) -> None:
    said = animator("run", take_path, *SMALL)
    assert said == Said(0, "wrote out/in.mp4\n", "")
    assert frames_of(Path("out/in.mp4")) == 6


@pytest.mark.parametrize("name", ["a.npz", "a.csv", "a.landmarks.npz"])
def test_a_recording_is_a_source_again(animator, face_clip: Path, name: str) -> None:
    recorded = animator("record", face_clip, "-o", name)
    frames = frames_of(face_clip)
    assert recorded == Said(0, f"wrote {name} ({frames} frames, a face in {frames})\n", "")
    assert files_in(Path()) == [name]
    if name == "a.landmarks.npz":
        assert load_landmark_take(Path(name)).tracked.all()
    else:
        take = load_csv(Path(name)) if name.endswith(".csv") else load_takes(Path(name))[0]
        assert len(take) == frames
    assert animator("play", name, "--out", "played.mp4", *SMALL).code == 0
    assert frames_of(Path("played.mp4")) == frames
    assert animator("run", name, "--out", "ran.mkv", "--take", "again.npz", *SMALL).code == 0
    (again,) = load_takes(Path("again.npz"))
    assert len(again) == frames
    if name == "a.npz":
        assert np.array_equal(again.weights, load_takes(Path(name))[0].weights)


def test_a_landmark_take_is_solved_again_with_other_settings(animator, landmarks_path: Path) -> None:
    for name, fov_deg in (("narrow.npz", 30), ("wide.npz", 90)):
        assert animator("record", landmarks_path, "-o", name, "--fov", fov_deg).code == 0
    narrow, wide = (load_takes(Path(name))[0].translations_cm[-1, 2] for name in ("narrow.npz", "wide.npz"))
    assert narrow < 2 * wide < 0


def test_settings_come_from_a_file_and_options_win_over_it(animator, take_path: Path) -> None:
    Path("a.toml").write_text('[show]\nsize_px = [80, 60]\nbackground = "white"\n')
    assert animator("run", take_path, "--config", "a.toml", "--out", "a.png").code == 0
    assert animator("run", take_path, "--config", "a.toml", "--out", "b.png", "--size", "40x30").code == 0
    sizes = []
    for name in ("a.png", "b.png"):
        (frame,) = ImageSource(Path(name))
        sizes.append(frame.size_px)
        assert (frame.rgb[0, 0] > 250).all()
    assert sizes == [(80, 60), (40, 30)]


def test_a_clip_without_a_face_gives_a_film_of_an_avatar_at_rest_and_a_warning(animator, make_video) -> None:
    said = animator("run", make_video(frames=3), "--out", "a.mp4", "--take", "a.npz", *SMALL)
    assert said.code == 0
    assert said.one_line.startswith("no face was found in square.mp4: the avatar rests")
    assert frames_of(Path("a.mp4")) == 3
    (take,) = load_takes(Path("a.npz"))
    assert not take.confidence.any()
    assert not take.weights.any()
    with av.open("a.mp4") as container:
        assert next(container.decode(video=0)).to_ndarray(format="rgb24").std() > 10


def test_a_clip_that_breaks_off_keeps_what_came_before(animator, make_video) -> None:
    whole = make_video(frames=60)
    with av.open(str(whole)) as given, av.open("fast.mp4", "w", options={"movflags": "+faststart"}) as made:
        stream = made.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                made.mux(packet)
    Path("cut.mp4").write_bytes(Path("fast.mp4").read_bytes()[: Path("fast.mp4").stat().st_size * 7 // 10])
    said = animator("run", "cut.mp4", "--view", "mesh", "--out", "a.mp4", "--take", "a.npz", *SMALL)
    assert said.code == 2
    *warned, last = said.err.splitlines()
    assert re.search(r"animator: cut\.mp4 is damaged: .*; what came before is kept", last)
    assert all(line.startswith("animator: no face was found") for line in warned)
    assert said.out == "wrote a.mp4\nwrote a.npz\n"
    assert 0 < frames_of(Path("a.mp4")) == len(load_takes(Path("a.npz"))[0]) < 60


@pytest.mark.skipif(any(Path("/dev").glob("video*")), reason="this machine has a camera")
def test_without_source_and_camera_the_bundled_performance_is_played(animator, face_clip: Path, monkeypatch) -> None:
    asked: list[str] = []

    def short(name: str) -> Path:
        asked.append(name)
        return face_clip

    monkeypatch.setattr(opening_module, "asset_path", short)
    said = animator("run", "--view", "mesh", "--out", "a.mp4", *SMALL)
    assert said.code == 0
    assert re.search(r"no webcam \(.*\): playing the bundled performance", said.one_line)
    assert asked == ["performance.mp4"]
    assert frames_of(Path("a.mp4")) == frames_of(face_clip)
