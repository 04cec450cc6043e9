"""Pictures as OpenGL wants them."""

from __future__ import annotations

import numpy as np
import pyvista as pv

from ..data import Array
from ..rig import Material


def texture_from_rgba(rgba: Array) -> pv.Texture:
    """(H, W, 3 or 4) uint8, row 0 on top -> a texture with mip maps."""
    texture = pv.numpy_to_texture(np.ascontiguousarray(rgba))
    texture.InterpolateOn()
    texture.MipmapOn()
    # 4 anisotropic samples, VTK's default, cost 11 of 49 ms a frame in software (640x480, the rig `human`)
    # and change nothing that can be seen on a head.
    texture.SetMaximumAnisotropicFiltering(1)
    return texture


def texture_of(material: Material) -> pv.Texture:
    """A material's texture; an opaque one's alpha means nothing and is left out."""
    rgba = material.texture_rgba
    texture = texture_from_rgba(rgba[:, :, :3] if material.alpha_mode == "opaque" else rgba)
    return texture if material.repeats else held_at_edges(texture)


def held_at_edges(texture: pv.Texture) -> pv.Texture:
    """The same texture, whose edge goes on beyond it."""
    texture.RepeatOff()
    texture.EdgeClampOn()
    return texture
