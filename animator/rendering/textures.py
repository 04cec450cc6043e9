"""Pictures as OpenGL wants them."""

from __future__ import annotations

import numpy as np
import pyvista as pv

from ..data import Array
from ..rig import Material, Overlay


def texture_from_rgba(rgba: Array) -> pv.Texture:
    """(H, W, 3 or 4) uint8, row 0 on top -> a texture with mip maps."""
    texture = pv.numpy_to_texture(np.ascontiguousarray(rgba))
    texture.InterpolateOn()
    texture.MipmapOn()
    # 4 anisotropic samples, VTK's default, cost 11 of 49 ms a frame in software (640x480, the rig `human`)
    # and change nothing that can be seen on a head.
    texture.SetMaximumAnisotropicFiltering(1)
    return texture


class Textures:
    """An avatar's textures, each made once however many parts wear it."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, bool, bool, bool], tuple[Array, pv.Texture]] = {}

    def of_colour(self, material: Material) -> pv.Texture | None:
        """A material's own; an opaque one's alpha means nothing and is left out."""
        if material.texture_rgba is None:
            return None
        return self._texture(material.texture_rgba, material.alpha_mode != "opaque", material.repeats, False)

    def of_overlay(self, overlay: Overlay, *, decoded: bool) -> pv.Texture:
        """A map's; decoded: OpenGL reads it in linear light."""
        return self._texture(overlay.pixels, False, overlay.repeats, decoded)

    def _texture(self, pixels: Array, with_alpha: bool, repeats: bool, decoded: bool) -> pv.Texture:
        key = id(pixels), with_alpha, repeats, decoded
        if key not in self._made:
            texture = texture_from_rgba(pixels if with_alpha else pixels[:, :, :3])
            if not repeats:  # its edge goes on beyond it
                texture.RepeatOff()
                texture.EdgeClampOn()
            texture.SetUseSRGBColorSpace(decoded)
            self._made[key] = pixels, texture  # kept: a picture that was forgotten gives its number to another
        return self._made[key][1]
