"""How a material is drawn: in which layers, with what light, and how much of it is seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..rig import Material
from . import vtk
from .pixel_light import light_pixels
from .textures import Textures

SOLID_ALPHA, LEAST_ALPHA = 0.9, 0.01
"""Of a picture with soft edges: what is solid, and what is not there."""
SOLID_SHARE = 0.02
"""Of a picture's pixels: with fewer solid ones it is glass or a shadow, and blended as a whole."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One way in which a surface is drawn."""

    see_through: bool
    least_alpha: float = 0.0
    """Below it nothing is drawn."""


def layers_of(material: Material) -> tuple[Layer, ...]:
    """How a material is drawn.

    Hair and lashes are pictures with soft edges that cover each other in no order: what is solid in them is
    drawn first and hides what is behind it, then the edges are blended over."""
    if material.alpha_mode == "mask":
        return (Layer(False, material.alpha_cutoff),)
    if material.alpha_mode != "blend":
        return (Layer(False),)
    soft = Layer(True, LEAST_ALPHA)
    if material.texture_rgba is None or material.base_color_rgba[3] < SOLID_ALPHA:
        return (soft,)
    alpha = material.texture_rgba[::4, ::4, 3]
    solid = np.count_nonzero(alpha >= SOLID_ALPHA * 255)
    return (Layer(False, SOLID_ALPHA), soft) if solid > SOLID_SHARE * alpha.size else (soft,)


def dress(actor: vtk.vtkActor, material: Material, layer: Layer, textures: Textures, *, lit_by_vertex: bool) -> None:
    """Give an actor the looks of a material; it is lit pixel by pixel unless its vertices are."""
    surface = actor.GetProperty()
    tint(actor, material, layer)
    surface.SetBackfaceCulling(not material.double_sided)
    least_alpha = layer.least_alpha if material.texture_rgba is not None else 0.0
    if material.unlit or lit_by_vertex:
        surface.SetLighting(False)
        if least_alpha > 0:
            _discard_below(actor, layer)
    else:
        light_pixels(actor, material, textures, least_alpha, solid=not layer.see_through)
    if layer.see_through:
        actor.ForceTranslucentOn()
        if material.writes_depth:
            keys = vtk.vtkInformation()
            keys.Set(vtk.vtkOpenGLActor.GLDepthMaskOverride(), 1)
            actor.SetPropertyKeys(keys)
    else:
        actor.ForceOpaqueOn()


def tint(actor: vtk.vtkActor, material: Material, layer: Layer) -> None:
    """Give a surface its material's colour and how much of it is seen."""
    surface = actor.GetProperty()
    red, green, blue, alpha = material.base_color_rgba
    surface.SetColor(red, green, blue)
    surface.SetAmbientColor(red, green, blue)
    if layer.see_through:
        surface.SetOpacity(min(alpha, 0.999))
    elif layer.least_alpha > 0 and material.texture_rgba is not None:
        surface.SetOpacity(alpha)  # what falls below is not drawn, the rest is solid


def _discard_below(actor: vtk.vtkActor, layer: Layer) -> None:
    """Draw no pixel whose alpha, texture's times colour's, is below the layer's."""
    solid = "" if layer.see_through else "gl_FragData[0].a = 1.0;"
    code = f"//VTK::TCoord::Impl\nif (gl_FragData[0].a < {layer.least_alpha:.4f}) discard;\n{solid}\n"
    actor.GetShaderProperty().AddFragmentShaderReplacement("//VTK::TCoord::Impl", True, code, False)
