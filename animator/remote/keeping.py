"""A connection that is made again when it is lost, on an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Protocol

from ..errors import AnimatorError

log = logging.getLogger("animator")

BACK_OFF_S = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Waits between attempts; the last one again and again."""
FAREWELL_S = 3.0
"""How long saying goodbye may take at the end."""

Tell = Callable[[str], None]
"""Called with each line that a person should read."""


class Closable(Protocol):
    """What a connection is to its keeper."""

    async def close(self) -> None: ...


Lost = Callable[[str], None]
"""A connection calls this, on the loop, once it has ended, with the reason."""


class Kept:
    """Makes a connection with `connect`, and again whenever it is lost, until closed.

    connect : on the loop: connects, or raises AnimatorError; one whose `may_pass` is False is never tried again"""

    def __init__(
        self, connect: Callable[[Lost], Awaitable[Closable]], tell: Tell = log.warning, waits_s: tuple = BACK_OFF_S
    ) -> None:
        self._connect, self._tell, self._waits_s = connect, tell, waits_s
        self._first: Future[None] = Future()
        self._closing: asyncio.Event | None = None
        self._ready = threading.Event()
        self.connections = 0
        """How often it was connected."""
        self.is_connected = False
        self.failure: AnimatorError | None = None
        """Why it has given up."""
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), daemon=True)

    def open(self) -> None:
        """Connect, waiting for that. Raises what the first attempt raised; closes then, as on Ctrl-C."""
        self._thread.start()
        try:
            self._first.result()
        except BaseException:
            self.close()
            raise

    def soon(self, call: Callable[..., object], *arguments: object) -> None:
        """Call on the loop."""
        with suppress(RuntimeError):  # it has ended
            self.loop.call_soon_threadsafe(call, *arguments)

    def check(self) -> None:
        """Raise the error that ended it all, if there was one."""
        if self.failure is not None:
            raise self.failure

    def close(self) -> None:
        """Say goodbye and end the thread. May be called twice."""
        if self._thread.is_alive():
            self._ready.wait()
            self.soon(self._closing.set)
            self._thread.join(FAREWELL_S)

    async def _live(self) -> None:
        self.loop, self._closing = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        closing = asyncio.create_task(self._closing.wait())
        attempts = 0
        while not closing.done():
            lost: asyncio.Future[str] = self.loop.create_future()
            connecting = asyncio.ensure_future(self._connect(lambda why, lost=lost: _settle(lost, why)))
            await asyncio.wait({connecting, closing}, return_when=asyncio.FIRST_COMPLETED)
            if not connecting.done():
                connecting.cancel()
                await asyncio.gather(connecting, return_exceptions=True)
                break
            error = connecting.exception()
            if error is None:
                attempts = 0
                why = await self._stay(connecting.result(), lost, closing)
            elif not self._first.done():
                self._first.set_exception(error)
                break
            elif not isinstance(error, AnimatorError) or not getattr(error, "may_pass", True):
                self.failure = error
                break
            else:
                why = str(error)
            if closing.done():
                break
            wait_s = self._waits_s[min(attempts, len(self._waits_s) - 1)]
            attempts += 1
            self._tell(f"not connected ({why}): trying again in {wait_s:g} s")
            await asyncio.wait({closing}, timeout=wait_s)
        closing.cancel()
        if not self._first.done():
            self._first.cancel()

    async def _stay(self, connection: Closable, lost: asyncio.Future[str], closing: asyncio.Task) -> str:
        """Until it is lost, for the reason returned, or we close."""
        self.connections += 1
        self.is_connected = True
        if not self._first.done():
            self._first.set_result(None)
        else:
            self._tell("connected again")
        await asyncio.wait({lost, closing}, return_when=asyncio.FIRST_COMPLETED)
        self.is_connected = False
        with suppress(TimeoutError):
            await asyncio.wait_for(connection.close(), FAREWELL_S)
        return lost.result() if lost.done() else ""


def _settle(future: asyncio.Future[str], value: str) -> None:
    if not future.done():
        future.set_result(value)
