"""A thousand requests a second for half a minute, while somebody performs: pictures and answers before and meanwhile.

python -m tests.soak.flood [--per-second 1000] [--seconds 30]

The flood comes from a process of its own. Figures are worth something on a quiet machine only."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time

import numpy as np

from tests.conftest import ROOT
from tests.server.live import Client, serving, visiting

BEFORE_S = 10.0
PING_EVERY_S = 0.5
LEAST_SHARE = 0.5
"""Of the pictures that came before, which must still come."""


async def measured(client: Client, seconds: float) -> tuple[float, np.ndarray]:
    """Pictures a second, and the milliseconds that each of many pings took."""
    start_s, before, ways_ms = time.monotonic(), client.peer.pictures.received, []
    while time.monotonic() - start_s < seconds:
        asked_s = time.monotonic()
        await client.ask("ping", "pong", t=asked_s)
        ways_ms.append(1000 * (time.monotonic() - asked_s))
        await asyncio.sleep(PING_EVERY_S)
    return (client.peer.pictures.received - before) / (time.monotonic() - start_s), np.array(ways_ms)


async def flooded(server, per_s: float, seconds: float) -> bool:
    """Whether the performer kept enough pictures."""
    async with visiting(server) as visit:
        client = await visit.perform()
        await client.picture()
        quiet_fps, quiet_ms = await measured(client, BEFORE_S)
        address = server.url.partition("//")[2]
        command = (sys.executable, "-m", "tests.server.hostility", address, str(per_s), str(seconds))
        crowd = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
        fps, ways_ms = await measured(client, seconds)
        answered = int((await crowd.communicate())[0])
        closed = bool(client.closed)
    for name, rate, ms in (("before", quiet_fps, quiet_ms), ("meanwhile", fps, ways_ms)):
        slow_ms = np.quantile(ms, 0.95)
        print(f"{name:10} {rate:5.1f} pictures a second; a ping takes {np.median(ms):6.1f} ms, p95 {slow_ms:6.1f}")
    print(f"{answered / seconds:.0f} requests a second were answered")
    return not closed and fps >= LEAST_SHARE * quiet_fps


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-second", type=float, default=1000.0)
    parser.add_argument("--seconds", type=float, default=30.0)
    given = parser.parse_args()
    with serving() as server:
        kept = asyncio.run(flooded(server, given.per_second, given.seconds))
    print("PASSED" if kept else "FAILED")
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
