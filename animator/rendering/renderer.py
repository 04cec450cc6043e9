"""Drawing without a window: a scene in, a picture out."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import pyvista as pv
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from ..data import Array
from ..errors import RenderError
from ..rig import Rig
from .backdrop import Background
from .scene import Appearance, Scene

NO_OPENGL = (
    "there is no OpenGL to draw with: install libEGL (Debian and Ubuntu: apt-get install libegl1 libgl1-mesa-dri) "
    "or OSMesa (libosmesa6); `animator doctor` tells more"
)
NO_DISPLAY = (
    "the display {!r} does not answer, so no window can be opened: start it, correct or unset DISPLAY, "
    "or use --out FILE to make a video instead"
)


SAMPLES = 4
"""Anti-aliasing samples a pixel on a graphics card."""


class Renderer:
    """Draws avatars into pictures of one size, off screen; must be used on one thread."""

    def __init__(
        self, rig: Rig, size_px: tuple[int, int], background: Background | None = None, picture_fov_deg: float = 50.0
    ) -> None:
        self.size_px = size_px
        self._plotter = open_plotter(size_px, off_screen=True)
        self.scene = Scene(self._plotter, rig, background or Background(), picture_fov_deg)
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


def open_plotter(size_px: tuple[int, int], *, off_screen: bool, title: str = "animator") -> pv.Plotter:
    """A PyVista plotter whose window is open and empty; raises RenderError without OpenGL or, on screen, a display."""
    # VTK reports on its own log otherwise, and a missing library is ours to tell in one line.
    vtk.vtkObject.GlobalWarningDisplayOff()
    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_OFF)
    plotter = pv.Plotter(off_screen=off_screen, window_size=size_px, lighting="none", title=title)
    plotter.disable_anti_aliasing()
    problem = _problem(plotter.render_window, off_screen)
    if problem is not None:
        plotter.close()
        raise RenderError(problem)
    return plotter


def _problem(window: vtk.vtkRenderWindow, off_screen: bool) -> str | None:
    """What keeps a window from drawing. VTK itself says that all is well and crashes later on:
    without OpenGL in the first render, without an X server in the first look at the keys."""
    window.Initialize()
    if window.GetGenericContext() is None:
        return NO_OPENGL
    if not off_screen and window.GetGenericWindowId() is None:
        return NO_DISPLAY.format(os.environ.get("DISPLAY", ""))
    return None
