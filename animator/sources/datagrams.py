"""Messages that come as datagrams."""

from __future__ import annotations

import socket
from contextlib import suppress

from ..addresses import bound_socket
from ..errors import SourceError

RECEIVE_BUFFER_BYTES = 1 << 20


class UdpReceiver:
    """A sources.network.Receiver of datagrams on one port.

    allowed : the only host that is listened to; None listens to all"""

    def __init__(self, host: str, port: int, name: str, allowed: str | None = None) -> None:
        self._allowed = None if allowed is None else looked_up(allowed)
        self._socket = bound_socket(host, port, name, SourceError)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)

    @property
    def port(self) -> int:
        """Where datagrams are taken."""
        return self._socket.getsockname()[1]

    def receive(self, timeout_s: float) -> tuple[bytes, str] | None:
        """The next message and its sender as `HOST:PORT`; None if there is none by then."""
        try:
            self._socket.settimeout(timeout_s)
            message, place = self._socket.recvfrom(65535)
        except OSError:  # nothing there by then; closed meanwhile; somebody we asked has gone
            return None
        host = place[0].removeprefix("::ffff:")
        return (message, f"{host}:{place[1]}") if self._allowed in (None, host) else None

    def send(self, message: bytes, place: tuple) -> None:
        """Send from the port that listens; whether it arrives is told by what comes back."""
        with suppress(OSError):
            self._socket.sendto(message, place)

    def close(self) -> None:
        """Give the port back. May be called twice."""
        self._socket.close()


def looked_up(host: str) -> str:
    """The address of the host that `from=` names; raises SourceError where it has none."""
    try:
        return min(socket.getaddrinfo(host, None), key=lambda one: one[0] != socket.AF_INET)[4][0]
    except (OSError, UnicodeError) as error:
        raise SourceError(f"from={host}: {getattr(error, 'strerror', None) or error}") from None
