"""How long each stage takes on this machine, beside MediaPipe's tracker as the yardstick."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from .config import Config
from .data import Frame
from .errors import AnimatorError
from .filming import film, open_sink
from .pipeline import open_performance
from .rendering.scene import Appearance
from .resources import asset_path
from .rigging.deform import Deformer
from .rigging.library import load_rig
from .sources.video import VideoSource
from .tracking.config import TRACKERS, TrackingConfig
from .tracking.model import find_or_fetch_model
from .tracking.opening import open_tracker

YARDSTICK = "track, mediapipe"
WARM_UP = 5
"""Rounds that are not counted: the first ones load code and fill caches."""
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Timed:
    """One stage's cost, a frame."""

    what: str
    wall_ms: float
    """Median."""
    cpu_ms: float
    """Mean over all threads of this program."""
    trouble: str = ""
    """Why there are no figures."""


def bench(rig_name: str = "human", frames: int = 120, tell: Tell = lambda _what: None) -> list[Timed]:
    """Time the stages one by one on the bundled performance (640x480, one face), then the whole corridor to a file.

    frames : how many of each are counted
    tell   : called with the name of what is timed next
    raises : AnimatorError when the avatar or the face model cannot be had"""
    rig, model = load_rig(rig_name), find_or_fetch_model(tell=tell)
    source = VideoSource(asset_path("performance.mp4"))
    pictures = list(islice(source, frames))
    source.close()
    rows = [_row("decode", tell, lambda: _decode(frames))]
    faces: list = []
    for name in TRACKERS:
        rows.append(_row(f"track, {name}", tell, lambda name=name: _track(name, model, pictures, faces)))
    motions: list = []
    rows.append(_row("solve", tell, lambda: _solve(faces, motions)))
    rows.append(_row(f"deform {rig_name}", tell, lambda: _deform(Deformer(rig), motions)))
    rows.append(_row(f"draw {rig_name}", tell, lambda: _draw(rig, motions, pictures)))
    rows.append(_row("encode H.264", tell, lambda: _encode(pictures)))
    rows.append(_row("all, camera to file", tell, lambda: _all(rig_name, frames)))
    return rows


def _row(what: str, tell: Tell, work: Callable[[], tuple[float, float]]) -> Timed:
    tell(what)
    try:
        return Timed(what, *work())
    except AnimatorError as error:
        return Timed(what, float("nan"), float("nan"), str(error))


def _timed(steps: Iterator[None], skip: int = WARM_UP) -> tuple[float, float]:
    """(median wall, mean CPU) milliseconds of each step of a generator after its first few."""
    walls, cpu_s = [], time.process_time()
    before = time.perf_counter()
    for number, _ in enumerate(steps):
        now = time.perf_counter()
        walls.append(now - before)
        if number + 1 == skip:
            walls, cpu_s = [], time.process_time()
        before = time.perf_counter()
    return 1000 * float(np.median(walls)), 1000 * (time.process_time() - cpu_s) / max(1, len(walls))


def _decode(frames: int) -> tuple[float, float]:
    source = VideoSource(asset_path("performance.mp4"))
    try:
        return _timed(None for _ in islice(source, frames))
    finally:
        source.close()


def _track(name: str, model: Path, pictures: Sequence[Frame], faces: list) -> tuple[float, float]:
    tracker = open_tracker(model, TrackingConfig(tracker=name))
    faces.clear()
    try:
        return _timed(faces.append(tracker.track(picture)) for picture in pictures)
    finally:
        tracker.close()


def _solve(faces: Sequence, motions: list) -> tuple[float, float]:
    from .solving.solver import LinearSolver

    solver = LinearSolver()
    return _timed(motions.extend(solver.solve(seen, seen[0].time_s)) for seen in faces if seen)


def _deform(deformer: Deformer, motions: Sequence) -> tuple[float, float]:
    return _timed(None for motion in motions if deformer.deform(motion))


def _draw(rig: object, motions: Sequence, pictures: Sequence[Frame]) -> tuple[float, float]:
    from .rendering.renderer import Renderer

    height, width = pictures[0].rgb.shape[:2]
    renderer, deformer = Renderer(rig, (width, height)), Deformer(rig)

    def steps() -> Iterator[None]:
        for motion in motions:
            renderer.draw("avatar", None, [Appearance(0, deformer.deform(motion), motion.pose)])
            yield

    try:
        return _timed(steps())
    finally:
        renderer.close()


def _encode(pictures: Sequence[Frame]) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        sink = open_sink(Path(folder) / "bench.mp4", 30.0)

        def steps() -> Iterator[None]:
            for number, picture in enumerate(islice(cycle(pictures), len(pictures))):
                sink.write(replace(picture, time_s=number / 30))
                yield

        try:
            return _timed(steps())
        finally:
            sink.close()


def _all(rig_name: str, frames: int) -> tuple[float, float]:
    """The whole program's time a frame: stages on different threads overlap."""
    config = Config()
    config = replace(config, show=replace(config.show, rig=rig_name))
    marks: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder, open_performance(_Beginning(frames), config) as acted:
        sink = open_sink(Path(folder) / "bench.mp4", 30.0)
        film(acted, config, sink, lambda _count: marks.append((time.perf_counter(), time.process_time())))
    (wall_s, cpu_s), (end_s, end_cpu_s), counted = marks[WARM_UP], marks[-1], len(marks) - WARM_UP - 1
    return 1000 * (end_s - wall_s) / counted, 1000 * (end_cpu_s - cpu_s) / counted


class _Beginning(VideoSource):
    """The first frames of the bundled performance."""

    def __init__(self, frames: int) -> None:
        super().__init__(asset_path("performance.mp4"))
        self._wanted = frames

    def __iter__(self) -> Iterator[Frame]:
        return islice(super().__iter__(), self._wanted)
