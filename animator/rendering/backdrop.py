"""What stands behind the avatars: a colour, a fade, a still picture, or the camera's picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyvista as pv

from ..data import Array
from ..errors import SettingError
from . import vtk
from .overlay import picture_from_file
from .vtk import numpy_to_vtk

_SCREEN = {"green": "#00ff00"}
"""What people mean by a colour where it differs from the web's: its green is darker than a green screen's."""


class PictureTexture:
    """The camera picture as a renderer's backdrop; one texture, changed in place."""

    def __init__(self, renderer: vtk.vtkRenderer) -> None:
        self._renderer = renderer
        self._pixels: Array | None = None

    def show(self, rgb: Array) -> None:
        """(H, W, 3) uint8, row 0 on top; VTK wants row 0 at the bottom."""
        if self._pixels is None or self._pixels.shape != rgb.shape:
            self._make(rgb.shape)
        self._pixels[:] = rgb[::-1]
        self._image.GetPointData().GetScalars().Modified()
        self._image.Modified()

    def _make(self, shape: tuple[int, int, int]) -> None:
        height, width, channels = shape
        self._pixels = np.zeros(shape, np.uint8)
        self._image = vtk.vtkImageData()
        self._image.SetDimensions(width, height, 1)
        self._image.GetPointData().SetScalars(numpy_to_vtk(self._pixels.reshape(-1, channels), deep=False))
        texture = vtk.vtkTexture()
        texture.SetInputData(self._image)
        texture.InterpolateOn()
        self._renderer.SetBackgroundTexture(texture)
        self._renderer.TexturedBackgroundOn()


@dataclass(frozen=True, slots=True)
class Background:
    """What stands behind an avatar: a colour that may fade to another, a picture, or the camera's own out of focus."""

    bottom_rgb: tuple[float, float, float] = (0.80, 0.82, 0.85)
    top_rgb: tuple[float, float, float] = (0.55, 0.61, 0.69)
    picture_rgb: Array | None = None
    blurred_camera: bool = False
    """The camera's picture, out of focus, wherever there is one; the colours where there is none."""

    def apply(self, renderer: vtk.vtkRenderer) -> None:
        """Make it the backdrop of a renderer."""
        if self.picture_rgb is not None:
            PictureTexture(renderer).show(self.picture_rgb)
            return
        renderer.SetBackground(*self.bottom_rgb)
        renderer.SetBackground2(*self.top_rgb)
        renderer.GradientBackgroundOn()


def background_from_text(text: str | None) -> Background:
    """`#rrggbb`, a colour's name, two of them as `top,bottom`, `blur`, or a picture file; None is the usual fade.

    `blur` is the camera's picture out of focus; `green` is the green of a green screen, #00ff00.

    raises : SettingError with what was wanted"""
    if text is None:
        return Background()
    if Path(text).is_file():
        picture = picture_from_file(Path(text))
        if picture is None:
            raise SettingError(f"background: {text} is not a picture that can be read")
        return Background(picture_rgb=picture)
    if text.strip().lower() == "blur":
        return Background(blurred_camera=True)
    wanted = f"background: wanted #rrggbb, a colour's name, two as `top,bottom`, blur, or a picture file, got {text!r}"
    try:
        colours = [pv.Color(_SCREEN.get(part.strip().lower(), part.strip())).float_rgb for part in text.split(",")]
    except ValueError as error:
        raise SettingError(wanted) from error
    if len(colours) > 2:
        raise SettingError(wanted)
    return Background(bottom_rgb=colours[-1], top_rgb=colours[0])
