"""Taking WebSocket connections, for those who send motion there and those who want it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from .addresses import Address, may_connect
from .errors import SettingError

log = logging.getLogger("animator")

HEARTBEAT_S = 20
GOODBYE_S = 1
STRANGERS = logging.getLogger("animator.strangers")
"""Where aiohttp tells of requests that are none and of clients that go in the middle: a traceback each. Nobody reads
it: our own faults are told where they happen."""
STRANGERS.setLevel(logging.CRITICAL + 1)
Visit = Callable[[web.WebSocketResponse, str], Awaitable[None]]
"""What is done with one connection, from `HOST:PORT`, until it ends."""


async def door(
    host: str, port: int, visit: Visit, *, origins: frozenset[str], most: int, longest: int
) -> web.AppRunner:
    """Take connections at `/` until the runner is cleaned up.

    origins : further pages that may connect, see addresses.may_connect
    most    : connections at once
    longest : bytes of a message
    raises  : OSError where the port cannot be had"""
    inside: set[web.WebSocketResponse] = set()

    async def knocked(request: web.Request) -> web.WebSocketResponse:
        if not may_connect(request.headers.get("Origin"), origins):
            raise web.HTTPForbidden(text="this page may not connect here: see origin in docs/protocols.md")
        if len(inside) >= most:
            raise web.HTTPServiceUnavailable(text="too many are connected")
        socket = web.WebSocketResponse(max_msg_size=longest, heartbeat=HEARTBEAT_S, timeout=GOODBYE_S)
        inside.add(socket)
        try:
            try:
                await socket.prepare(request)
            except ValueError:  # keys and protocols that are no text
                raise web.HTTPBadRequest(text="this is no WebSocket handshake") from None
            place = (request.transport.get_extra_info("peername") if request.transport else None) or ("?", 0)
            await visit(socket, f"{place[0]}:{place[1]}")
        except (ConnectionError, web.HTTPException):
            raise
        except Exception:
            log.exception("a WebSocket connection failed")
            raise
        finally:
            inside.discard(socket)
        return socket

    app = web.Application()
    app.router.add_get("/", knocked)
    runner = web.AppRunner(app, access_log=None, logger=STRANGERS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        raise
    return runner


def listening_place(address: Address, url: str) -> tuple[str, int, frozenset[str]]:
    """(host, port, origins) of a `ws://:PORT?listen=HOST&origin=PAGE,PAGE`; this machine alone unless it says more.

    raises : SettingError for `wss`, which would need a certificate"""
    if address.scheme != "ws":
        raise SettingError(f"{url}: only ws://:PORT takes connections; put a proxy with a certificate before it")
    origins = frozenset(filter(None, address.options.get("origin", "").split(",")))
    return address.options.get("listen", "127.0.0.1"), address.port, origins
