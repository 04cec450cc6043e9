"""Rooms: performers who are seen together, and everybody who watches them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from ..webrtc.outbound import Fanout
from .drawing import Output
from .governor import Step
from .performer import Performer
from .studio import Studio


class Room:
    """The performers of one name and their common stage."""

    def __init__(self, name: str, studio: Studio, fanout: Fanout, rig: str) -> None:
        self.name, self._studio = name, studio
        self.performers: list[Performer] = []
        self.viewers = 0
        self.guests = 0
        """Performers and viewers, and those who are on their way in or out."""
        self.stage = Output(fanout, lambda: list(self.performers), of_room=True, rig=rig)
        studio.add(self.stage)

    @property
    def overloaded(self) -> bool:
        """Whether pictures are fewer or smaller than they might be."""
        return self._studio.overloaded

    @property
    def step(self) -> Step:
        """How many pictures there are now at most, and how large."""
        return self._studio.step

    def seat(self, performer: Performer) -> None:
        """Let a performer take part, on the first free seat: who stays keeps theirs when others leave."""
        taken = {other.seat for other in self.performers}
        performer.seat = next(seat for seat in count() if seat not in taken)
        self.performers.append(performer)

    def close(self) -> None:
        """Take the stage down."""
        self._studio.remove(self.stage)
        self.stage.fanout.close()


class Rooms:
    """The rooms of one worker, made when first entered and gone with the last to leave."""

    def __init__(self, make: Callable[[str], Room]) -> None:
        self._make = make
        self._rooms: dict[str, Room] = {}

    def all(self) -> list[Room]:
        """Those that are open now."""
        return list(self._rooms.values())

    def enter(self, name: str) -> Room:
        """The room of that name; it stays until as many have left as have entered."""
        if name not in self._rooms:
            self._rooms[name] = self._make(name)
        self._rooms[name].guests += 1
        return self._rooms[name]

    def leave(self, room: Room) -> None:
        """Count one guest out, and close the room after the last."""
        room.guests -= 1
        if not room.guests:
            del self._rooms[room.name]
            room.close()
