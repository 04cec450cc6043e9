"""From a rig's parts to what VTK draws."""

from __future__ import annotations

import numpy as np
import pyvista as pv
import vtk
from vtk.util.numpy_support import numpy_to_vtk

from ..data import Array
from ..rig import Material, Mesh, Part, Rig
from .lights import AMBIENT, DIFFUSE, VertexLight


class Surface:
    """One part of an avatar: an actor whose points and normals are changed in place."""

    def __init__(self, part: Part, rig: Rig, vertex_rgb: Array | None) -> None:
        self.name = part.name
        self._run = slice(part.first_vertex, part.first_vertex + part.vertex_count)
        self._positions = np.array(rig.positions[self._run], np.float32)
        self._normals = np.zeros_like(self._positions)
        self._poly = pv.PolyData.from_regular_faces(self._positions, part.triangles)
        points = numpy_to_vtk(self._positions, deep=False)
        self._poly.GetPoints().SetData(points)
        normals = numpy_to_vtk(self._normals, deep=False)
        normals.SetName("Normals")
        self._poly.GetPointData().SetNormals(normals)
        uvs = numpy_to_vtk(np.ascontiguousarray(rig.uvs[self._run] * [1, -1] + [0, 1], np.float32), deep=True)
        uvs.SetName("uv")
        self._poly.GetPointData().SetTCoords(uvs)
        self.actor = vtk.vtkActor()
        mapper = vtk.vtkPolyDataMapper()
        mapper.SetInputData(self._poly)
        mapper.SetStatic(1)  # no pipeline runs upstream: only time stamps tell of change
        self._colours = None
        if vertex_rgb is not None and not part.material.unlit:
            self._colours = numpy_to_vtk(vertex_rgb[self._run], deep=False)
            self._poly.GetPointData().SetScalars(self._colours)
            mapper.SetColorModeToDirectScalars()
        self.actor.SetMapper(mapper)
        _dress(self.actor, part.material, lit_by_vertex=self._colours is not None)

    def update(self, mesh: Mesh) -> None:
        """Take this part's run of the mesh."""
        self._positions[:] = mesh.positions[self._run]
        self._normals[:] = mesh.normals[self._run]
        self._poly.GetPoints().GetData().Modified()
        self._poly.GetPoints().Modified()
        self._poly.GetPointData().GetNormals().Modified()
        if self._colours is not None:
            self._colours.Modified()
        self._poly.Modified()


class Puppet:
    """An avatar in the scene: all its surfaces, moved, shown and hidden together."""

    def __init__(self, rig: Rig, renderer: vtk.vtkRenderer, *, light_vertices: bool) -> None:
        self.rig = rig
        self._light = VertexLight(rig) if light_vertices else None
        self._renderer = renderer
        self._scene_from_rig = vtk.vtkMatrix4x4()
        self._face_from_rig = np.linalg.inv(rig.rig_from_face)
        vertex_rgb = None if self._light is None else self._light.rgb
        self._surfaces = [Surface(part, rig, vertex_rgb) for part in rig.parts]
        for surface in self._surfaces:
            surface.actor.SetUserMatrix(self._scene_from_rig)
            renderer.AddActor(surface.actor)

    def update(self, mesh: Mesh, scene_from_face: Array, *, as_mask: bool) -> None:
        """Show the avatar in this shape at this place; as a mask without the parts that its rig names."""
        scene_from_rig = scene_from_face @ self._face_from_rig
        if self._light is not None:
            self._light.shine_on(mesh.normals, scene_from_rig[:3, :3])  # the camera never turns in its scene
        for surface in self._surfaces:
            surface.update(mesh)
            surface.actor.SetVisibility(not (as_mask and surface.name in self.rig.hidden_in_mask))
        self._scene_from_rig.DeepCopy(scene_from_rig.ravel())

    def hide(self) -> None:
        """Draw nothing of it."""
        for surface in self._surfaces:
            surface.actor.SetVisibility(False)

    def remove(self) -> None:
        """Take it out of the scene for good."""
        for surface in self._surfaces:
            self._renderer.RemoveActor(surface.actor)


def texture_from_rgba(rgba: Array) -> pv.Texture:
    """(H, W, 3 or 4) uint8, row 0 on top -> a texture with mip maps."""
    texture = pv.numpy_to_texture(np.ascontiguousarray(rgba))
    texture.InterpolateOn()
    texture.MipmapOn()
    # 4 anisotropic samples, VTK's default, cost 11 of 49 ms a frame in software (640x480, the rig `human`)
    # and change nothing that can be seen on a head.
    texture.SetMaximumAnisotropicFiltering(1)
    return texture


def _dress(actor: vtk.vtkActor, material: Material, *, lit_by_vertex: bool) -> None:
    surface = actor.GetProperty()
    red, green, blue, alpha = material.base_color_rgba
    surface.SetColor(red, green, blue)
    surface.SetAmbientColor(red, green, blue)
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
    if material.texture_rgba is not None:
        actor.SetTexture(texture_from_rgba(material.texture_rgba))
    if material.alpha_mode == "blend":
        surface.SetOpacity(min(alpha, 0.999))
        actor.ForceTranslucentOn()
    else:
        actor.ForceOpaqueOn()
