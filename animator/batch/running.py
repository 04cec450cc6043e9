"""A batch from beginning to end: every film is surveyed, tracked in parts, solved, drawn, written, reported."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import SettingError, SinkError
from .films import PUPPET, Film, FilmResult, find_films, named

if TYPE_CHECKING:
    from ..config import Config
    from .engine import Engine

log = logging.getLogger("animator")

FORMATS = ("npz", "csv", "glb", "mp4")
PART_S = 60.0
POLL_S = 0.25


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class BatchConfig:
    """What a batch makes, and where the work is done."""

    formats: tuple[str, ...] = ("npz",)
    """Of FORMATS; `mp4` is a video of the avatar, `glb` the avatar itself with its movements."""
    cluster: str | None = None
    """A Dask scheduler's address; None: this machine."""
    jobs: int = field(default_factory=cores)
    """Processes, on this machine."""
    resume: bool = False
    """Leave alone what an earlier run has finished."""
    part_s: float = PART_S
    """Longer films are tracked in parts of about so many seconds."""
    thumbnails: bool = True
    """Whether the report shows pictures of the films."""

    def __post_init__(self) -> None:
        unknown = [name for name in self.formats if name not in FORMATS]
        if unknown or not self.formats:
            raise SettingError(f"format: wanted some of {', '.join(FORMATS)}, got {', '.join(unknown) or 'none'}")
        if self.jobs < 1:
            raise SettingError(f"jobs: wanted 1 or more, got {self.jobs}")
        if not self.part_s >= 2:
            raise SettingError(f"part: wanted 2 seconds or more, got {self.part_s}")


@dataclass(frozen=True, slots=True)
class Status:
    """How far a batch is."""

    films: int
    films_over: int
    films_failed: int
    frames: int
    """That are finished."""
    frames_expected: int
    """Of all films; those nobody has looked at yet are taken to be as long as the others are on average."""
    under_way: tuple[tuple[str, str, int, int], ...]
    """Name, what is done to it, frames finished, and its frames."""


def run(
    inputs: Iterable[str | Path],
    out: str | Path,
    settings: BatchConfig | None = None,
    config: Config | None = None,
    *,
    model: Path | None = None,
    progress: Callable[[Status], None] = lambda _status: None,
    tell: Callable[[str], None] = log.info,
) -> list[FilmResult]:
    """Make takes of every film that the inputs name, and a report of all of them.

    inputs : videos, folders, patterns, text files with one of these a line
    out    : the folder of the results; each appears whole or not at all
    returns: a result for each film, in order; those that failed tell why
    raises : AnimatorError for what spoils all of it: no film, an unknown avatar, a folder that cannot be written"""
    from ..config import Config
    from .coordinator import Coordinator
    from .ledger import Ledger, fingerprint
    from .report import write_report

    settings, config, out = settings or BatchConfig(), config or Config(), Path(out)
    films = find_films(inputs, out)
    _check(settings, config)
    ledger = Ledger(out)
    with ledger.alone():
        names = named(films, ledger.names())
        _check_no_film_is_overwritten(films, names, out, "mp4" in settings.formats)
        mark = fingerprint(config, settings.formats)
        results = {film.path: ledger.finished(film.path, mark) if settings.resume else None for film in films}
        waiting = [(film.path, name) for film, name in zip(films, names, strict=True) if results[film.path] is None]
        if waiting:
            with _engine(settings, model, tell) as (engine, model_path):
                coordinator = Coordinator(engine, out, settings, config, model_path, progress)
                for result in coordinator.results(waiting, len(films) - len(waiting)):
                    ledger.store(result, mark)
                    results[result.film] = result
        done = [results[film.path] for film in films]
        write_report(out / "report.html", done)
        return done


@contextmanager
def _engine(
    settings: BatchConfig, model: Path | None, tell: Callable[[str], None]
) -> Iterator[tuple[Engine, Path | None]]:
    """The workers that the settings name, and where they find the face model; a cluster's are given it."""
    from ..tracking.model import find_or_fetch_model

    path = find_or_fetch_model(model, tell)
    if settings.cluster is None:
        from .local import LocalEngine

        engine: Engine = LocalEngine(settings.jobs)
    else:
        from .cluster import ClusterEngine

        engine, path = ClusterEngine(settings.cluster, path.read_bytes()), None
    with closing(engine):
        yield engine, path


def _check(settings: BatchConfig, config: Config) -> None:
    """Raise AnimatorError for settings that would spoil every film."""
    if config.solving.profile is not None:
        raise SettingError("profile: people of many films have a neutral face each; leave it away")
    if not {"mp4", "glb"} & set(settings.formats):
        return
    from ..rigging.library import load_rig, model_file

    load_rig(config.show.rig)
    if "glb" in settings.formats and model_file(config.show.rig).suffix.lower() != ".glb":
        raise SettingError(f"format: glb needs an avatar that is a .glb, and {config.show.rig} is none")
    if config.show.view != "avatar":
        raise SettingError(f"view: puppet videos of a batch show the avatar alone, got {config.show.view}")
    if config.show.background is not None:
        from ..rendering.backdrop import background_from_text

        background_from_text(config.show.background)


def _check_no_film_is_overwritten(films: Sequence[Film], names: Sequence[str], out: Path, mp4: bool) -> None:
    if not mp4:
        return
    inputs = {film.path for film in films}
    for name in names:
        if (out / f"{name}{PUPPET}").resolve() in inputs:
            raise SinkError(f"cannot write {out / name}{PUPPET}: it is one of the films; choose another folder")
