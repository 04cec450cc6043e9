"""Lights that stay with the camera, as a portrait photographer sets them, and a sky: per pixel, or per vertex.

A graphics card lights every pixel. In software that is the dearest part of drawing but for the geometry
itself (640x480, the rig `human`: 11 of 38 ms of processor time), so there each vertex is lit here, in
0.5 ms, and the colours between them are interpolated.

Light adds up in linear space, textures are sRGB: with a gamma of 2, sRGB's own to within a few grey levels,
sqrt(texture^2 * light) = texture * sqrt(light), so lighting is linear although no texel is ever decoded.
"""

from __future__ import annotations

import numpy as np
import pyvista as pv

from ..data import Array
from ..rig import Part, Rig, Toon
from . import vtk

# position in camera space (x right, y up, z towards the camera), colour, intensity (linear)
_PORTRAIT = (
    ((0.65, 0.70, 0.85), (1.00, 0.95, 0.87), 0.84),  # key: high on the right, warm
    ((-0.9, 0.05, 0.6), (0.80, 0.90, 1.00), 0.22),  # fill: low on the left, cool, softens the shadow side
    ((-0.35, 0.55, -0.9), (0.95, 0.98, 1.00), 0.55),  # rim: from behind, parts hair and background
)
_WRAP = (0.15, 0.30, 0.05)
"""How far each light reaches around the edge of its shadow, as a wide soft lamp does."""
SKY_RGB, GROUND_RGB = (0.27, 0.29, 0.32), (0.13, 0.10, 0.09)
"""What comes from all around, above and below, linear: a bright room with a wooden floor."""
AMBIENT, DIFFUSE = 0.38, 0.9
"""Shares of a surface's colour that come back from everywhere and from the lights, where each pixel is lit."""


def add_portrait_lights(renderer: pv.Renderer) -> None:
    """Replace a renderer's lights by ours."""
    renderer.remove_all_lights()
    for position, colour, intensity in _PORTRAIT:
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
    """The same lights, computed for one rig's vertices into buffers that are kept."""

    def __init__(self, rig: Rig) -> None:
        directions = np.array([position for position, _, _ in _PORTRAIT], np.float32)
        self._directions = directions / np.linalg.norm(directions, axis=1, keepdims=True)
        self._colours = np.array([i * np.array(c) for _, c, i in _PORTRAIT], np.float32)
        wrap = np.array(_WRAP, np.float32)
        self._gain, self._offset = 1 / (1 + wrap), wrap / (1 + wrap)
        sky, ground = np.array(SKY_RGB, np.float32), np.array(GROUND_RGB, np.float32)
        self._around, self._upward = 0.5 * (sky + ground), 0.5 * (sky - ground)
        self._base = np.ones((len(rig.positions), 3), np.float32)
        for part in rig.parts:
            run = slice(part.first_vertex, part.first_vertex + part.vertex_count)
            self._base[run] = 255.0 * np.array(part.material.base_color_rgba[:3], np.float32)
        if rig.vertex_rgb is not None:
            self._base *= rig.vertex_rgb
        self._glowing = [(_run(part), 255.0 * np.array(part.material.emissive_rgb, np.float32))
                         for part in rig.parts if any(part.material.emissive_rgb)]  # fmt: skip
        self._toons = [(_run(part), part.material.toon) for part in rig.parts if part.material.toon is not None]
        lights = len(_PORTRAIT)
        self._facing = np.empty((len(rig.positions), lights + 1), np.float32)
        self._lit = np.empty((len(rig.positions), 3), np.float32)
        self.rgb = np.empty((len(rig.positions), 3), np.uint8)
        """(V, 3): each vertex's colour, reused."""

    def shine_on(self, normals: Array, camera_from_rig: Array) -> Array:
        """Light the surface and return `rgb`.

        normals         : (V, 3) float32, unit length, in the rig's space
        camera_from_rig : (3, 3) rotation, times any scale"""
        rotation = camera_from_rig / np.cbrt(np.linalg.det(camera_from_rig))
        towards = np.concatenate([self._directions * self._gain[:, None], [[0, 1, 0]]]) @ rotation
        with np.errstate(all="ignore"):  # vertices of no part have no normal, and are not drawn
            np.matmul(normals, towards.T.astype(np.float32), out=self._facing)
            keys = [self._facing[run, :1] / self._gain[0] for run, _ in self._toons]
            lamps = self._facing[:, :-1]
            lamps += self._offset
            np.maximum(lamps, 0.0, out=lamps)
            np.matmul(self._facing, np.concatenate([self._colours, self._upward[None]]), out=self._lit)
            self._lit += self._around
            np.clip(self._lit, 0.0, 1.0, out=self._lit)
            np.sqrt(self._lit, out=self._lit)
            self._lit *= self._base
            for (run, toon), key in zip(self._toons, keys, strict=True):
                self._lit[run] = two_tones(toon, key) * self._base[run]
            for run, glow in self._glowing:
                self._lit[run] = np.minimum(np.hypot(self._lit[run], glow), 255.0)  # a sum, in linear light
            np.copyto(self.rgb, self._lit, casting="unsafe")
        return self.rgb


def two_tones(toon: Toon, facing_key: Array) -> Array:
    """(n, 3) what a toon surface gives back of its colour: the shade's tint, white, or what lies between.

    facing_key : (n, 1) cosine of the angle between the normals and the key light"""
    half = max(1.0 - toon.toony, 0.02)  # vertices are too far apart for a harder edge
    lit = np.clip((facing_key + toon.shift + half) / (2 * half), 0.0, 1.0)
    shade = np.array(toon.shade_rgb, np.float32)
    return shade + (1 - shade) * lit


def _run(part: Part) -> slice:
    return slice(part.first_vertex, part.first_vertex + part.vertex_count)
