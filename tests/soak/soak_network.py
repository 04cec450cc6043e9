"""Ten performers over the network for an hour, by four protocols, each now and then gone for a while.

python -m tests.soak.soak_network --minutes 5

Four programs `animator record` take them and send them on; a performer's jaw counts the frames, so that what comes
out tells when it went in."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import deque
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import aiohttp
import numpy as np

from animator.channels import ARKIT
from animator.data import Expression
from animator.sinks.network import open_sender
from animator.takes.npz import load_takes
from tests.network.helpers import free_port
from tests.protocols.faces import talking_face

from .curves import arguments, conclude
from .watching import Every, Record, Soaked

PERFORMERS = {"vmc": 3, "livelink": 3, "ifacialmocap": 2, "ws": 2}
FPS = 30.0
FACE = talking_face(300)
JAW, NAME = ARKIT.index("jawOpen"), ARKIT.index("mouthLeft")
"""One weight counts frames, 0 to 0.99; another says who it is."""
STAYS_S, AWAY_S = (20.0, 120.0), (2.0, 15.0)
"""From shorter than a performer's place is kept to longer."""


class Performer:
    """Sends, goes, comes again from another port."""

    def __init__(self, number: int, url: str, chance: random.Random) -> None:
        self._number, self._url, self._chance = number, url, chance
        self._sink = None
        self._turn_s = 0.0
        self._count = 0
        self.sent_s = [0.0] * 100
        self.joins = 0

    def step(self, now_s: float) -> None:
        """One frame, if there."""
        if now_s >= self._turn_s:
            away = self._sink is not None
            self._turn_s = now_s + self._chance.uniform(*(AWAY_S if away else STAYS_S))
            self.close() if away else self._join()
        if self._sink is None:
            return
        self._count = (self._count + 1) % 100
        face = FACE[int(FPS * now_s) % len(FACE)]
        weights = face.expression.weights.copy()
        weights[JAW], weights[NAME] = self._count / 100, self._number / 10
        self.sent_s[self._count] = time.monotonic()
        self._sink.write([replace(face, expression=Expression(weights))], now_s)

    def close(self) -> None:
        if self._sink is not None:
            self._sink.close()
            self._sink = None

    def _join(self) -> None:
        self._sink = open_sender(self._url)
        self.joins += 1


class Ends:
    """Where the programs send to: how long each frame was on the way through."""

    def __init__(self, performers: list[Performer]) -> None:
        self._performers = performers
        self._ways_ms: deque[float] = deque(maxlen=100_000)
        self._seen: dict[tuple[str, int], int] = {}
        self.heard = dict.fromkeys(PERFORMERS, 0)

    async def listen(self, protocol: str, port: int) -> None:
        """Hear one program for as long as it lives."""
        async with aiohttp.ClientSession() as http:
            while True:
                with suppress(aiohttp.ClientError):
                    async with http.ws_connect(f"http://127.0.0.1:{port}/") as socket:
                        async for message in socket:
                            self._hear(protocol, json.loads(message.data))
                await asyncio.sleep(0.2)

    def _hear(self, protocol: str, frame: dict) -> None:
        now_s = time.monotonic()
        self.heard[protocol] += 1
        for performer in frame["performers"]:
            name, count = 10 * performer["weights"]["mouthLeft"], 100 * performer["weights"]["jawOpen"]
            # A face that eases to rest or comes back has weights of no meaning here.
            if performer["confidence"] < 1 or abs(name - round(name)) > 1e-3 or abs(count - round(count)) > 1e-2:
                continue
            who, frame_number = round(name), round(count) % 100
            if who < len(self._performers) and self._seen.get((protocol, who)) != frame_number:
                self._seen[protocol, who] = frame_number
                self._ways_ms.append(1000 * (now_s - self._performers[who].sent_s[frame_number]))

    def median_ms(self) -> float:
        """Of the ways since the last call."""
        ways_ms = list(self._ways_ms)
        self._ways_ms.clear()
        return float(np.median(ways_ms)) if ways_ms else float("nan")


async def perform(performers: list[Performer], every: Every) -> None:
    """All ten at once, at 30 frames a second; a frame that comes late is not made up for."""
    while not every.over:
        now_s = every.elapsed_s
        for performer in performers:
            performer.step(now_s)
        await asyncio.sleep(max(0.0, 1 / FPS - (every.elapsed_s - now_s)))
    for performer in performers:
        performer.close()


async def soak(soaked: Soaked, record: Record, ports: dict[str, tuple[int, int]]) -> tuple[Ends, int]:
    """The ends that heard, and how often somebody joined."""
    chance = random.Random(8)
    protocols = [protocol for protocol, count in PERFORMERS.items() for _ in range(count)]
    performers = [
        Performer(number, _sending_url(protocol, ports[protocol][0], number), chance)
        for number, protocol in enumerate(protocols)
    ]
    ends = Ends(performers)
    every = Every(record.duration_s)
    work = [asyncio.create_task(ends.listen(protocol, out)) for protocol, (_, out) in ports.items()]
    performing = asyncio.create_task(perform(performers, every))
    while not every.over and not soaked.ended():
        await asyncio.sleep(every.until_next_s())
        held = await asyncio.to_thread(soaked.sample)
        record.add({"time_s": every.elapsed_s, "latency": ends.median_ms()} | held)
    await performing
    for task in work:
        task.cancel()
    return ends, sum(performer.joins for performer in performers)


def _sending_url(protocol: str, port: int, number: int) -> str:
    return f"{protocol}://127.0.0.1:{port}" + (f"?subject=face{number}" if protocol == "livelink" else "")


def faults_of(soaked: Soaked, codes: list[int], ends: Ends, folder: Path) -> list[str]:
    """What is wrong with how they ended and with the takes that they left."""
    faults = []
    if codes != [0] * len(PERFORMERS):
        faults.append(f"exit codes {codes}")
    for protocol, count in PERFORMERS.items():
        told = (folder / f"{protocol}.log").read_text()
        if "Traceback" in told:
            faults.append(f"{protocol}: {told[-500:]}")
        takes = load_takes(folder / f"{protocol}.npz")
        heard, frames = ends.heard[protocol], len(takes[0])
        print(f"{protocol}: heard {heard} moments; the take has {len(takes)} performers, {frames} frames")
        if len(takes) < count or not 0 < heard <= frames:
            faults.append(f"{protocol}: {heard} heard, {len(takes)} performers and {frames} frames recorded")
    return faults


def main() -> int:
    given = arguments(__doc__)
    given.folder.mkdir(parents=True, exist_ok=True)
    folder = given.folder.resolve()
    record = Record("network", 60 * given.minutes, about="ten performers over the network, recorded and sent on")
    record.path = given.folder / f"{record.name}.jsonl"
    soaked = Soaked(folder)
    ports = {protocol: (free_port(), free_port()) for protocol in PERFORMERS}
    try:
        for protocol, (into, out) in ports.items():
            source = f"ws://:{into}" if protocol == "ws" else f"{protocol}://127.0.0.1:{into}"
            take = str(folder / f"{protocol}.npz")
            soaked.start(protocol, "main.py", "record", source, "-o", take, "--send", f"ws://:{out}")
        ends, joins = asyncio.run(soak(soaked, record, ports))
        codes = soaked.stop()
    finally:
        soaked.kill()
    print(f"somebody joined {joins} times")
    return conclude(record, folder, given.figure, faults_of(soaked, codes, ends, folder))


if __name__ == "__main__":
    raise SystemExit(main())
