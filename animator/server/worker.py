"""A worker process: the rooms that live in it, their sessions, one drawing thread."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from .. import logs
from ..errors import AnimatorError
from ..rig import Rig
from ..rigging.deform import Deformer
from ..tracking.opening import open_tracker
from ..webrtc.outbound import Fanout
from .config import ServeConfig
from .drawing import Output
from .finished import Nobody
from .memory import give_back
from .metrics import Spent
from .packing import load_packed
from .performer import Performer
from .recording import PREFIX as RECORDINGS
from .rooms import Room, Rooms
from .scratch import sweep
from .session import Session
from .studio import Studio
from .tally import Tally
from .warm import WarmTracker, rehearse
from .wire import Wire

log = logging.getLogger("animator")

THREADS = 16
"""For what would hold up the event loop: trackers that open and close, recordings that are written."""
TIDY_S = 1.0
"""After somebody has left; those who leave together are tidied up after once."""
STUCK_S = 10.0
"""A picture that takes longer to draw is never done: the driver hangs. The slowest machines take half a second."""


def main(pipe: Connection, config: ServeConfig, model: str) -> None:
    """The process's whole life; started by Workers."""
    for number in (signal.SIGINT, signal.SIGTERM):  # these go to the whole group; the parent ends us in order
        signal.signal(number, signal.SIG_IGN)
    logs.set_up("animator worker")
    asyncio.run(Worker(pipe, config, model).run())


class Worker:
    """Answers the parent's requests until it says `quit` or is gone."""

    def __init__(self, pipe: Connection, config: ServeConfig, model: str) -> None:
        self._pipe, self._config, self._model = pipe, config, model
        self._sessions: dict[str, Session] = {}
        self._watching: dict[str, asyncio.Task[None]] = {}
        self._gone = Tally()
        self._refilling = False
        self._tidying: asyncio.TimerHandle | None = None
        self._own_keys = count()
        self._quit = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until told to stop, or the parent is gone; everything is closed then."""
        sweep(RECORDINGS)
        self._loop = asyncio.get_running_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(THREADS))
        self._studio = Studio(self._config.show.show.rig)
        self._trackers = WarmTracker(partial(open_tracker, Path(self._model)), self._config.show.tracking)
        self._rooms = Rooms(self._new_room)
        self._wire = Wire(self._pipe, self._heard, self._quit.set)
        await self._quit.wait()
        leaving = (self._leave(ident, "the server stops") for ident in list(self._sessions))
        await asyncio.gather(*leaving, return_exceptions=True)
        await asyncio.to_thread(self._trackers.close)
        await asyncio.to_thread(self._studio.close)

    def _heard(self, message: tuple[str, int, Any]) -> None:
        what, number, about = message
        if what == "quit":
            self._quit.set()
            return
        work: Callable[[Any], Awaitable[Any]] = getattr(self, f"_do_{what}")
        self._start(self._reply(number, work, about))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reply(self, number: int, work: Callable[[Any], Awaitable[Any]], about: Any) -> None:
        try:
            self._wire.send(("done", number, await work(about)))
        except AnimatorError as error:
            self._wire.send(("error", number, str(error)))
        except Exception:  # a fault of ours: the client gets a sentence, the log the rest
            log.exception("a request failed")
            self._wire.send(("error", number, "Something went wrong on the server; its log tells more."))

    async def _do_warm(self, _about: None) -> None:
        """Load what the first client would otherwise wait for; ask only once the studio has drawn."""
        await asyncio.to_thread(rehearse, Path(self._model))
        await asyncio.to_thread(self._trackers.refill)
        await asyncio.to_thread(self._studio.ready.wait)
        if self._studio.failure:
            raise AnimatorError(self._studio.failure)
        gc.collect()
        gc.freeze()  # what is here now stays for good, and `_tidy` need not look through it

    async def _do_beat(self, _about: None) -> tuple[dict[str, float], dict[str, Spent]]:
        """A sign of life, and what is counted so far; raises where there is life no longer."""
        if self._studio.busy_s > STUCK_S:
            raise AnimatorError(f"drawing has hung for more than {STUCK_S:g} s")
        if not self._refilling:
            self._refilling = True
            self._start(self._refill())
        return await self._do_totals(None)

    async def _refill(self) -> None:
        try:
            await asyncio.to_thread(self._trackers.refill)
        finally:
            self._refilling = False

    async def _do_join(self, wish: dict[str, Any]) -> str:
        room = self._rooms.enter(wish["room"])
        session = None
        try:
            own, performer = self._performing(wish) if wish["role"] == "perform" else (None, None)
            take = Nobody if performer is not None and performer.is_finished else self._trackers.take
            session = Session(wish["session"], room, self._config, own, performer, take)
            sdp = await session.answer(wish)
        except BaseException:
            if session is not None:
                await session.close("the offer was no good")
            self._leave_room(room)
            raise
        self._sessions[session.ident] = session
        if performer is not None:
            room.seat(performer)
            self._studio.add(own)
        else:
            room.viewers += 1
        self._watching[session.ident] = self._loop.create_task(self._see_off(session))
        self._studio.wake()
        return sdp

    def _performing(self, wish: dict[str, Any]) -> tuple[Output, Performer]:
        performer = Performer(self._config.show, self._studio.wake)
        performer.is_finished = wish.get("puppet", False)
        performer.set({name: wish[name] for name in ("view", "rig") if wish.get(name) is not None})
        return Output(Fanout(self._loop), lambda: [performer], of_room=False), performer

    async def _do_end(self, ident: str) -> None:
        await self._leave(ident, "ended")

    async def _do_take(self, about: tuple[str, str]) -> bytes | None:
        ident, kind = about
        session = self._sessions.get(ident)
        if session is None or session.recording is None:
            return None
        return await asyncio.to_thread(session.recording.file, kind)

    async def _do_may_wear(self, ident: str) -> None:
        self._wearer(ident)

    async def _do_wear(self, about: tuple[str, str]) -> None:
        ident, path = about
        session = self._wearer(ident)
        rig, body = await asyncio.to_thread(_fitted, path)
        if self._sessions.get(ident) is session:
            key = f"own {next(self._own_keys)}"
            self._studio.bring(key, rig, body)
            self._drop_avatar(session.wear(key))

    def _wearer(self, ident: str) -> Session:
        session = self._sessions.get(ident)
        if session is None or session.performer is None or session.performer.is_finished:
            raise AnimatorError("Only who performs here wears an avatar: it is drawn by the server.")
        return session

    def _drop_avatar(self, key: str | None) -> None:
        if key is not None:
            self._studio.drop(key)

    async def _do_totals(self, _about: None) -> tuple[dict[str, float], dict[str, Spent]]:
        tally = self._gone.copy()
        for session in self._sessions.values():
            tally.add_session(session)
        for room in self._rooms.all():  # those whose last guest is on the way out included
            tally.add_output(room.stage)
        return dict(tally.counts), tally.stages

    async def _see_off(self, session: Session) -> None:
        """Wait until a client has gone by itself, then clear up and tell the parent."""
        reason = await session.ended
        self._watching.pop(session.ident, None)
        try:
            await self._leave(session.ident, reason)
        finally:
            self._wire.send(("ended", 0, session.ident))

    async def _leave(self, ident: str, reason: str) -> None:
        session = self._sessions.pop(ident, None)
        if session is None:
            return
        watching = self._watching.pop(ident, None)
        if watching is not None:
            watching.cancel()
        self._gone.add_session(session)
        room = session.room
        if session.performer is not None:
            room.performers.remove(session.performer)
            self._studio.remove(session.own)
            self._drop_avatar(session.performer.own_avatar)
            for other in self._sessions.values():
                if other.room is room:
                    other.tell_of_leaver()
        else:
            room.viewers -= 1
        try:
            await session.close(reason)
        finally:
            if session.own is not None:
                session.own.fanout.close()
            self._leave_room(room)
            self._studio.wake()
            self._tidy_soon()

    def _tidy_soon(self) -> None:
        if self._tidying is None:
            self._tidying = self._loop.call_later(TIDY_S, self._tidy)

    def _tidy(self) -> None:
        """Free the connections that have ended: each is a knot of cycles with pictures in it. Python itself would look
        for them after 70 000 more new objects than gone ones: 28 connections lay about, with 100 000 blocks of memory.
        """
        self._tidying = None
        gc.collect()
        self._loop.run_in_executor(None, give_back)

    def _leave_room(self, room: Room) -> None:
        self._rooms.leave(room)
        if not room.guests:
            self._gone.add_output(room.stage)

    def _new_room(self, name: str) -> Room:
        return Room(name, self._studio, Fanout(self._loop), self._config.show.show.rig)


def _fitted(path: str) -> tuple[Rig, Deformer]:
    """The avatar that `checking` made, with a body: what would hold up the drawing."""
    rig = load_packed(Path(path))
    return rig, Deformer(rig)
