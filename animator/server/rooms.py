"""Rooms: performers who are seen together, and everybody who watches them."""

from __future__ import annotations

from collections.abc import Callable

from ..webrtc.outbound import Fanout
from .performer import Performer
from .studio import Output, Studio


class Room:
    """The performers of one name and their common stage."""

    def __init__(self, name: str, studio: Studio, fanout: Fanout, rig: str) -> None:
        self.name, self._studio = name, studio
        self.performers: list[Performer] = []
        self.viewers = 0
        self.stage = Output(fanout, lambda: list(self.performers), of_room=True, rig=rig)
        studio.add(self.stage)

    @property
    def is_empty(self) -> bool:
        """Whether nobody is left."""
        return not self.performers and not self.viewers

    def close(self) -> None:
        """Take the stage down."""
        self._studio.remove(self.stage)
        self.stage.fanout.close()


class Rooms:
    """The rooms of one worker, made when first entered and gone with the last to leave."""

    def __init__(self, make: Callable[[str], Room]) -> None:
        self._make = make
        self._rooms: dict[str, Room] = {}

    def enter(self, name: str) -> Room:
        """The room of that name."""
        if name not in self._rooms:
            self._rooms[name] = self._make(name)
        return self._rooms[name]

    def leave(self, room: Room) -> None:
        """Forget the room if nobody is left."""
        if room.is_empty and self._rooms.get(room.name) is room:
            del self._rooms[room.name]
            room.close()
