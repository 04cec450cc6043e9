"""A recording outlives what ends its program: nothing written is lost, nothing torn is believed."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animator.cli import main
from animator.data import Motion
from animator.errors import SinkError, TakeError
from animator.sinks.recorder import LandmarkRecorder, MotionRecorder
from animator.takes import journal as journal_module
from animator.takes.finishing import finish, read_journal, recover
from animator.takes.journal import JournalWriter, journal_beside, records
from animator.takes.live_link_csv import load_csv
from animator.takes.npz import load_landmark_take, load_takes

from .writer import face_at, motion_at

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("ANIMATOR_KILLS", "5"))


def left_by_a_kill(target: Path, frames: int = 30, landmarks: bool = False) -> Path:
    """The journal of a recorder that never came to its end."""
    recorder = MotionRecorder(target, 60.0, landmarks=landmarks, about={"source": "camera 0"})
    for frame in range(frames):
        recorder.write([motion_at(frame)], frame / 60, [face_at(frame)], (640, 480), {"track": 1.5})
    recorder._journal.close()
    return recorder._journal.path


def assert_holds(path: Path, frames: int) -> None:
    """The take has exactly the first `frames` of `motion_at`, to the bit."""
    (take,) = load_takes(path)
    assert len(take) == frames
    for frame in {*range(0, frames, max(frames // 50, 1)), *range(max(frames - 5, 0), frames)}:
        want = motion_at(frame)
        assert np.array_equal(take.weights[frame], want.expression.weights)
        assert np.array_equal(take.rotations_wxyz[frame], want.pose.rotation_wxyz)
        assert np.array_equal(take.translations_cm[frame], want.pose.translation_cm)
        assert np.array_equal(take.gaze_rad[frame], want.gaze.angles_rad)
        assert take.confidence[frame] == np.float32(want.confidence)


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_killed_recording_loses_nothing_that_was_written(tmp_path: Path, kill: int) -> None:
    target = tmp_path / "take.npz"
    command = [sys.executable, "-m", "tests.takes.writer", str(target)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as program:
        told = -1
        for _ in range(random.Random(kill).randrange(1, 3000)):
            told = int(program.stdout.readline())
        program.kill()
        rest = program.stdout.read().split(b"\n")
    told = max(told, *(int(line) for line in rest[:-1])) if len(rest) > 1 else told
    assert not target.exists()
    (finished,) = recover(tmp_path)
    assert finished.paths == (target,)
    assert finished.frames in (told + 1, told + 2)  # one may have been written and not told
    assert_holds(target, finished.frames)
    assert [path.name for path in tmp_path.iterdir()] == ["take.npz"]


def test_every_place_to_be_torn_leaves_the_records_before_it(tmp_path: Path) -> None:
    journal = left_by_a_kill(tmp_path / "a.npz", 4)
    data = journal.read_bytes()
    ends = [0] + [begins + len(payload) for _, payload, begins in records(journal)]
    for length in range(len(journal_module.MAGIC), len(data)):
        journal.write_bytes(data[:length])
        whole = sum(1 for kind, _, _ in records(journal) if kind == journal_module.FRAME)
        contents = read_journal(journal)
        assert len(contents.times_s) == whole
        assert contents.torn_bytes == length - max(len(journal_module.MAGIC), *(end for end in ends if end <= length))


@pytest.mark.parametrize("damage", [b"", b"\x00" * 700, b"\xff" * 40])
def test_a_torn_end_is_dropped_and_said(tmp_path: Path, damage: bytes, capsys) -> None:
    journal = left_by_a_kill(tmp_path / "a.npz")
    data = journal.read_bytes()
    journal.write_bytes(data[:-7] + damage)
    assert main(["record", "--recover", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "a.npz (29 frames; " in said
    assert "torn bytes at its end were dropped" in said
    assert_holds(tmp_path / "a.npz", 29)


def test_what_was_said_and_the_landmarks_are_recovered(tmp_path: Path) -> None:
    journal = left_by_a_kill(tmp_path / "a.npz", landmarks=True)
    finish(journal)
    (take,) = load_takes(tmp_path / "a.npz")
    assert (take.source, take.image_size_px, take.fps) == ("camera 0", (640, 480), 60.0)
    assert take.stage_names == ("track",)
    assert (take.stages_ms == 1.5).all()
    assert all(np.array_equal(take.landmarks_norm[frame], face_at(frame).landmarks_norm) for frame in range(30))


def test_performers_who_come_and_go_keep_their_frames(tmp_path: Path) -> None:
    recorder = MotionRecorder(tmp_path / "a.npz", 60.0, landmarks=True)
    for frame in range(9):
        there = [track for track in (0, 3) if (frame + track) % 3]
        recorder.write([motion_at(frame, t) for t in there], frame / 60, [face_at(frame, t) for t in there], (9, 9))
    recorder.close()
    for track, take in zip((0, 3), load_takes(tmp_path / "a.npz"), strict=True):
        there = [frame for frame in range(9) if (frame + track) % 3]
        assert np.flatnonzero(take.confidence).tolist() == there
        assert np.flatnonzero(take.tracked).tolist() == there
        for frame in there:
            assert np.array_equal(take.landmarks_norm[frame], face_at(frame, track).landmarks_norm)
            assert np.array_equal(take.weights[frame], motion_at(frame, track).expression.weights)
        held = [frame for frame in range(1, 9) if frame not in there]
        assert all(np.array_equal(take.rotations_wxyz[f], take.rotations_wxyz[f - 1]) for f in held)


@pytest.mark.parametrize("name", ["a.npz", "a.csv", "a.landmarks.npz"])
def test_each_kind_of_take_is_recovered(tmp_path: Path, name: str) -> None:
    left_by_a_kill(tmp_path / name, 40, landmarks=True)
    (finished,) = recover(tmp_path)
    assert finished.frames == 40
    if name == "a.landmarks.npz":
        assert load_landmark_take(tmp_path / name).tracked.all()
    else:
        take = load_csv(tmp_path / name) if name == "a.csv" else load_takes(tmp_path / name)[0]
        assert len(take) == 40


def test_the_next_start_finishes_it_and_overwrites_nothing(tmp_path: Path, capsys) -> None:
    left_by_a_kill(tmp_path / "a.npz")
    source = tmp_path / "in" / "b.npz"
    source.parent.mkdir()
    with MotionRecorderClosing(source) as recorder:
        recorder.write([motion_at(0)], 0.0)
    assert main(["record", str(source), "-o", str(tmp_path / "a.npz")]) == 0
    assert "a-recovered.npz (30 frames)" in capsys.readouterr().err
    assert_holds(tmp_path / "a-recovered.npz", 30)
    assert_holds(tmp_path / "a.npz", 1)
    left_by_a_kill(tmp_path / "a.npz", 7)
    (finished,) = recover(tmp_path)
    assert finished.paths == (tmp_path / "a-recovered-2.npz",)
    assert_holds(tmp_path / "a.npz", 1)


class MotionRecorderClosing:
    def __init__(self, path: Path) -> None:
        self._recorder = MotionRecorder(path, 60.0)

    def __enter__(self) -> MotionRecorder:
        return self._recorder

    def __exit__(self, *_exc: object) -> None:
        self._recorder.close()


def test_a_recording_that_goes_on_is_left_alone(tmp_path: Path) -> None:
    recorder = MotionRecorder(tmp_path / "a.npz", 60.0)
    recorder.write([motion_at(0)], 0.0)
    assert recover(tmp_path) == []
    with pytest.raises(SinkError, match="another recording into it is going on"):
        MotionRecorder(tmp_path / "a.npz", 60.0)
    recorder._journal.end()  # it is being finished: that, too, is nobody else's
    assert recover(tmp_path) == []
    recorder = MotionRecorder(tmp_path / "b.npz", 60.0)
    recorder.write([motion_at(0)], 0.0)
    recorder.write([motion_at(1)], 1 / 60)
    recorder.close()
    assert_holds(tmp_path / "b.npz", 2)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("part", [0, 100])
def test_a_full_disk_stops_the_recording_and_keeps_it(tmp_path: Path, monkeypatch, code: int, part: int) -> None:
    recorder = MotionRecorder(tmp_path / "a.npz", 60.0)
    for frame in range(20):
        recorder.write([motion_at(frame)], frame / 60)
    real = os.write
    room = [part]

    def write(file: int, data: bytes) -> int:
        """Takes what there is room for, as a full disk does."""
        if not room[0]:
            raise OSError(code, os.strerror(code))
        done = real(file, data[: room[0]])
        room[0] -= done
        return done

    monkeypatch.setattr(journal_module.os, "write", write)
    recorder.write([motion_at(20)], 20 / 60)
    assert recorder.broken is not None
    monkeypatch.undo()
    recorder.write([motion_at(21)], 21 / 60)  # room again: but a take has no holes
    with pytest.raises(SinkError, match=r"recording stopped: .*a\.npz has the 20 frames before"):
        recorder.close()
    assert_holds(tmp_path / "a.npz", 20)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limits")
def test_a_real_limit_stops_it_as_a_full_disk_does(tmp_path: Path) -> None:
    script = f"""
import resource
from pathlib import Path
from animator.sinks.recorder import MotionRecorder
from tests.takes.writer import motion_at
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
recorder, frame = MotionRecorder(Path({str(tmp_path / "a.npz")!r}), 60.0), 0
while recorder.broken is None:
    recorder.write([motion_at(frame)], frame / 60)
    frame += 1
print(recorder.frames)
recorder.close()
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "recording stopped: cannot write" in done.stderr
    assert "SinkError" in done.stderr
    frames = int(done.stdout)
    assert 250 < frames < 330
    recover(tmp_path)
    assert_holds(tmp_path / "a.npz", frames)


def test_a_journal_can_be_finished_elsewhere(tmp_path: Path, capsys) -> None:
    journal = left_by_a_kill(tmp_path / "a.npz")
    assert main(["record", "--recover", str(journal), "-o", str(tmp_path / "new" / "b.npz")]) == 0
    assert_holds(tmp_path / "new" / "b.npz", 30)
    left_by_a_kill(tmp_path / "a.npz")
    assert main(["record", "--recover", str(tmp_path / "a.npz")]) == 0
    assert_holds(tmp_path / "a.npz", 30)
    assert main(["record", "--recover", str(tmp_path), "-o", str(tmp_path / "c.npz")]) == 2
    assert "it is for one journal" in capsys.readouterr().err


def test_no_room_for_the_take_leaves_the_journal(tmp_path: Path, monkeypatch) -> None:
    recorder = MotionRecorder(tmp_path / "a.npz", 60.0)
    for frame in range(20):
        recorder.write([motion_at(frame)], frame / 60)

    def full(*_args: object, **_more: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("animator.takes.npz.write_archive", full)
    with pytest.raises(SinkError, match=r"No space left.*all that was recorded is in .*a\.npz\.journal"):
        recorder.close()
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz.journal"]
    recover(tmp_path)
    assert_holds(tmp_path / "a.npz", 20)


def test_times_that_do_not_rise_and_numbers_that_are_none_make_no_bad_take(tmp_path: Path) -> None:
    recorder = MotionRecorder(tmp_path / "a.npz", 60.0)
    bad = motion_at(1)
    bad.gaze.angles_rad[0, 0] = np.nan
    for time_s, motion in ((0.0, motion_at(0)), (0.1, bad), (0.1, motion_at(2)), (0.05, motion_at(2))):
        recorder.write([motion], time_s)
    recorder.close()
    (take,) = load_takes(tmp_path / "a.npz")
    assert take.times_s.tolist() == [0.0, 0.1]
    assert take.confidence[1] == 0


def test_nothing_is_left_of_a_recording_without_frames(tmp_path: Path) -> None:
    MotionRecorder(tmp_path / "a.npz", 60.0).close()
    LandmarkRecorder(tmp_path / "b.landmarks.npz").close()
    assert list(tmp_path.iterdir()) == []
    left_by_a_kill(tmp_path / "a.npz", 0)
    (finished,) = recover(tmp_path)
    assert finished.paths == ()
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_of_a_recording_that_is_stopped_as_it_begins(tmp_path: Path, monkeypatch) -> None:
    def stop(_thread: threading.Thread) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", stop)
        with pytest.raises(KeyboardInterrupt):
            MotionRecorder(tmp_path / "a.npz", 30.0)
    assert list(tmp_path.iterdir()) == []
    MotionRecorder(tmp_path / "a.npz", 30.0).close()  # and nobody holds it


def test_other_files_are_refused(tmp_path: Path, capsys) -> None:
    other = tmp_path / "a.npz.journal"
    other.write_text("hello")
    with pytest.raises(TakeError, match="is not a recording's journal"):
        read_journal(other)
    assert main(["record", "--recover", str(tmp_path)]) == 0
    assert main(["record", "--recover", str(other)]) == 2
    assert main(["record", "--recover", str(tmp_path / "missing")]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert other.read_text() == "hello"


def test_the_journal_is_what_a_long_recording_holds(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "a.npz", {"fps": 60.0})
    motion = Motion(0.0, 0)
    writer.frame([motion], 0.0, {})
    one = journal_beside(tmp_path / "a.npz").stat().st_size
    for frame in range(1, 101):
        writer.frame([motion], frame / 60, {})
    size = journal_beside(tmp_path / "a.npz").stat().st_size
    writer.close()
    assert (size - one) / 100 == journal_module.HEAD.size + journal_module.INSTANT.size + journal_module.MOTION.itemsize


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_mutated_journals_give_whole_frames_or_one_line(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        journal = left_by_a_kill(Path(name) / "a.npz", 5)
        content = bytearray(journal.read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        journal.write_bytes(content)
        try:
            done = finish(journal)
        except TakeError:
            return
        if done.frames:
            assert_holds(done.paths[0], done.frames)


@pytest.mark.parametrize("about", [{"image_size_px": "wide"}, {"fps": "x"}, {"fps": 0}, {"stage_names": 3}, [1], 7])
def test_whole_records_that_say_nonsense_are_one_line(tmp_path: Path, about: object) -> None:
    writer = JournalWriter(tmp_path / "a.npz", about)
    writer.frame([motion_at(0)], 0.0, {}, [1.0])
    writer.close()
    with pytest.raises(TakeError):
        finish(writer.path)
    assert writer.path.exists()
