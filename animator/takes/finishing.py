"""From a journal to the take that it was written for, at the end of a recording or after the program was killed."""

from __future__ import annotations

import logging
import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..data import LANDMARKS, Array, Motion
from ..errors import SinkError, TakeError
from ..foreign import json_from
from .archive import Rows
from .journal import (
    ABOUT,
    FRAME,
    INSTANT,
    LANDMARK_BYTES,
    MAGIC,
    MOTION,
    PROFILE,
    SUFFIX,
    held,
    records,
)
from .live_link_csv import save_csv
from .npz import LandmarkTake, save_landmark_take, save_takes
from .take import Take

log = logging.getLogger("animator")

LANDMARKS_SUFFIX = ".landmarks.npz"
MAX_PERFORMERS = 64
MAX_ROWS_HELD, ROWS_HELD_EACH = 1_000_000, 64
"""A performer who came once has a row for every instant all the same: so many rows, and so many for each that is
really there, are no more than a recording has."""
ENDINGS = (".npz", ".csv")
"""What can be recorded into; other programs have journals, too."""


@dataclass(slots=True)
class _Performer:
    """What the journal says of one performer."""

    instants: array = field(default_factory=lambda: array("I"))
    """Numbers of the instants at which the performer was there."""
    rows: bytearray = field(default_factory=bytearray)
    """One MOTION for each of them."""
    landmark_instants: array = field(default_factory=lambda: array("I"))
    landmark_places: array = field(default_factory=lambda: array("Q"))
    """Where in the file the landmarks of each of those are."""


@dataclass(slots=True)
class Contents:
    """A journal, read. Landmarks stay in it until they are asked for."""

    path: Path
    about: dict[str, Any] = field(default_factory=dict)
    times_s: array = field(default_factory=lambda: array("d"))
    stages_ms: list[tuple[float, ...]] = field(default_factory=list)
    performers: dict[int, _Performer] = field(default_factory=dict)
    profiles_cm: dict[int, Array] = field(default_factory=dict)
    torn_bytes: int = 0
    """How much at the end was cut off in the middle of being written."""

    def takes(self) -> list[Take]:
        """Every performer, by number; a recording without any is one at rest."""
        held, there = len(self.times_s) * len(self.performers), sum(len(p.instants) for p in self.performers.values())
        if len(self.performers) > MAX_PERFORMERS or held > MAX_ROWS_HELD + ROWS_HELD_EACH * there:
            raise TakeError(
                f"{self.path}: {len(self.performers)} performers in {len(self.times_s)} frames are too many"
            )
        tracks = sorted(self.performers) or [-1]
        return [self._take(self.performers.get(track, _Performer()), self.profiles_cm.get(track)) for track in tracks]

    def landmark_rows(self) -> list[Rows | None]:
        """The landmarks of each performer, in the order of `takes`."""
        return [self._landmarks(self.performers[track]) for track in sorted(self.performers)] or [None]

    def first_landmarks(self) -> LandmarkTake:
        """The performer who was there first; its landmarks are in `landmark_rows`."""
        order = sorted(self.performers)
        first = min(order, key=lambda track: (self.performers[track].instants[0], track), default=None)
        tracked = np.zeros(len(self.times_s), bool)
        if first is not None:
            tracked[np.array(self.performers[first].landmark_instants, np.int64)] = True
        size = self.about.get("image_size_px", (1, 1))
        rows = None if first is None else self.landmark_rows()[order.index(first)]
        shape = (len(self.times_s), LANDMARKS, 3)
        whole = rows if rows is not None else Rows(shape, np.float32, iter([np.zeros(shape, np.float32)]))
        return LandmarkTake(whole, (int(size[0]), int(size[1])), np.array(self.times_s), tracked)

    def _take(self, performer: _Performer, profile_cm: Array | None) -> Take:
        frames, rest = len(self.times_s), Motion(0.0, 0)
        found, there = np.frombuffer(bytes(performer.rows), MOTION), np.array(performer.instants, np.int64)
        finite = np.ones(len(found), bool)
        for name in ("confidence", "weights", "rotation_wxyz", "translation_cm", "gaze_rad"):
            finite &= np.isfinite(found[name]).all(axis=tuple(range(1, found[name].ndim)))
        found, there = found[finite], there[finite]  # what is no number counts as not seen
        last = np.full(frames, -1)
        last[there] = np.arange(len(there))
        last = np.maximum.accumulate(last)  # the row that is held; -1 before the first
        rotations = np.vstack([rest.pose.rotation_wxyz[None], found["rotation_wxyz"]])[last + 1]
        translations = np.vstack([rest.pose.translation_cm[None], found["translation_cm"]])[last + 1]
        weights, gaze = np.zeros((frames, *MOTION["weights"].shape), np.float32), np.zeros((frames, 2, 2))
        confidence = np.zeros(frames, np.float32)
        weights[there], gaze[there], confidence[there] = found["weights"], found["gaze_rad"], found["confidence"]
        names, size = tuple(self.about.get("stage_names", ())), self.about.get("image_size_px")
        size_px = None if size is None else (int(size[0]), int(size[1]))
        return Take(
            np.array(self.times_s), np.clip(weights, 0, 1), rotations, translations, gaze, confidence,
            fps=float(self.about.get("fps", 30.0)), image_size_px=size_px,
            profile_cm=profile_cm, source=str(self.about.get("source", "")),
            rig=str(self.about.get("rig", "")), stage_names=names, stages_ms=self._stages(len(names)),
        )  # fmt: skip

    def _stages(self, count: int) -> Array | None:
        """(N, S) float32; the first frames know fewer stages than the last ones."""
        if not count:
            return None
        times = np.zeros((len(self.stages_ms), count), np.float32)
        for row, spent in enumerate(self.stages_ms):
            times[row, : len(spent)] = spent[:count]
        return np.where(np.isfinite(times), times, 0)

    def _landmarks(self, performer: _Performer) -> Rows | None:
        if not len(performer.landmark_instants):
            return None
        return Rows((len(self.times_s), LANDMARKS, 3), np.float32, self._read(performer))

    def _read(self, performer: _Performer) -> Iterator[Array]:
        """The landmarks of every instant, one at a time; 0 where there were none."""
        none = np.zeros((LANDMARKS, 3), np.float32)
        places = iter(zip(performer.landmark_instants, performer.landmark_places, strict=True))
        instant, place = next(places)
        with self.path.open("rb") as file:
            for number in range(len(self.times_s)):
                if number != instant:
                    yield none
                    continue
                file.seek(place)
                landmarks = np.frombuffer(file.read(LANDMARK_BYTES), "<f4").reshape(LANDMARKS, 3)
                yield landmarks if np.isfinite(landmarks).all() else none
                instant, place = next(places, (-1, 0))


def read_journal(path: Path) -> Contents:
    """What a journal holds, up to where it was torn; raises TakeError for another file."""
    contents = Contents(path)
    end = len(MAGIC)
    for kind, payload, begins in records(path):
        end = begins + len(payload)
        try:
            if kind == ABOUT:
                contents.about |= json_from(bytes(payload).decode())
            elif kind == PROFILE:
                track = int.from_bytes(payload[:4], "little", signed=True)
                neutral = np.frombuffer(payload[4:], "<f4").reshape(LANDMARKS, 3).astype(np.float32)
                if np.isfinite(neutral).all():
                    contents.profiles_cm[track] = neutral
            elif kind == FRAME:
                _add_instant(contents, payload, begins)
        except (ValueError, TypeError, KeyError, IndexError, struct.error) as error:  # whole, but not ours
            raise TakeError(f"{path} is not a recording's journal: {error}") from error
    contents.torn_bytes = path.stat().st_size - end
    return contents


def _add_instant(contents: Contents, payload: memoryview, begins: int) -> None:
    time_s, stages, count = INSTANT.unpack_from(payload)
    if contents.times_s and not time_s > contents.times_s[-1]:
        return  # a take's times rise
    instant, at = len(contents.times_s), INSTANT.size
    contents.times_s.append(time_s)
    contents.stages_ms.append(tuple(memoryview(payload[at : at + 4 * stages]).cast("f")))
    at += 4 * stages
    for _ in range(count):
        row = payload[at : at + MOTION.itemsize]
        track, has_landmarks = int.from_bytes(row[:4], "little", signed=True), row[4]
        at += MOTION.itemsize
        performer = contents.performers.setdefault(track, _Performer())
        performer.instants.append(instant)
        performer.rows += row
        if has_landmarks:
            performer.landmark_instants.append(instant)
            performer.landmark_places.append(begins + at)
            at += LANDMARK_BYTES


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of a journal."""

    journal: Path
    paths: tuple[Path, ...]
    """The files that were written; none for a recording without a frame."""
    frames: int
    torn_bytes: int


def finish(journal: Path, target: Path | None = None) -> Finished:
    """Make the take that a journal was written for, and remove the journal; without a frame there is no take.

    target : by its ending .npz, .csv (one file a performer) or .landmarks.npz; None: the journal's name tells
    raises : TakeError for a file that is no journal, SinkError if the take cannot be written: the journal stays"""
    target = target or target_of(journal)
    contents = read_journal(journal)
    paths: tuple[Path, ...] = ()
    if contents.times_s:
        try:
            paths = _write(contents, target)
        except (TypeError, ValueError, IndexError) as error:  # its records are whole, and say nonsense
            raise TakeError(f"{journal} is not a recording's journal: {error}") from error
        except SinkError as error:
            raise SinkError(
                f"{error}; all that was recorded is in {journal}: "
                f"make room, or animator record --recover {journal} -o ELSEWHERE"
            ) from error
    journal.unlink()
    return Finished(journal, paths, len(contents.times_s), contents.torn_bytes)


def recover(where: Path, *, taken: Path | None = None, out: Path | None = None) -> list[Finished]:
    """Finish every recording in a folder, or the one of a journal, that a program left when it was killed.

    Recordings that go on are left alone, and no file is overwritten: where one has the name, or it is `taken`, the
    take is called NAME-recovered. One that cannot be finished is told in the log and stays.

    out : another name or place, for the one of a journal"""
    names = (f"*{ending}{SUFFIX}" for ending in ENDINGS)
    journals = sorted(path for name in names for path in where.glob(name)) if where.is_dir() else [where]
    done = []
    for journal in journals:
        try:
            with held(journal) as free:
                if free and journal.stat().st_size:
                    done.append(finish(journal, out or _free(target_of(journal), taken)))
        except (OSError, TakeError, SinkError) as error:
            if not where.is_dir():
                raise TakeError(str(error)) from error
            log.warning("%s", error)
    return done


def target_of(journal: Path) -> Path:
    """The take that a journal is written for."""
    return journal.with_name(journal.name.removesuffix(SUFFIX))


def _free(target: Path, taken: Path | None) -> Path:
    """The name itself, or beside it one that no file has."""
    ending = LANDMARKS_SUFFIX if target.name.lower().endswith(LANDMARKS_SUFFIX) else target.suffix
    stem = target.name[: len(target.name) - len(ending)]
    names = [target.name, f"{stem}-recovered{ending}", *(f"{stem}-recovered-{n}{ending}" for n in range(2, 1000))]
    for name in names:
        path = target.with_name(name)
        if not path.exists() and path != taken:
            return path
    raise TakeError(f"{target}: there are too many recovered takes beside it: remove some")


def _write(contents: Contents, target: Path) -> tuple[Path, ...]:
    name = target.name.lower()
    if name.endswith(LANDMARKS_SUFFIX):
        whole = contents.first_landmarks()
        save_landmark_take(target, whole)
        return (target,)
    takes = contents.takes()
    if name.endswith(".npz"):
        save_takes(target, takes, contents.landmark_rows())
        return (target,)
    paths = numbered(target, len(takes))
    for path, take in zip(paths, takes, strict=True):
        save_csv(path, take)
    return paths


def numbered(path: Path, count: int) -> tuple[Path, ...]:
    """A name for each performer in formats that hold one: `take.csv`, `take_2.csv`..."""
    return tuple(path if n == 1 else path.with_stem(f"{path.stem}_{n}") for n in range(1, count + 1))
