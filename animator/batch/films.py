"""Which films are meant, what each one's results are called, and what became of it."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import SourceError

VIDEO_SUFFIXES = frozenset(
    (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv", ".3gp")
    + (".ogv", ".gif")
)
LIST_SUFFIXES = frozenset({".txt", ".lst"})
WANTED = "wanted videos, folders with videos, patterns such as 'takes/*.mp4', or a text file with one of these a line"
PUPPET = ".puppet.mp4"
DONE, DAMAGED, FAILED = "done", "damaged", "failed"


@dataclass(frozen=True, slots=True)
class Film:
    """One video among the inputs."""

    path: Path
    """Absolute."""
    wish: str
    """What its results would best be called: its path inside the folder that was named, without the ending."""


@dataclass(frozen=True, slots=True)
class FilmResult:
    """What became of one film."""

    film: Path
    name: str
    """Results are called this and an ending, below the output folder."""
    status: str
    """`done`; `damaged`: the film breaks off, and what came before was used; `failed`: there is nothing."""
    problem: str | None = None
    """What was wrong, in one line."""
    files: tuple[Path, ...] = ()
    frames: int = 0
    frames_with_face: int = 0
    performers: int = 0
    parts: int = 1
    """So many parts of it were tracked side by side."""
    fps: float = 0.0
    """The film's own."""
    seconds: float = 0.0
    """Spent on it by all workers together."""
    resumed: bool = False
    """It had been finished by an earlier run."""
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict, repr=False)
    """Of the first performer, evenly spread over the film: four channels, `yaw_deg`, `confidence`."""
    pictures: tuple[str, ...] = field(default=(), repr=False)
    """JPEG thumbnails in base64, evenly spread over the film."""

    @property
    def frames_per_second(self) -> float:
        """Frames that one worker did in a second."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0


def find_films(inputs: Iterable[str | Path], out: Path) -> list[Film]:
    """Every film that is meant, once, in the order of the inputs and then of names.

    Puppet videos below `out` are results of ours and are passed over where a folder or a pattern names them.
    raises : SourceError for an input that is nothing, or that names no film"""
    found: dict[Path, Film] = {}
    for given in inputs:
        films = list(_films(str(given), Path(), out.resolve()))
        if not films:
            raise SourceError(f"no film in {given}: {WANTED}")
        for film in films:
            found.setdefault(film.path, film)
    return list(found.values())


def _films(given: str, base: Path, out: Path) -> Iterator[Film]:
    path = (base / Path(given).expanduser()).absolute()
    if path.is_dir():
        for inside in sorted(path.rglob("*")):
            if _is_film(inside) and not _is_ours(inside, out):
                yield _film(inside, inside.relative_to(path))
    elif path.is_file() and path.suffix.lower() in LIST_SUFFIXES:
        for line in _lines(path):
            films = list(_films(line, path.parent, out)) if Path(line).suffix.lower() not in LIST_SUFFIXES else []
            yield from films or [_film(path.parent / line, Path(Path(line).name))]  # not there: a failure by its name
    elif path.is_file():
        yield _film(path, Path(path.name))
    elif glob.has_magic(given):
        for match in sorted(glob.glob(str(path), recursive=True)):
            if _is_film(Path(match)) and not _is_ours(Path(match), out):
                yield _film(Path(match), Path(Path(match).name))


def _is_film(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_SUFFIXES and not path.name.startswith(".") and path.is_file()


def _is_ours(path: Path, out: Path) -> bool:
    return path.name.endswith(PUPPET) and out in path.resolve().parents


def _film(path: Path, inside: Path) -> Film:
    return Film(path.expanduser().resolve(), inside.with_suffix("").as_posix())


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"cannot read the list {path}: {error}") from error
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]


def named(films: Sequence[Film], known: Mapping[Path, str]) -> list[str]:
    """A name for each film, different from all others' even where letter case is the same thing.

    A film that an earlier run named keeps its name; others that clash get their folder's name before their own,
    or a number. known : names that earlier runs gave, by film"""
    taken = {_key(name) for name in known.values()}
    names = []
    for film in films:
        name = known.get(film.path)
        if name is None:
            name = next(name for name in _candidates(film) if _key(name) not in taken)
            taken.add(_key(name))
        names.append(name)
    return names


def _key(name: str) -> str:
    # `a` writes a.face2.csv and a.puppet.mp4 too: no other film may be called that.
    return re.sub(r"(\.(face\d+|puppet))+$", "", name.casefold())


def _candidates(film: Film) -> Iterator[str]:
    yield film.wish
    folder, stem = film.path.parent.name, film.path.suffix.removeprefix(".")
    if folder and "/" not in film.wish:
        yield f"{folder}/{film.wish}"
    yield f"{film.wish}-{stem}"
    number = 2
    while True:
        yield f"{film.wish}-{number}"
        number += 1
