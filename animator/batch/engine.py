"""What carries work to workers: the words that the local engine and the cluster's share. Nothing heavy is imported."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from ..errors import AnimatorError, ModelError, TrackingError

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class WorkFailed(Exception):  # noqa: N818 - what became of a piece of work
    """A piece of work that came to nothing.

    final      : trying again, elsewhere too, would end the same
    where      : the worker's name, as the engine knows it; empty where it has none
    blames_all : it may be the fault of other work that the worker had"""

    def __init__(self, text: str, final: bool, where: str = "", blames_all: bool = False) -> None:
        super().__init__(text, final, where, blames_all)  # all of them, so that it can be pickled
        self.text, self.final, self.where, self.blames_all = text, final, where, blames_all

    def __str__(self) -> str:
        return self.text


class WorkLost(WorkFailed):
    """A piece of work whose worker ended under it, or whose scheduler forgot it."""


class WorkHung(WorkFailed):
    """A piece of work that would never have ended. A thread of its worker may go on with it, for nothing."""


class Handle(Protocol):
    """Work that was given away."""

    key: int

    def check(self) -> None:
        """Raise WorkFailed unless it is over and well."""

    def result(self) -> Any:
        """What came of it, once it is over; raises WorkFailed."""

    def forget(self) -> None:
        """Neither it nor its result is wanted any longer."""


class Engine(Protocol):
    """Workers behind one counter. Results stay with the workers until somebody asks for them: a handle among the
    arguments of other work stands for its result."""

    @property
    def capacity(self) -> int:
        """Pieces of work that can be under way at once, now."""

    def submit(self, urgency: int, function: Callable[..., Any], *arguments: Any, avoid: Sequence[str] = ()) -> Handle:
        """Give a piece of work away; of those that wait the one with the least urgency goes first.

        avoid : workers that have failed at it"""

    def over(self, timeout_s: float) -> Iterator[Handle]:
        """Handles whose work is over, each once, waiting so long for the first. Raises EngineLost."""

    def again(self) -> None:
        """Find workers anew after EngineLost; raises EngineLost where there are none."""

    def close(self) -> None:
        """Stop what is under way and give the workers back. May be called twice."""


class EngineLost(AnimatorError):  # noqa: N818
    """The cluster's scheduler is gone and did not come back."""


def guarded(where: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Do work; whatever goes wrong becomes WorkFailed, in one line."""
    try:
        return function(*arguments)
    except WorkFailed:
        raise
    except AnimatorError as error:
        raise WorkFailed(str(error), not isinstance(error, ModelError | TrackingError), where) from None
    except FileNotFoundError as error:
        raise WorkFailed(f"{error} (on {platform.node()})", False, where) from None
    except Exception as error:
        first = (str(error).splitlines() or [""])[0]
        raise WorkFailed(f"{type(error).__name__}: {first}", False, where) from error


_everywhere: set[int] = set()
"""Cores that this process may use when it is not kept to one."""


def keep_to(core: int) -> None:
    """Have this process and what it starts run on one core.

    Two processes, each with a core of its own, did 231 and 216 frames a second at 7.6 and 8.2 ms of processor time
    each; wherever the system put them from moment to moment, 190 and 205 at 8.7 and 8.8 ms (in turns, a busy machine).
    """
    _everywhere.update(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})


@contextmanager
def anywhere() -> Iterator[None]:
    """For work of several threads: the encoder of a video has cores that others leave free."""
    if not _everywhere:
        yield
        return
    kept = os.sched_getaffinity(0)
    os.sched_setaffinity(0, _everywhere)
    try:
        yield
    finally:
        os.sched_setaffinity(0, kept)


def use_one_thread() -> None:
    """Before numpy is first imported: workers are as many as cores, so each should keep to one.

    Software OpenGL (Mesa's llvmpipe) draws on the calling thread then, too."""
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    os.environ.setdefault("LP_NUM_THREADS", "0")
