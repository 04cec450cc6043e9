"""What gloss and maps cost: the same avatar lit by vertex, by pixel, with maps, and by VTK's own PBR.

    python -m tests.bench.bench_materials [--rig human] [--size 640x480] [--markdown]

Milliseconds of processor time, all threads together, to deform, draw and read back a picture: the median of many,
taken in turns. VTK's PBR has a sky picture, and no maps."""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import replace

import numpy as np
import pyvista as pv

from animator.config import size_from_text
from animator.data import Motion
from animator.rendering.renderer import Renderer
from animator.rendering.scene import Appearance
from animator.rig import Maps, Overlay, Rig
from animator.rigging.deform import Deformer
from animator.rigging.library import load_rig
from tests.bench.bench_render import ROUNDS, motions

SIDE_PX = 1024
"""Of the maps, as of the human's skin."""


class Way:
    """An avatar that is drawn."""

    def __init__(self, rig: Rig, size_px: tuple[int, int]) -> None:
        self._deformer, self.renderer = Deformer(rig), Renderer(rig, size_px, smooth_edges=False)

    def draw(self, motion: Motion) -> None:
        """Deform, draw, read back."""
        self.renderer.draw("avatar", None, [Appearance(0, self._deformer.deform(motion), motion.pose)])


def worn(rig: Rig, **changes: object) -> Rig:
    """The same avatar with other materials."""
    return replace(rig, parts=tuple(replace(p, material=replace(p.material, **changes)) for p in rig.parts))


def made_maps() -> tuple[Overlay, Overlay]:
    """Random bumps, and half metal, half rough."""
    bumps = np.full((SIDE_PX, SIDE_PX, 3), (128, 128, 255), np.uint8)
    bumps[..., :2] = np.random.default_rng(0).integers(108, 148, (SIDE_PX, SIDE_PX, 2))
    return Overlay(bumps), Overlay(np.full((SIDE_PX, SIDE_PX, 3), (255, 128, 128), np.uint8))


def as_vtk_has_it(way: Way) -> Way:
    """Materials and sky by VTK's own means."""
    renderer = way.renderer.scene.plotter.renderer
    up = np.linspace(1, -1, 32)[:, None, None]
    sky = np.broadcast_to(np.where(up > 0, 110, 40), (32, 64, 3)).astype(np.uint8)
    picture = pv.numpy_to_texture(np.ascontiguousarray(sky))
    picture.SetMipmap(True)
    picture.SetInterpolate(True)
    renderer.SetUseImageBasedLighting(True)
    renderer.SetEnvironmentTexture(picture)
    actors = renderer.GetActors()
    actors.InitTraversal()
    for _ in range(actors.GetNumberOfItems()):
        actor = actors.GetNextActor()
        actor.GetShaderProperty().ClearAllFragmentShaderReplacements()
        look, texture = actor.GetProperty(), actor.GetTexture()
        look.SetInterpolationToPBR()
        look.SetMetallic(0.5)
        look.SetRoughness(0.5)
        if texture is not None:
            texture.SetUseSRGBColorSpace(True)
            actor.SetTexture(None)
            look.SetBaseColorTexture(texture)
    return way


def markdown(rig_name: str, size_px: tuple[int, int]) -> str:
    """The table."""
    rig = load_rig(rig_name)
    bumps, gloss = made_maps()
    plain = worn(rig, maps=None, metallic=0.0, roughness=0.8)
    smooth = worn(rig, maps=None, roughness=0.04)
    kinds = {
        "each vertex lit": plain,
        "each pixel lit, glossy": smooth,
        "with a normal map": worn(plain, maps=Maps(normal=bumps)),
        "with one of metal, roughness and occlusion, too": worn(plain, maps=Maps(bumps, 1.0, gloss, gloss)),
    }
    ways, starts = {}, {}
    acts = motions(ROUNDS)
    Way(plain, size_px).draw(acts[0])  # what any first picture costs
    for what, kind in kinds.items():
        start_s = time.process_time()
        ways[what] = Way(kind, size_px)
        ways[what].draw(acts[0])
        starts[what] = time.process_time() - start_s
    what = "VTK's PBR with a sky picture, no maps"
    start_s = time.process_time()
    ways[what] = Way(smooth, size_px)
    as_vtk_has_it(ways[what]).draw(acts[0])
    starts[what] = time.process_time() - start_s
    spent: dict[str, list[float]] = {what: [] for what in ways}
    for motion in acts:
        for what, way in ways.items():
            start_s = time.process_time()
            way.draw(motion)
            spent[what].append(time.process_time() - start_s)
    base_s = statistics.median(next(iter(spent.values())))
    lines = [
        f"`{rig_name}`, every part of it, {size_px[0]}x{size_px[1]}.",
        "",
        "| what | CPU ms a picture | ratio | CPU s to the first picture |",
        "| --- | --- | --- | --- |",
    ]
    for what, times in spent.items():
        each_s = statistics.median(times)
        lines.append(f"| {what} | {1000 * each_s:.1f} | {each_s / base_s:.2f} | {starts[what]:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rig", default="human")
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--markdown", action="store_true", help="as a Markdown table")
    args = parser.parse_args()
    text = markdown(args.rig, size_from_text(args.size))
    if args.markdown:
        print(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console(width=120).print(Markdown(text))


if __name__ == "__main__":
    main()
