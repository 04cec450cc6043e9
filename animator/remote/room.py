"""One connection to a room, kept up: motion and pictures out of it, motion into it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ..errors import AnimatorError
from ..webrtc.inbound import NewestPicture
from ..webrtc.outbound import Fanout
from ..webrtc.peer import Listeners, Peer
from .keeping import Kept, Lost, Tell, log
from .signalling import Address, Unreachable, ice_servers_of, join, leave, printable

CONNECT_S = 15.0


def _ignore(*_what: Any) -> None:
    pass


class Room(Kept):
    """A room that we are in, as performer or viewer.

    role      : `perform` or `watch`
    pictures  : whether the stage's picture is wanted
    motion    : whether the performers' motion is wanted
    puppet    : pictures per second of a puppet that we send as video; None sends none
    on_motion : called with each binary message, on the loop
    on_video  : called with the pictures of each new connection, on the loop"""

    def __init__(
        self,
        address: Address,
        role: str,
        *,
        pictures: bool = False,
        motion: bool = False,
        puppet: float | None = None,
        on_motion: Callable[[bytes], None] = _ignore,
        on_video: Callable[[NewestPicture], None] = _ignore,
        tell: Tell = log.warning,
    ) -> None:
        super().__init__(self._join, tell)
        self.address = address
        self._role, self._pictures, self._motion = role, pictures, motion
        self._on_motion, self._on_video = on_motion, on_video
        self._puppet_fps = puppet
        self.fanout: Fanout | None = None
        """Takes the puppet's pictures, from the first connection on."""
        self._peer: Peer | None = None
        self.performers = self.viewers = 0
        """As the server said last."""
        self.sent_bytes = 0
        """Of motion messages, without what the network adds to each."""

    def send_motion(self, payload: bytes) -> None:
        """Send a message of the motion stream, from any thread, if there is a connection now."""
        self.soon(self._send_motion, payload)

    def _send_motion(self, payload: bytes) -> None:
        if self._peer is not None and self._peer.send_motion(payload):
            self.sent_bytes += len(payload)

    async def _join(self, lost: Lost) -> _Connection:
        def on_open() -> None:
            if self._motion:
                peer.send_control({"type": "want-motion", "on": True})

        listeners = Listeners(
            on_open=on_open,
            on_control=self._hear,
            on_motion=self._on_motion,
            on_video=self._on_video,
            on_closed=lost,
        )
        servers = await ice_servers_of(self.address)
        if self._puppet_fps is not None and self.fanout is None:
            self.fanout = Fanout(asyncio.get_running_loop(), self._puppet_fps)
        peer = Peer(self.fanout, receive=self._pictures, listeners=listeners, ice_servers=servers)
        connection = _Connection(self, peer)
        try:
            offer = await peer.offer(video=self._pictures or self.fanout is not None)
            joined = await join(self.address, offer, self._wish())
            connection.session = joined.session
            await peer.accept(joined.answer)
            if not await peer.connected(CONNECT_S):
                raise Unreachable(
                    f"{self.address.host} answers, but its media cannot be reached within {CONNECT_S:g} s: a firewall "
                    "is in between; the server needs a TURN server (animator serve --ice-server)",
                    may_pass=True,
                )
        except BaseException:
            await connection.close()
            raise
        self._peer = peer
        return connection

    def _wish(self) -> dict[str, Any]:
        if self._role == "watch":
            return {"role": self._role, "video": self._pictures}
        return {"role": self._role} | ({"puppet": True} if self.fanout is not None else {})

    def _hear(self, message: dict[str, Any]) -> None:
        kind = message.get("type")
        if kind in ("stats", "welcome"):
            self.performers, self.viewers = _count(message, "performers"), _count(message, "viewers")
        elif kind == "error":
            self._tell(f"{self.address.host} says: {printable(str(message.get('message')))}")


def _count(message: dict[str, Any], name: str) -> int:
    value = message.get(name)
    return value if isinstance(value, int) else 0


class _Connection:
    """A peer and its session on the server."""

    def __init__(self, room: Room, peer: Peer) -> None:
        self._room, self._peer = room, peer
        self.session: str | None = None

    async def close(self) -> None:
        self._room._peer = None
        self._peer.send_control({"type": "bye"})
        session, self.session = self.session, None
        try:
            if session is not None:
                with suppress(AnimatorError):  # the bye was heard first, or the server is gone
                    await leave(self._room.address, session)
        finally:
            await self._peer.close()
