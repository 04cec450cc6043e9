"""One worker process as the HTTP process sees it: questions, answers, signs of life."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from multiprocessing.context import SpawnContext
from typing import Any

from ..errors import AnimatorError
from .config import ServeConfig
from .metrics import Spent
from .wire import Wire

REPLY_TIMEOUT_S = 20.0
"""Joining gathers ICE candidates, which waits for STUN servers that do not answer."""
BEAT_EVERY_S, BEAT_TIMEOUT_S, BEATS_MISSED = 2.0, 4.0, 3
"""A worker is asked for a sign of life so often; one that gives none in so long, so many times in a row, hangs.
That is 18 s: a wrong guess ends conversations. Beats are counted, not seconds: a server that itself was stopped
for a while must not blame its workers."""
STOP_TIMEOUT_S = 5.0

_numbers = itertools.count(1)


class WorkerLost(AnimatorError):  # noqa: N818 - a state that the page shows, not a fault
    """The process that held the session has died, or does not answer."""


class WorkerLink:
    """Starts the process. On the event loop.

    main     : what the process runs, called with its pipe, the config and the model
    on_ended : called with each session that has ended by itself
    on_lost  : called, once, when the process is gone"""

    def __init__(
        self,
        context: SpawnContext,
        main: Callable[..., None],
        config: ServeConfig,
        model: str,
        on_ended: Callable[[WorkerLink, str], None],
        on_lost: Callable[[WorkerLink], None],
    ) -> None:
        self.ready = False
        """Its model is loaded and OpenGL open."""
        self.missed = 0
        """Signs of life that it has failed to give since the last one."""
        self.sessions: dict[str, str] = {}
        """Session -> room; those included that are being made."""
        self.counted: tuple[dict[str, float], dict[str, Spent]] = ({}, {})
        """Its totals when it was last asked: counters, and histograms by stage."""
        self._replies: dict[int, asyncio.Future[Any]] = {}
        self._on_ended = on_ended
        ours, theirs = context.Pipe()
        self.process = context.Process(target=main, args=(theirs, config, model), daemon=True)
        self.process.start()
        theirs.close()  # so that our end hears when the process is gone
        self._wire = Wire(ours, lambda message: self._heard(*message), lambda: on_lost(self))

    def tell(self, what: str, about: object = None) -> None:
        """Say something that is not answered."""
        self._wire.send((what, 0, about))

    async def ask(self, what: str, about: object = None, timeout_s: float | None = None) -> Any:
        """Its answer. Raises WorkerLost where none comes, AnimatorError with what it says.

        timeout_s : None for as long as its longest work takes"""
        number = next(_numbers)
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._replies[number] = reply
        try:
            if not self._wire.send((what, number, about)):
                raise TimeoutError
            return await asyncio.wait_for(reply, REPLY_TIMEOUT_S if timeout_s is None else timeout_s)
        except TimeoutError as error:
            raise WorkerLost("This part of the server does not answer: try again in a moment.") from error
        finally:
            self._replies.pop(number, None)

    async def count(self, what: str, timeout_s: float) -> bool:
        """Ask for its totals; False if it gives none."""
        try:
            self.counted = await self.ask(what, timeout_s=timeout_s)
        except AnimatorError:
            return False
        return True

    async def live(self) -> None:
        """Watch over it; returns when it hangs."""
        while self.missed < BEATS_MISSED:
            await asyncio.sleep(BEAT_EVERY_S)
            self.missed = 0 if await self.count("beat", BEAT_TIMEOUT_S) else self.missed + 1

    def bury(self) -> int | None:
        """End it if it lives, tell whoever waits for it, and return its exit code."""
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(WorkerLost("This part of the server has died and starts again: try once more."))
        self.process.kill()  # one that is stopped or hangs dies of this, too
        self.process.join()
        self._wire.close()
        return self.process.exitcode

    def see_off(self) -> None:
        """Wait until one that was told to quit has done so; one that is not ready has nothing to finish.

        Blocks: to be called on a thread."""
        if self.ready:
            self.process.join(STOP_TIMEOUT_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self._wire.close()

    def _heard(self, kind: str, number: int, value: Any) -> None:
        if kind == "ended":
            self._on_ended(self, value)
        elif (reply := self._replies.get(number)) is not None and not reply.done():
            if kind == "error":
                reply.set_exception(AnimatorError(value))
            else:
                reply.set_result(value)
