"""Films whose decoder may never come back: read on a thread of its own, which is waited for so long and no longer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from ..data import Frame
from ..handover import Ahead
from ..sources.film_parts import FilmPart
from ..timing import BoundedQueue, Closed
from .engine import WorkHung

T = TypeVar("T")

STALL_S = 60.0
"""No film takes so long for one picture, on the busiest machine."""
AHEAD = 2
"""Pictures that wait between the decoder and the tracker."""


class PatientFilm:
    """A FilmPart, as far as it comes; raises WorkHung where it comes no further.

    Decoding and closing stay on one thread: a container that another thread still reads must not be closed."""

    def __init__(self, path: Path, start_s: float = 0.0, stop_s: float | None = None) -> None:
        self._path, self._part = path, None
        self._ahead: Ahead[Frame] = Ahead(self._decoded(start_s, stop_s), BoundedQueue(AHEAD))

    @property
    def broken(self) -> str | None:
        """Why the film could not be read to its end, once it was tried."""
        return self._part.broken

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height, once the first picture has come."""
        return self._part.size_px

    @property
    def fps(self) -> float:
        """Nominal, once the first picture has come."""
        return self._part.fps

    def __iter__(self) -> Iterator[Frame]:
        while True:
            try:
                frame = _waited_for(self._ahead, self._path)
            except Closed:
                return
            yield frame

    def close(self) -> None:
        """Let the thread end. May be called twice."""
        self._ahead.close()

    def _decoded(self, start_s: float, stop_s: float | None) -> Iterator[Frame]:
        with closing(FilmPart(self._path, start_s, stop_s)) as self._part:
            yield from self._part


def patiently(path: Path, look: Callable[[], T]) -> T:
    """What a look at a film gives; raises WorkHung where it takes too long, and what it raises."""

    def one() -> Iterator[T]:
        yield look()

    with closing(Ahead(one(), BoundedQueue(1))) as ahead:
        return _waited_for(ahead, path)


def _waited_for(ahead: Ahead[T], path: Path) -> T:
    try:
        return ahead.get(STALL_S)
    except TimeoutError:
        raise WorkHung(f"{path.name} hangs: nothing came of it for {STALL_S:g} s", True) from None
