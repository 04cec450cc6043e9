"""One suite over every source of pictures, then what is particular to each."""

from __future__ import annotations

from itertools import islice, pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from animator.data import Motion
from animator.errors import AnimatorError, SourceError, TakeError
from animator.sources.images import ImageSource
from animator.sources.landmarks import LandmarkSource
from animator.sources.opening import open_source, performance
from animator.sources.replay import ReplaySource
from animator.sources.video import VideoSource
from animator.stages import FrameSource, MotionSource, Tracker
from animator.takes.npz import LandmarkTake, save_landmark_take, save_takes
from animator.takes.take import take_from_motions


def write_pictures(folder: Path, count: int, size_px: tuple[int, int] = (64, 48)) -> Path:
    folder.mkdir(exist_ok=True)
    for index in range(count):
        picture = np.full((size_px[1], size_px[0], 3), index, np.uint8)
        cv2.imwrite(str(folder / f"frame{index}.png"), picture)
    return folder


def write_landmarks(path: Path, frames: int = 5) -> Path:
    landmarks = np.random.default_rng(0).random((frames, 478, 3)).astype(np.float32)
    tracked = np.ones(frames, bool)
    tracked[2] = False
    save_landmark_take(path, LandmarkTake(landmarks, (64, 48), 0.5 + np.arange(frames) / 25, tracked))
    return path


def write_take(path: Path, frames: int = 5) -> Path:
    save_takes(path, [take_from_motions([Motion(0.1 * i, 0) for i in range(frames)], 10.0)])
    return path


@pytest.fixture(params=["video", "folder", "picture", "landmarks", "performance"])
def source(request, tmp_path: Path, make_video):
    made = {
        "video": lambda: open_source(str(make_video())),
        "folder": lambda: open_source(str(write_pictures(tmp_path / "series", 5))),
        "picture": lambda: open_source(str(write_pictures(tmp_path / "one", 1) / "frame0.png")),
        "landmarks": lambda: open_source(str(write_landmarks(tmp_path / "a.landmarks.npz"))),
        "performance": performance,
    }[request.param]()
    yield made
    made.close()


def test_sources_keep_their_promise(source) -> None:
    assert isinstance(source, FrameSource)
    frames = list(islice(source, 40))
    assert frames
    assert source.fps > 0
    assert not source.live
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert all(b.time_s > a.time_s for a, b in pairwise(frames))
    for frame in frames:
        assert frame.rgb.dtype == np.uint8
        assert frame.rgb.flags.c_contiguous
        assert frame.size_px == source.size_px
    assert source.frame_count is None or source.frame_count >= len(frames)


def test_a_video_gives_its_pictures_and_times(make_video) -> None:
    source = VideoSource(make_video(frames=12, fps=24))
    frames = list(source)
    source.close()
    assert len(frames) == source.frame_count == 12
    np.testing.assert_allclose([f.time_s for f in frames], np.arange(12) / 24, atol=2e-3)
    assert frames[0].rgb[30, 10, 0] > 200
    assert frames[0].rgb[30, 100, 0] < 120
    assert source.broken is None


def test_a_loop_goes_on_in_time(make_video) -> None:
    source = VideoSource(make_video(frames=5), loop=True)
    frames = list(islice(source, 12))
    source.close()
    assert source.frame_count is None
    assert all(b.time_s > a.time_s for a, b in pairwise(frames))
    np.testing.assert_array_equal(frames[0].rgb, frames[5].rgb)


def test_a_truncated_video_keeps_what_came_before(make_video, tmp_path: Path) -> None:
    whole = make_video("whole.mkv", frames=60)
    (tmp_path / "cut.mkv").write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    source = VideoSource(tmp_path / "cut.mkv")
    frames = list(source)
    source.close()
    assert 0 < len(frames) < 60


def test_a_truncated_mp4_tells_of_the_break(tmp_path: Path, performance_path: Path) -> None:
    plain, fast = tmp_path / "plain.mp4", tmp_path / "fast.mp4"
    plain.write_bytes(performance_path.read_bytes())
    with av.open(str(plain)) as given, av.open(str(fast), "w", options={"movflags": "+faststart"}) as made:
        stream = made.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                made.mux(packet)
    fast.write_bytes(fast.read_bytes()[: fast.stat().st_size // 2])
    source = VideoSource(fast)
    frames = list(source)
    source.close()
    assert 50 < len(frames) < 300
    assert "frames" in source.broken


def test_pictures_come_in_natural_order(tmp_path: Path) -> None:
    source = ImageSource(write_pictures(tmp_path / "series", 12))
    assert [int(frame.rgb[0, 0, 0]) for frame in source] == list(range(12))


def test_pictures_of_another_size_are_fitted(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "series", 2, (64, 48))
    cv2.imwrite(str(folder / "frame9.png"), np.full((100, 30, 3), 200, np.uint8))
    frames = list(ImageSource(folder))
    assert {frame.size_px for frame in frames} == {(64, 48)}
    assert frames[2].rgb[24, 32, 0] == 200
    assert frames[2].rgb[24, 2, 0] == 0


def test_landmark_takes_know_their_faces(tmp_path: Path) -> None:
    source = LandmarkSource(write_landmarks(tmp_path / "a.landmarks.npz"))
    assert isinstance(source, Tracker)
    found = [source.track(frame) for frame in source]
    assert [len(faces) for faces in found] == [1, 1, 0, 1, 1]
    assert found[3][0].time_s == pytest.approx(0.5 + 3 / 25)


def test_takes_are_sources_of_motion(tmp_path: Path) -> None:
    source = open_source(str(write_take(tmp_path / "a.npz")))
    assert isinstance(source, ReplaySource)
    assert isinstance(source, MotionSource)
    assert [motions[0].time_s for motions in source] == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize("name", ["notes.txt", "noise.mp4", "empty.mp4", "noise.png", "noise.npz", "sound.wav"])
def test_files_that_are_no_source_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    content = {"notes.txt": b"hello, not a video\n" * 40, "empty.mp4": b""}
    path.write_bytes(content.get(name, np.random.default_rng(1).bytes(5000)))
    if name == "sound.wav":
        with av.open(str(path), "w") as container:
            stream = container.add_stream("pcm_s16le", rate=8000)
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
            silence.sample_rate = 8000
            container.mux(stream.encode(silence))
    with pytest.raises(AnimatorError) as caught:
        open_source(str(path))
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("nowhere.mp4", "there is no nowhere.mp4: wanted a camera number, a video"),
        ("rtsp://127.0.0.1:9/none", "cannot open rtsp://127.0.0.1:9/none as a stream"),
        ("http://127.0.0.1:9/none.mp4", "cannot open http"),
        ("63", "there is no camera 63"),
    ],
)
def test_missing_sources_are_named(spec: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        open_source(spec)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no pictures"):
        open_source(str(tmp_path))


def test_an_empty_take_is_refused(tmp_path: Path) -> None:
    save_takes(tmp_path / "a.npz", [take_from_motions([], 30.0)])
    with pytest.raises(TakeError, match="holds no frames"):
        open_source(str(tmp_path / "a.npz"))


def test_sideways_films_are_turned_upright(shared) -> None:
    source = open_source(str(shared("clips/face_noface.mov")))
    frames = list(islice(source, 2))
    source.close()
    assert frames[0].size_px == source.size_px


def test_every_clip_opens_with_its_frames(shared) -> None:
    expected = {"d0.mp4": None, "d18.mp4": 216, "s13.mp4": 103, "s32.mp4": 180}
    for name, count in expected.items():
        source = open_source(str(shared(f"clips/{name}")))
        assert sum(1 for _ in source) == (count or source.frame_count)
        assert source.broken is None
        source.close()
