"""Lights that stay with the camera, as a portrait photographer sets them, and a sky: per pixel, or per vertex.

A graphics card lights every pixel. In software that is the dearest part of drawing but for the geometry
itself (640x480, the rig `human`: 11 of 38 ms of processor time), so there each vertex is lit here, in
0.2 ms, and the colours between them are interpolated. What mirrors or has bumps is lit as a card does it, see
`pixel_light`, whose matt surfaces look the same.

Light adds up in linear space, textures are sRGB: with a gamma of 2, sRGB's own to within a few grey levels,
sqrt(texture^2 * light) = texture * sqrt(light), so lighting is linear although no texel is ever decoded.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyvista as pv

from ..data import Array
from ..rig import Part, Rig, Toon
from . import vtk
from .sky import GROUND_RGB, SKY_RGB

# position in camera space (x right, y up, z towards the camera), colour, intensity (linear)
PORTRAIT = (
    ((0.65, 0.70, 0.85), (1.00, 0.95, 0.87), 0.84),  # key: high on the right, warm
    ((-0.9, 0.05, 0.6), (0.80, 0.90, 1.00), 0.22),  # fill: low on the left, cool, softens the shadow side
    ((-0.35, 0.55, -0.9), (0.95, 0.98, 1.00), 0.55),  # rim: from behind, parts hair and background
)
WRAP = (0.15, 0.30, 0.05)
"""How far each light reaches around the edge of its shadow, as a wide soft lamp does."""
AT_ONCE = 8192
"""Rows of a product. From 260 000 multiplications on BLAS starts threads, which spin while others hold the cores:
45 000 vertices would take 8 ms more of a picture, on two busy ones."""


def add_portrait_lights(renderer: pv.Renderer) -> None:
    """Replace a renderer's lights by ours."""
    renderer.remove_all_lights()
    for position, colour, intensity in PORTRAIT:
        light = pv.Light(position=position, focal_point=(0, 0, 0), color=colour, intensity=intensity)
        light.set_camera_light()
        renderer.add_light(light)


def add_contact_shadows(renderer: vtk.vtkRenderer) -> None:
    """Darken folds and what lies close under something: chin, fringe, lids. For a graphics card only.

    Lengths are centimetres of the canonical face."""
    renderer.SetUseSSAO(True)
    renderer.SetSSAORadius(2.5)
    renderer.SetSSAOBias(0.08)
    renderer.SetSSAOKernelSize(48)
    renderer.SetSSAOBlur(True)


class VertexLight:
    """The same lights, computed for one rig's vertices into buffers that are kept.

    11 400 vertices take 0.2 ms: rows of four numbers, so that every step is one pass over memory without gaps."""

    def __init__(self, rig: Rig) -> None:
        directions = np.array([position for position, _, _ in PORTRAIT], np.float32)
        wrap = np.array(WRAP, np.float32)
        self._towards = np.zeros((4, 3), np.float32)
        """A row for each lamp, then upwards."""
        self._towards[:3] = directions / np.linalg.norm(directions, axis=1, keepdims=True) / (1 + wrap)[:, None]
        self._towards[3, 1] = 1.0
        self._key_gain = 1 / (1 + wrap[0])
        sky, ground = np.array(SKY_RGB, np.float32), np.array(GROUND_RGB, np.float32)
        # What faces down is cut off nowhere as lamps are: its number is lifted above 0, and around lowered for that.
        self._offset = np.append(wrap / (1 + wrap), 1.0).astype(np.float32)
        self._colours = np.zeros((4, 4), np.float32)
        self._colours[:3, :3] = [i * np.array(c) for _, c, i in PORTRAIT]
        self._colours[3, :3] = 0.5 * (sky - ground)
        self._around = np.append(ground, 1.0).astype(np.float32)
        self._base = np.full((len(rig.positions), 4), 255.0, np.float32)
        self._vertex_rgb = rig.vertex_rgb
        self._glow_of_part: dict[int, tuple[slice, Array]] = {}
        self._toon_of_part: dict[int, tuple[slice, Toon]] = {}
        self.paint(rig.parts)
        self._facing, self._lit = np.zeros((2, len(rig.positions), 4), np.float32)
        self.rgba = np.zeros((len(rig.positions), 4), np.uint8)
        """(V, 4): each vertex's colour, reused. Solid: of three numbers VTK would make four for every picture."""

    def paint(self, parts: Iterable[Part]) -> None:
        """Take the materials of some parts anew."""
        for part in parts:
            run, material = _run(part), part.material
            self._base[run, :3] = 255.0 * np.array(material.base_color_rgba[:3], np.float32)
            if self._vertex_rgb is not None:
                self._base[run, :3] *= self._vertex_rgb[run]
            self._glow_of_part.pop(part.first_vertex, None)
            if any(material.emissive_rgb) and (material.maps is None or material.maps.glow is None):
                self._glow_of_part[part.first_vertex] = run, 255.0 * np.array(material.emissive_rgb, np.float32)
            if material.toon is not None:
                self._toon_of_part[part.first_vertex] = run, material.toon
        self._glowing, self._toons = list(self._glow_of_part.values()), list(self._toon_of_part.values())

    def shine_on(self, normals: Array, camera_from_rig: Array) -> Array:
        """Light the surface and return `rgba`.

        normals         : (V, 3) float32, unit length, in the rig's space
        camera_from_rig : (3, 3) rotation, times any scale"""
        rotation = camera_from_rig / np.cbrt(np.linalg.det(camera_from_rig))
        lit, facing = self._lit, self._facing
        with np.errstate(all="ignore"):  # vertices of no part have no normal, and are not drawn
            _multiply(normals, (self._towards @ rotation).T.astype(np.float32), facing)
            keys = [facing[run, :1] / self._key_gain for run, _ in self._toons]
            np.add(facing, self._offset, out=facing)
            np.maximum(facing, 0.0, out=facing)
            _multiply(facing, self._colours, lit)
            np.add(lit, self._around, out=lit)
            np.minimum(lit, 1.0, out=lit)
            np.sqrt(lit, out=lit)
            np.multiply(lit, self._base, out=lit)
            for (run, toon), key in zip(self._toons, keys, strict=True):
                lit[run, :3] = two_tones(toon, key) * self._base[run, :3]
            for run, glow in self._glowing:
                lit[run, :3] = np.minimum(np.hypot(lit[run, :3], glow), 255.0)  # a sum, in linear light
            np.copyto(self.rgba, lit, casting="unsafe")
        return self.rgba


def two_tones(toon: Toon, facing_key: Array) -> Array:
    """(n, 3) what a toon surface gives back of its colour: the shade's tint, white, or what lies between.

    facing_key : (n, 1) cosine of the angle between the normals and the key light"""
    half = max(1.0 - toon.toony, 0.02)  # vertices are too far apart for a harder edge
    lit = np.clip((facing_key + toon.shift + half) / (2 * half), 0.0, 1.0)
    shade = np.array(toon.shade_rgb, np.float32)
    return shade + (1 - shade) * lit


def _multiply(rows: Array, matrix: Array, out: Array) -> None:
    """(V, K) times (K, N) into `out`, in runs."""
    for first in range(0, len(rows), AT_ONCE):
        np.matmul(rows[first : first + AT_ONCE], matrix, out=out[first : first + AT_ONCE])


def _run(part: Part) -> slice:
    return slice(part.first_vertex, part.first_vertex + part.vertex_count)
