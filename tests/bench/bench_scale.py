"""What a picture costs as work grows: more faces, larger pictures, finer avatars, more morphs.

    python -m tests.bench.bench_scale [--figure FILE] [--markdown]

Milliseconds of processor time of this process, all threads together, a picture: the median of many, taken after the
first few, and of all sizes in turns, so that what else the machine does falls on all. Faces are those of the bundled
performance, cut out and put side by side, each a few pictures on; avatars are made (`bench_deform`).
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from animator.data import Array, Frame
from animator.filming import open_sink
from animator.pipeline import Moment
from animator.puppets import Puppets
from animator.rendering.renderer import Renderer
from animator.rendering.scene import Appearance
from animator.resources import asset_path
from animator.rig import Rig
from animator.rigging.deform import Deformer
from animator.rigging.library import load_rig
from animator.solving.solver import LinearSolver
from animator.sources.video import VideoSource
from animator.timing import Stopwatch
from animator.tracking.config import TrackingConfig
from animator.tracking.litert_faces import LiteRTFaces
from animator.tracking.model import find_or_fetch_model
from tests.bench.bench_deform import made_rig
from tests.bench.bench_render import motions

FACES = (1, 2, 4, 8)
WIDTHS_PX = (320, 640, 960, 1280, 1920)
"""Of pictures of 4:3."""
SIDES = (22, 39, 71, 122, 224)
"""Of made avatars: 1 000, 3 000, 10 000, 30 000 and 100 000 vertices."""
MORPHS = (10, 25, 52, 100, 200)
ROUNDS, WARM_UP = 40, 8
TILE_PX, TILES = 240, (4, 2)
DRAWN_PX = (640, 480)
Step = Callable[[int], None]
"""Does one picture's work; called with its number."""


@dataclass(frozen=True, slots=True)
class Curves:
    """How the cost of some stages rises with one number."""

    over: str
    at: tuple[int, ...]
    cpu_ms: dict[str, list[float]]
    """Of each stage at each of `at`."""


def costs(over: str, at: Sequence[int], stages: dict[str, list[Step]]) -> Curves:
    """Run all in turns."""
    spent = {(stage, n): [] for stage, steps in stages.items() for n in range(len(steps))}
    for number in range(WARM_UP + ROUNDS):
        for stage, steps in stages.items():
            for n, step in enumerate(steps):
                start_s = time.process_time()
                step(number)
                if number >= WARM_UP:
                    spent[stage, n].append(time.process_time() - start_s)
    medians = {s: [1000 * statistics.median(spent[s, n]) for n in range(len(steps))] for s, steps in stages.items()}
    return Curves(over, tuple(at), medians)


def performance_pictures() -> list[Array]:
    """(480, 640, 3) each, as many as are needed."""
    with closing(VideoSource(asset_path("performance.mp4"))) as source:
        return [frame.rgb for frame in itertools.islice(source, WARM_UP + ROUNDS + max(FACES))]


def over_faces(rig: Rig) -> Curves:
    """Tracking, solving and drawing that many people in one picture of 960x480."""
    pictures = [cv2.resize(rgb[70:410, 140:480], (TILE_PX, TILE_PX)) for rgb in performance_pictures()]
    model, stack = find_or_fetch_model(), ExitStack()
    with stack:
        stages: dict[str, list[Step]] = {"track": [], "solve": [], "deform": [], "draw": []}
        for count in FACES:
            crowd = _Crowd(count, pictures, LiteRTFaces(model, TrackingConfig(faces=count)), rig)
            stack.callback(crowd.close)
            for stage, steps in stages.items():
                steps.append(getattr(crowd, stage))
        return costs("faces", FACES, stages)


class _Crowd:
    """Some faces on their way through the corridor, stage by stage."""

    def __init__(self, count: int, pictures: list[Array], tracker: LiteRTFaces, rig: Rig) -> None:
        self._pictures, self._count, self._tracker = pictures, count, tracker
        self._solver, self._puppets = LinearSolver(), Puppets(rig, Stopwatch())
        self._renderer = Renderer(rig, DRAWN_PX)

    def track(self, number: int) -> None:
        rgb = np.full((TILES[1] * TILE_PX, TILES[0] * TILE_PX, 3), 128, np.uint8)
        for face in range(self._count):
            row, column = (TILE_PX * place for place in divmod(face, TILES[0]))
            rgb[row : row + TILE_PX, column : column + TILE_PX] = self._pictures[number + face]
        self._frame = Frame(rgb, number / 30, number)
        self._faces = self._tracker.track(self._frame)
        if len(self._faces) != self._count:
            raise RuntimeError(f"picture {number}: {len(self._faces)} of {self._count} faces found")

    def solve(self, number: int) -> None:
        self._motions = self._solver.solve(self._faces, number / 30)

    def deform(self, number: int) -> None:
        self._bodies = self._puppets.act(Moment(number / 30, number, self._frame, (), self._motions), "avatar")

    def draw(self, _number: int) -> None:
        self._renderer.draw("avatar", None, self._bodies)

    def close(self) -> None:
        self._tracker.close()
        self._renderer.close()


def over_pictures(rig: Rig) -> Curves:
    """The same face in larger and larger pictures, the avatar drawn and encoded as large."""
    pictures = performance_pictures()
    sizes = [(width, width * 3 // 4) for width in WIDTHS_PX]
    model, acts = find_or_fetch_model(), motions(WARM_UP + ROUNDS)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stages: dict[str, list[Step]] = {"track": [], "draw": [], "encode": []}
        for size_px in sizes:
            tracker = stack.enter_context(closing(LiteRTFaces(model)))
            renderer, deformer = stack.enter_context(closing(Renderer(rig, size_px))), Deformer(rig)
            sink = stack.enter_context(closing(open_sink(folder / f"{size_px[0]}.mp4", 30)))
            frames = [Frame(cv2.resize(rgb, size_px), n / 30, n) for n, rgb in enumerate(pictures)]
            drawn: list[Array] = []

            def draw(number: int, renderer=renderer, deformer=deformer, drawn=drawn) -> None:
                body = Appearance(0, deformer.deform(acts[number]), acts[number].pose)
                drawn[:] = [renderer.draw("avatar", None, [body])]

            stages["track"].append(lambda number, track=tracker.track, frames=frames: track(frames[number]))
            stages["draw"].append(draw)
            stages["encode"].append(lambda n, sink=sink, drawn=drawn: sink.write(Frame(drawn[0], n / 30, n)))
        return costs("picture, pixels across", WIDTHS_PX, stages)


def over_rigs(over: str, at: Sequence[int], rigs: Sequence[Rig]) -> Curves:
    """Deforming and drawing made avatars."""
    acts = motions(WARM_UP + ROUNDS)
    with ExitStack() as stack:
        stages: dict[str, list[Step]] = {"deform": [], "draw": []}
        for rig in rigs:
            deformer = Deformer(rig)
            renderer = stack.enter_context(closing(Renderer(rig, DRAWN_PX)))
            body = [Appearance(0, deformer.deform(acts[0]), acts[0].pose)]
            stages["deform"].append(lambda number, deform=deformer.deform: deform(acts[number]))
            stages["draw"].append(lambda _number, draw=renderer.draw, body=body: draw("avatar", None, body))
        return costs(over, at, stages)


def measure_all() -> list[Curves]:
    """All four."""
    human = load_rig("human")
    return [
        over_faces(human),
        over_pictures(human),
        over_rigs("vertices", [2 * side * side for side in SIDES], [made_rig(side) for side in SIDES]),
        over_rigs("morphs", MORPHS, [made_rig(71, count) for count in MORPHS]),
    ]


def markdown(measured: Sequence[Curves]) -> str:
    """A table for each."""
    tables = []
    for curves in measured:
        lines = [f"| {curves.over} | " + " | ".join(f"{n:,}" for n in curves.at) + " |"]
        lines.append("|---|" + "---:|" * len(curves.at))
        lines += [
            f"| {stage} | " + " | ".join(f"{ms:.2f}" for ms in row) + " |" for stage, row in curves.cpu_ms.items()
        ]
        tables.append("\n".join(lines))
    return "\n\n".join(tables)


def draw(measured: Sequence[Curves], path: Path) -> None:
    """One figure of four."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    colours = {"track": "#c2410c", "solve": "#a16207", "deform": "#15803d", "draw": "#1d4ed8", "encode": "#7e22ce"}
    figure, axes = pyplot.subplots(2, 2, figsize=(9.6, 7), dpi=110, layout="constrained")
    for curves, panel in zip(measured, axes.flat, strict=True):
        for stage, row in curves.cpu_ms.items():
            panel.plot(curves.at, row, marker="o", markersize=4, color=colours[stage], label=stage)
        first = max(curves.cpu_ms.values(), key=lambda row: row[0])[0]
        panel.plot(
            curves.at, [first * n / curves.at[0] for n in curves.at], color="#888", linestyle=":", label="in step"
        )
        panel.set(xscale="log", yscale="log", xlabel=curves.over, ylabel="CPU ms a picture", ylim=(0.1, 300))
        panel.set_xticks(curves.at, [f"{n:,}" for n in curves.at], minor=False)
        panel.minorticks_off()
        panel.grid(True, which="major", alpha=0.3)
        panel.legend(frameon=False, fontsize=8)
    figure.suptitle("What a picture costs as work grows", fontsize=11)
    figure.savefig(path)


def main() -> None:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--markdown", action="store_true", help="as Markdown tables")
    options = parser.parse_args()
    measured = measure_all()
    text = markdown(measured)
    if options.markdown:
        print(text)
    else:
        from rich.console import Console
        from rich.markdown import Markdown

        Console(width=120).print(Markdown(text))
    if options.figure:
        draw(measured, options.figure)
        print(f"wrote {options.figure}")


if __name__ == "__main__":
    main()
