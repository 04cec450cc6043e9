"""From a rig's parts to what VTK draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyvista as pv

from ..data import Array
from ..rig import Material, Mesh, Part, Rig
from . import vtk
from .lights import AMBIENT, DIFFUSE, VertexLight
from .looks import Looks, moved_uvs
from .vtk import numpy_to_vtk

SOLID_ALPHA, LEAST_ALPHA = 0.9, 0.01
"""Of a picture with soft edges: what is solid, and what is not there."""
SOLID_SHARE = 0.02
"""Of a picture's pixels: with fewer solid ones it is glass or a shadow, and blended as a whole."""


class Surface:
    """One part of an avatar: an actor whose points and normals are changed in place."""

    def __init__(self, part: Part, rig: Rig, lit_rgba: Array | None) -> None:
        """lit_rgba : (V, 4) uint8, vertices' colours that are already lit and change; None: VTK lights"""
        self.name, self._part = part.name, part
        material = part.material
        self._run = slice(part.first_vertex, part.first_vertex + part.vertex_count)
        self._positions = np.array(rig.positions[self._run], np.float32)
        poly = vtk.vtkPolyData()
        poly.ShallowCopy(pv.PolyData.from_regular_faces(self._positions, part.triangles))
        points = numpy_to_vtk(self._positions, deep=False)
        poly.GetPoints().SetData(points)
        self._changing = [points]
        self._rest, self._worn, self._uvs = rig, material, np.empty((part.vertex_count, 2), np.float32)
        self._uvs[:] = rig.uvs[self._run] * [1, -1] + [0, 1]
        self._vtk_uvs = uvs = numpy_to_vtk(self._uvs, deep=False)
        uvs.SetName("uv")
        poly.GetPointData().SetTCoords(uvs)
        mapper = vtk.vtkPolyDataMapper()
        mapper.SetInputData(poly)
        mapper.SetStatic(1)  # no pipeline runs upstream: only time stamps tell of change
        mapper.SetVBOShiftScaleMethod(0)  # centimetres near 0: to look for a better origin takes 1 ms a picture
        lit_by_vertex = lit_rgba is not None and not material.unlit
        self._normals, self._tints, colours = None, None, None
        if lit_by_vertex:
            colours = numpy_to_vtk(lit_rgba[self._run], deep=False)
            self._changing.append(colours)
        elif rig.vertex_rgb is not None:
            self._tints = np.empty((part.vertex_count, 3), np.uint8)
            self._tints[:] = 255 * rig.vertex_rgb[self._run] * np.array(material.base_color_rgba[:3], np.float32)
            colours = numpy_to_vtk(self._tints, deep=False)
        if not lit_by_vertex and not material.unlit:
            self._normals = np.zeros_like(self._positions)
            normals = numpy_to_vtk(self._normals, deep=False)
            normals.SetName("Normals")
            poly.GetPointData().SetNormals(normals)
            self._changing.append(normals)
        if colours is not None:
            poly.GetPointData().SetScalars(colours)
            mapper.SetColorModeToDirectScalars()
        texture = None if material.texture_rgba is None else texture_of(material)
        self._vtk_tints = None if self._tints is None else colours
        self._layers = layers_of(material)
        self.actors = []
        """Drawn one after the other: usually one, and before a soft edge what is solid within it."""
        for layer in self._layers:
            actor = vtk.vtkActor()
            actor.SetMapper(mapper if not self.actors else _twin(mapper))
            if texture is not None:
                actor.SetTexture(texture)
            _dress(actor, material, layer, lit_by_vertex=lit_by_vertex)
            self.actors.append(actor)

    def update(self, mesh: Mesh) -> None:
        """Take this part's run of the mesh."""
        self._positions[:] = mesh.positions[self._run]
        if self._normals is not None:
            self._normals[:] = mesh.normals[self._run]
        for array in self._changing:  # their time stamps reach all that hold them
            array.Modified()


    def wear(self, material: Material) -> None:
        """Look as an expression wants it: another colour, or another place of the texture."""
        for actor, layer in zip(self.actors, self._layers, strict=True):
            _tint(actor, material, layer)
        if self._tints is not None:
            rgb = np.array(material.base_color_rgba[:3], np.float32)
            self._tints[:] = 255 * self._rest.vertex_rgb[self._run] * rgb
            self._vtk_tints.Modified()
        if material.uv_transform != self._worn.uv_transform:
            at_rest = self._part.material.uv_transform
            uvs = moved_uvs(self._rest.uvs[self._run], at_rest, material.uv_transform)
            self._uvs[:] = uvs * [1, -1] + [0, 1]
            self._vtk_uvs.Modified()
        self._worn = material


class Puppet:
    """An avatar in the scene: all its surfaces, moved, shown and hidden together."""

    def __init__(self, rig: Rig, renderer: vtk.vtkRenderer, *, light_vertices: bool) -> None:
        self.rig = rig
        has_toons = any(part.material.toon is not None for part in rig.parts)
        self._light = VertexLight(rig) if light_vertices or has_toons else None
        self._renderer = renderer
        if hasattr(renderer, "SetUseOIT"):  # since VTK 9.3; before, blending went in order of itself
            renderer.SetUseOIT(False)  # lashes over eyes, in their maker's order, not weighed by depth
        self._scene_from_rig = vtk.vtkMatrix4x4()
        self._face_from_rig = np.linalg.inv(rig.rig_from_face)
        self._looks = Looks(rig)
        self._surfaces, self._surface_of_part = [], {}
        for number in sorted(range(len(rig.parts)), key=lambda k: rig.parts[k].material.draw_order):
            part = rig.parts[number]  # see-through ones: as they come
            by_vertex = self._light is not None and (light_vertices or part.material.toon is not None)
            self._surfaces.append(Surface(part, rig, self._light.rgba if by_vertex else None))
            self._surface_of_part[number] = self._surfaces[-1]
        self._actors = [actor for surface in self._surfaces for actor in surface.actors]
        for actor in self._actors:
            actor.SetUserMatrix(self._scene_from_rig)
            renderer.AddActor(actor)

    def update(self, mesh: Mesh, scene_from_face: Array, *, as_mask: bool) -> None:
        """Show the avatar in this shape at this place; as a mask without the parts that its rig names."""
        scene_from_rig = scene_from_face @ self._face_from_rig
        changed = self._looks.changed(mesh.expressions)
        for number, part in changed.items():
            self._surface_of_part[number].wear(part.material)
        if self._light is not None and changed:
            self._light.paint(changed.values())
        if self._light is not None:
            self._light.shine_on(mesh.normals, scene_from_rig[:3, :3])  # the camera never turns in its scene
        for surface in self._surfaces:
            surface.update(mesh)
            for actor in surface.actors:
                actor.SetVisibility(not (as_mask and surface.name in self.rig.hidden_in_mask))
        self._scene_from_rig.DeepCopy(scene_from_rig.ravel())

    def hide(self) -> None:
        """Draw nothing of it."""
        for actor in self._actors:
            actor.SetVisibility(False)

    def remove(self) -> None:
        """Take it out of the scene for good."""
        for actor in self._actors:
            self._renderer.RemoveActor(actor)


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
    if not material.repeats:
        texture.RepeatOff()
        texture.EdgeClampOn()
    return texture


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


def _twin(mapper: vtk.vtkPolyDataMapper) -> vtk.vtkPolyDataMapper:
    """Another mapper of the same surface: a mapper keeps the shader of one actor."""
    twin = vtk.vtkPolyDataMapper()
    twin.ShallowCopy(mapper)
    twin.SetStatic(1)
    twin.SetVBOShiftScaleMethod(0)
    return twin


def _dress(actor: vtk.vtkActor, material: Material, layer: Layer, *, lit_by_vertex: bool) -> None:
    surface = actor.GetProperty()
    _tint(actor, material, layer)
    surface.SetBackfaceCulling(not material.double_sided)
    if material.unlit or lit_by_vertex:
        surface.SetLighting(False)
    else:
        surface.SetInterpolationToPhong()
        surface.SetAmbient(AMBIENT)
        surface.SetDiffuse(DIFFUSE)
        shine = 1.0 - material.roughness
        surface.SetSpecular(0.6 * shine)
        surface.SetSpecularPower(4 + 60 * shine)
    if layer.least_alpha > 0 and material.texture_rgba is not None:
        _discard_below(actor, layer)
    if layer.see_through:
        actor.ForceTranslucentOn()
        if material.writes_depth:
            keys = vtk.vtkInformation()
            keys.Set(vtk.vtkOpenGLActor.GLDepthMaskOverride(), 1)
            actor.SetPropertyKeys(keys)
    else:
        actor.ForceOpaqueOn()


def _tint(actor: vtk.vtkActor, material: Material, layer: Layer) -> None:
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
