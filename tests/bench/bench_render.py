"""What drawing an avatar costs beside VTK's bare drawing of the same mesh.

    python -m tests.bench.bench_render [--rig human] [--size 640x480] [--markdown]

Milliseconds of processor time of this process, all threads together, a picture: the median of many, taken in turns
with the baseline, so that what else the machine does falls on both. The baseline is the same triangles with the same
textures in one plain VTK renderer that never changes: no morphs, no reading back, no smooth edges; VTK's own light
for each pixel is the default there and is measured too, though ours needs none. The avatar `made` is a grid of about
8 000 vertices and 52 morphs (`bench_deform`).
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import vtk

from animator.channels import ARKIT
from animator.config import size_from_text
from animator.data import Array, Expression, Gaze, HeadPose, Motion
from animator.maths.rotations import matrix_from_yaw_pitch_roll, wxyz_from_matrix
from animator.rendering.opengl import open_plotter
from animator.rendering.renderer import Renderer
from animator.rendering.scene import Appearance, Scene
from animator.rig import Rig
from animator.rigging.deform import Deformer
from animator.rigging.library import load_rig
from tests.bench.bench_deform import made_rig

ROOT = Path(__file__).resolve().parents[2]
ROUNDS, ACTIVE = 60, 13
"""Pictures of each kind, and channels that are not at rest in each, as in speech."""

_FIRST = """
import time
start_s = time.perf_counter()
from animator.data import Motion
from animator.rendering.renderer import Renderer
from animator.rendering.scene import Appearance
from animator.rigging.deform import Deformer
from animator.rigging.library import load_rig
rig = load_rig({rig!r})
renderer, motion = Renderer(rig, {size!r}), Motion(0.0, 0)
renderer.draw("avatar", None, [Appearance(0, Deformer(rig).deform(motion), motion.pose)])
print(time.perf_counter() - start_s)
"""
_FIRST_OF_PYVISTA = """
import time
start_s = time.perf_counter()
import pyvista
plotter = pyvista.Plotter(off_screen=True, window_size={size!r})
plotter.add_mesh(pyvista.Sphere())
plotter.screenshot(return_img=True)
print(time.perf_counter() - start_s)
"""
MADE_SIDE = 63


@dataclass(frozen=True, slots=True)
class Row:
    """One way to a picture."""

    what: str
    cpu_ms: float
    wall_ms: float


def motions(count: int) -> list[Motion]:
    """Random faces that turn slowly."""
    dice = np.random.default_rng(0)
    made = []
    for number in range(count):
        names = dice.choice(ARKIT, ACTIVE, replace=False)
        yaw = 0.25 * np.sin(number / 9)
        pose = HeadPose(wxyz_from_matrix(matrix_from_yaw_pitch_roll(np.array([yaw, 0, 0]))), np.array([0, 0, -60.0]))
        weights = {str(name): float(dice.uniform(0.1, 0.9)) for name in names}
        made.append(Motion(number / 30, 0, pose, Gaze(np.zeros((2, 2))), Expression.of(**weights)))
    return made


class Bare:
    """The same mesh and textures, drawn by VTK again and again without a change."""

    def __init__(self, rig: Rig, size_px: tuple[int, int], *, light_pixels: bool) -> None:
        self._plotter = open_plotter(size_px, off_screen=True)
        self._window = self._plotter.render_window
        scene = Scene(self._plotter, rig, None, 50.0)
        motion = Motion(0.0, 0)
        scene.update("avatar", None, [Appearance(0, Deformer(rig).deform(motion), motion.pose)])
        if light_pixels:
            self._light(self._plotter.renderer)

    def _light(self, renderer: vtk.vtkRenderer) -> None:
        actors = renderer.GetActors()
        actors.InitTraversal()
        for _ in range(actors.GetNumberOfItems()):
            actor = actors.GetNextActor()
            actor.GetProperty().SetLighting(True)
            actor.GetMapper().ScalarVisibilityOff()

    def draw(self, _motion: Motion) -> None:
        """Draw."""
        self._window.Render()

    def close(self) -> None:
        """Give the window back."""
        self._plotter.close()


class Ours:
    """Deform, draw, read back; edges smooth or not."""

    def __init__(self, rig: Rig, size_px: tuple[int, int], *, smooth_edges: bool) -> None:
        self._deformer = Deformer(rig)
        self._renderer = Renderer(rig, size_px, smooth_edges=smooth_edges)

    def draw(self, motion: Motion) -> Array:
        """(H, W, 3)."""
        return self._renderer.draw("avatar", None, [Appearance(0, self._deformer.deform(motion), motion.pose)])

    def close(self) -> None:
        """Give the window back."""
        self._renderer.close()


def measure(rig: Rig, size_px: tuple[int, int]) -> list[Row]:
    """All ways in turns, picture by picture."""
    ways: dict[str, Bare | Ours | Deformer] = {
        "VTK alone, static mesh, each pixel lit": Bare(rig, size_px, light_pixels=True),
        "VTK alone, static mesh, each vertex lit": Bare(rig, size_px, light_pixels=False),
        "deform + draw + read back": Ours(rig, size_px, smooth_edges=False),
        "the same with smooth edges": Ours(rig, size_px, smooth_edges=True),
    }
    acts = motions(ROUNDS)
    calls: dict[str, Callable[[Motion], object]] = {what: way.draw for what, way in ways.items()}
    deformer = Deformer(rig)
    calls["deform alone"] = deformer.deform
    spent: dict[str, list[tuple[float, float]]] = {what: [] for what in calls}
    for call in calls.values():  # shaders are compiled in the first pictures
        for motion in acts[:3]:
            call(motion)
    for motion in acts:
        for what, call in calls.items():
            cpu_s, wall_s = time.process_time(), time.perf_counter()
            call(motion)
            spent[what].append((time.process_time() - cpu_s, time.perf_counter() - wall_s))
    for way in ways.values():
        way.close()
    return [
        Row(what, *(1000 * statistics.median(column) for column in zip(*times, strict=True)))
        for what, times in spent.items()
    ]


def first_frames_s(rig_name: str, size_px: tuple[int, int]) -> tuple[float, float]:
    """From the start of a fresh interpreter's work to its first picture: ours, and PyVista's of a sphere.

    The best of three in turns, as files are then warm."""
    scripts = [_FIRST.format(rig=rig_name, size=size_px), _FIRST_OF_PYVISTA.format(size=list(size_px))]
    runs = [
        [subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT).stdout
         for script in scripts]
        for _ in range(3)
    ]  # fmt: skip
    ours, theirs = (min(float(run.splitlines()[-1]) for run in column) for column in zip(*runs, strict=True))
    return ours, theirs


def markdown(rig_name: str, size_px: tuple[int, int]) -> str:
    """The table."""
    rig = made_rig(MADE_SIDE) if rig_name == "made" else load_rig(rig_name)
    rows = measure(rig, size_px)
    each_pixel, each_vertex = rows[0].cpu_ms, rows[1].cpu_ms
    triangles = sum(len(part.triangles) for part in rig.parts)
    title = f"`{rig_name}`, {len(rig.positions)} vertices, {triangles} triangles, {size_px[0]}x{size_px[1]}"
    if rig_name != "made":
        ours_s, theirs_s = first_frames_s(rig_name, size_px)
        title += f"; {ours_s:.2f} s from start to first picture, {ours_s / theirs_s:.2f} of PyVista's first of a sphere"
    lines = [
        title + ".",
        "",
        "| what | CPU ms a picture | ratio to VTK alone | ratio, lit alike | wall ms | pictures a second |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {row.what} | {row.cpu_ms:.1f} | {row.cpu_ms / each_pixel:.2f} | {row.cpu_ms / each_vertex:.2f} "
        f"| {row.wall_ms:.1f} | {1000 / row.wall_ms:.0f} |"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rig", default="human,robot,made")
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--markdown", action="store_true", help="as a Markdown table")
    args = parser.parse_args()
    text = "\n\n".join(markdown(name, size_from_text(args.size)) for name in args.rig.split(","))
    if args.markdown:
        print(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console(width=120).print(Markdown(text))


if __name__ == "__main__":
    main()
