"""Many cheap clients in one process of their own: what they receive is counted, not decoded.

python -m tests.bench.webrtc_crowd URL watch|perform|numbers COUNT SECONDS

watch   : everybody watches the room `stage`
perform : everybody has a room of their own, sends the same encoded camera, and gets a puppet back
numbers : the same, but motion comes back in place of pictures
act     : one sends the motion of the bundled performance to the room `stage`, 30 times a second
Prints a JSON list with one object for each: pictures, packets and motion messages a second."""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from animator.data import Motion
from animator.pipeline import open_performance
from animator.protocols.motion_stream import Encoder
from animator.resources import asset_path
from animator.webrtc.outbound import Fanout
from animator.webrtc.peer import Listeners, Peer

from .webrtc_latency import FPS, pictures
from .webrtc_server import ROOT, Served

SETTLE_S = 6.0
"""Before this, encoders, estimates and the governor still find their level."""


class Member:
    """One client."""

    def __init__(self, camera: Fanout | None, kind: str) -> None:
        self.kind, self.packets, self.pictures, self.motions = kind, 0, 0, 0
        self._newest: int | None = None
        listeners = Listeners(on_open=self._ask, on_motion=self._count_motion)
        self.peer = Peer(camera, receive=kind in ("watch", "perform"), listeners=listeners)

    async def join(self, served: Served, room: str) -> None:
        """Connect; nothing that comes is decoded from here on."""
        role = "watch" if self.kind == "watch" else "perform"
        offer = await self.peer.offer(video=self.kind != "act")
        if self.kind in ("watch", "perform"):
            self.peer._video.receiver._handle_rtp_packet = self._count_packet
        await self.peer.accept(await served.answer(offer, role=role, room=room))
        assert await self.peer.connected(), "no connection"

    def counts(self) -> tuple[int, int, int]:
        """Pictures, packets and motion messages so far."""
        return self.pictures, self.packets, self.motions

    def _ask(self) -> None:
        if self.kind == "numbers":
            self.peer.send_control({"type": "want-motion", "on": True})

    async def _count_packet(self, packet: Any, arrival_time_ms: int) -> None:
        self.packets += 1
        if packet.timestamp != self._newest:
            self._newest, self.pictures = packet.timestamp, self.pictures + 1

    def _count_motion(self, _payload: bytes) -> None:
        self.motions += 1


class Camera:
    """The bundled performance, encoded once for all who send it."""

    def __init__(self) -> None:
        self.fanout = Fanout(asyncio.get_running_loop(), FPS, bitrate_bps=1_500_000)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        start_s = time.monotonic()
        for number in itertools.count():
            if self._ended.wait(max(0.0, start_s + number / FPS - time.monotonic())):
                return
            self.fanout.publish(pictures()[number % len(pictures())], time.monotonic())

    def close(self) -> None:
        """Stop sending."""
        self._ended.set()
        self._thread.join()
        self.fanout.close()


def bundled_motions() -> list[Motion]:
    """The bundled performance, solved."""
    with open_performance(str(asset_path("performance.mp4")), live=False) as performance:
        return [motion for moment in performance for motion in moment.motions][:240]


async def act(served: Served, seconds: float) -> None:
    """Send motion to the room `stage`."""
    member, motions, encoder = Member(None, "act"), bundled_motions(), Encoder()
    await member.join(served, "stage")
    start_s = time.monotonic()
    for number in range(round(seconds * FPS)):
        await asyncio.sleep(max(0.0, start_s + number / FPS - time.monotonic()))
        motion = motions[number % len(motions)]
        moved = Motion(number / FPS, 0, motion.pose, motion.gaze, motion.expression, confidence=1.0)
        for message in encoder.encode(moved):
            member.peer.send_motion(message)
    await member.peer.close()


async def gather(served: Served, kind: str, count: int, seconds: float) -> list[dict[str, float]]:
    """Join one after another, count for a while, leave."""
    camera = None if kind == "watch" else Camera()
    members = [Member(None if camera is None else camera.fanout, kind) for _ in range(count)]
    for number, member in enumerate(members):
        await member.join(served, "stage" if kind == "watch" else f"room-{number}")
    await asyncio.sleep(SETTLE_S)
    print("settled", flush=True)
    before, start_s = [member.counts() for member in members], time.monotonic()
    await asyncio.sleep(seconds)
    after, elapsed_s = [member.counts() for member in members], time.monotonic() - start_s
    await asyncio.gather(*(member.peer.close() for member in members))
    if camera is not None:
        await asyncio.to_thread(camera.close)
    names = ("pictures", "packets", "motions")
    return [
        {name: (b - a) / elapsed_s for name, a, b in zip(names, *pair, strict=True)}
        for pair in zip(before, after, strict=True)
    ]


def crowd(
    served: Served, kind: str, count: int, seconds: float, settled: Callable[[], None] = lambda: None
) -> list[dict[str, float]]:
    """Run a crowd as a process and return what each member received; `settled` is called as counting begins."""
    command = [sys.executable, "-m", "tests.bench.webrtc_crowd", served.url, kind, str(count), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout.readline() == "settled\n", f"a crowd of {count} could not {kind}"
        settled()
        return json.loads(process.stdout.readline())


def main() -> None:
    """As told by the command line."""
    url, kind, count, seconds = sys.argv[1:]
    served = Served(None, url)
    if kind == "act":
        asyncio.run(act(served, float(seconds)))
    else:
        print(json.dumps(asyncio.run(gather(served, kind, int(count), float(seconds)))), flush=True)


if __name__ == "__main__":
    main()
