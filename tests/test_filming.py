"""Performances into files: as many pictures as the source has, and a file that plays however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from animator.config import Config, ShowConfig
from animator.data import LANDMARKS, Array, Expression, Frame, Motion
from animator.errors import RenderError, RigError, SettingError, SinkError
from animator.filming import film, film_size_px, open_sink
from animator.pipeline import Performance, open_performance
from animator.sinks.images import ImageSink
from animator.sinks.video import VideoSink
from animator.sources.landmarks import LandmarkSource
from animator.sources.replay import ReplaySource
from animator.sources.video import VideoSource
from animator.takes.npz import LandmarkTake, save_landmark_take, save_takes
from animator.takes.take import take_from_motions
from animator.topology import canonical_face

FPS = 30.0


class FirstFrames:
    """The beginning of a source, as a source; may be interrupted as by Ctrl-C."""

    live = False

    def __init__(self, source: VideoSource, frames: int) -> None:
        self._source, self.frame_count = source, frames
        self.name, self.fps, self.size_px = source.name, source.fps, source.size_px

    def __iter__(self) -> Iterator[Frame]:
        return islice(iter(self._source), self.frame_count)

    def close(self) -> None:
        self._source.close()


class Kept:
    """A sink that keeps the pictures; may fail at one of them."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.frames: list[Frame] = []
        self.closed, self._fails_at = False, fails_at

    def write(self, frame: Frame) -> None:
        if len(self.frames) == self._fails_at:
            raise SinkError("the disk is full")
        self.frames.append(frame)

    def close(self) -> None:
        self.closed = True


def showing(**show: object) -> Config:
    return replace(Config(), show=ShowConfig(**{"size_px": (160, 120), **show}))


def clip(performance_path: Path, frames: int = 8) -> Performance:
    return open_performance(FirstFrames(VideoSource(performance_path), frames))


@pytest.fixture
def take(tmp_path: Path) -> Performance:
    """A second of motion in which the jaw opens."""
    motions = [Motion(index / FPS, 0, expression=Expression.of(jawOpen=index / 29)) for index in range(30)]
    save_takes(tmp_path / "in.npz", [take_from_motions(motions, FPS)])
    return open_performance(ReplaySource(tmp_path / "in.npz"))


@pytest.fixture
def landmark_take(tmp_path: Path) -> Performance:
    """The canonical face for half a second; it is lost for a while."""
    landmarks = np.full((LANDMARKS, 3), 0.5, np.float32)
    landmarks[:468] = canonical_face().positions_cm * [0.02, -0.03, -0.02] + [0.5, 0.5, 0.0]
    tracked = np.ones(15, bool)
    tracked[5:8] = False
    saved = LandmarkTake(np.repeat(landmarks[None], 15, 0), (120, 80), np.arange(15) / FPS, tracked)
    save_landmark_take(tmp_path / "in.landmarks.npz", saved)
    return open_performance(LandmarkSource(tmp_path / "in.landmarks.npz"))


def pictures_of(path: Path) -> list[Array]:
    with av.open(str(path)) as container:
        return [picture.to_ndarray(format="rgb24") for picture in container.decode(video=0)]


def test_a_take_becomes_as_many_pictures(take: Performance, tmp_path: Path) -> None:
    counted: list[int] = []
    with take:
        assert film(take, showing(), VideoSink(tmp_path / "a.mp4", FPS), counted.append) == 30
    assert counted == list(range(1, 31))
    pictures = pictures_of(tmp_path / "a.mp4")
    assert len(pictures) == 30
    assert pictures[0].shape == (120, 160, 3)


def test_an_open_jaw_changes_the_mouth_and_little_else(take: Performance) -> None:
    sink = Kept()
    with take:
        film(take, showing(size_px=(320, 240)), sink)
    first, last = sink.frames[0].rgb.astype(int), sink.frames[-1].rgb.astype(int)
    changed = np.abs(last - first).max(-1) > 12
    assert changed[145:190, 145:175].mean() > 0.2
    assert changed[:100].mean() < 0.02
    assert not changed[:200, :80].any()  # below it the shoulders breathe


def test_a_landmark_take_becomes_as_many_pictures_of_its_own_size(landmark_take: Performance, tmp_path: Path) -> None:
    with landmark_take:
        config = showing(view="side-by-side", size_px=None)
        assert film_size_px(landmark_take, config) == (240, 80)
        assert film(landmark_take, config, VideoSink(tmp_path / "a.mkv", FPS)) == 15
    pictures = pictures_of(tmp_path / "a.mkv")
    assert len(pictures) == 15
    assert pictures[0].shape == (80, 240, 3)


@pytest.mark.parametrize("view", ["avatar", "mask", "mesh", "side-by-side"])
def test_the_bundled_performance_is_filmed_in_every_view(view: str, performance_path: Path, tmp_path: Path) -> None:
    with clip(performance_path, 4) as performance:
        assert film(performance, showing(view=view), VideoSink(tmp_path / "a.mp4", FPS)) == 4
        assert performance.frames_with_face == 4
    pictures = pictures_of(tmp_path / "a.mp4")
    assert len(pictures) == 4
    assert pictures[0].shape == (120, 160, 3)
    assert pictures[0].std() > 10


def test_times_of_the_source_are_kept(performance_path: Path) -> None:
    sink = Kept()
    with clip(performance_path, 4) as performance:
        film(performance, showing(view="mesh"), sink)
    assert [frame.index for frame in sink.frames] == [0, 1, 2, 3]
    assert [frame.time_s for frame in sink.frames] == pytest.approx([0, 1 / 30, 2 / 30, 3 / 30], abs=1e-3)
    assert sink.closed


@pytest.mark.parametrize(("fps", "count"), [(15.0, 15), (60.0, 59), (24.0, 24)])
def test_another_rate_changes_the_count_and_not_the_length(take: Performance, fps: float, count: int) -> None:
    sink = Kept()
    with take:
        assert film(take, showing(fps=fps, size_px=(32, 24)), sink) == count
    assert [frame.time_s for frame in sink.frames] == pytest.approx([i / fps for i in range(count)])


@pytest.mark.parametrize(("view", "size_px"), [("mesh", (64, 48)), ("avatar", (33, 17)), ("side-by-side", (90, 160))])
def test_the_size_that_was_asked_for_is_the_size_that_comes(view: str, size_px, landmark_take: Performance) -> None:
    sink = Kept()
    with landmark_take:
        film(landmark_take, showing(view=view, size_px=size_px), sink)
    assert {frame.size_px for frame in sink.frames} == {size_px}


def test_a_mirrored_film_is_the_other_way_round(landmark_take: Performance, tmp_path: Path) -> None:
    plain, mirrored = Kept(), Kept()
    with landmark_take:
        film(landmark_take, showing(view="mesh", size_px=None), plain)
    with open_performance(LandmarkSource(tmp_path / "in.landmarks.npz")) as again:
        film(again, showing(view="mesh", size_px=None, mirror=True), mirrored)
    # The left side's outlines are green; a mirror shows them on the picture's left.
    assert greenest_x(plain.frames[0].rgb) > 60 > greenest_x(mirrored.frames[0].rgb)


def greenest_x(rgb: Array) -> float:
    colours = rgb.astype(int)
    return float(np.argwhere(colours[..., 1] - np.maximum(colours[..., 0], colours[..., 2]) > 50)[:, 1].mean())


def test_ctrl_c_in_the_middle_leaves_a_film_that_plays(take: Performance, tmp_path: Path) -> None:
    def interrupt(frames: int) -> None:
        if frames == 12:
            raise KeyboardInterrupt

    with take, pytest.raises(KeyboardInterrupt):
        film(take, showing(), VideoSink(tmp_path / "a.mp4", FPS), interrupt)
    assert len(pictures_of(tmp_path / "a.mp4")) == 12
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "in.npz"]


def test_an_encoder_that_fails_leaves_nothing_half_written(take: Performance, tmp_path: Path, monkeypatch) -> None:
    from_ndarray = av.VideoFrame.from_ndarray
    written: list[int] = []

    def fails_later(*arguments: object, **options: object) -> av.VideoFrame:
        written.append(1)
        if len(written) > 5:
            raise OSError(28, "No space left on device")
        return from_ndarray(*arguments, **options)

    class Frames:
        from_ndarray = staticmethod(fails_later)

    monkeypatch.setattr(av, "VideoFrame", Frames)
    with take, pytest.raises(SinkError, match=r"cannot write .*a\.mp4: No space left on device"):
        film(take, showing(size_px=(32, 24)), VideoSink(tmp_path / "a.mp4", FPS))
    leftovers = [path.name for path in tmp_path.iterdir() if path.name not in ("in.npz", "a.mp4")]
    assert leftovers == []
    if (tmp_path / "a.mp4").exists():
        monkeypatch.undo()
        assert len(pictures_of(tmp_path / "a.mp4")) == 5


def test_a_folder_that_vanishes_leaves_nothing(take: Performance, tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    sink = VideoSink(folder / "a.mp4", FPS)
    folder.rmdir()
    with take, pytest.raises(SinkError, match="cannot write"):
        film(take, showing(size_px=(32, 24)), sink)
    assert not folder.exists()


def test_whatever_fails_the_sink_is_closed(take: Performance, performance_path: Path) -> None:
    sink = Kept(fails_at=3)
    with take, pytest.raises(SinkError, match="the disk is full"):
        film(take, showing(size_px=(32, 24)), sink)
    assert sink.closed
    for show, error in (({"rig": "nobody"}, RigError), ({"background": "nonsense"}, SettingError)):
        sink = Kept()
        with clip(performance_path, 2) as performance, pytest.raises(error):
            film(performance, showing(**show), sink)
        assert sink.closed
        assert sink.frames == []


def test_a_take_has_no_picture_to_draw_a_mesh_in(take: Performance) -> None:
    with take, pytest.raises(SettingError, match="a take has none"):
        film(take, showing(view="mesh"), Kept())


def test_the_mesh_needs_no_opengl(landmark_take: Performance, monkeypatch) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise RenderError("no OpenGL")

    monkeypatch.setattr("animator.rendering.renderer.open_plotter", refuse)
    sink = Kept()
    with landmark_take:
        assert film(landmark_take, showing(view="mesh"), sink) == 15
        with pytest.raises(RenderError, match="no OpenGL"):
            film(landmark_take, showing(view="avatar"), Kept())
    drawn = [frame.rgb[20:100, 20:140].std() > 5 for frame in sink.frames]
    assert drawn == [True] * 5 + [False] * 3 + [True] * 7


def test_a_name_tells_the_sink(tmp_path: Path) -> None:
    assert isinstance(open_sink(tmp_path / "a.PNG", 30.0), ImageSink)
    assert isinstance(open_sink(tmp_path / "a.webm", 30.0), VideoSink)
    with pytest.raises(SinkError, match="wanted a name that ends in"):
        open_sink(tmp_path / "a.gif", 30.0)
