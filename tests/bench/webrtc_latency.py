"""How late a puppet comes back: a client that numbers its pictures and reads the numbers of those that return."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from dataclasses import dataclass
from functools import cache

import numpy as np

from animator.sources import performance
from animator.timing import Closed
from animator.webrtc.inbound import NewestPicture
from animator.webrtc.outbound import Fanout
from animator.webrtc.peer import Listeners, Peer

from .webrtc_server import Served

FPS = 30.0
BITS, BLOCK_PX = 12, 16
SETTLE_S = 4.0
"""Before this, encoders and estimates still find their level."""
MINUTE_S = 60.0


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
    late_ms: np.ndarray
    """(N, 2): when a picture came back, in seconds after the first, and how late it was; nan where unreadable."""


@cache
def pictures() -> list[np.ndarray]:
    """The bundled performance: (480, 640, 3) uint8 each."""
    return [frame.rgb for frame in performance()][:240]


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

    def __init__(self) -> None:
        self._sent_s: dict[int, float] = {}
        self.late_s: list[tuple[float, float]] = []
        """(when, latency) of each picture that came back; nan where its number could not be read."""
        self._stop = threading.Event()

    async def run(self, served: Served, seconds: float, view: str | None) -> float:
        """Connect, send for a while, and return the seconds until the first picture came back."""
        loop = asyncio.get_running_loop()
        puppet = Fanout(loop, FPS, bitrate_bps=1_500_000)
        arrived = loop.create_future()

        def on_video(received: NewestPicture) -> None:
            threading.Thread(target=self._receive, args=(received, loop, arrived), daemon=True).start()

        peer = Peer(puppet, receive=True, listeners=Listeners(on_video=on_video))
        sender = threading.Thread(target=self._send, args=(puppet,), daemon=True)
        start_s = time.monotonic()
        wish = {} if view is None else {"view": view}
        await peer.accept(await served.answer(await peer.offer(channels=view is not None), **wish))
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
            puppet.publish(painted(pictures()[number % len(pictures())], key), time.monotonic())

    def _receive(self, received: NewestPicture, loop: asyncio.AbstractEventLoop, arrived: asyncio.Future) -> None:
        with contextlib.suppress(Closed):
            while True:
                frame = received.get()
                now_s = time.monotonic()
                sent_s = self._sent_s.get(read(frame.rgb))
                self.late_s.append((now_s, np.nan if sent_s is None else now_s - sent_s))
                loop.call_soon_threadsafe(lambda at_s=now_s: arrived.done() or arrived.set_result(at_s))


def measured(what: str, served: Served, seconds: float, view: str | None) -> Latency:
    """One client of one server. Only `mesh` and an echo keep the corner; of other views rate and cost are read."""
    pictures()
    client = Client()
    before_s, start_s = served.cpu_s(), time.monotonic()
    first_s = asyncio.run(client.run(served, seconds, view))
    spent = (served.cpu_s() - before_s) / (time.monotonic() - start_s)
    late_ms = np.array(client.late_s) - [client.late_s[0][0], 0.0]
    late_ms[:, 1] *= 1000 if view in (None, "mesh") else np.nan
    settled = late_ms[late_ms[:, 0] > SETTLE_S]
    median_ms, p95_ms = percentiles(settled[:, 1])
    return Latency(what, median_ms, p95_ms, len(settled) / (seconds - SETTLE_S), 1000 * first_s, spent, late_ms)


def percentiles(late_ms: np.ndarray) -> tuple[float, float]:
    """Median and 95th; nan where nothing could be read."""
    readable = late_ms[np.isfinite(late_ms)]
    return tuple(np.percentile(readable, (50, 95))) if len(readable) else (np.nan, np.nan)


@dataclass(frozen=True, slots=True)
class Growth:
    """What a long run did to latency and memory."""

    minutes: float
    first_ms: tuple[float, float]
    """Median and 95th percentile of the first minute (or third) after things had settled."""
    last_ms: tuple[float, float]
    memory_mb: tuple[float, float]
    """Of the server: after the first minute, and at the end."""
    fps: float


def long_run(served: Served, minutes: float) -> Growth:
    """One client for so long, `mesh`; memory is looked at while it is connected."""
    seconds = minutes * MINUTE_S
    share_s = min(MINUTE_S, seconds / 3)
    seen_mb: list[float] = []
    looks = [threading.Timer(at_s, lambda: seen_mb.append(served.memory_mb())) for at_s in (share_s, seconds - 1)]
    for look in looks:
        look.start()
    run = measured("long run", served, seconds, "mesh")
    for look in looks:
        look.join()
    at_s, late_ms = run.late_ms[:, 0], run.late_ms[:, 1]
    first = late_ms[(at_s > SETTLE_S) & (at_s <= SETTLE_S + share_s)]
    last = late_ms[at_s > at_s[-1] - share_s]
    return Growth(minutes, percentiles(first), percentiles(last), (seen_mb[0], seen_mb[1]), run.fps)
