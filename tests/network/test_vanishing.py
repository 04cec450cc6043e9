"""A client whose process is killed: it says no goodbye, and its place is free again all the same."""

from __future__ import annotations

import asyncio

from tests.server.live import serving
from tests.server.live import visiting as asking

from .helpers import needs_ice, visiting

FREED_S = 15.0


@needs_ice
def test_who_is_killed_is_seen_off_within_fifteen_seconds() -> None:
    async def freed(server: object) -> None:
        async with asking(server) as visit:
            assert (await visit.health())["sessions"] == 1
            performer.end()
            async with asyncio.timeout(FREED_S):
                while (await visit.health())["sessions"]:
                    await asyncio.sleep(0.1)
            assert (await visit.metrics()).count("animator_sessions 0.0") == 1

    with serving() as server, visiting(server.url) as performer:
        performer.wait_for("picture", 5)
        asyncio.run(freed(server))
