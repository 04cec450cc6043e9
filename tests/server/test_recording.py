"""A session's recording, and that nothing of it stays."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

from animator.config import Config
from animator.errors import SinkError
from animator.server import recording as recording_module
from animator.server.performer import Performer
from animator.server.recording import SessionRecording
from animator.server.scratch import sweep
from animator.takes import journal as journal_module
from animator.takes.live_link_csv import load_csv
from animator.takes.npz import load_takes

from .helpers import JAW, motion_at


@pytest.fixture
def performer() -> Performer:
    return Performer(Config(), lambda: None)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path / "temporary"


def test_there_is_nothing_before_the_first(performer: Performer, folder: Path) -> None:
    recording = SessionRecording(performer)
    assert not recording.running
    assert recording.stop() == 0
    assert recording.file("npz") is None
    assert recording.file("csv") is None
    recording.close()


def test_what_is_performed_while_it_runs_is_kept(performer: Performer, folder: Path, tmp_path: Path) -> None:
    recording = SessionRecording(performer)
    performer.hear(motion_at(0.9))
    recording.start()
    recording.start()
    for index in range(30):
        performer.hear(motion_at(1 + index / 30, jaw=index / 30))
    assert recording.running
    assert recording.stop() == 30
    performer.hear(motion_at(3.0))
    (tmp_path / "take.npz").write_bytes(recording.file("npz"))
    (tmp_path / "take.csv").write_bytes(recording.file("csv"))
    recording.close()
    (take,) = load_takes(tmp_path / "take.npz")
    np.testing.assert_allclose(take.weights[:, JAW], np.arange(30) / 30, atol=1e-6)
    np.testing.assert_allclose(load_csv(tmp_path / "take.csv").weights, take.weights, atol=1e-6)


def test_the_next_one_takes_its_place(performer: Performer, folder: Path, tmp_path: Path) -> None:
    recording = SessionRecording(performer)
    for frames in (3, 5):
        recording.start()
        for index in range(frames):
            performer.hear(motion_at(10 * frames + index / 30))
        assert recording.stop() == frames
    recording.start()
    assert recording.stop() == 0  # nothing came: the last take stays
    (tmp_path / "take.npz").write_bytes(recording.file("npz"))
    assert len(load_takes(tmp_path / "take.npz")[0]) == 5
    recording.close()


def test_times_that_do_not_rise_harm_no_take(performer: Performer, folder: Path) -> None:
    recording = SessionRecording(performer)
    recording.start()
    for time_s in (5.0, 5.1, 5.1, 1.0, 1.1, 5.2):
        performer.hear(motion_at(time_s))
    assert recording.stop() == 3
    assert recording.file("csv")
    recording.close()


def test_several_faces_are_several_takes(performer: Performer, folder: Path, tmp_path: Path) -> None:
    recording = SessionRecording(performer)
    recording.start()
    for index in range(10):
        for track in (0, 1):
            performer.hear(motion_at(index / 30, track, jaw=0.2 + 0.5 * track))
    recording.stop()
    (tmp_path / "take.npz").write_bytes(recording.file("npz"))
    recording.close()
    first, second = load_takes(tmp_path / "take.npz")
    assert first.weights[-1, JAW] == pytest.approx(0.2)
    assert second.weights[-1, JAW] == pytest.approx(0.7)


def test_a_forgotten_one_ends(performer: Performer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_module, "MAX_FRAMES", 4)
    recording = SessionRecording(performer)
    recording.start()
    assert not recording.is_full
    for index in range(10):
        performer.hear(motion_at(index / 30))
    assert recording.is_full
    assert recording.stop() == 4
    recording.close()


@pytest.mark.parametrize("before", [0, 3])
def test_a_full_disk_ends_it_and_keeps_what_there_was(
    performer: Performer, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    recording = SessionRecording(performer)
    recording.start()
    for index in range(before):
        performer.hear(motion_at(1 + index / 30))

    def full(*_what: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(journal_module.os, "write", full)
        performer.hear(motion_at(2.0))
    assert recording.is_full
    assert recording.stop() == before
    assert (recording.file("npz") is not None) == bool(before)
    recording.close()
    assert list(folder.iterdir()) == []


def test_a_take_that_cannot_be_written_is_one_line_without_a_path(
    performer: Performer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_what: object, **_more: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    recording = SessionRecording(performer)
    for stop in (recording.stop, recording.close):
        recording.start()
        performer.hear(motion_at(1.0))
        with monkeypatch.context() as patch:
            patch.setattr("animator.takes.npz.write_archive", full)
            if stop == recording.stop:
                with pytest.raises(SinkError, match=r"^record: the server could not write the take[^/]*$"):
                    stop()
                assert recording.file("npz") is None
            else:
                stop()  # nobody waits for it any longer
    assert list(folder.iterdir()) == []


def test_what_a_killed_worker_left_is_removed_and_what_goes_on_stays(performer: Performer, folder: Path) -> None:
    recording = SessionRecording(performer)
    recording.start()
    performer.hear(motion_at(1.0))
    left = folder / f"{recording_module.PREFIX}left"
    left.mkdir()
    for name in ("lock", "take.npz", "take.npz.journal"):
        (left / name).touch()
    sweep(recording_module.PREFIX)
    assert not left.exists()
    assert recording.stop() == 1
    assert recording.file("npz")
    recording.close()
    assert list(folder.iterdir()) == []


def test_nothing_stays(performer: Performer, folder: Path) -> None:
    recording = SessionRecording(performer)
    recording.start()
    performer.hear(motion_at(1.0))
    assert list(folder.iterdir())
    recording.close()
    recording.close()
    assert list(folder.iterdir()) == []
    performer.hear(motion_at(2.0))
