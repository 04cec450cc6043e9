"""The worker processes as the HTTP process sees them: who lives where, and what happens when one dies."""

from __future__ import annotations

import asyncio
import itertools
import logging
import multiprocessing
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from typing import Any

from ..errors import AnimatorError
from .config import ServeConfig
from .wire import Wire

log = logging.getLogger("animator")

REPLY_TIMEOUT_S = 20.0
"""Joining gathers ICE candidates, which waits for STUN servers that do not answer."""
TOTALS_TIMEOUT_S = 2.0
STOP_TIMEOUT_S = 5.0
TRIES = 3
"""Workers that may die in a row before one has become ready; then the server gives up."""


class ServerFull(AnimatorError):  # noqa: N818 - a state that the page shows, not a fault
    """No session is free."""


class WorkerLost(AnimatorError):  # noqa: N818
    """The process that held the session has died, or does not answer."""


@dataclass(slots=True, eq=False)
class _Worker:
    process: BaseProcess
    wire: Wire | None = None
    ready: bool = False
    """Its model is loaded and OpenGL open."""
    replies: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    """Session -> room; those included that are being made."""
    counted: tuple[dict[str, float], dict[str, float]] = field(default_factory=lambda: ({}, {}))
    """Its totals when it was last asked: counters, and seconds by stage."""


class Workers:
    """Spawns the workers, sends each room to one of them, and replaces those that die.

    main : what a worker process runs, called with its pipe, the config and the model; None: worker.main"""

    def __init__(self, config: ServeConfig, model: str, main: Callable[..., None] | None = None) -> None:
        self._config, self._model, self._main = config, model, main
        self._context = multiprocessing.get_context("spawn")
        self._requests = itertools.count(1)
        self._workers: list[_Worker] = []
        self._totals: Counter[str] = Counter()
        self._spent_s: Counter[str] = Counter()
        self._failed_in_a_row = 0
        self._stopping = False
        self._warming: set[asyncio.Task[None]] = set()

    async def start(self) -> bool:
        """Start every worker and wait until each is ready: True. Raises AnimatorError when that cannot be."""
        self._ready = asyncio.Event()
        self._failure: asyncio.Future[AnimatorError] = asyncio.get_running_loop().create_future()
        self._workers = [self._spawn() for _ in range(self._config.workers)]
        ready = asyncio.ensure_future(self._ready.wait())
        try:
            await asyncio.wait({ready, self._failure}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if self._failure.done():
            raise self._failure.result()
        return True

    async def failure(self) -> AnimatorError:
        """Why there can be no workers any more; waits until that is so."""
        return await asyncio.shield(self._failure)

    async def stop(self) -> None:
        """End every session and process."""
        self._stopping = True
        for task in self._warming:
            task.cancel()
        for worker in self._workers:
            worker.wire.send(("quit", 0, None))
        await asyncio.gather(*(asyncio.to_thread(_see_off, worker) for worker in self._workers))
        self._workers = []

    @property
    def sessions(self) -> int:
        """Sessions now."""
        return sum(len(worker.sessions) for worker in self._workers)

    @property
    def alive(self) -> int:
        """Worker processes that are ready now."""
        return sum(worker.ready and worker.process.is_alive() for worker in self._workers)

    async def join(self, session: str, room: str, role: str, wish: dict[str, Any]) -> str:
        """The answer SDP for a newcomer; raises ServerFull, WorkerLost, or AnimatorError for a bad offer.

        wish : `sdp`, and what else the newcomer asked for; `resume` names the session that this one replaces"""
        if wish.get("resume") is not None:
            with suppress(AnimatorError):
                await self.end(wish["resume"])
        if self.sessions >= self._config.max_sessions:
            raise ServerFull(f"This server is full: {self._config.max_sessions} people are connected.")
        worker = self._home_of(room)
        # Counted from here on: others who come meanwhile find the room, and the place is taken.
        worker.sessions[session] = room
        try:
            answer = await self._ask(worker, "join", {**wish, "session": session, "room": room, "role": role})
        except BaseException:
            worker.sessions.pop(session, None)
            worker.wire.send(("end", 0, session))  # it may come about all the same, after we have given up
            raise
        if session not in worker.sessions:
            raise WorkerLost("The connection ended before it began: try once more.")
        self._totals["sessions_started"] += 1
        return answer

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
        """Counters and seconds by stage over all workers; of those that died, what was last known."""

        async def ask(worker: _Worker) -> None:
            with suppress(AnimatorError):
                worker.counted = await self._ask(worker, "totals", timeout_s=TOTALS_TIMEOUT_S)

        await asyncio.gather(*(ask(worker) for worker in self._workers))
        totals, spent_s = Counter(self._totals), Counter(self._spent_s)
        for worker in self._workers:
            totals.update(worker.counted[0])
            spent_s.update(worker.counted[1])
        return dict(totals), dict(spent_s)

    def _home_of(self, room: str) -> _Worker:
        """The worker that has the room already, else the one with the fewest sessions, ready ones first."""
        for worker in self._workers:
            if room in worker.sessions.values():
                return worker
        if not self._workers:
            raise WorkerLost("This server is stopping.")
        return min(self._workers, key=lambda worker: (not worker.ready, len(worker.sessions)))

    def _worker_of(self, session: str) -> _Worker | None:
        return next((worker for worker in self._workers if session in worker.sessions), None)

    def _spawn(self) -> _Worker:
        main = self._main
        if main is None:
            from .worker import main
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=main, args=(theirs, self._config, self._model), daemon=True)
        process.start()
        theirs.close()  # so that our end hears when the process is gone
        worker = _Worker(process)
        worker.wire = Wire(ours, lambda message: self._heard(worker, *message), lambda: self._lost(worker))
        task = asyncio.get_running_loop().create_task(self._warm_up(worker))
        self._warming.add(task)
        task.add_done_callback(self._warming.discard)
        return worker

    async def _warm_up(self, worker: _Worker) -> None:
        try:
            await self._ask(worker, "warm", timeout_s=None)
        except WorkerLost:
            return  # `_lost` sees to it
        except AnimatorError as error:
            self._give_up(error)
            return
        worker.ready = True
        self._failed_in_a_row = 0
        if all(other.ready for other in self._workers):
            self._ready.set()

    async def _ask(
        self, worker: _Worker, what: str, about: object = None, timeout_s: float | None = REPLY_TIMEOUT_S
    ) -> Any:
        number = next(self._requests)
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        worker.replies[number] = reply
        try:
            if not worker.wire.send((what, number, about)):
                raise TimeoutError
            return await asyncio.wait_for(reply, timeout_s)
        except TimeoutError as error:
            raise WorkerLost("This part of the server does not answer: try again in a moment.") from error
        finally:
            worker.replies.pop(number, None)

    def _heard(self, worker: _Worker, kind: str, number: int, value: Any) -> None:
        if kind == "ended":
            worker.sessions.pop(value, None)
        elif (reply := worker.replies.get(number)) is not None and not reply.done():
            if kind == "error":
                reply.set_exception(AnimatorError(value))
            else:
                reply.set_result(value)

    def _lost(self, lost: _Worker) -> None:
        """A worker is gone: whoever waits for it is told, what it counted is kept, another takes its place."""
        if self._stopping or lost not in self._workers:
            return
        self._totals["workers_lost"] += 1
        self._totals.update(lost.counted[0])
        self._spent_s.update(lost.counted[1])
        for reply in lost.replies.values():
            if not reply.done():
                reply.set_exception(WorkerLost("This part of the server has died and starts again: try once more."))
        lost.process.kill()
        lost.process.join()
        lost.wire.close()
        place = self._workers.index(lost)
        del self._workers[place]
        code = lost.process.exitcode
        if not lost.ready:
            self._failed_in_a_row += 1
            if self._failed_in_a_row >= TRIES:
                self._give_up(WorkerLost(f"worker processes die while they start, {TRIES} in a row (exit code {code})"))
                return
        log.warning("a worker died (exit code %s) with %d sessions; another takes its place", code, len(lost.sessions))
        self._workers.insert(place, self._spawn())

    def _give_up(self, error: AnimatorError) -> None:
        if not self._failure.done():
            self._failure.set_result(error)


def _see_off(worker: _Worker) -> None:
    """Wait until a worker that was told to quit has done so; one that is not ready yet has nothing to finish."""
    if worker.ready:
        worker.process.join(STOP_TIMEOUT_S)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()
    worker.wire.close()
