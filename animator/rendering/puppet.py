"""From a rig's parts to what VTK draws, changed in place from picture to picture."""

from __future__ import annotations

import numpy as np
import pyvista as pv

from ..data import Array
from ..rig import Material, Mesh, Part, Rig
from . import vtk
from .lights import VertexLight
from .looks import Looks, moved_uvs
from .materials import dress, layers_of, tint
from .pixel_light import needs_pixels, shine
from .textures import Textures
from .vtk import numpy_to_vtk


class Surface:
    """One part of an avatar: an actor whose points and normals are changed in place."""

    def __init__(self, part: Part, rig: Rig, lit_rgba: Array | None, textures: Textures) -> None:
        """lit_rgba : (V, 4) uint8, vertices' colours that are already lit and change; None: each pixel is lit"""
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
        if self._normals is not None and rig.map_uvs is not None:
            others = numpy_to_vtk((rig.map_uvs[self._run] * [1, -1] + [0, 1]).astype(np.float32), deep=True)
            others.SetName("mapUv")
            poly.GetPointData().AddArray(others)
            mapper.MapDataArrayToVertexAttribute("mapUv", "mapUv", vtk.vtkDataObject.FIELD_ASSOCIATION_POINTS, -1)
        if colours is not None:
            poly.GetPointData().SetScalars(colours)
            mapper.SetColorModeToDirectScalars()
        texture = textures.of_colour(material)
        self._vtk_tints = None if self._tints is None else colours
        self._layers = layers_of(material)
        self.actors = []
        """Drawn one after the other: usually one, and before a soft edge what is solid within it."""
        for layer in self._layers:
            actor = vtk.vtkActor()
            actor.SetMapper(mapper if not self.actors else _twin(mapper))
            if texture is not None:
                actor.SetTexture(texture)
            dress(actor, material, layer, textures, lit_by_vertex=lit_by_vertex)
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
            tint(actor, material, layer)
            if self._normals is not None:
                shine(actor, material)
        if self._tints is not None:
            rgb = np.array(material.base_color_rgba[:3], np.float32)
            self._tints[:] = 255 * self._rest.vertex_rgb[self._run] * rgb
            self._vtk_tints.Modified()
        if material.uv_transform != self._worn.uv_transform:
            at_rest = self._part.material.uv_transform
            uvs = moved_uvs(self._rest.uvs[self._run], at_rest, material.uv_transform, material.uv_rotation_rad)
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
        self._looks, textures = Looks(rig), Textures()
        self._surfaces, self._surface_of_part = [], {}
        for number in sorted(range(len(rig.parts)), key=lambda k: rig.parts[k].material.draw_order):
            part = rig.parts[number]  # see-through ones: as they come
            by_vertex = part.material.toon is not None or (light_vertices and not needs_pixels(part.material))
            self._surfaces.append(Surface(part, rig, self._light.rgba if by_vertex else None, textures))
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


def _twin(mapper: vtk.vtkPolyDataMapper) -> vtk.vtkPolyDataMapper:
    """Another mapper of the same surface: a mapper keeps the shader of one actor."""
    twin = vtk.vtkPolyDataMapper()
    twin.ShallowCopy(mapper)
    twin.SetStatic(1)
    twin.SetVBOShiftScaleMethod(0)
    return twin
