"""The real server as a process, and the real Peer as its client."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np

from animator.data import Array, Frame
from animator.resources import asset_path
from animator.sources.video import VideoSource
from animator.webrtc.outbound import Fanout
from animator.webrtc.peer import Listeners, Peer
from tests.conftest import ROOT

START_S, DEADLINE_S = 60.0, 20.0
CLIENT_SILENT_S = 6.0
CLIP_FRAMES, CAMERA_FPS = 60, 15.0


class Server:
    """A process that serves; `url` once it is ready. `within` are words before the command, `ip netns exec` say."""

    def __init__(self, *command: str, env: dict[str, str] | None = None, within: tuple[str, ...] = ()) -> None:
        self.process = subprocess.Popen(
            [*within, sys.executable, *command],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | (env or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.out: list[str] = []
        self.err: list[str] = []
        self._readers = [
            threading.Thread(target=lambda stream=stream, lines=lines: lines.extend(iter(stream.readline, "")))
            for stream, lines in ((self.process.stdout, self.out), (self.process.stderr, self.err))
        ]
        for reader in self._readers:
            reader.start()
        self.url = ""

    def wait_until_ready(self) -> Server:
        """Until it has printed its link."""
        link = wait_for(lambda: re.search(r"https?://[\w.:]+/", "".join(self.out)) or not self.is_running, START_S)
        assert link is not True, f"it ended with {self.process.returncode}: {''.join(self.err)}"
        self.url = link[0].rstrip("/")
        return self

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def workers(self) -> list[int]:
        """Process ids of its workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; its exit code."""
        if self.is_running:
            self.process.send_signal(number)
        try:
            code = self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        for reader in self._readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return code


@contextmanager
def serving(**settings: Any) -> Iterator[Server]:
    """A server with these settings, ended afterwards."""
    server = Server("-m", "tests.server.running", json.dumps({"offers_per_minute": 100_000} | settings))
    try:
        yield server.wait_until_ready()
    finally:
        server.stop()


def wait_for(done: Callable[[], Any], timeout_s: float = DEADLINE_S) -> Any:
    """Wait for something that gives no event; the deadline is the failure."""
    end_s = time.monotonic() + timeout_s
    while time.monotonic() < end_s:
        found = done()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"not so within {timeout_s:g} s")


async def until(done: Callable[[], Any], timeout_s: float = DEADLINE_S) -> Any:
    """The same, on an event loop; `done` may be a coroutine function."""
    async with asyncio.timeout(timeout_s):
        while True:
            found = done()
            found = await found if asyncio.iscoroutine(found) else found
            if found:
                return found
            await asyncio.sleep(0.02)


_clip: list[Array] = []


def clip() -> list[Array]:
    """Pictures of a face that moves, made smaller: (H, W, 3) uint8 each."""
    if not _clip:
        source = VideoSource(asset_path("performance.mp4"))
        step = max(1, source.size_px[0] // 320)
        _clip.extend(np.ascontiguousarray(frame.rgb[::step, ::step]) for frame in islice(source, CLIP_FRAMES))
        source.close()
    return _clip


class Camera:
    """The clip, to and fro, as a camera's pictures on a thread of its own."""

    def __init__(self) -> None:
        self.fanout = Fanout(asyncio.get_running_loop())
        self.frozen = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        pictures = clip() + clip()[::-1]
        index = 0
        while not self._ended.wait(1 / CAMERA_FPS):
            if not self.frozen:
                self.fanout.publish(pictures[index % len(pictures)], index / CAMERA_FPS)
            index += 1

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self.fanout.close()


class Client:
    """A peer of the server, what it was told, and the HTTP side."""

    def __init__(self, server: Server, http: aiohttp.ClientSession, camera: Camera | None, receive: bool) -> None:
        self._server, self._http = server, http
        self.messages: list[dict[str, Any]] = []
        self.motion: list[bytes] = []
        self.closed: list[str] = []
        self.session = ""
        listeners = Listeners(
            on_control=self.messages.append, on_motion=self.motion.append, on_closed=self.closed.append
        )
        puppet = None if camera is None else camera.fanout
        self.peer = Peer(puppet, receive=receive, listeners=listeners, silent_s=CLIENT_SILENT_S)

    async def join(self, video: bool = True, **wish: Any) -> Client:
        """Connect by POST /offer."""
        offer = {"sdp": await self.peer.offer(video=video), "type": "offer", **wish}
        async with self._http.post(f"{self._server.url}/offer", json=offer) as answer:
            said = await answer.json()
        assert answer.status == 200, (answer.status, said)
        self.session = said["session"]
        await self.peer.accept(said["sdp"])
        assert await self.peer.connected(DEADLINE_S)
        await self.hear("welcome")
        return self

    def said(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """Messages of this kind with these fields, as yet."""
        return [m for m in self.messages if m["type"] == kind and fields.items() <= m.items()]

    async def hear(self, kind: str, since: int = 0, **fields: Any) -> dict[str, Any]:
        """The newest message of this kind with these fields, once there are more than `since`."""
        try:
            await until(lambda: len(self.said(kind, **fields)) > since)
        except TimeoutError:
            raise AssertionError(f"never heard {kind} {fields}; heard {self.messages[-8:]}, {self.closed}") from None
        return self.said(kind, **fields)[-1]

    async def ask(self, kind: str, answer: str, **what: Any) -> dict[str, Any]:
        """Say something and wait for the next message of a kind."""
        since = len(self.said(answer))
        assert self.peer.send_control({"type": kind, **what})
        return await self.hear(answer, since)

    async def picture(self) -> Frame:
        """The newest picture that came."""
        return await asyncio.to_thread(self.peer.pictures.get, DEADLINE_S)

    async def picture_where(self, good: Callable[[Array], bool]) -> Array:
        """The first picture that is as wanted."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                rgb = (await self.picture()).rgb
                if good(rgb):
                    return rgb


class Visit:
    """Everything that one test does at a server."""

    def __init__(self, server: Server, http: aiohttp.ClientSession) -> None:
        self.server, self.http = server, http
        self._camera: Camera | None = None
        self.clients: list[Client] = []

    @property
    def camera(self) -> Camera:
        """One camera for all clients of the test."""
        if self._camera is None:
            self._camera = Camera()
        return self._camera

    async def perform(self, **wish: Any) -> Client:
        self.clients.append(Client(self.server, self.http, self.camera, receive=True))
        return await self.clients[-1].join(role="perform", **wish)

    async def watch(self, **wish: Any) -> Client:
        self.clients.append(Client(self.server, self.http, None, receive=True))
        return await self.clients[-1].join(role="watch", **wish)

    async def send_motion(self, **wish: Any) -> Client:
        """A performer whose face is solved at its own end."""
        self.clients.append(Client(self.server, self.http, None, receive=False))
        return await self.clients[-1].join(video=False, role="perform", **wish)

    async def health(self) -> dict[str, Any]:
        async with self.http.get(f"{self.server.url}/health") as answer:
            return await answer.json()

    async def metrics(self) -> str:
        async with self.http.get(f"{self.server.url}/metrics") as answer:
            assert answer.status == 200
            return await answer.text()

    async def until_sessions(self, number: int) -> None:
        async def so() -> bool:
            return (await self.health())["sessions"] == number

        await until(so)

    async def close(self) -> None:
        await asyncio.gather(*(client.peer.close() for client in self.clients))
        if self._camera is not None:
            await asyncio.to_thread(self._camera.close)
        if self.server.is_running:
            await self.until_sessions(0)


@asynccontextmanager
async def visiting(server: Server) -> AsyncIterator[Visit]:
    """Clients that leave in the end, and the server's return to rest."""
    async with aiohttp.ClientSession() as http:
        visit = Visit(server, http)
        try:
            yield visit
        finally:
            await visit.close()
