"""Motion as JSON over WebSockets: to a server that takes it, or to whoever connects here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from aiohttp import web

from ..addresses import Address, address_from_url
from ..data import Motion
from ..errors import SettingError, SinkError
from ..handover import LoopThread
from ..protocols.motion_json import JsonWriter
from ..websockets import door, listening_place

log = logging.getLogger("animator")

MOST_READERS = 32
LONGEST = 1024
"""Bytes of what a reader says, which nobody listens to."""
STALL_S = 5.0
"""A reader who takes nothing for this long is let go."""
RETRY_S = 2.0


class _Newest:
    """What is to be sent; every reader gets the newest there is when it is ready for more."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._item = loop, (0, "")
        self._changed = asyncio.Event()
        self._told = False

    def put(self, text: str) -> None:
        """From any thread; never waits."""
        self._item = (self._item[0] + 1, text)
        if not self._told:  # a loop that is busy is told once, so that nothing piles up
            self._told = True
            self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        self._told = False
        self._changed.set()
        self._changed = asyncio.Event()

    async def after(self, number: int) -> tuple[int, str]:
        while self._item[0] == number:
            await self._changed.wait()
        return self._item


async def _stream(socket: Any, newest: _Newest) -> None:
    number = 0  # whoever comes is told at once how things stand
    while not socket.closed:
        number, text = await newest.after(number)
        async with asyncio.timeout(STALL_S):
            await socket.send_str(text)


class _WebSocketSink:
    def __init__(self, name: str) -> None:
        self.name, self._writer = name, JsonWriter()
        self._loop = LoopThread("websocket")
        self._newest = _Newest(self._loop.loop)
        self._closed = False

    def write(self, motions: Sequence[Motion], time_s: float) -> None:
        """Send one instant to whoever is ready for it."""
        for message in self._writer.write(motions, time_s):
            self._newest.put(message.decode())

    def close(self) -> None:
        """Close the connections. May be called twice."""
        if not self._closed:
            self._closed = True
            with suppress(TimeoutError):
                self._loop.run(self._end())
            self._loop.close()

    async def _end(self) -> None:
        """Say goodbye."""


class ConnectingSink(_WebSocketSink):
    """Connects to a server and sends; where there is none, or it goes away, tries again and again."""

    def __init__(self, url: str, name: str) -> None:
        super().__init__(name)
        self._url, self._was_there = url, None
        self._loop.start(self._connect())

    async def _connect(self) -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                with suppress(aiohttp.ClientError, OSError, TimeoutError):
                    async with session.ws_connect(self._url) as socket:
                        self._say(True)
                        await self._both_ways(socket)
                self._say(False)
                await asyncio.sleep(RETRY_S)

    async def _both_ways(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        sending = asyncio.ensure_future(_stream(socket, self._newest))
        reading = asyncio.ensure_future(_read_to_the_end(socket))  # pings are answered, a close is seen
        done, waiting = await asyncio.wait((sending, reading), return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        for task in done:
            task.result()

    def _say(self, there: bool) -> None:
        if there != self._was_there:
            log.warning("%s: %s", self.name, "connected" if there else "no server there; going on trying")
        self._was_there = there


async def _read_to_the_end(socket: Any) -> None:
    async for _ in socket:
        pass


class ServingSink(_WebSocketSink):
    """Takes connections and sends to each. Pages of other sites are refused: a browser would let them listen.

    origins : further `Origin`s that may connect, besides programs, which have none, and pages of this machine"""

    def __init__(self, host: str, port: int, name: str, origins: frozenset[str] = frozenset()) -> None:
        super().__init__(name)
        self._sockets: set[web.WebSocketResponse] = set()
        try:
            opening = door(host, port, self._visit, origins=origins, most=MOST_READERS, longest=LONGEST)
            self._runner = self._loop.run(opening)
        except OSError as error:
            self._loop.close()
            raise SinkError(f"cannot listen on {name}: {error.strerror or error}") from None

    @property
    def port(self) -> int:
        """Where connections are taken."""
        return self._runner.addresses[0][1]

    @property
    def readers(self) -> int:
        """How many are connected."""
        return len(self._sockets)

    async def _visit(self, socket: web.WebSocketResponse, _place: str) -> None:
        self._sockets.add(socket)
        sending = asyncio.ensure_future(_stream(socket, self._newest))
        sending.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            reading = asyncio.ensure_future(_read_to_the_end(socket))
            await asyncio.wait((sending, reading), return_when=asyncio.FIRST_COMPLETED)
            reading.cancel()
        finally:
            sending.cancel()
            self._sockets.discard(socket)

    async def _end(self) -> None:
        for socket in list(self._sockets):
            with suppress(Exception):
                await socket.close()
        await self._runner.cleanup()


def websocket_sink(url: str, options: Sequence[str]) -> tuple[Address, _WebSocketSink]:
    """`ws://HOST:PORT/PATH` connects; `ws://:PORT` takes connections, from this machine unless `listen=` says more."""
    address = address_from_url(url, None, ("listen", "origin", *options))
    name = f"{address.scheme}://{address.place}"
    if address.host:
        if {"listen", "origin"} & set(address.options):
            raise SettingError(f"{url}: listen and origin are for ws://:PORT, which takes connections")
        return address, ConnectingSink(urlunsplit(urlsplit(url)._replace(query="")), name)
    host, port, origins = listening_place(address, url)
    return address, ServingSink(host, port, f"ws://{host}:{port}", origins)
