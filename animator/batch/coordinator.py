"""Who does what next: sends each film's pieces of work to the workers, and repeats those that came to nothing.

Only here are results written, one film at a time, so that nothing is ever written twice at once."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..config import Config
from ..errors import AnimatorError, SinkError
from ..sources.film_parts import Survey
from ..takes.files import check_writable, written_beside
from . import work
from .engine import Engine, EngineLost, Handle, WorkFailed
from .films import DAMAGED, DONE, FAILED, PUPPET, FilmResult
from .running import POLL_S, BatchConfig, Status
from .tracks import Part, cut

ATTEMPTS = 3
"""A piece of work is tried so often."""
AHEAD = 2
"""Films are begun until this many times the workers' number of pieces waits."""


@dataclass(slots=True, eq=False)
class _Job:
    """One film under way."""

    number: int
    film: Path
    name: str
    stage: str = "waits"
    survey: Survey | None = None
    parts: list[Part] = field(default_factory=list)
    tracks: list[Handle | None] = field(default_factory=list)
    tracked_frames: int = 0
    solved: work.Solved | None = None
    attempts: dict[tuple[str, int], int] = field(default_factory=dict)
    avoid: list[str] = field(default_factory=list)
    restarts: int = 0
    suspected: bool = False
    """Workers ended while this was under way, perhaps by another's fault: it is tried again with nothing beside it."""

    def part_frames(self, index: int) -> int:
        """About so many frames has a part."""
        whole, part = (self.survey.frames or 0) / self.survey.fps, self.parts[index]
        return round(((part.stop_s if part.stop_s is not None else whole) - part.own_from_s) * self.survey.fps)


class Coordinator:
    """Takes films through an engine's workers."""

    def __init__(
        self,
        engine: Engine,
        out: Path,
        settings: BatchConfig,
        config: Config,
        model: Path | None,
        progress: Callable[[Status], None],
    ) -> None:
        self._engine, self._out, self._settings, self._config = engine, out, settings, config
        self._model, self._progress = model, progress
        self._work: dict[int, tuple[_Job, str, int, Handle]] = {}
        self._jobs: list[_Job] = []
        self._suspects: list[_Job] = []
        self._lengths: list[int] = []
        self._over = self._failed = self._frames_over = self._total = 0

    def results(self, films: Sequence[tuple[Path, str]], already: int) -> Iterator[FilmResult]:
        """What becomes of each film, by path and name, as soon as it is known; `already` more need nothing."""
        waiting = [_Job(number, film, name) for number, (film, name) in enumerate(films)][::-1]
        self._total, self._over = already + len(films), already
        while waiting or self._jobs or self._suspects:
            if not waiting and not self._jobs:
                waiting.append(self._suspects.pop(0))
            try:
                while waiting and len(self._work) < AHEAD * self._engine.capacity:
                    self._jobs.append(waiting.pop())
                    self._begin(self._jobs[-1])
                self._progress(self._status(len(waiting)))
                for handle in self._engine.over(POLL_S):
                    if handle.key in self._work:
                        yield from self._next(*self._work.pop(handle.key))
            except EngineLost as lost:
                yield from self._begin_again(lost, waiting)
        self._progress(self._status(0))

    def _begin(self, job: _Job) -> None:
        self._submit(job, "survey", 0)

    def _submit(self, job: _Job, stage: str, index: int) -> Handle:
        job.stage = stage
        if stage == "survey":
            function, arguments = work.survey, (job.film, self._settings.part_s)
        elif stage == "track":
            part = job.parts[index]
            arguments = (job.film, part, self._config, self._model, self._picture_times(job, part))
            function = work.track_part
        elif stage == "solve":
            function = work.solve
            arguments = (
                job.film, job.parts, self._config, self._model, self._settings.formats, *job.tracks,
            )  # fmt: skip
        else:
            only_take = replace(job.solved, files={".npz": job.solved.files[".npz"]}, pictures=[])
            function, arguments = work.draw, (only_take, self._config)
        # What is nearer to its end goes first: then little waits in between.
        urgency = 4 * job.number + ("draw", "solve", "track", "survey").index(stage)
        handle = self._engine.submit(urgency, function, *arguments, avoid=job.avoid)
        self._work[handle.key] = (job, stage, index, handle)
        return handle

    def _picture_times(self, job: _Job, part: Part) -> list[float]:
        if not self._settings.thumbnails or not job.survey.frames:
            return []
        whole_s = job.survey.frames / job.survey.fps
        times_s = [(number + 0.5) * whole_s / work.PICTURES for number in range(work.PICTURES)]
        return [t for t in times_s if part.own_from_s <= t and (part.stop_s is None or t < part.stop_s)]

    def _next(self, job: _Job, stage: str, index: int, handle: Handle) -> Iterator[FilmResult]:
        """One piece of work is over: give the next away, or tell what became of the film."""
        if job not in self._jobs:
            return handle.forget()
        try:
            result = None if stage == "track" else handle.result()
            if stage == "track":
                handle.check()
                job.tracks[index] = handle
                job.tracked_frames += job.part_frames(index)
            self._follow(job, stage, result)
            if stage == "draw" or (stage == "solve" and "mp4" not in self._settings.formats):
                yield self._finish(job, result if stage == "draw" else None)
        except WorkFailed as failed:
            handle.forget()
            yield from self._repeat(job, stage, index, failed)
        except AnimatorError as error:  # the results cannot be written
            yield self._end(job, _failure(job, str(error)))

    def _follow(self, job: _Job, stage: str, result: Any) -> None:
        if stage == "survey":
            job.survey = result
            one = self._config.tracking.tracker != "litert"  # its calming remembers far back
            job.parts = [Part()] if one else cut(result, self._settings.part_s)
            job.tracks = [None] * len(job.parts)
            self._lengths.append(result.frames or 0)
            for index in range(len(job.parts)):
                self._submit(job, "track", index)
        elif stage == "track" and all(track is not None for track in job.tracks):
            self._submit(job, "solve", 0)
        elif stage == "solve":
            job.solved = result
            for track in job.tracks:
                track.forget()
            if "mp4" in self._settings.formats:
                self._submit(job, "draw", 0)

    def _repeat(self, job: _Job, stage: str, index: int, failed: WorkFailed) -> Iterator[FilmResult]:
        key = (stage, index)
        job.attempts[key] = job.attempts.get(key, 0) + 1
        if failed.where:
            job.avoid.append(failed.where)
        if failed.blames_all and not job.suspected:
            self._drop(job)
            self._suspects.append(_Job(job.number, job.film, job.name, restarts=job.restarts, suspected=True))
        elif failed.final or failed.blames_all or job.attempts[key] >= ATTEMPTS:
            tries = "" if failed.final or failed.blames_all else f" ({ATTEMPTS} attempts)"
            yield self._end(job, _failure(job, f"{failed}{tries}"))
        else:
            self._submit(job, stage, index)

    def _finish(self, job: _Job, video: bytes | None) -> FilmResult:
        """Write everything that a film was to give."""
        solved = job.solved
        wanted = self._settings.formats
        files = {suffix: content for suffix, content in solved.files.items() if suffix.split(".")[-1] in wanted}
        if video is not None:
            files[PUPPET] = video
        paths = [_write(self._out / (job.name + suffix), content) for suffix, content in files.items()]
        problem = solved.broken or ("no face was found" if not solved.frames_with_face else None)
        return self._end(
            job,
            FilmResult(
                job.film, job.name, DAMAGED if solved.broken else DONE, problem, tuple(paths),
                solved.frames, solved.frames_with_face, solved.performers if solved.frames_with_face else 0,
                len(job.parts), job.survey.fps, round(solved.seconds, 3), False, solved.curves,
                tuple(base64.b64encode(picture).decode() for _, picture in sorted(solved.pictures)),
            ),
        )  # fmt: skip

    def _end(self, job: _Job, result: FilmResult) -> FilmResult:
        self._drop(job)
        self._over += 1
        self._failed += result.status != DONE
        self._frames_over += (job.survey.frames or result.frames) if job.survey else 0
        return result

    def _drop(self, job: _Job) -> None:
        """Have no more to do with it; what workers still make of it is forgotten as it comes."""
        for track in job.tracks:
            if track is not None:
                track.forget()
        self._jobs.remove(job)

    def _begin_again(self, lost: EngineLost, waiting: list[_Job]) -> Iterator[FilmResult]:
        """The scheduler was lost: with a new one every film that was under way starts from its beginning."""
        self._work.clear()
        jobs, self._jobs = self._jobs, []
        try:
            self._engine.again()
        except AnimatorError as error:
            for job in [*jobs, *waiting[::-1], *self._suspects]:
                self._jobs.append(job)
                yield self._end(job, _failure(job, f"{error}; --resume goes on from here"))
            waiting.clear()
            self._suspects.clear()
            return
        for job in jobs[::-1]:
            again = _Job(job.number, job.film, job.name, restarts=job.restarts + 1, suspected=job.suspected)
            if again.restarts >= ATTEMPTS:
                self._jobs.append(again)
                yield self._end(again, _failure(again, f"{lost} {ATTEMPTS} times while this was under way"))
            else:
                waiting.append(again)

    def _status(self, waiting: int) -> Status:
        known = [length for length in self._lengths if length]
        mean = sum(known) / len(known) if known else 0
        unknown = waiting + len(self._suspects) + sum(job.survey is None for job in self._jobs)
        current = [
            (job.name, job.stage, job.tracked_frames, (job.survey.frames or 0) if job.survey else 0)
            for job in self._jobs
        ]
        frames = self._frames_over + sum(done for _, _, done, _ in current)
        expected = self._frames_over + sum(whole for *_, whole in current) + round(unknown * mean)
        return Status(self._total, self._over, self._failed, frames, expected, tuple(current))


def _failure(job: _Job, why: str) -> FilmResult:
    return FilmResult(job.film, job.name, FAILED, why)


def _write(path: Path, content: bytes) -> Path:
    check_writable(path)
    try:
        with written_beside(path) as scratch:
            scratch.write_bytes(content)
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error}") from error
    return path
