"""`animator serve` for an hour: performers and viewers who come and go at random, and now and then nobody.

python -m tests.soak.soak_serve --minutes 5

What the server holds is compared between the moments in which nobody is there."""

from __future__ import annotations

import asyncio
import random
import re
import time
from typing import Any

from animator.errors import AnimatorError
from animator.rigging.library import known_rigs
from tests.server import live
from tests.server.live import Client, Server, Visit, visiting

from .curves import arguments, conclude
from .watching import Every, Record, Soaked

TOGETHER = 2
ROOMS = ("main", "other")
VIEWS = ("avatar", "mask", "mesh", "side-by-side")
BUSY_S, PAUSE_S = (30.0, 50.0), (1.0, 4.0)
REST_SAMPLES = 2
CAMERA_FPS = 8.0
"""Modest, as this machine's cores are the clients' too."""


class Guests:
    """Who comes, does something and goes, by a seed's chance."""

    def __init__(self, visit: Visit, chance: random.Random, counts: dict[str, int]) -> None:
        self._visit, self._chance, self._counts = visit, chance, counts
        self._present: list[tuple[str, Client]] = []

    async def step(self) -> None:
        """One thing happens."""
        chance = self._chance.random()
        if not self._present or (len(self._present) < TOGETHER and chance < 0.4):
            await self._come()
        elif chance < 0.55:
            await self._go(*self._present.pop(self._chance.randrange(len(self._present))))
        else:
            await self._act(*self._chance.choice(self._present))

    async def _come(self) -> None:
        role = self._chance.choice(("perform", "perform", "watch", "send_motion"))
        client = await getattr(self._visit, role)(room=self._chance.choice(ROOMS))
        self._present.append((role, client))
        self._count(f"came to {role}")
        if role == "perform":
            await client.picture()

    async def _go(self, role: str, client: Client) -> None:
        way = self._chance.choice(("goodbye", "DELETE", "without a word"))
        self._count(f"left: {way}")
        if way == "goodbye":
            client.peer.send_control({"type": "bye"})
        elif way == "DELETE":
            url = f"{self._visit.server.url}/sessions/{client.session}"
            async with self._visit.http.delete(url) as answer:
                assert answer.status == 204, answer.status
        await client.peer.close()
        self._visit.clients.remove(client)

    async def _act(self, role: str, client: Client) -> None:
        self._count("acts")
        if role != "perform":
            await client.ask("ping", "pong", t=1)
            return
        act = self._chance.choice(("view", "rig", "smoothing", "faces", "record", "calibrate", "motion"))
        if act == "record":
            client.peer.send_control({"type": "record", "on": True})
            await client.hear("state", len(client.said("state", state="recording")), state="recording")
            await asyncio.sleep(2.0)
            client.peer.send_control({"type": "record", "on": False})
            said = await client.hear("state", len(client.said("state", state="recorded")), state="recorded")
            async with self._visit.http.get(f"{self._visit.server.url}{said['url']}") as answer:
                assert answer.status == 200, answer.status
                assert await answer.read()
        elif act == "calibrate":
            client.peer.send_control({"type": "calibrate"})
        elif act == "motion":
            client.peer.send_control({"type": "want-motion", "on": True})
        else:
            values = {"view": VIEWS, "rig": known_rigs(), "smoothing": (10, 50, 90), "faces": (1, 2)}[act]
            await client.ask("set", "settings", **{act: self._chance.choice(list(values))})

    def _count(self, what: str) -> None:
        self._counts[what] = self._counts.get(what, 0) + 1


class Soak:
    """The server, its guests, and who samples both."""

    def __init__(self, server: Server, soaked: Soaked, record: Record) -> None:
        self._server, self._soaked, self._record = server, soaked, record
        self._every = Every(record.duration_s)
        self._resting = False
        self._rested = 0
        self.counts: dict[str, int] = {}
        self.faults: list[str] = []
        self._spent: dict[str, tuple[float, float]] = {}

    async def run(self, seed: int) -> None:
        """Until it is over."""
        sampling = asyncio.create_task(self._sample())
        chance = random.Random(seed)
        while not self._every.over:
            try:
                await self._busy_while(chance)
            except (AssertionError, TimeoutError, AnimatorError, OSError) as error:
                self.faults.append(f"after {self._every.elapsed_s:.0f} s: {error!r}"[:400])
            await self._rest()
        sampling.cancel()

    async def _busy_while(self, chance: random.Random) -> None:
        """Guests for a while; all have left in the end, and the server says so."""
        end_s = time.monotonic() + chance.uniform(*BUSY_S)
        async with visiting(self._server) as visit:
            guests = Guests(visit, chance, self.counts)
            while time.monotonic() < end_s and not self._every.over:
                await guests.step()
                await asyncio.sleep(chance.uniform(*PAUSE_S))

    async def _rest(self) -> None:
        self._resting, self._rested = True, 0
        while self._rested <= REST_SAMPLES and not self._every.over:  # the first may still see them go
            await asyncio.sleep(0.5)
        self._resting = False

    async def _sample(self) -> None:
        async with live.aiohttp.ClientSession() as http:
            while True:
                await asyncio.sleep(self._every.until_next_s())
                began_resting = self._resting and self._rested > 0
                held: dict[str, Any] = await asyncio.to_thread(self._soaked.sample)
                async with http.get(f"{self._server.url}/metrics") as answer:
                    held |= self._lately(await answer.text())
                rest = float(began_resting and self._resting)
                self._rested += self._resting
                self._record.add({"time_s": self._every.elapsed_s, "rest": rest} | held)

    def _lately(self, metrics: str) -> dict[str, float]:
        """Mean milliseconds of what the server did to each picture since the last look: the sum of its stages."""
        found = {}
        for stage in ("track", "solve", "deform", "render", "encode"):
            sums = [
                float(value)
                for end in ("sum", "count")
                for value in re.findall(rf'^animator_stage_seconds_{end}{{stage="{stage}"}} (\S+)', metrics, re.M)
            ]
            if len(sums) == 2:
                before = self._spent.get(stage, (0.0, 0.0))
                self._spent[stage] = (sums[0], sums[1])
                runs = sums[1] - before[1]
                if runs > 0:
                    found[stage] = 1000 * (sums[0] - before[0]) / runs
        return found | ({"latency": sum(found.values())} if {"track", "render", "encode"} <= found.keys() else {})


def main() -> int:
    given = arguments(__doc__)
    given.folder.mkdir(parents=True, exist_ok=True)
    live.CAMERA_FPS = CAMERA_FPS
    record = Record("serve", 60 * given.minutes, about="animator serve: clients who come and go (dots: nobody there)")
    record.path = given.folder / f"{record.name}.jsonl"
    soaked = Soaked(given.folder.resolve())
    server = Server("main.py", "serve", "--host", "127.0.0.1", "--port", "0", env=soaked.environment())
    soaked.watch(server.process)
    try:
        server.wait_until_ready()
        soak = Soak(server, soaked, record)
        asyncio.run(soak.run(seed=8))
        faults = soak.faults
        code = server.stop()
        told = "".join(server.err)
        if code != 0 or "Traceback" in told or "exception" in told:
            faults.append(f"it ended with {code}: {told[-800:]}")
    finally:
        soaked.kill()
        server.stop()
    print("guests:", ", ".join(f"{what} {count}" for what, count in sorted(soak.counts.items())))
    return conclude(record, given.folder, given.figure, faults)


if __name__ == "__main__":
    raise SystemExit(main())
