"""Draws the layers: textured sheets without light, in software OpenGL, at twice the video's size."""

from __future__ import annotations

import cv2
import numpy as np
import pyvista as pv

from animator.data import Array

from .head_mesh import SIZE_PX, VERTICAL_FOV_RAD

SUPERSAMPLING = 2


class SheetRenderer:
    """One textured triangle sheet seen by the performance's camera (at the origin, looking along -z).

    triangles : (T, 3) int
    uv        : (V, 2) in 0..1, v downward
    texture   : (H, W, 3) uint8"""

    def __init__(self, triangles: Array, uv: Array, texture: Array) -> None:
        faces = np.concatenate([np.full((len(triangles), 1), 3), triangles], 1).ravel()
        self._mesh = pv.PolyData(np.zeros((len(uv), 3), np.float32), faces)
        self._mesh.active_texture_coordinates = np.stack([uv[:, 0], 1 - uv[:, 1]], 1).astype(np.float32)
        size = [SUPERSAMPLING * n for n in SIZE_PX]
        self._plotter = pv.Plotter(off_screen=True, window_size=size, lighting="none")
        self._plotter.disable_anti_aliasing()
        self._plotter.render_window.SetMultiSamples(0)  # half-covered pixels would darken the outlines
        self._plotter.set_background("black")
        texture = pv.Texture(np.ascontiguousarray(texture))
        texture.interpolate, texture.mipmap, texture.repeat = True, True, False
        self._plotter.add_mesh(self._mesh, texture=texture, lighting=False, smooth_shading=False)
        camera = self._plotter.camera
        camera.position, camera.focal_point, camera.up = (0, 0, 0), (0, 0, -1), (0, 1, 0)
        camera.view_angle, camera.clipping_range = float(np.rad2deg(VERTICAL_FOV_RAD)), (5.0, 300.0)

    def draw(self, positions_cm: Array) -> Array:
        """(960, 1280, 3) float32 in 0..255 on black; positions_cm: (V, 3), camera space."""
        self._mesh.points[:] = positions_cm
        self._mesh.Modified()
        self._mesh.GetPoints().Modified()
        self._plotter.camera.clipping_range = (5.0, 300.0)
        self._plotter.render()
        return self._plotter.screenshot(return_img=True).astype(np.float32)

    def close(self) -> None:
        """Give the window back."""
        self._plotter.close()


def downsampled(rgb: Array) -> Array:
    """(480, 640, 3) uint8 of a picture at twice the size."""
    small = cv2.resize(rgb, SIZE_PX, interpolation=cv2.INTER_AREA)
    return np.clip(np.round(small), 0, 255).astype(np.uint8)
