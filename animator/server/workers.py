"""The worker processes: who lives where, and what happens when one dies or hangs."""

from __future__ import annotations

import asyncio
import logging
import math
import multiprocessing
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ..errors import AnimatorError
from .config import ServeConfig
from .fates import Fates
from .metrics import Spent, merge_stages
from .worker_link import WorkerLink, WorkerLost

log = logging.getLogger("animator")

TOTALS_TIMEOUT_S = 2.0
RESUME_TIMEOUT_S = 2.0
"""Who comes back does not wait longer for the end of the former self, which may live in a worker that hangs."""
TRIES = 3
"""Workers that may die in a row before one has become ready; then the server gives up."""


class ServerFull(AnimatorError):  # noqa: N818 - a state that the page shows, not a fault
    """No session is free."""


class Workers:
    """Spawns the workers, sends each room to one of them, and replaces those that die or hang.

    main : what a worker process runs, called with its pipe, the config and the model; None: worker.main"""

    def __init__(self, config: ServeConfig, model: str, main: Callable[..., None] | None = None) -> None:
        self._config, self._model, self._main = config, model, main
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[WorkerLink] = []
        self._watching: dict[WorkerLink, asyncio.Task[None]] = {}
        self._fates = Fates()
        self._totals: Counter[str] = Counter()
        self._stages: dict[str, Spent] = {}
        self._failed_in_a_row = 0
        self._stopping = False

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
        for task in self._watching.values():
            task.cancel()
        for worker in self._workers:
            worker.tell("quit")
        await asyncio.gather(*(asyncio.to_thread(worker.see_off) for worker in self._workers))
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
                await self.end(wish["resume"], RESUME_TIMEOUT_S)
        if self.sessions >= self._config.max_sessions:
            raise ServerFull(f"This server is full: {self._config.max_sessions} people are connected.")
        worker = self._home_of(room)
        # Counted from here on: others who come meanwhile find the room, and the place is taken.
        worker.sessions[session] = room
        self._fates.began(session)
        try:
            answer = await worker.ask("join", {**wish, "session": session, "room": room, "role": role})
        except BaseException:
            self._forget(worker, session)
            worker.tell("end", session)  # it may come about all the same, after we have given up
            raise
        if session not in worker.sessions:
            raise WorkerLost("The connection ended before it began: try once more.")
        self._totals["sessions_started"] += 1
        return answer

    def has(self, session: str) -> bool:
        """Whether there is such a session."""
        return self._worker_of(session) is not None

    async def fate(self, session: str, wait_s: float = 0.0) -> str | None:
        """What has become of a session: `live`, `ended` or `worker-lost`; None if it is not remembered.

        wait_s : for how long to wait for its end while it is live"""
        return await self._fates.of(session, wait_s)

    async def end(self, session: str, timeout_s: float | None = None) -> bool:
        """End a session; False if there is none."""
        worker = self._worker_of(session)
        if worker is None:
            return False
        await worker.ask("end", session, timeout_s)
        self._forget(worker, session)
        return True

    async def take(self, session: str, kind: str) -> bytes | None:
        """The session's last recording as a file's bytes; None if there is none."""
        worker = self._worker_of(session)
        return None if worker is None else await worker.ask("take", (session, kind))

    async def may_wear(self, session: str) -> None:
        """Raise AnimatorError unless this session can wear an avatar of its own."""
        if (worker := self._worker_of(session)) is not None:
            await worker.ask("may_wear", session)

    async def wear(self, session: str, path: str) -> None:
        """Have a session wear the avatar in a file that `checking` made; when this returns the file is not needed."""
        worker = self._worker_of(session)
        if worker is None:
            raise AnimatorError("This session has ended.")
        await worker.ask("wear", (session, path))

    async def totals(self) -> tuple[dict[str, float], dict[str, Spent]]:
        """Counters, and histograms by stage, over all workers; of those that are gone, what was last known.

        What was once told is never taken back: a worker's last answer stands until its next."""
        await asyncio.gather(*(worker.count("totals", TOTALS_TIMEOUT_S) for worker in self._workers))
        totals, stages = Counter(self._totals), {}
        merge_stages(stages, self._stages)
        for worker in self._workers:
            totals.update(worker.counted[0])
            merge_stages(stages, worker.counted[1])
        return dict(totals), stages

    def _home_of(self, room: str) -> WorkerLink:
        """The worker that has the room already, else the one with the fewest sessions, those in good health first."""
        for worker in self._workers:
            if room in worker.sessions.values():
                return worker
        if not self._workers:
            raise WorkerLost("This server is stopping.")
        return min(self._workers, key=lambda worker: (not worker.ready, worker.missed, len(worker.sessions)))

    def _worker_of(self, session: str) -> WorkerLink | None:
        return next((worker for worker in self._workers if session in worker.sessions), None)

    def _forget(self, worker: WorkerLink, session: str) -> None:
        worker.sessions.pop(session, None)
        self._fates.over(session, "ended")

    def _spawn(self) -> WorkerLink:
        main = self._main
        if main is None:
            from .worker import main
        worker = WorkerLink(self._context, main, self._config, self._model, self._forget, self._lost)
        task = asyncio.get_running_loop().create_task(self._watch_over(worker))
        self._watching[worker] = task
        task.add_done_callback(lambda _: self._watching.pop(worker, None))
        return worker

    async def _watch_over(self, worker: WorkerLink) -> None:
        try:
            await worker.ask("warm", timeout_s=math.inf)
        except WorkerLost:
            return  # `_lost` sees to it
        except AnimatorError as error:
            self._give_up(error)
            return
        worker.ready = True
        self._failed_in_a_row = 0
        if all(other.ready for other in self._workers):
            self._ready.set()
        await worker.live()
        self._lost(worker, hung=True)

    def _lost(self, lost: WorkerLink, *, hung: bool = False) -> None:
        """A worker is gone: whoever waits for it is told, what it counted is kept, another takes its place."""
        if self._stopping or lost not in self._workers:
            return
        place = self._workers.index(lost)
        del self._workers[place]
        self._totals["workers_lost"] += 1
        self._totals.update(lost.counted[0])
        merge_stages(self._stages, lost.counted[1])
        for session in lost.sessions:
            self._fates.over(session, "worker-lost")
        code = lost.bury()
        if not hung and (task := self._watching.get(lost)) is not None:
            task.cancel()
        if not lost.ready:
            self._failed_in_a_row += 1
            if self._failed_in_a_row >= TRIES:
                self._give_up(WorkerLost(f"worker processes die while they start, {TRIES} in a row (exit code {code})"))
                return
        how = "hung and was ended" if hung else f"died (exit code {code})"
        log.warning("a worker %s with %d sessions; another takes its place", how, len(lost.sessions))
        self._workers.insert(place, self._spawn())

    def _give_up(self, error: AnimatorError) -> None:
        if not self._failure.done():
            self._failure.set_result(error)
