"""Drawing without a window: a scene in, a picture out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..data import Array
from ..rig import Rig
from . import vtk
from .backdrop import Background
from .compositing import Behind, Compositor, flipped, smoothed_rgba, straight_alpha
from .opengl import open_plotter
from .scene import Appearance, Scene
from .vtk import vtk_to_numpy


class Renderer:
    """Draws avatars into pictures of one size, off screen; must be used on one thread.

    OpenGL draws the avatars alone; what is behind them is laid under them here, which is cheaper in software
    and lets a picture be see-through. Edges are smoothed in the finished picture: a graphics card's samples do
    not survive the pass that makes its contact shadows, and in software they cost too much.

    Milliseconds of processor time, 640x480, the rig `human`, software OpenGL on two cores: avatars that do not move
    11.4 (9.3 of it Mesa's, half for the triangles, half for their texels; filters, mip maps and `discard` cost nothing
    that can be measured), deforming 0.7, light 0.3, new vertices 0.6 (2.7 with normals, RGB, VTK's look for an origin
    and its cullers), reading RGBA back 0.15 (RGB 0.33), laying them over the background 0.4, smoothing edges 2.6.
    So a picture is 1.21 of VTK's static one with the same light, 1.45 with smooth edges (1.40 and 1.66 before)."""

    def __init__(
        self,
        rig: Rig,
        size_px: tuple[int, int],
        background: Background | None = None,
        picture_fov_deg: float = 50.0,
        *,
        smooth_edges: bool = True,
    ) -> None:
        self.size_px = size_px
        self._plotter = open_plotter(size_px, off_screen=True)
        self._window = self._plotter.render_window
        self._window.SetAlphaBitPlanes(1)
        self.scene = Scene(self._plotter, rig, None, picture_fov_deg)
        self._behind, self._compositor = Behind(background or Background(), size_px), Compositor(size_px)
        self._smooth = smooth_edges
        self._pixels = vtk.vtkUnsignedCharArray()
        self._rgba = np.empty((size_px[1], size_px[0], 4), np.uint8)

    def draw(self, view: str, picture_rgb: Array | None, appearances: Sequence[Appearance]) -> Array:
        """(H, W, 3) uint8 sRGB, row 0 on top: the caller's own."""
        places = self.scene.update(view, picture_rgb, appearances)
        behind = self._behind.picture(picture_rgb, places.picture, avatars_over=places.avatars)
        if places.avatars is None or not appearances:
            return behind
        return self._compositor.compose(self._avatars_rgba(), behind, smooth=self._smooth)

    def draw_alone(self, appearances: Sequence[Appearance]) -> Array:
        """(H, W, 4) uint8: the avatars with nothing behind them, colours not multiplied by alpha, as in PNG."""
        self.scene.update("avatar", None, appearances)
        rgba = self._avatars_rgba()
        return straight_alpha(smoothed_rgba(rgba) if self._smooth else rgba)

    def _avatars_rgba(self) -> Array:
        """(H, W, 4) uint8, premultiplied, row 0 on top; overwritten by the next call."""
        self.scene.render()
        width, height = self.size_px
        self._window.GetRGBACharPixelData(0, 0, width - 1, height - 1, 0, self._pixels, 0)
        return flipped(vtk_to_numpy(self._pixels).reshape(height, width, 4), self._rgba)

    def close(self) -> None:
        """Give the window's memory back."""
        self._plotter.close()
