"""`animator run` for an hour: a looping clip at a camera's pace, drawn, filmed, recorded and sent.

python -m tests.soak.soak_run --minutes 5"""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import av
import numpy as np

from animator.takes.npz import load_takes
from animator.takes.take import Take
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
STAGES = ("track", "solve", "deform", "overlay", "render", "encode")
SLOWEST_SHARE = 0.2
"""Of the clip's frames, fewer than which is a fault even on a machine with much else to do."""


async def listen(port: int, heard: list[int]) -> None:
    """Hear the motion that the program sends, and count."""
    async with aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.ws_connect(f"http://127.0.0.1:{port}/") as socket:
                    async for _message in socket:
                        heard[0] += 1
            except aiohttp.ClientError:
                await asyncio.sleep(0.2)


async def soak(soaked: Soaked, record: Record, command: list[str], port: int) -> int:
    """Run and sample; the number of moments that were heard."""
    heard = [0]
    hearing = asyncio.create_task(listen(port, heard))
    soaked.start("run", "-c", PROGRAM, *command)
    every = Every(record.duration_s)
    while not every.over and not soaked.ended():
        await asyncio.sleep(every.until_next_s())
        record.add({"time_s": every.elapsed_s, "heard": heard[0]} | await asyncio.to_thread(soaked.sample))
    hearing.cancel()
    return heard[0]


def add_latency(record: Record, take: Take) -> None:
    """What all stages together worked on a picture, by the take itself: the median around each sample.

    The take's clock may have been held up; its share of the whole is that of the run."""
    stages = [place for place, name in enumerate(take.stage_names) if name in STAGES]
    spent_ms = take.stages_ms[:, stages].sum(axis=1)
    ends = np.searchsorted(take.times_s, [s["time_s"] / record.duration_s * take.times_s[-1] for s in record.samples])
    for sample, start, end in zip(record.samples, [0, *ends], ends, strict=False):
        if end > start:
            sample["latency"] = float(np.median(spent_ms[start:end]))


def faults_of(codes: list[int], folder: Path, take: Take, heard: int, duration_s: float) -> list[str]:
    """What is wrong with how it ended and with the files that it left."""
    faults = []
    told = (folder / "run.log").read_text()
    if codes != [130] or "Traceback" in told:
        faults.append(f"it ended with {codes}: {told[-500:]}")
    if heard < SLOWEST_SHARE * CLIP_FPS * duration_s:
        faults.append(f"only {heard} moments were sent in {duration_s:.0f} s")
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
    take = load_takes(folder / "run.npz")[0]
    add_latency(record, take)
    return conclude(record, folder, given.figure, faults_of(codes, folder, take, heard, record.duration_s))


if __name__ == "__main__":
    raise SystemExit(main())
