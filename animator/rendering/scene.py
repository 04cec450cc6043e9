"""What is drawn, on screen and off alike: a background, the camera picture, the avatars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyvista as pv
import vtk

from ..data import Array, HeadPose
from ..rig import Mesh, Rig
from . import framing
from .backdrop import Background, PictureTexture
from .lights import add_portrait_lights
from .materials import Puppet
from .opengl import is_software


@dataclass(frozen=True, slots=True)
class Appearance:
    """One avatar at one instant: what the scene is asked to show."""

    number: int
    """Which of the scene's avatars; the first is 0."""
    mesh: Mesh
    pose: HeadPose
    """Where its performer's head is; only a mask is placed by it."""


class Scene:
    """Two renderers in one window: the camera picture below, the avatars above it.

    plotter         : owns the window, on screen or off
    picture_fov_deg : vertical field of view that the camera picture is taken to have
    smooth_edges    : in software, smooth them (a graphics card always does); live pictures go without"""

    def __init__(
        self, plotter: pv.Plotter, rig: Rig, background: Background, picture_fov_deg: float, *, smooth_edges: bool
    ) -> None:
        self.plotter, self._picture_fov_deg = plotter, picture_fov_deg
        self.framing = framing.Framing()
        window = plotter.render_window
        window.SetNumberOfLayers(3)
        self._backdrop, self._picture = vtk.vtkRenderer(), vtk.vtkRenderer()
        self._avatars = plotter.renderer
        for layer, renderer in enumerate((self._backdrop, self._picture)):
            renderer.SetLayer(layer)
            renderer.InteractiveOff()
            window.AddRenderer(renderer)
        self._picture.PreserveColorBufferOff()  # a layer above the first is see-through unless told
        self._avatars.SetLayer(2)
        self._picture_image = PictureTexture(self._picture)
        self._in_software = is_software(window)
        # 640x480 in software, milliseconds of processor time: 30 without, 46 with FXAA, 110 with 4 samples a pixel.
        self._avatars.SetUseFXAA(smooth_edges and self._in_software)
        background.apply(self._backdrop)
        add_portrait_lights(self._avatars)
        self.use_rig(rig)

    def use_rig(self, rig: Rig) -> None:
        """Show every performer as another avatar from now on."""
        for puppet in getattr(self, "_puppets", []):
            puppet.remove()
        self.rig = rig
        self._puppets = [self._new_puppet()]

    def _new_puppet(self) -> Puppet:
        return Puppet(self.rig, self._avatars, light_vertices=self._in_software)

    def update(self, view: str, picture_rgb: Array | None, appearances: Sequence[Appearance]) -> None:
        """Set everything up for the next render; nothing is drawn yet.

        picture_rgb : (H, W, 3) uint8, or None where there is none"""
        window_px = tuple(self.plotter.render_window.GetSize())
        picture_px = None if picture_rgb is None else (picture_rgb.shape[1], picture_rgb.shape[0])
        places = framing.layout(view, window_px, picture_px)
        self._show_picture(places.picture, picture_rgb)
        as_mask = view == "mask" and places.picture is not None
        shown = [] if places.avatars is None else appearances
        while len(self._puppets) < len(shown):
            self._puppets.append(self._new_puppet())
        for number, appearance in enumerate(shown):
            place = (
                framing.camera_from_head_matrix(appearance.pose)
                if as_mask
                else framing.place_in_row(number, len(shown))
            )
            self._puppets[number].update(appearance.mesh, place, as_mask=as_mask)
        for puppet in self._puppets[len(shown) :]:
            puppet.hide()
        if places.avatars is not None:
            self._avatars.SetViewport(*places.avatars)
            x0, y0, x1, y1 = places.avatars
            aspect = (x1 - x0) * window_px[0] / ((y1 - y0) * window_px[1])
            self._set_camera(as_mask, len(shown), aspect)

    def render(self) -> None:
        """Draw."""
        self.plotter.render_window.Render()

    def _show_picture(self, place: framing.Viewport | None, rgb: Array | None) -> None:
        self._picture.SetDraw(place is not None)
        if place is not None:
            self._picture.SetViewport(*place)
            self._picture_image.show(rgb)

    def _set_camera(self, as_mask: bool, avatars: int, aspect: float) -> None:
        camera = self._avatars.GetActiveCamera()
        camera.SetViewUp(0, 1, 0)
        if as_mask:
            camera.SetPosition(0, 0, 0)
            camera.SetFocalPoint(0, 0, -1)
            camera.SetViewAngle(self._picture_fov_deg)
            camera.SetClippingRange(5, 1000)
            return
        x, y, z = self.framing.centre_cm
        distance_cm = framing.camera_distance_cm(self.framing, max(avatars, 1), aspect)
        camera.SetFocalPoint(x, y, z)
        camera.SetPosition(x, y, z + distance_cm)
        camera.SetViewAngle(self.framing.fov_deg)
        camera.SetClippingRange(max(distance_cm - 60, 5), distance_cm + 80)
