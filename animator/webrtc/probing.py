"""Asking one STUN or TURN server by itself: aiortc says of a failed one nothing at all."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable
from typing import Any, TypeVar

from ..errors import AnimatorError, SettingError
from .config import IceServer

ANSWER_S = 5.0
_PLACE = re.compile(r"(?P<scheme>\w+):(?P<host>[^:?]+)(?::(?P<port>\d+))?(?:\?transport=(?P<transport>\w+))?")
_PORTS = {"stun": 3478, "turn": 3478, "turns": 5349}
T = TypeVar("T")


async def told_address(server: IceServer) -> tuple[str, float]:
    """(our address as a STUN server sees it, milliseconds) by a real binding request; raises AnimatorError."""
    from aioice import stun

    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)

    class Asking(asyncio.DatagramProtocol):
        """Sends what the transaction wants to be sent, and hands it what comes."""

        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
            try:
                message = stun.parse_message(data)
            except ValueError:
                return
            if message.transaction_id == request.transaction_id:
                transaction.response_received(message, address)

        def send_stun(self, message: Any, address: tuple[str, int]) -> None:
            self.transport.sendto(bytes(message), address)

    place = await _place(server)
    loop = asyncio.get_running_loop()
    start_s = time.perf_counter()
    transport, protocol = await loop.create_datagram_endpoint(Asking, remote_addr=None, local_addr=_any_like(place))
    try:
        transaction = stun.Transaction(request, place, protocol)
        answer, _ = await _within(transaction.run(), server)
    finally:
        transport.close()
    mapped = answer.attributes.get("XOR-MAPPED-ADDRESS") or answer.attributes.get("MAPPED-ADDRESS")
    if mapped is None:
        raise SettingError(f"{server.url}: it answered without an address")
    return f"{mapped[0]}:{mapped[1]}", 1000 * (time.perf_counter() - start_s)


async def relayed_address(server: IceServer) -> tuple[str, float]:
    """(the address that a TURN server lends us, milliseconds); it is given back at once. Raises AnimatorError."""
    from aioice import turn

    match = _PLACE.fullmatch(server.url)
    place = await _place(server)
    secure = match["scheme"] == "turns"
    start_s = time.perf_counter()
    opening = turn.create_turn_endpoint(
        asyncio.DatagramProtocol, place, username=server.user, password=server.password, ssl=secure,
        transport="tcp" if secure else match["transport"] or "udp",
    )  # fmt: skip
    transport, _ = await _within(opening, server)
    spent_ms = 1000 * (time.perf_counter() - start_s)
    host, port = transport.get_extra_info("sockname")[:2]
    transport.close()
    await asyncio.sleep(0.1)  # the refresh that gives it back is sent by a task of its own
    return f"{host}:{port}", spent_ms


async def _place(server: IceServer) -> tuple[str, int]:
    """The server's address and port."""
    match = _PLACE.fullmatch(server.url)
    port = int(match["port"] or _PORTS[match["scheme"]])
    try:
        found = await asyncio.get_running_loop().getaddrinfo(match["host"], port)
    except OSError as error:
        raise SettingError(f"{server.url}: there is no host of that name ({error.strerror})") from error
    found.sort(key=lambda entry: ":" in entry[4][0])  # IPv4 first, as ICE here
    return found[0][4][:2]


def _any_like(place: tuple[str, int]) -> tuple[str, int]:
    return ("::", 0) if ":" in place[0] else ("0.0.0.0", 0)


async def _within(asking: Awaitable[T], server: IceServer) -> T:
    """What comes of asking, or the reason in words."""
    from aioice import stun

    try:
        return await asyncio.wait_for(asking, ANSWER_S)
    except TimeoutError as error:
        raise SettingError(f"{server.url}: no answer within {ANSWER_S:g} s") from error
    except stun.TransactionTimeout as error:
        raise SettingError(f"{server.url}: no answer") from error
    except stun.TransactionFailed as error:
        code, reason = error.response.attributes.get("ERROR-CODE", (0, "no reason"))
        raise SettingError(f"{server.url}: it refuses: {code} {reason}") from error
    except AnimatorError:
        raise
    except OSError as error:
        raise SettingError(f"{server.url}: {error.strerror or error}") from error
