"""Rooms come with the first guest and go with the last, whoever is on the way meanwhile."""

from __future__ import annotations

from animator.config import Config
from animator.server.governor import LADDER
from animator.server.performer import Performer
from animator.server.rooms import Room, Rooms


class FakeFanout:
    closed = False

    def close(self) -> None:
        self.closed = True


class FakeStudio:
    overloaded, step = True, LADDER[2]

    def __init__(self) -> None:
        self.outputs: list[object] = []

    def add(self, output: object) -> None:
        self.outputs.append(output)

    def remove(self, output: object) -> None:
        self.outputs.remove(output)


def rooms() -> tuple[Rooms, FakeStudio]:
    studio = FakeStudio()
    return Rooms(lambda name: Room(name, studio, FakeFanout(), "human")), studio


def test_guests_of_one_name_share_a_room() -> None:
    known, studio = rooms()
    first = known.enter("a")
    assert known.enter("a") is first
    assert known.enter("b") is not first
    assert first.guests == 2
    assert len(studio.outputs) == 2


def test_the_last_to_leave_closes_it() -> None:
    known, studio = rooms()
    room = known.enter("a")
    known.enter("a")
    known.leave(room)
    assert studio.outputs == [room.stage]
    known.leave(room)
    assert studio.outputs == []
    assert room.stage.fanout.closed
    assert known.all() == []
    assert known.enter("a") is not room


def test_who_is_on_the_way_in_keeps_it_open() -> None:
    known, studio = rooms()
    room = known.enter("a")
    room.viewers += 1
    assert known.enter("a") is room  # not yet a viewer: the connection is being made
    room.viewers -= 1
    known.leave(room)
    assert studio.outputs == [room.stage]
    assert not room.stage.fanout.closed


def test_the_stage_shows_who_performs_now() -> None:
    known, _ = rooms()
    room = known.enter("a")
    performer = Performer(Config(), lambda: None)
    assert room.stage.performers() == []
    room.seat(performer)
    assert room.stage.performers() == [performer]
    assert room.stage.of_room
    assert room.overloaded
    assert room.step == LADDER[2]


def test_who_stays_keeps_the_seat() -> None:
    known, _ = rooms()
    room = known.enter("a")
    first, second, third = (Performer(Config(), lambda: None) for _ in range(3))
    for performer in (first, second, third):
        room.seat(performer)
    room.performers.remove(second)
    fourth = Performer(Config(), lambda: None)
    room.seat(fourth)
    assert [performer.seat for performer in (first, third, fourth)] == [0, 2, 1]
