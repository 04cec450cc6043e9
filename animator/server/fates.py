"""What has become of sessions: for clients that ask, and for those that wait to be told."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import suppress

REMEMBERED = 4096
"""Sessions that are over and still known; a client asks within seconds, if at all."""


class Fates:
    """By session: `live`, `ended` or `worker-lost`. On the event loop."""

    def __init__(self) -> None:
        self._live: dict[str, asyncio.Future[str]] = {}
        self._over: OrderedDict[str, str] = OrderedDict()

    def began(self, session: str) -> None:
        """A session is live, unless it is over already."""
        if session not in self._over:
            self._live[session] = asyncio.get_running_loop().create_future()

    def over(self, session: str, fate: str) -> None:
        """A session is live no longer; what is said first stays."""
        if session in self._over:
            return
        self._over[session] = fate
        while len(self._over) > REMEMBERED:
            self._over.popitem(last=False)
        waiting = self._live.pop(session, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(fate)

    async def of(self, session: str, wait_s: float = 0.0) -> str | None:
        """What has become of it; None if it is not known. Waits so long for the end of one that is live."""
        waiting = self._live.get(session)
        if waiting is None:
            return self._over.get(session)
        if wait_s > 0:
            with suppress(TimeoutError):
                return await asyncio.wait_for(asyncio.shield(waiting), wait_s)
        return "live"
