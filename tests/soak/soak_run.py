"""`animator run` for an hour: a looping clip at a camera's pace, drawn, filmed, recorded and sent.

python -m tests.soak.soak_run --minutes 5"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import aiohttp
import av
import numpy as np

from animator.takes.npz import load_takes
from tests.network.helpers import free_port

from .curves import arguments, conclude
from .watching import Every, Record, Soaked

# A machine with a webcam plays the clip all the same.
PROGRAM = """
from animator.errors import SourceError
from animator.sources import camera
from animator.cli import main

def none(*_arguments):
    raise SourceError("left alone here")

camera.CameraSource = none
raise SystemExit(main())
"""
SIZE = "320x240"
CLIP_FPS = 30.0
SLOWEST_SHARE = 0.2
"""Of the clip's frames, fewer than which is a fault even on a machine with much else to do."""


class Listener:
    """Hears the motion that the program sends: how late each picture is, beside the promptest one."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/"
        self._behind_s: list[float] = []
        self._promptest_s = float("inf")
        self.heard = 0
        self.last_s = time.monotonic()

    async def listen(self) -> None:
        async with aiohttp.ClientSession() as http:
            while True:
                try:
                    async with http.ws_connect(self._url) as socket:
                        async for message in socket:
                            self._hear(message.data)
                except aiohttp.ClientError:
                    await asyncio.sleep(0.2)

    def _hear(self, text: str) -> None:
        self.last_s = time.monotonic()
        self._behind_s.append(self.last_s - json.loads(text)["time_s"])
        self.heard += 1

    def lateness_ms(self) -> float:
        """Median of what came since the last call; the promptest picture of all is 0."""
        behind_s, self._behind_s = self._behind_s, []
        if not behind_s:
            return float("nan")
        self._promptest_s = min(self._promptest_s, *behind_s)
        return 1000 * (float(np.median(behind_s)) - self._promptest_s)


async def soak(soaked: Soaked, record: Record, command: list[str], port: int) -> int:
    """Run and sample; the number of moments that were heard."""
    listener = Listener(port)
    hearing = asyncio.create_task(listener.listen())
    soaked.start("run", "-c", PROGRAM, *command)
    every = Every(record.duration_s)
    while not every.over and not soaked.ended():
        await asyncio.sleep(every.until_next_s())
        held = await asyncio.to_thread(soaked.sample)
        lateness_ms, time_s = listener.lateness_ms(), every.elapsed_s
        record.add({"time_s": time_s, "latency": lateness_ms, "heard": listener.heard} | held)
    hearing.cancel()
    return listener.heard


def faults_of(codes: list[int], folder: Path, heard: int, duration_s: float) -> list[str]:
    """What is wrong with how it ended and with the files that it left."""
    faults = []
    told = (folder / "run.log").read_text()
    if codes != [130] or "Traceback" in told:
        faults.append(f"it ended with {codes}: {told[-500:]}")
    if heard < SLOWEST_SHARE * CLIP_FPS * duration_s:
        faults.append(f"only {heard} moments were sent in {duration_s:.0f} s")
    take = load_takes(folder / "run.npz")[0]
    with av.open(str(folder / "run.mp4")) as film:
        frames = sum(1 for packet in film.demux(video=0) if packet.size)
    print(f"heard {heard} moments; the take has {len(take)}, the film {frames} pictures")
    # What a slow screen skips is recorded and sent all the same; a reader who is late hears the newest alone.
    if not (heard <= len(take) and 0 < frames <= len(take)):
        faults.append(f"{heard} moments heard, {len(take)} recorded, {frames} filmed")
    return faults


def main() -> int:
    given = arguments(__doc__)
    given.folder.mkdir(parents=True, exist_ok=True)
    folder = given.folder.resolve()
    port = free_port()
    command = ["run", "--out", str(folder / "run.mp4"), "--take", str(folder / "run.npz"), "--size", SIZE]
    record = Record("run", 60 * given.minutes, about="animator run: a looping clip, drawn, filmed, recorded and sent")
    record.path = given.folder / f"{record.name}.jsonl"
    soaked = Soaked(folder)
    try:
        heard = asyncio.run(soak(soaked, record, [*command, "--send", f"ws://:{port}"], port))
        codes = soaked.stop()
    finally:
        soaked.kill()
    return conclude(record, folder, given.figure, faults_of(codes, folder, heard, record.duration_s))


if __name__ == "__main__":
    raise SystemExit(main())
