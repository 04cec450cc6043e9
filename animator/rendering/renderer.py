"""Drawing without a window: a scene in, a picture out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from ..data import Array
from ..rig import Rig
from .backdrop import Background
from .opengl import open_plotter
from .scene import Appearance, Scene


class Renderer:
    """Draws avatars into pictures of one size, off screen; must be used on one thread."""

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
        self.scene = Scene(self._plotter, rig, background or Background(), picture_fov_deg, smooth_edges=smooth_edges)
        self._window = self._plotter.render_window
        self._pixels = vtk.vtkUnsignedCharArray()

    def draw(self, view: str, picture_rgb: Array | None, appearances: Sequence[Appearance]) -> Array:
        """(H, W, 3) uint8 sRGB, row 0 on top: a new array, the caller's own."""
        self.scene.update(view, picture_rgb, appearances)
        self.scene.render()
        width, height = self.size_px
        self._window.GetPixelData(0, 0, width - 1, height - 1, 0, self._pixels, 0)
        return np.ascontiguousarray(vtk_to_numpy(self._pixels).reshape(height, width, 3)[::-1])

    def close(self) -> None:
        """Give the window's memory back."""
        self._plotter.close()
