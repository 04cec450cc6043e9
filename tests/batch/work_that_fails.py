"""Pieces of work that go wrong as real ones do; in a module of their own, as workers import them by name."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

from animator.batch import patience, work
from animator.batch.engine import anywhere
from animator.data import Frame
from animator.sources.film_parts import FilmPart, Survey

survey_well, track_well = work.survey, work.track_part


def add(*numbers: int) -> int:
    return sum(numbers)


def end_once(marker: Path) -> int:
    """Ends its process the first time, as a kill from outside would; gives the process's number the second time."""
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def crash() -> None:
    """What a decoder does that reads where it must not."""
    os.kill(os.getpid(), signal.SIGSEGV)


def where(marker: Path, others: int) -> tuple[int, ...]:
    """The cores that this process may use, once so many are asked for at the same time."""
    marker.with_name(f"{marker.name}.{os.getpid()}").touch()
    while len(list(marker.parent.glob(f"{marker.name}.*"))) < others:
        pass
    with anywhere():
        everywhere = len(os.sched_getaffinity(0))
    return *os.sched_getaffinity(0), everywhere


def chatter() -> None:
    """What native code says by itself, and what we do."""
    os.write(2, b"INFO: Created a delegate\n")
    logging.getLogger("libav.h264").warning("a reference is missing")
    logging.getLogger("animator").warning("a word of ours")


def refuse() -> None:
    raise ValueError("first line\nsecond line")


def survey_crashing(film: Path, part_s: float) -> Survey:
    """Crashes at films with `crash` in their name."""
    if "crash" in film.name:
        crash()
    return survey_well(film, part_s)


class HangingFilm(FilmPart):
    """One whose decoder never comes back with the third picture of films with `hang` in their name."""

    def __init__(self, path: Path, *rest: object) -> None:
        super().__init__(path, *rest)
        self._path = path

    def __iter__(self) -> Iterator[Frame]:
        for frame in super().__iter__():
            if frame.index == 2 and "hang" in self._path.name:
                threading.Event().wait()
            yield frame


def track_hanging(film: Path, *rest: object) -> object:
    """A decoder that hangs, and is waited for half a second."""
    patience.FilmPart, patience.STALL_S = HangingFilm, 0.5 if "hang" in film.name else 60.0
    return track_well(film, *rest)


def survey_hanging(film: Path, part_s: float) -> Survey:
    """A film that cannot even be opened in the end."""
    if "hang" in film.name:
        patience.STALL_S = 0.5
        work.survey_film = lambda *_what: threading.Event().wait()
    return survey_well(film, part_s)


def track_noting(film: Path, *rest: object) -> object:
    """Notes beside the film that it was tracked, and by whom."""
    with (film.parent / f"{film.name}.tracked").open("a") as notes:
        notes.write(f"{os.getpid()}\n")
    return track_well(film, *rest)
