"""The worker processes as the HTTP process sees them: who lives where, and what happens when one dies."""

from __future__ import annotations

import asyncio
import itertools
import logging
import multiprocessing
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from ..errors import AnimatorError
from .config import ServeConfig

log = logging.getLogger("animator")

REPLY_TIMEOUT_S = 20.0
"""Joining gathers ICE candidates, which waits for STUN servers that do not answer."""
STOP_TIMEOUT_S = 5.0


class ServerFull(AnimatorError):  # noqa: N818 - a state that the page shows, not a fault
    """No session is free."""


class WorkerLost(AnimatorError):  # noqa: N818
    """The process that held the session has died."""


@dataclass(slots=True)
class _Worker:
    process: multiprocessing.process.BaseProcess
    pipe: Connection
    replies: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    """Session -> room."""


class Workers:
    """Spawns the workers, sends each room to one of them, and replaces those that die."""

    def __init__(self, config: ServeConfig, model: str) -> None:
        self._config, self._model = config, model
        self._context = multiprocessing.get_context("spawn")
        self._requests = itertools.count()
        self._workers: list[_Worker] = []
        self._totals: Counter[str] = Counter()
        self._joining = 0

    async def start(self) -> None:
        """Start every worker and wait until each is warm: model loaded, OpenGL open."""
        self._workers = [self._spawn() for _ in range(self._config.workers)]
        await asyncio.gather(*(self._ask(worker, "warm") for worker in self._workers))

    async def stop(self) -> None:
        """End every session and process."""
        for worker in self._workers:
            asyncio.get_running_loop().remove_reader(worker.pipe.fileno())
            try:
                worker.pipe.send(("quit", 0, None))
            except OSError:
                continue  # it has gone already
        for worker in self._workers:
            await asyncio.to_thread(worker.process.join, STOP_TIMEOUT_S)
            if worker.process.is_alive():
                worker.process.kill()
            worker.pipe.close()
        self._workers = []

    @property
    def sessions(self) -> int:
        """Sessions now."""
        return sum(len(worker.sessions) for worker in self._workers)

    @property
    def alive(self) -> int:
        """Worker processes now."""
        return sum(worker.process.is_alive() for worker in self._workers)

    async def join(self, session: str, room: str, role: str, wish: dict[str, Any]) -> str:
        """The answer SDP for a newcomer; raises ServerFull, WorkerLost, or AnimatorError for a bad offer."""
        if self.sessions + self._joining >= self._config.max_sessions:
            raise ServerFull(f"This server is full: {self._config.max_sessions} people are connected.")
        self._joining += 1
        try:
            worker = self._home_of(room)
            answer = await self._ask(worker, "join", {"session": session, "room": room, "role": role, **wish})
            worker.sessions[session] = room
            self._totals["sessions_started"] += 1
            return answer
        finally:
            self._joining -= 1

    async def end(self, session: str) -> bool:
        """End a session; False if there is none."""
        worker = self._worker_of(session)
        if worker is None:
            return False
        await self._ask(worker, "end", session)
        worker.sessions.pop(session, None)
        return True

    async def take(self, session: str, kind: str) -> bytes | None:
        """The session's last recording as a file's bytes; None if there is none."""
        worker = self._worker_of(session)
        return None if worker is None else await self._ask(worker, "take", (session, kind))

    async def totals(self) -> tuple[dict[str, float], dict[str, float]]:
        """Counters and seconds by stage over all workers, those that died included as far as known."""
        stages: Counter[str] = Counter()
        totals = Counter(self._totals)
        for counted, seconds in await asyncio.gather(*(self._ask(worker, "totals") for worker in self._workers)):
            totals.update(counted)
            stages.update(seconds)
        return dict(totals), dict(stages)

    def _home_of(self, room: str) -> _Worker:
        """The worker that has the room already, else the one with the fewest sessions."""
        for worker in self._workers:
            if room in worker.sessions.values():
                return worker
        return min(self._workers, key=lambda worker: len(worker.sessions))

    def _worker_of(self, session: str) -> _Worker | None:
        return next((worker for worker in self._workers if session in worker.sessions), None)

    def _spawn(self) -> _Worker:
        from .worker import main

        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=main, args=(theirs, self._config, self._model), daemon=True)
        process.start()
        theirs.close()  # so that our end hears when the process is gone
        worker = _Worker(process, ours)
        asyncio.get_running_loop().add_reader(ours.fileno(), self._heard, worker)
        return worker

    async def _ask(self, worker: _Worker, what: str, about: object = None) -> Any:
        number = next(self._requests)
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        worker.replies[number] = reply
        try:
            worker.pipe.send((what, number, about))
            return await asyncio.wait_for(reply, None if what == "warm" else REPLY_TIMEOUT_S)
        except (OSError, TimeoutError) as error:
            raise WorkerLost("The server is starting this part of itself again: try once more.") from error
        finally:
            worker.replies.pop(number, None)

    def _heard(self, worker: _Worker) -> None:
        """A worker said something, or is gone."""
        try:
            kind, number, value = worker.pipe.recv()
        except (EOFError, OSError):
            self._replace(worker)
            return
        if kind == "ended":
            worker.sessions.pop(value, None)
        elif (reply := worker.replies.get(number)) is not None and not reply.done():
            if kind == "error":
                reply.set_exception(AnimatorError(value))
            else:
                reply.set_result(value)

    def _replace(self, lost: _Worker) -> None:
        asyncio.get_running_loop().remove_reader(lost.pipe.fileno())
        lost.pipe.close()
        log.warning("a worker process died with %d sessions; a new one takes its place", len(lost.sessions))
        self._totals["workers_lost"] += 1
        for reply in lost.replies.values():
            if not reply.done():
                reply.set_exception(WorkerLost("This part of the server has died; it is starting again."))
        self._workers[self._workers.index(lost)] = self._spawn()
