"""The drawing thread: what it draws, and that nothing ends it."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from animator.config import Config
from animator.data import Expression, Motion
from animator.server import drawing
from animator.server.drawing import STAGE_SIZE_PX, Output
from animator.server.performer import Performer
from animator.server.studio import Studio

PATIENCE_S = 30.0


class Viewer:
    """Stands in for a Fanout that somebody watches: keeps the pictures."""

    subscribers = 1

    def __init__(self) -> None:
        self.pictures: list[np.ndarray] = []
        self._came = threading.Condition()

    def publish(self, rgb: np.ndarray, _time_s: float) -> None:
        with self._came:
            self.pictures.append(rgb)
            self._came.notify_all()

    def wait_for(self, count: int) -> None:
        with self._came:
            assert self._came.wait_for(lambda: len(self.pictures) >= count, PATIENCE_S)


@pytest.fixture
def studio():
    made = Studio()
    assert made.ready.wait(PATIENCE_S)
    assert made.failure is None
    yield made
    made.close()


def performer_in(studio: Studio) -> Performer:
    return Performer(Config(), studio.wake)


def test_an_empty_room_shows_an_avatar_at_rest(studio: Studio) -> None:
    viewer = Viewer()
    studio.add(Output(viewer, list, of_room=True))
    studio.wake()
    viewer.wait_for(1)
    assert viewer.pictures[0].shape == (STAGE_SIZE_PX[1], STAGE_SIZE_PX[0], 3)
    assert viewer.pictures[0].std() > 10


def test_a_still_room_is_sent_again_for_those_who_join(studio: Studio) -> None:
    viewer = Viewer()
    studio.add(Output(viewer, list, of_room=True))
    viewer.wait_for(2)
    first, second = (picture.astype(int) for picture in viewer.pictures[:2])
    assert np.abs(first - second).mean() < 0.1 * first.std()  # the same avatar, a breath later


def test_a_moved_face_is_drawn_at_once(studio: Studio) -> None:
    viewer, performer = Viewer(), performer_in(studio)
    studio.add(Output(viewer, lambda: [performer], of_room=False))
    performer.hear(Motion(0.0, 0))
    viewer.wait_for(1)
    performer.hear(Motion(0.1, 0, expression=Expression.of(jawOpen=1.0)))
    viewer.wait_for(2)
    changed = np.abs(viewer.pictures[0].astype(int) - viewer.pictures[-1]).sum(2) > 40
    assert changed.sum() > 100


def test_two_performers_stand_on_one_stage(studio: Studio) -> None:
    viewer = Viewer()
    performers = [performer_in(studio) for _ in range(2)]
    for seat, performer in enumerate(performers):
        performer.seat = seat
        performer.hear(Motion(0.0, 0))
    studio.add(Output(viewer, lambda: performers, of_room=True))
    studio.wake()
    viewer.wait_for(1)
    background = viewer.pictures[-1][:, :3].astype(int).mean(axis=1, keepdims=True)
    covered = (np.abs(viewer.pictures[-1].astype(int) - background).sum(2) > 60).mean(axis=0)
    width = covered.size
    assert covered[width // 4] > 0.3
    assert covered[3 * width // 4] > 0.3


def test_an_output_that_cannot_be_drawn_leaves_the_others(studio: Studio, monkeypatch) -> None:
    viewer = Viewer()
    with monkeypatch.context() as patch:
        patch.setattr(drawing.log, "exception", lambda *_: None)
        studio.add(Output(Viewer(), lambda: [BrokenPerformer()], of_room=False))
        studio.add(Output(viewer, list, of_room=True))
        viewer.wait_for(2)
    assert len(viewer.pictures) >= 2


class BrokenPerformer:
    """Has come further at each look, but cannot be drawn."""

    frames_solved = 1
    newest = None

    @property
    def config(self) -> Config:
        raise RuntimeError("out of order")


def test_a_rig_that_cannot_be_loaded_is_told_to_who_waits() -> None:
    made = Studio("nobody")
    assert made.ready.wait(PATIENCE_S)
    assert "unknown avatar 'nobody'" in made.failure
    made.close()
