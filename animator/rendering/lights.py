"""Lights that stay with the camera, as a portrait photographer sets them: per pixel, or per vertex.

A graphics card lights every pixel. In software that is the dearest part of drawing but for the geometry
itself (640x480, the rig `human`: 11 of 38 ms of processor time), so there each vertex is lit here, in
1 ms, and the colours between them are interpolated.
"""

from __future__ import annotations

import numpy as np
import pyvista as pv

from ..data import Array
from ..rig import Rig

# position in camera space (x right, y up, z towards the camera), colour, intensity
_PORTRAIT = (
    ((0.45, 0.55, 0.9), (1.00, 0.97, 0.93), 0.74),  # key: high on the right, warm
    ((-0.8, 0.05, 0.7), (0.92, 0.94, 0.98), 0.34),  # fill: low on the left, cool, softens the shadow side
    ((0.0, 0.5, -0.9), (1.00, 1.00, 1.00), 0.40),  # rim: from behind, parts hair and background
)
AMBIENT, DIFFUSE = 0.30, 0.9
"""Shares of a surface's colour that come back from everywhere and from the lights."""


def add_portrait_lights(renderer: pv.Renderer) -> None:
    """Replace a renderer's lights by ours."""
    renderer.remove_all_lights()
    for position, colour, intensity in _PORTRAIT:
        light = pv.Light(position=position, focal_point=(0, 0, 0), color=colour, intensity=intensity)
        light.set_camera_light()
        renderer.add_light(light)


class VertexLight:
    """The same lights, computed for one rig's vertices into buffers that are kept."""

    def __init__(self, rig: Rig) -> None:
        directions = np.array([position for position, _, _ in _PORTRAIT], np.float32)
        self._directions = directions / np.linalg.norm(directions, axis=1, keepdims=True)
        self._colours = np.array([DIFFUSE * i * np.array(c) for _, c, i in _PORTRAIT], np.float32)
        self._base = np.ones((len(rig.positions), 3), np.float32)
        for part in rig.parts:
            run = slice(part.first_vertex, part.first_vertex + part.vertex_count)
            self._base[run] = 255.0 * np.array(part.material.base_color_rgba[:3], np.float32)
        self._facing = np.empty((len(rig.positions), len(_PORTRAIT)), np.float32)
        self._lit = np.empty((len(rig.positions), 3), np.float32)
        self.rgb = np.empty((len(rig.positions), 3), np.uint8)
        """(V, 3): each vertex's colour, reused."""

    def shine_on(self, normals: Array, camera_from_rig: Array) -> Array:
        """Light the surface and return `rgb`.

        normals         : (V, 3) float32, unit length, in the rig's space
        camera_from_rig : (3, 3) rotation, times any scale"""
        rotation = camera_from_rig / np.cbrt(np.linalg.det(camera_from_rig))
        with np.errstate(all="ignore"):  # vertices of no part have no normal, and are not drawn
            np.matmul(normals, (self._directions @ rotation).T.astype(np.float32), out=self._facing)
            np.maximum(self._facing, 0.0, out=self._facing)
            np.matmul(self._facing, self._colours, out=self._lit)
            self._lit += AMBIENT
            np.minimum(self._lit, 1.0, out=self._lit)
            self._lit *= self._base
            np.copyto(self.rgb, self._lit, casting="unsafe")
        return self.rgb
