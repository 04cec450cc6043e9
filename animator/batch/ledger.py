"""What earlier runs did in an output folder: one small file a film, written after all of its results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from ..config import Config
from ..errors import SinkError
from ..foreign import json_from, text_of
from ..takes.files import check_writable, written_beside
from .films import FAILED, FilmResult

FOLDER = ".animator-batch"
MAX_BYTES = 4 * 2**20


def fingerprint(config: Config, formats: Sequence[str]) -> str:
    """Of everything that decides what the results of a film are; another one means that it has to be done again."""
    from .. import __version__

    drawn = config.show if {"mp4", "glb"} & set(formats) else None
    said = repr((__version__, config.tracking, config.solving, config.tuning, drawn, sorted(formats)))
    return hashlib.sha256(said.encode()).hexdigest()[:16]


class Ledger:
    """The records of one output folder."""

    def __init__(self, out: Path) -> None:
        self._out, self._folder = out, out / FOLDER
        check_writable(self._folder / "record")
        self._records = dict(self._read())

    def names(self) -> dict[Path, str]:
        """The name that each known film has."""
        return {film: record["result"]["name"] for film, record in self._records.items()}

    def finished(self, film: Path, settings: str) -> FilmResult | None:
        """What an earlier run made of a film, if that is all there, by these settings and from the same file."""
        record = self._records.get(film)
        if record is None or record["settings"] != settings or record["film"] != _state(film):
            return None
        known = {f.name for f in fields(FilmResult)}
        try:
            values = {name: value for name, value in record["result"].items() if name in known}
            files = tuple(self._out / name for name in values.pop("files"))
            values |= {"film": film, "files": files, "pictures": tuple(values["pictures"]), "resumed": True}
            result = FilmResult(**values)
        except (KeyError, TypeError):  # spoilt: that film is done again
            return None
        there = all(file.is_file() for file in files)
        return result if there and result.status != FAILED else None

    def store(self, result: FilmResult, settings: str) -> None:
        """Remember what became of a film."""
        values = asdict(replace(result, files=()))
        values |= {"film": None, "files": [file.relative_to(self._out).as_posix() for file in result.files]}
        record = {"path": str(result.film), "film": _state(result.film), "settings": settings, "result": values}
        path = self._folder / f"{result.name}.json"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(f"cannot write {path}: {error.strerror}") from error
        with written_beside(path) as scratch:
            scratch.write_text(json.dumps(record), "utf-8")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Raise SinkError while another run works in the same folder; a killed one no longer does."""
        with (self._folder / "lock").open("a") as lock:
            try:
                import fcntl

                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except ImportError:
                pass  # Windows: nothing that ends with its process
            except OSError as error:
                raise SinkError(f"another batch works in {self._out}: wait for it, or choose another folder") from error
            yield

    def _read(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        for path in sorted(self._folder.rglob("*.json")):
            try:
                record = json_from(text_of(path, MAX_BYTES))
                name = record["result"]["name"]
                if _stays_below(name) and record["settings"] and "film" in record:
                    yield Path(record["path"]), record
            except (OSError, ValueError, KeyError, TypeError):
                continue  # not ours, or spoilt: that film is done again


def _stays_below(name: object) -> bool:
    """Whether results of this name lie in the output folder."""
    return isinstance(name, str) and not Path(name).is_absolute() and ".." not in Path(name).parts


def _state(film: Path) -> list[int] | None:
    try:
        state = film.stat()
    except (OSError, ValueError):  # a name that no file can have
        return None
    return [state.st_size, state.st_mtime_ns]
