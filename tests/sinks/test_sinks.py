"""Every sink: what was written can be read back by others, and nothing half-written is left."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from animator.data import Face, Frame, Motion
from animator.errors import SinkError
from animator.sinks.images import ImageSink
from animator.sinks.recorder import LandmarkRecorder, MotionRecorder
from animator.sinks.video import VIDEO_SUFFIXES, VideoSink
from animator.takes.live_link_csv import load_csv
from animator.takes.npz import load_landmark_take, load_takes


def frames(count: int = 10, size_px: tuple[int, int] = (64, 48), fps: float = 25.0) -> list[Frame]:
    width, height = size_px
    made = []
    for index in range(count):
        rgb = np.full((height, width, 3), 60, np.uint8)
        rgb[:, : width // 2] = (220, 40, 40)
        made.append(Frame(rgb, index / fps, index))
    return made


@pytest.mark.parametrize("suffix", VIDEO_SUFFIXES)
def test_every_format_decodes_to_the_same_pictures(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    sink = VideoSink(path, 25.0)
    for frame in frames():
        sink.write(frame)
    assert not path.exists()
    sink.close()
    sink.close()
    with av.open(str(path)) as container:
        pictures = [picture.to_ndarray(format="rgb24") for picture in container.decode(video=0)]
    assert len(pictures) == 10
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    np.testing.assert_allclose(pictures[5][24, 10].astype(int), (220, 40, 40), atol=25)
    np.testing.assert_allclose(pictures[5][24, 50].astype(int), (60, 60, 60), atol=25)


def test_odd_sizes_gain_a_row(tmp_path: Path) -> None:
    sink = VideoSink(tmp_path / "a.mp4", 25.0)
    for frame in frames(3, (65, 49)):
        sink.write(frame)
    sink.close()
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (66, 50)


def test_uneven_times_are_kept(tmp_path: Path) -> None:
    times_s = [5.0, 5.04, 5.2, 5.21, 6.0]
    sink = VideoSink(tmp_path / "a.mp4", 25.0)
    for time_s, frame in zip(times_s, frames(5), strict=True):
        sink.write(Frame(frame.rgb, time_s, frame.index))
    sink.close()
    with av.open(str(tmp_path / "a.mp4")) as container:
        found = [picture.time for picture in container.decode(video=0)]
    np.testing.assert_allclose(np.array(found) - found[0], np.array(times_s) - 5.0, atol=1e-3)


def test_nothing_written_leaves_nothing(tmp_path: Path) -> None:
    for sink in (VideoSink(tmp_path / "a.mp4", 25.0), MotionRecorder(tmp_path / "a.npz", 25.0)):
        sink.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.xyz", "a", "a.txt"])
def test_unknown_formats_are_refused_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(SinkError, match=r"wanted a name that ends in \.mp4"):
        VideoSink(tmp_path / name, 25.0)
    with pytest.raises(SinkError, match=r"ending in \.npz, \.csv"):
        MotionRecorder(tmp_path / name, 25.0)


def test_places_that_cannot_be_written_are_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(SinkError, match=r"the folder .* cannot be made"):
        VideoSink(tmp_path / "file" / "a.mp4", 25.0)
    with pytest.raises(SinkError, match="it is a folder"):
        VideoSink(tmp_path / "folder.mp4", 25.0)


def test_pictures_are_written_as_they_are(tmp_path: Path) -> None:
    sink = ImageSink(tmp_path / "é.png")
    sink.write(frames(1)[0])
    sink.close()
    bgr = cv2.imdecode(np.fromfile(tmp_path / "é.png", np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(bgr[..., ::-1], frames(1)[0].rgb)


def motion(time_s: float, track_id: int, value: float, confidence: float = 1.0) -> Motion:
    made = Motion(time_s, track_id, confidence=confidence)
    made.expression.weights[:] = value
    made.pose.translation_cm[:] = (value, 0, -40)
    return made


def test_the_absent_hold_their_pose_with_confidence_0(tmp_path: Path) -> None:
    recorder = MotionRecorder(tmp_path / "a.npz", 10.0)
    recorder.write([motion(0.0, 0, 0.5)], 0.0)
    recorder.write([motion(0.1, 0, 0.6), motion(0.1, 1, 0.9)], 0.1)
    recorder.write([], 0.2)
    recorder.write([motion(0.3, 1, 0.8)], 0.3)
    recorder.close()
    first, second = load_takes(tmp_path / "a.npz")
    assert first.confidence.tolist() == [1, 1, 0, 0]
    assert second.confidence.tolist() == [0, 1, 0, 1]
    np.testing.assert_allclose(first.translations_cm[:, 0], [0.5, 0.6, 0.6, 0.6])
    np.testing.assert_allclose(second.weights[:, 0], [0, 0.9, 0, 0.8], atol=1e-6)
    assert len(first) == len(second) == 4


def test_a_recording_without_a_face_is_one_performer_at_rest(tmp_path: Path) -> None:
    recorder = MotionRecorder(tmp_path / "a.npz", 10.0)
    for index in range(3):
        recorder.write([], index / 10)
    recorder.close()
    (take,) = load_takes(tmp_path / "a.npz")
    assert take.confidence.sum() == 0
    assert take.weights.sum() == 0


def test_csv_holds_one_performer_a_file(tmp_path: Path) -> None:
    recorder = MotionRecorder(tmp_path / "a.csv", 10.0)
    for index in range(3):
        recorder.write([motion(index / 10, 0, 0.2), motion(index / 10, 1, 0.7)], index / 10)
    recorder.close()
    assert load_csv(tmp_path / "a.csv").weights[0, 3] == pytest.approx(0.2)
    assert load_csv(tmp_path / "a_2.csv").weights[0, 3] == pytest.approx(0.7)


def test_landmarks_come_back(tmp_path: Path) -> None:
    recorder = LandmarkRecorder(tmp_path / "a.landmarks.npz")
    landmarks = np.random.default_rng(0).random((478, 3)).astype(np.float32)
    recorder.write([Face(landmarks, (64, 48), 0, 1.0, 0.0)], (64, 48), 0.0)
    recorder.write([], (64, 48), 0.1)
    recorder.close()
    take = load_landmark_take(tmp_path / "a.landmarks.npz")
    assert take.tracked.tolist() == [True, False]
    assert np.array_equal(take.landmarks_norm[0], landmarks)
