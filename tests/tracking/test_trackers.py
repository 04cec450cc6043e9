"""The trackers on real pictures: what holds for one holds for the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from animator.data import Frame
from animator.errors import SettingError, TrackingError
from animator.sources.video import VideoSource
from animator.topology import LEFT_EYE, RIGHT_EYE
from animator.tracking.config import TrackingConfig
from animator.tracking.litert_faces import LiteRTFaces
from animator.tracking.mediapipe_faces import MediaPipeFaces

TRACKERS = [LiteRTFaces, MediaPipeFaces]


@pytest.fixture(params=TRACKERS)
def open_tracker(request: pytest.FixtureRequest, model_path: Path) -> Iterator:
    opened = []

    def make(**settings) -> LiteRTFaces | MediaPipeFaces:
        opened.append(request.param(model_path, TrackingConfig(**settings)))
        return opened[-1]

    yield make
    for tracker in opened:
        tracker.close()
        tracker.close()


def pictures(path: Path, count: int) -> list[Frame]:
    source = VideoSource(path)
    frames = list(islice(source, count))
    source.close()
    return frames


def test_the_bundled_face_is_followed(open_tracker, performance_path: Path) -> None:
    tracker = open_tracker()
    for frame in pictures(performance_path, 15):
        (face,) = tracker.track(frame)
        assert face.track_id == 0
        assert face.time_s == frame.time_s
        assert face.landmarks_norm.shape == (478, 3)
        assert face.landmarks_norm.dtype == np.float32
        left, right = (face.landmarks_px[list(eye)].mean(0) for eye in (LEFT_EYE, RIGHT_EYE))
        assert left[0] > right[0]  # the subject's left is on the picture's right


def test_a_face_is_the_same_wherever_it_is(open_tracker, performance_path: Path) -> None:
    (frame,) = pictures(performance_path, 1)
    (face,) = open_tracker().track(frame)
    moved = np.full_like(frame.rgb, 120)
    moved[:, 60:] = frame.rgb[:, :-60]
    (shifted,) = open_tracker().track(replace(frame, rgb=moved))
    difference_px = shifted.landmarks_px - face.landmarks_px
    assert np.abs(difference_px - (60, 0)).mean() < 1.5


def test_two_faces_are_two_performers(open_tracker, performance_path: Path) -> None:
    tracker = open_tracker(faces=2)
    for frame in pictures(performance_path, 10):
        both = replace(frame, rgb=np.ascontiguousarray(np.hstack([frame.rgb, frame.rgb])))
        faces = tracker.track(both)
        assert [face.track_id for face in faces] == [0, 1]
    order = [face.landmarks_norm[:, 0].mean() for face in faces]
    assert abs(order[0] - order[1]) == pytest.approx(0.5, abs=0.02)


def test_small_faces_are_found_and_followed(open_tracker, performance_path: Path) -> None:
    tracker = open_tracker()
    found = 0
    for frame in pictures(performance_path, 18):
        wide = np.full((900, 1200, 3), 128, np.uint8)
        small = frame.rgb[::2, ::2]
        wide[300 : 300 + small.shape[0], 700 : 700 + small.shape[1]] = small
        faces = tracker.track(replace(frame, rgb=wide))
        found += len(faces)
    assert found >= 9
    centre = faces[0].landmarks_px.mean(0)
    assert 700 < centre[0] < 1020
    assert 300 < centre[1] < 540


def test_settings_change_while_running(open_tracker, performance_path: Path) -> None:
    tracker = open_tracker()
    frames = pictures(performance_path, 6)
    assert all(tracker.track(frame) for frame in frames[:3])
    tracker.configure(TrackingConfig(faces=3, detection_confidence=0.4))
    assert tracker.config.faces == 3
    assert [face.track_id for frame in frames[3:] for face in tracker.track(frame)] == [0, 0, 0]


def test_no_face_is_no_face(open_tracker, make_video) -> None:
    tracker = open_tracker()
    assert all(tracker.track(frame) == () for frame in pictures(make_video(size_px=(320, 240)), 5))


@pytest.mark.parametrize(
    "settings", [{"faces": 0}, {"faces": 9}, {"detection_confidence": 1.1}, {"tracking_confidence": -0.1}]
)
def test_settings_outside_their_range_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(SettingError, match="wanted"):
        TrackingConfig(**settings)


@pytest.mark.parametrize("tracker", TRACKERS)
def test_a_file_that_is_no_model_is_refused(tracker: type, tmp_path: Path) -> None:
    (tmp_path / "wrong.task").write_bytes(b"not a model")
    with pytest.raises(TrackingError, match="cannot use the face model"):
        tracker(tmp_path / "wrong.task")


def test_the_full_figure_is_followed(open_tracker, shared) -> None:
    tracker = open_tracker()
    seen = [tracker.track(frame) for frame in pictures(shared("clips/s13.mp4"), 40)]
    assert all(seen)


def test_two_people_stay_apart(open_tracker, shared) -> None:
    tracker = open_tracker(faces=2)
    name = "clips/head-pose-face-detection-female-and-male.gif"
    seen = [tuple(face.track_id for face in tracker.track(frame)) for frame in pictures(shared(name), 56)]
    assert set(seen) == {(0, 1)}
