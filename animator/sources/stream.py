"""Messages out of TCP streams, where a word ends each: how a phone speaks where datagrams are lost."""

from __future__ import annotations

import selectors
import socket
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field

from ..errors import SourceError
from ..timing import Clock, monotonic_s
from .performers import FORGOTTEN_S

MOST_SENDERS = 4
WAITING = 64
"""Messages that may wait; the oldest are dropped."""
CHUNK_BYTES = 16384


@dataclass(slots=True)
class _Stream:
    sender: str
    last_s: float
    buffer: bytearray = field(default_factory=bytearray)
    understood: bool = False
    """A whole message has come."""


class TcpReceiver:
    """A sources.network.Receiver that takes connections. Everything happens within `receive`: there is no thread.

    end     : what stands behind each message
    longest : bytes of a message; who sends more without an end is cut off
    phone   : where requests are sent, by datagrams; None sends none"""

    def __init__(
        self, host: str, port: int, name: str, *, end: bytes, longest: int, allowed: str | None = None,
        phone: tuple | None = None, clock: Clock = monotonic_s,
    ) -> None:  # fmt: skip
        self._end, self._longest, self._allowed, self._phone = end, longest, allowed, phone
        self._clock = clock
        self._streams: dict[socket.socket, _Stream] = {}
        self._messages: deque[tuple[bytes, str]] = deque(maxlen=WAITING)
        self._selector = selectors.DefaultSelector()
        self._asking: socket.socket | None = None
        try:
            self._listener = socket.create_server((host, port), backlog=MOST_SENDERS)
        except (OSError, UnicodeError) as error:
            self._selector.close()
            raise SourceError(f"cannot listen on {name}: {getattr(error, 'strerror', None) or error}") from None
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)

    @property
    def port(self) -> int:
        """Where connections are taken."""
        return self._listener.getsockname()[1]

    def receive(self, timeout_s: float) -> tuple[bytes, str] | None:
        """The next message and its sender as `HOST:PORT`; None if there is none by then."""
        if not self._messages:
            try:
                ready = self._selector.select(timeout_s)
            except (OSError, RuntimeError, ValueError):  # closed meanwhile
                return None
            for key, _ in ready:
                self._accept() if key.fileobj is self._listener else self._read(key.fileobj)
        return self._messages.popleft() if self._messages else None

    def send(self, message: bytes) -> None:
        """Ask the phone; whether it hears is told by its connection."""
        if self._phone is None:
            return
        with suppress(OSError):
            if self._asking is None:
                family = socket.AF_INET6 if len(self._phone) == 4 else socket.AF_INET
                self._asking = socket.socket(family, socket.SOCK_DGRAM)
                self._asking.setblocking(False)
            self._asking.sendto(message, self._phone)

    def close(self) -> None:
        """Give ports and connections back. May be called twice."""
        for connection in list(self._streams):
            self._drop(connection)
        self._selector.close()
        self._listener.close()
        if self._asking is not None:
            self._asking.close()

    def _accept(self) -> None:
        try:
            connection, place = self._listener.accept()
        except OSError:  # gone before it was taken
            return
        if self._allowed not in (None, place[0]) or not self._has_room():
            connection.close()
            return
        connection.setblocking(False)
        self._streams[connection] = _Stream(f"{place[0]}:{place[1]}", self._clock())
        self._selector.register(connection, selectors.EVENT_READ)

    def _has_room(self) -> bool:
        """Whoever has said nothing yet, or nothing for long, makes room: idle connections keep no phone out."""
        if len(self._streams) < MOST_SENDERS:
            return True
        for connection, stream in self._streams.items():
            if not stream.understood or self._clock() - stream.last_s > FORGOTTEN_S:
                self._drop(connection)
                return True
        return False

    def _read(self, connection: socket.socket) -> None:
        stream = self._streams.get(connection)
        if stream is None:  # it made room a moment ago
            return
        try:
            data = connection.recv(CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        stream.buffer += data
        *whole, rest = bytes(stream.buffer).split(self._end)
        self._messages.extend((message, stream.sender) for message in whole)
        if whole:
            stream.understood, stream.last_s = True, self._clock()
        if not data or len(rest) > self._longest:
            self._drop(connection)
        else:
            stream.buffer[:] = rest

    def _drop(self, connection: socket.socket) -> None:
        del self._streams[connection]
        self._selector.unregister(connection)
        connection.close()
