"""The HTTP side on a port of its own, over workers that only pretend, and a browser of sorts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from animator.server.app import App
from animator.server.config import ServeConfig
from animator.server.metrics import Spent
from animator.server.serving import http_runner

TOKEN = "a-secret-of-ours"
OFFER = {"sdp": "v=0\r\n", "type": "offer"}
SDP = {"Content-Type": "application/sdp"}


class FakeWorkers:
    """Remembers what it was asked and answers, or raises, as told."""

    def __init__(self) -> None:
        self.joined: list[tuple[str, str, str, dict[str, Any]]] = []
        self.alive = 1
        self.trouble: Exception | None = None
        self.takes: dict[str, bytes] = {}
        self.fates: dict[str, str] = {}
        self.waited_s: list[float] = []
        self.worn: list[tuple[str, bytes]] = []

    @property
    def sessions(self) -> int:
        return len(self.joined)

    async def join(self, session: str, room: str, role: str, wish: dict[str, Any]) -> str:
        if self.trouble is not None:
            raise self.trouble
        self.joined.append((session, room, role, wish))
        return "v=0 answer"

    def has(self, session: str) -> bool:
        return any(joined[0] == session for joined in self.joined)

    async def fate(self, session: str, wait_s: float = 0.0) -> str | None:
        self.waited_s.append(wait_s)
        return "live" if self.has(session) else self.fates.get(session)

    async def end(self, session: str) -> bool:
        before = len(self.joined)
        self.joined = [joined for joined in self.joined if joined[0] != session]
        return len(self.joined) < before

    async def take(self, session: str, kind: str) -> bytes | None:
        return self.takes.get(f"{session}.{kind}")

    async def may_wear(self, session: str) -> None:
        if self.trouble is not None:
            raise self.trouble

    async def wear(self, session: str, path: str) -> None:
        self.worn.append((session, Path(path).read_bytes()))

    async def totals(self) -> tuple[dict[str, float], dict[str, Spent]]:
        spent = Spent()
        spent.add(1.5)
        return {"frames_in": 7}, {"track": spent}


class Site:
    """The application on a port of its own, and a browser of sorts."""

    def __init__(self, **settings: Any) -> None:
        self.workers, self.now_s = FakeWorkers(), 0.0
        self._config = replace(ServeConfig(offers_per_minute=1000), **settings)

    async def __aenter__(self) -> Site:
        app = App(self._config, self.workers, clock=lambda: self.now_s)
        self._runner = http_runner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.host = f"127.0.0.1:{self._runner.addresses[0][1]}"
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._http.close()
        await self._runner.cleanup()

    async def ask(self, method: str, path: str, **options: Any) -> Answer:
        """One request; the path is sent as it stands."""
        url = URL(f"http://{self.host}{path}", encoded=True)
        async with self._http.request(method, url, allow_redirects=False, **options) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def raw(self, request: bytes) -> bytes:
        """Bytes that no decent client sends."""
        reader, writer = await asyncio.open_connection(*self.host.split(":"))
        writer.write(request)
        data = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return data


class Answer:
    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def error(self) -> str:
        """The sentence of a refusal."""
        said = json.loads(self.body)
        assert list(said) == ["error"]
        assert said["error"]
        assert "\n" not in said["error"]
        return said["error"]


def at(test: Callable[[Site], Any], **settings: Any) -> None:
    """Run `test(site)`."""

    async def visit() -> None:
        async with asyncio.timeout(30), Site(**settings) as site:
            await test(site)

    asyncio.run(visit())


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
