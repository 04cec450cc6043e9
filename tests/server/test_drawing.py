"""The drawing of a worker that has too much to do: a simulation by a clock of the test's own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from animator.config import Config
from animator.server.drawing import EARLY, STAGE_SIZE_PX, STILL_S, Output, Painter, _by_avatar, _widths
from animator.server.governor import CALM, LADDER, PATIENCE
from animator.server.performer import Performer

from .helpers import motion_at

FRAME_S = 1 / 30
PICTURE = np.zeros((4, 4, 3), np.uint8)


class Watch:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Viewer:
    """Stands in for a Fanout: keeps how old each picture's motion was when it went out."""

    subscribers = 1

    def __init__(self, clock: Watch) -> None:
        self._clock = clock
        self.drawn_s = 0.0
        """The time of the motion that was drawn last."""
        self.published: list[tuple[float, float]] = []
        """(when, how late)"""

    def publish(self, _rgb: np.ndarray, _time_s: float) -> None:
        self.published.append((self._clock(), self._clock() - self.drawn_s))


class Room:
    """Performers at 30 frames a second each, and a painter whose drawing takes as long as the test says."""

    def __init__(self, performers: int, cost_s: Callable[[float], float], monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = Watch()
        self.painter = Painter(self.clock)
        self.viewers = [Viewer(self.clock) for _ in range(performers)]
        self.performers = [Performer(Config(), lambda: None, self.clock) for _ in range(performers)]
        self.outputs = []
        for viewer, performer in zip(self.viewers, self.performers, strict=True):
            self.outputs.append(Output(viewer, lambda p=performer: [p], of_room=False))
        self._next_s = [FRAME_S * (1 + number / performers) for number in range(performers)]
        self._cost_s = cost_s
        monkeypatch.setattr(self.painter, "_render", self._render)

    def _render(self, output: Output, moment, *_what) -> np.ndarray:
        output.fanout.drawn_s = moment.time_s
        self._pass(self._cost_s(self.painter.governor.step.scale))
        return PICTURE

    def _pass(self, seconds: float) -> None:
        """Time goes by: cameras go on meanwhile."""
        until_s = self.clock.now_s + seconds
        while (due_s := min(self._next_s)) <= until_s:
            number = self._next_s.index(due_s)
            self.clock.now_s = due_s
            self.performers[number].hear(motion_at(due_s))
            self._next_s[number] += FRAME_S
        self.clock.now_s = until_s

    def run(self, seconds: float) -> None:
        end_s = self.clock.now_s + seconds
        while self.clock.now_s < end_s:
            self._pass(self.painter.pause_s())
            if not self.painter.draw(self.outputs):
                self._pass(min(self._next_s) - self.clock.now_s)

    def fps(self, since_s: float, viewer: int = 0) -> float:
        times_s = [at for at, _ in self.viewers[viewer].published if at >= since_s]
        return (len(times_s) - 1) / (times_s[-1] - times_s[0])

    def worst_lateness_s(self, since_s: float, until_s: float) -> float:
        return max(late for viewer in self.viewers for at, late in viewer.published if since_s <= at < until_s)


def test_without_overload_every_picture_is_drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(1, lambda _scale: 0.02, monkeypatch)
    room.run(10)
    assert room.painter.governor.step == LADDER[0]
    assert room.fps(1) == pytest.approx(30, abs=0.5)
    assert room.worst_lateness_s(1, 10) < 0.021


def test_under_overload_rate_and_size_go_down_and_latency_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    cost_s = 0.15  # by size: 0.08 at three quarters, 0.04 at half
    room = Room(1, lambda scale: cost_s * scale**2, monkeypatch)
    room.run(60)
    step = room.painter.governor.step
    assert step.fps <= 20
    assert step.scale == 0.5
    assert room.fps(50) == pytest.approx(step.fps / EARLY, rel=0.25)
    first_s, last_s = room.worst_lateness_s(0, 5), room.worst_lateness_s(55, 60)
    assert first_s < cost_s + 2 * FRAME_S
    assert last_s < 0.25 * cost_s + 1 / step.fps + FRAME_S
    assert last_s < first_s


def test_what_never_fits_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(1, lambda _scale: 0.4, monkeypatch)
    room.run(120)
    assert room.painter.governor.step == LADDER[-1]
    for since_s in (0, 30, 60, 115):
        assert room.worst_lateness_s(since_s, since_s + 5) < 0.4 + 2 * FRAME_S


def test_several_add_up_though_each_round_finds_but_some_of_them_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that take 30 ms each do not fit into 33: neither starves, both get smaller."""
    room = Room(2, lambda scale: 0.03 * scale, monkeypatch)
    room.run(30)
    assert room.painter.governor.overloaded
    rates = [room.fps(20, viewer) for viewer in (0, 1)]
    assert min(rates) >= 15
    assert abs(rates[0] - rates[1]) < 3
    assert room.worst_lateness_s(20, 30) < 0.15


def test_when_the_load_goes_pictures_are_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    load = {"s": 0.2}
    room = Room(1, lambda _scale: load["s"], monkeypatch)
    room.run(0.2 * PATIENCE * len(LADDER) * 1.5)
    assert room.painter.governor.step == LADDER[-1]
    load["s"] = 0.004
    room.run(len(LADDER) * CALM / LADDER[-1].fps)
    assert room.painter.governor.step == LADDER[0]
    now_s = room.clock.now_s
    room.run(5)
    assert room.fps(now_s + 1) == pytest.approx(30, abs=0.5)


@pytest.mark.parametrize("shares", [[1], [1, 1], [1, 1, 1], [2, 1], [1, 5], [1] * 7, [3, 1, 2]])
def test_the_stage_is_shared_out_evenly_and_whole(shares: list[int]) -> None:
    widths = _widths(shares)
    assert sum(widths) == STAGE_SIZE_PX[0]
    assert all(width % 2 == 0 for width in widths)
    for width, share in zip(widths, shares, strict=True):
        assert abs(width - STAGE_SIZE_PX[0] * share / sum(shares)) <= 4


def test_those_who_wear_the_same_stand_together() -> None:
    performers = [Performer(Config(), lambda: None) for _ in range(4)]
    for performer, rig in zip(performers, ("human", "robot", "human", "mask"), strict=True):
        performer.set({"rig": rig})
    performers[3].is_finished = True  # its pictures are its puppet
    performers[1].wear("own 7")
    assert performers[1].settings()["rig"] == "own"
    groups = _by_avatar(performers)
    assert {rig: [performers.index(one) for one in group] for rig, group in groups.items()} == {
        "human": [0, 2], "own 7": [1],
    }  # fmt: skip


def test_a_still_room_is_drawn_once_a_second_and_nobody_watching_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(1, lambda _scale: 0.01, monkeypatch)
    room._next_s = [1e9]
    room.performers[0].hear(motion_at(0.0))
    drawn = []
    for tenth in range(50):
        room.clock.now_s = tenth / 10
        drawn.append(room.painter.draw(room.outputs))
    assert sum(drawn) == pytest.approx(5 / STILL_S, abs=1)
    room.viewers[0].subscribers = 0
    room.clock.now_s = 100.0
    assert not room.painter.draw(room.outputs)
