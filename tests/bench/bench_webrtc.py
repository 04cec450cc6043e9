"""How late a puppet comes back, and what a further viewer costs, beside aiortc's own echo.

    python -m tests.bench.bench_webrtc [--seconds 15] [--markdown]

A client sends the bundled performance, 640x480 at 30 frames a second, with a number painted into the
picture's corner; the server sends back its `mesh` view, in which the corner survives. The time between is
the latency. The baseline is a process that sends back what it receives by aiortc alone: decoded and
encoded, nothing else. Both ends run on this machine, so both share its cores.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from animator.sources import performance
from animator.timing import Closed
from animator.webrtc.inbound import NewestPicture
from animator.webrtc.outbound import Fanout
from animator.webrtc.peer import Listeners, Peer

ROOT = Path(__file__).resolve().parents[2]
FPS = 30.0
BITS, BLOCK_PX = 12, 16
PORT = 18443
SETTLE_S = 4.0
"""Before this, encoders and estimates still find their level."""

_ECHO = """
import asyncio, json, sys
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
async def main():
    pc = RTCPeerConnection(RTCConfiguration([]))
    @pc.on("track")
    def echo(track):
        pc.addTrack(track)
    await pc.setRemoteDescription(RTCSessionDescription(json.loads(sys.stdin.readline()), "offer"))
    await pc.setLocalDescription(await pc.createAnswer())
    print(json.dumps(pc.localDescription.sdp), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    await pc.close()
asyncio.run(main())
"""


@dataclass(frozen=True, slots=True)
class Latency:
    """What one run measured."""

    what: str
    median_ms: float
    p95_ms: float
    fps: float
    first_ms: float
    """From the offer to the first picture that came back."""
    server_cpu: float
    """Of one core."""


def painted(rgb: np.ndarray, number: int) -> np.ndarray:
    """A copy of the picture with `number` as white and black blocks along its top left."""
    picture = rgb.copy()
    for bit in range(BITS):
        picture[:BLOCK_PX, bit * BLOCK_PX : (bit + 1) * BLOCK_PX] = 255 * (number >> bit & 1)
    return picture


def read(rgb: np.ndarray) -> int:
    """The number that `painted` put there."""
    middle = BLOCK_PX // 2
    return sum(1 << bit for bit in range(BITS) if rgb[middle - 2 : middle + 2, bit * BLOCK_PX + middle].mean() > 127)


class Client:
    """Sends numbered pictures and takes the time until each comes back."""

    def __init__(self, pictures: list[np.ndarray]) -> None:
        self._pictures = pictures
        self._sent_s: dict[int, float] = {}
        self.late_s: list[tuple[float, float]] = []
        """(when, latency) of each picture that came back; nan where its number could not be read."""
        self._stop = threading.Event()

    async def run(self, answer_for, seconds: float, view: str | None) -> float:
        """Connect, send for a while, and return the seconds until the first picture came back."""
        loop = asyncio.get_running_loop()
        puppet = Fanout(loop, FPS, bitrate_bps=1_500_000)
        arrived = loop.create_future()
        threads: list[threading.Thread] = []

        def on_video(pictures: NewestPicture) -> None:
            threads.append(threading.Thread(target=self._receive, args=(pictures, loop, arrived), daemon=True))
            threads[-1].start()

        def ask() -> None:
            if view is not None:
                peer.send_control({"type": "set", "view": view})

        peer = Peer(puppet, receive=True, listeners=Listeners(on_open=ask, on_video=on_video))
        start_s = time.monotonic()
        await peer.accept(await answer_for(await peer.offer(channels=view is not None)))
        sender = threading.Thread(target=self._send, args=(puppet,), daemon=True)
        sender.start()
        first_s = await asyncio.wait_for(arrived, 30) - start_s
        await asyncio.sleep(seconds)
        self._stop.set()
        await asyncio.to_thread(sender.join)
        await peer.close()
        puppet.close()
        return first_s

    def _send(self, puppet: Fanout) -> None:
        start_s = time.monotonic()
        for number in range(1 << 30):
            if self._stop.wait(max(0.0, start_s + number / FPS - time.monotonic())):
                return
            key = number % (1 << BITS)
            self._sent_s[key] = time.monotonic()
            puppet.publish(painted(self._pictures[number % len(self._pictures)], key), time.monotonic())

    def _receive(self, pictures: NewestPicture, loop: asyncio.AbstractEventLoop, arrived: asyncio.Future) -> None:
        with contextlib.suppress(Closed):
            while True:
                frame = pictures.get()
                now_s = time.monotonic()
                sent_s = self._sent_s.get(read(frame.rgb))
                self.late_s.append((now_s, np.nan if sent_s is None else now_s - sent_s))
                loop.call_soon_threadsafe(lambda at_s=now_s: arrived.done() or arrived.set_result(at_s))


def cpu_s(pids: list[int]) -> float:
    """Processor seconds that processes have taken so far."""
    total = 0.0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / 100
    return total


def family(pid: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


async def measured(what: str, process: subprocess.Popen, answer_for, seconds: float, view: str | None) -> Latency:
    """One run against one server."""
    client = Client([frame.rgb for frame in performance()][:240])
    before_s, start_s = cpu_s(family(process.pid)), time.monotonic()
    first_s = await client.run(answer_for, seconds, view)
    spent = (cpu_s(family(process.pid)) - before_s) / (time.monotonic() - start_s)
    settled = [late for at, late in client.late_s if at - client.late_s[0][0] > SETTLE_S]
    readable = settled if view in (None, "mesh") else [np.nan]  # an avatar's picture has no corner to read
    return Latency(
        what,
        1000 * float(np.nanmedian(readable)) if np.isfinite(readable).any() else np.nan,
        1000 * float(np.nanpercentile(readable, 95)) if np.isfinite(readable).any() else np.nan,
        len(settled) / (seconds - SETTLE_S),
        1000 * first_s,
        spent,
    )


async def echo(seconds: float) -> Latency:
    """aiortc alone."""
    process = subprocess.Popen(
        [sys.executable, "-c", _ECHO], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )

    async def answer_for(offer: str) -> str:
        process.stdin.write(json.dumps(offer) + "\n")
        process.stdin.flush()
        return json.loads(await asyncio.to_thread(process.stdout.readline))

    try:
        return await measured("aiortc's echo", process, answer_for, seconds, None)
    finally:
        process.communicate("\n", timeout=20)


@contextlib.contextmanager
def served() -> Iterator[subprocess.Popen]:
    """`animator serve`, warm."""
    command = [sys.executable, "main.py", "serve", "--host", "127.0.0.1", "--port", str(PORT)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT)
    try:
        while process.poll() is None:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health").close()
                break
            time.sleep(0.2)
        yield process
    finally:
        process.terminate()
        process.wait(20)


async def post_offer(offer: str) -> str:
    """The server's answer."""
    body = json.dumps({"sdp": offer, "type": "offer", "role": "perform"}).encode()

    def post() -> str:
        request = urllib.request.Request(f"http://127.0.0.1:{PORT}/offer", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as reply:
            return json.load(reply)["sdp"]

    return await asyncio.to_thread(post)


def markdown(rows: list[Latency]) -> str:
    """The table for docs/benchmarks.md."""
    baseline = rows[0]
    lines = [
        "| what | median, ms | over the echo | 95 %, ms | over the echo | frames a second back | first picture, ms "
        "| server CPU, cores |",
        "| --- " * 8 + "|",
    ]
    for row in rows:
        figures = (
            f"{row.median_ms:.0f}",
            f"{row.median_ms - baseline.median_ms:+.0f}",
            f"{row.p95_ms:.0f}",
            f"{row.p95_ms - baseline.p95_ms:+.0f}",
            f"{row.fps:.1f}",
            f"{row.first_ms:.0f}",
            f"{row.server_cpu:.2f}",
        )
        cells = ("-" if "nan" in figure else figure for figure in figures)
        lines.append(f"| {row.what} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def run(seconds: float) -> list[Latency]:
    """Baseline first, then the views."""
    rows = [asyncio.run(echo(seconds))]
    with served() as process:
        for view in ("mesh", "avatar"):
            # Only `mesh` keeps the corner; of `avatar` the rate and the cost are read.
            rows.append(asyncio.run(measured(f"`serve`, {view}", process, post_offer, seconds, view)))
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--markdown", action="store_true", help="plain Markdown")
    arguments = parser.parse_args()
    text = markdown(run(arguments.seconds))
    if arguments.markdown:
        print(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console(width=160).print(Markdown(text))


if __name__ == "__main__":
    main()
