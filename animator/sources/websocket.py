"""JSON motion from WebSockets: of a server, or of whoever connects here."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from aiohttp import web

from ..addresses import Address
from ..errors import SettingError, SourceError
from ..handover import LoopThread
from ..protocols.motion_json import LONGEST
from ..websockets import door, listening_place

log = logging.getLogger("animator")

WAITING = 256
"""Messages that may wait; more are dropped, the newest first."""
MOST_SENDERS = 16
RETRY_S = 2.0


class WebSocketReceiver:
    """A sources.network.Receiver of text messages. `ws://HOST:PORT/PATH` connects, `ws://:PORT` takes connections."""

    def __init__(self, address: Address, url: str) -> None:
        self._queue: Queue[tuple[bytes, str]] = Queue(WAITING)
        self.name = f"{address.scheme}://{address.place}"
        self._runner: web.AppRunner | None = None
        self._loop = LoopThread("websocket")
        if address.host:
            self._loop.start(self._connect(urlunsplit(urlsplit(url)._replace(query=""))))
            return
        try:
            host, port, origins = listening_place(address, url)
            opening = door(host, port, self._read, origins=origins, most=MOST_SENDERS, longest=LONGEST)
            self._runner = self._loop.run(opening)
        except OSError as error:
            self._loop.close()
            raise SourceError(f"cannot listen on ws://{host}:{port}: {error.strerror or error}") from None
        except SettingError:
            self._loop.close()
            raise

    @property
    def port(self) -> int:
        """Where connections are taken."""
        return self._runner.addresses[0][1]

    def receive(self, timeout_s: float) -> tuple[bytes, str] | None:
        """The next message and its sender as `HOST:PORT`; None if there is none by then."""
        try:
            return self._queue.get(timeout=timeout_s)
        except Empty:
            return None

    def close(self) -> None:
        """Close the connections. May be called twice."""
        if self._runner is not None:
            runner, self._runner = self._runner, None
            with suppress(TimeoutError):
                self._loop.run(runner.cleanup())
        self._loop.close()

    async def _connect(self, url: str) -> None:
        was_there = None
        async with aiohttp.ClientSession() as session:
            while True:
                with suppress(aiohttp.ClientError, OSError, TimeoutError):
                    async with session.ws_connect(url, max_msg_size=LONGEST, heartbeat=20) as socket:
                        log.warning("%s: connected", self.name)
                        was_there = True
                        await self._read(socket, self.name.partition("://")[2])
                if was_there is not False:
                    log.warning("%s: no server there; going on trying", self.name)
                was_there = False
                await asyncio.sleep(RETRY_S)

    async def _read(self, socket: Any, sender: str) -> None:
        async for message in socket:
            if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                data = message.data.encode() if isinstance(message.data, str) else message.data
                with suppress(Full):
                    self._queue.put_nowait((data, sender))
