"""Pieces of work that go wrong as real ones do; in a module of their own, as workers import them by name."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from animator.batch import work
from animator.sources.film_parts import Survey

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


def refuse() -> None:
    raise ValueError("first line\nsecond line")


def survey_crashing(film: Path, part_s: float) -> Survey:
    """Crashes at films with `crash` in their name."""
    if "crash" in film.name:
        crash()
    return survey_well(film, part_s)


def track_noting(film: Path, *rest: object) -> object:
    """Notes beside the film that it was tracked, and by whom."""
    with (film.parent / f"{film.name}.tracked").open("a") as notes:
        notes.write(f"{os.getpid()}\n")
    return track_well(film, *rest)
