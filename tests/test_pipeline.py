"""The corridor's front half: every frame of a file, the newest of the world, and every error to its reader."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from animator import pipeline as pipeline_module
from animator.channels import MIRRORED
from animator.config import Config
from animator.data import LANDMARKS, Expression, Face, Frame, HeadPose, Motion
from animator.errors import AnimatorError, SourceError
from animator.maths.projection import focal_px, pixels_from_camera
from animator.maths.rotations import matrix_from_yaw_pitch_roll
from animator.pipeline import AHEAD, Moment, Performance, is_motion_source, open_performance
from animator.sources.landmarks import LandmarkSource
from animator.sources.replay import ReplaySource
from animator.sources.video import VideoSource
from animator.takes.npz import LandmarkTake, save_landmark_take, save_takes
from animator.takes.take import take_from_motions
from animator.timing import Closed
from animator.topology import LEFT_EYE, RIGHT_EYE, canonical_face
from animator.tracking.config import TrackingConfig

SIZE_PX = (160, 120)
PATIENCE_S = 30.0
"""How long a test waits for a thread before it fails; none of them ever should."""


def landmarks_at(yaw_rad: float) -> np.ndarray:
    """(478, 3): the canonical face, turned, 50 cm before a camera with 50 degrees of view."""
    positions_cm = canonical_face().positions_cm
    irises_cm = [positions_cm[list(eye)].mean(0) for eye in (RIGHT_EYE, LEFT_EYE) for _ in range(5)]
    turned_cm = np.vstack([positions_cm, irises_cm]) @ matrix_from_yaw_pitch_roll(np.array([yaw_rad, 0, 0])).T
    landmarks = np.zeros((LANDMARKS, 3), np.float32)
    pixels = pixels_from_camera(turned_cm + [0, 0, -50], SIZE_PX, focal_px(SIZE_PX, np.radians(50)))
    landmarks[:, :2] = pixels / SIZE_PX
    landmarks[:, 2] = -turned_cm[:, 2] * focal_px(SIZE_PX, np.radians(50)) / 50 / SIZE_PX[0]
    return landmarks


class Pictures:
    """Frames from memory."""

    name, fps, size_px, frame_count = "pictures", 25.0, SIZE_PX, None

    def __init__(self, frames: int, *, live: bool = False, fails_at: int | None = None) -> None:
        self.live, self._frames, self._fails_at = live, frames, fails_at
        self.given, self.closed = 0, 0

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self._frames):
            if index == self._fails_at:
                raise SourceError("the cable was pulled")
            self.given += 1
            yield Frame(np.full((SIZE_PX[1], SIZE_PX[0], 3), index % 256, np.uint8), index / self.fps, index)

    def close(self) -> None:
        self.closed += 1


class OneFace:
    """A tracker that sees a face turning from frame to frame."""

    def __init__(self, *, fails_at: int | None = None, blind: bool = False) -> None:
        self._fails_at, self._blind = fails_at, blind
        self.seen: list[int] = []
        self.configs: list[TrackingConfig] = []
        self.closed = 0

    def track(self, frame: Frame) -> tuple[Face, ...]:
        if frame.index == self._fails_at:
            raise RuntimeError("the graph broke")
        self.seen.append(frame.index)
        if self._blind:
            return ()
        return (Face(landmarks_at(0.01 * frame.index), SIZE_PX, 0, 1.0, frame.time_s),)

    def configure(self, config: TrackingConfig) -> None:
        self.configs.append(config)

    def close(self) -> None:
        self.closed += 1


def performing(source, tracker: OneFace | None = None, config: Config | None = None, **options) -> Performance:
    return Performance(source, config or Config(), lambda _settings: tracker or OneFace(), **options)


def threads_now() -> set[threading.Thread]:
    return set(threading.enumerate())


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = threads_now()
    yield
    assert {thread for thread in threads_now() - before if thread.is_alive()} == set()


def test_every_frame_of_a_file_comes_once_and_in_order() -> None:
    source, tracker = Pictures(40), OneFace()
    with performing(source, tracker) as performance:
        moments = list(performance)
    assert [moment.index for moment in moments] == tracker.seen == list(range(40))
    assert all(moment.frame.rgb[0, 0, 0] == moment.index for moment in moments)
    assert all(moment.time_s == moment.index / 25 == moment.motions[0].time_s for moment in moments)
    assert performance.frames == performance.frames_with_face == 40


def test_a_source_may_be_any_iterable() -> None:
    class Plain(Pictures):
        def __iter__(self) -> Iterator[Frame]:
            return iter(list(super().__iter__()))

    with performing(Plain(7)) as performance:
        assert [moment.index for moment in performance] == list(range(7))


def test_a_slow_reader_holds_a_file_back() -> None:
    source = Pictures(200)
    with performing(source) as performance:
        first = performance.next_moment(PATIENCE_S)
        assert first.index == 0
        # In each of two queues AHEAD items, one in each thread's hands, and the one taken.
        assert source.given <= 2 * AHEAD + 4
    assert source.given <= 2 * AHEAD + 4


def test_a_live_source_is_never_held_back_and_gives_the_newest() -> None:
    source, tracker = Pictures(500, live=True), OneFace()
    with performing(source, tracker) as performance:
        newest = performance.next_moment(PATIENCE_S)
        performance._captured._thread.join(PATIENCE_S)  # nobody reads, and the capture runs to its end all the same
        assert source.given == 500
        performance._moments._thread.join(PATIENCE_S)
        if newest.index < 499:  # or it was all over before the first look
            newest = performance.next_moment(PATIENCE_S)
        assert newest.index == 499
        with pytest.raises(Closed):
            performance.next_moment(PATIENCE_S)
    assert tracker.seen == sorted(tracker.seen)


def test_a_file_shown_live_comes_at_its_own_pace(monkeypatch) -> None:
    waited_s: list[float] = []
    monkeypatch.setattr(pipeline_module, "sleep", waited_s.append)
    monkeypatch.setattr(pipeline_module, "monotonic_s", lambda: 0.0)
    with performing(Pictures(5), live=True) as performance:
        assert list(performance)[-1].index == 4
    assert waited_s == pytest.approx([0.04, 0.08, 0.12, 0.16])


def test_errors_of_the_source_reach_the_reader_after_what_came_before() -> None:
    with performing(Pictures(20, fails_at=7)) as performance:
        with pytest.raises(SourceError, match="the cable was pulled"):
            list(performance)
        assert performance.frames == 7
        with pytest.raises(Closed):
            performance.next_moment(PATIENCE_S)


def test_errors_of_the_tracker_reach_the_reader() -> None:
    with performing(Pictures(20), OneFace(fails_at=3)) as performance:
        with pytest.raises(RuntimeError, match="the graph broke"):
            list(performance)
        assert performance.frames == 3


def test_errors_of_a_listener_reach_the_reader() -> None:
    def full(moment: Moment) -> None:
        if moment.index == 30:
            raise OSError("disk full")

    with performing(Pictures(50)) as performance:
        performance.listen(full)
        with pytest.raises(OSError, match="disk full"):
            list(performance)


def test_a_tracker_that_cannot_start_says_so_at_once() -> None:
    def broken(_settings: TrackingConfig) -> OneFace:
        raise AnimatorError("no tracker")

    with pytest.raises(AnimatorError, match="no tracker"):
        Performance(Pictures(5), Config(), broken)


@pytest.mark.parametrize("live", [False, True])
def test_closing_stops_the_threads_wherever_they_are_and_may_be_done_twice(live: bool) -> None:
    source, tracker = Pictures(100_000, live=live), OneFace()
    performance = performing(source, tracker)
    performance.next_moment(PATIENCE_S)
    performance.close()
    assert not performance._captured._thread.is_alive()
    assert not performance._moments._thread.is_alive()
    performance.close()
    assert source.closed >= 1
    assert tracker.closed >= 1
    assert source.given < 100_000


@pytest.mark.parametrize("live", [False, True])
def test_listeners_hear_every_moment_from_the_first_though_the_reader_skips(live: bool) -> None:
    heard: list[int] = []
    source = Pictures(50, live=live)
    performance = performing(source)
    assert source.given == 0  # nothing begins before somebody asks for the first moment
    performance.listen(lambda moment: heard.append(moment.index))
    with performance:
        read = [moment.index for moment in performance]
    assert len(heard) == performance.frames
    assert set(read) <= set(heard)
    assert heard == (sorted(heard) if live else list(range(50)))
    assert heard[-1] == read[-1] == 49


def test_a_performance_that_never_began_closes_too_and_stays_over() -> None:
    source, tracker = Pictures(50), OneFace()
    performance = performing(source, tracker)
    performance.close()
    performance.close()
    assert source.given == 0
    assert list(performance) == []
    assert (source.closed, tracker.closed) == (2, 2)


def test_whoever_is_ignored_hears_nothing_more() -> None:
    heard: list[int] = []
    listener = heard.append
    with performing(Pictures(60)) as performance:
        performance.listen(listener)
        performance.next_moment(PATIENCE_S)
        performance.ignore(listener)
        before = len(heard)
        list(performance)
    assert len(heard) == before < 60


def test_new_settings_act_on_tracker_and_solver() -> None:
    tracker = OneFace()
    with performing(Pictures(60), tracker) as performance:
        performance.next_moment(PATIENCE_S)
        config = performance.config
        config = replace(
            config, tracking=replace(config.tracking, faces=3), solving=replace(config.solving, vertical_fov_deg=100.0)
        )
        performance.reconfigure(config)
        *_, last = performance
        assert performance.config == config
        assert tracker.configs == [config.tracking]
        performance.reconfigure(replace(config, solving=replace(config.solving, smoothing=0.0)))
        assert len(tracker.configs) == 1
    # The same face in a wider view is nearer.
    assert last.motions[0].pose.translation_cm[2] > -35


def test_frames_without_a_face_are_counted_apart() -> None:
    with performing(Pictures(5), OneFace(blind=True)) as performance:
        assert [moment.motions for moment in performance] == [()] * 5
    assert performance.frames == 5
    assert performance.frames_with_face == 0


def test_the_head_is_found_where_it_is_and_turned_as_it_turns() -> None:
    with performing(Pictures(30), config=still()) as performance:
        *_, last = performance
    (motion,) = last.motions
    np.testing.assert_allclose(motion.pose.translation_cm, [0, 0, -50], atol=5)
    assert 2 * motion.pose.rotation_wxyz[2] == pytest.approx(0.29, abs=0.08)


def still() -> Config:
    return replace(Config(), solving=replace(Config().solving, smoothing=0.0))


def write_landmark_take(path: Path, frames: int = 12) -> Path:
    landmarks = np.stack([landmarks_at(0.02 * index) for index in range(frames)])
    save_landmark_take(path, LandmarkTake(landmarks, SIZE_PX, np.arange(frames) / 25, np.ones(frames, bool)))
    return path


def written_motions(frames: int = 9) -> list[Motion]:
    return [
        Motion(
            0.5 + index / 25, 0,
            HeadPose(np.array([1.0, 0, 0, 0]), np.array([0.1 * index, 0, -50])),
            expression=Expression.of(jawOpen=index / 10, eyeBlinkLeft=0.3),
        )
        for index in range(frames)
    ]  # fmt: skip


def test_a_landmark_take_is_its_own_tracker(tmp_path: Path) -> None:
    source = LandmarkSource(write_landmark_take(tmp_path / "a.landmarks.npz"))
    with open_performance(source) as performance:
        moments = list(performance)
    assert [moment.index for moment in moments] == list(range(12))
    assert moments[-1].motions[0].pose.rotation_wxyz[2] > 0.05


def test_replay_gives_back_the_motion_that_was_recorded(tmp_path: Path) -> None:
    given = written_motions()
    save_takes(tmp_path / "a.npz", [take_from_motions(given, 25.0)])
    source = ReplaySource(tmp_path / "a.npz")
    assert is_motion_source(source)
    with open_performance(source) as performance:
        moments = list(performance)
        performance.close()
    assert len(moments) == len(given)
    for moment, motion in zip(moments, given, strict=True):
        (found,) = moment.motions
        assert moment.frame is None
        assert moment.faces == ()
        assert found.time_s == pytest.approx(motion.time_s)
        assert np.array_equal(found.pose.translation_cm, motion.pose.translation_cm)
        assert np.array_equal(found.expression.weights, motion.expression.weights)


def test_the_bundled_performance_comes_whole_and_twice_the_same(performance_path: Path, model_path: Path) -> None:
    def first_20() -> list[Moment]:
        with open_performance(VideoSource(performance_path), model=model_path) as performance:
            return list(islice(performance, 20))

    once, again = first_20(), first_20()
    assert [moment.index for moment in once] == list(range(20))
    assert all(len(moment.motions) == 1 for moment in once)
    for one, other in zip(once, again, strict=True):
        assert np.array_equal(one.frame.rgb, other.frame.rgb)
        assert np.array_equal(one.faces[0].landmarks_norm, other.faces[0].landmarks_norm)
        first, second = one.motions[0], other.motions[0]
        assert np.array_equal(first.pose.rotation_wxyz, second.pose.rotation_wxyz)
        assert np.array_equal(first.pose.translation_cm, second.pose.translation_cm)
        assert np.array_equal(first.gaze.angles_rad, second.gaze.angles_rad)
        assert np.array_equal(first.expression.weights, second.expression.weights)


def test_a_mirrored_moment_swaps_the_sides_and_twice_is_the_same() -> None:
    with performing(Pictures(20)) as performance:
        *_, moment = performance
    moment.frame.rgb[:, :80] = 7
    mirrored = moment.mirrored()
    assert (mirrored.frame.rgb[:, 80:] == 7).all()
    motion, other = moment.motions[0], mirrored.motions[0]
    np.testing.assert_array_equal(other.expression.weights, motion.expression.weights[list(MIRRORED)])
    assert other.pose.translation_cm[0] == -motion.pose.translation_cm[0]
    np.testing.assert_allclose(
        mirrored.faces[0].landmarks_norm[:, 0], 1 - moment.faces[0].landmarks_norm[:, 0], atol=1e-6
    )
    back = mirrored.mirrored()
    assert np.array_equal(back.frame.rgb, moment.frame.rgb)
    np.testing.assert_allclose(back.faces[0].landmarks_norm, moment.faces[0].landmarks_norm, atol=1e-6)
    np.testing.assert_allclose(back.motions[0].pose.rotation_wxyz, motion.pose.rotation_wxyz, atol=1e-12)
