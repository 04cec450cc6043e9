"""What OpenGL draws: the avatars and, on screen, what is behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyvista as pv

from ..data import Array, HeadPose
from ..recycling import PICTURES
from ..rig import Mesh, Rig
from . import framing, vtk
from .backdrop import Background, PictureTexture
from .compositing import blurred
from .lights import add_contact_shadows, add_portrait_lights
from .opengl import is_software
from .puppet import Puppet


@dataclass(frozen=True, slots=True)
class Appearance:
    """One avatar at one instant: what the scene is asked to show."""

    number: int
    """Which of the scene's avatars; the first is 0."""
    mesh: Mesh
    pose: HeadPose
    """Where its performer's head is; only a mask is placed by it."""


class Scene:
    """The avatars in a window, and below them, on screen, the background and the camera picture.

    plotter         : owns the window, on screen or off
    background      : None draws nothing behind the avatars: they are laid over a picture later (`compositing`)
    picture_fov_deg : vertical field of view that the camera picture is taken to have"""

    def __init__(self, plotter: pv.Plotter, rig: Rig, background: Background | None, picture_fov_deg: float) -> None:
        self.plotter, self._picture_fov_deg = plotter, picture_fov_deg
        self.framing = framing.Framing()
        window = plotter.render_window
        self._avatars = plotter.renderer
        self._below = None if background is None else _Below(window, self._avatars, background)
        if background is None:
            self._avatars.SetBackground(0, 0, 0)  # seen through soft edges, whose colours are premultiplied
        self._avatars.GetCullers().RemoveAllItems()  # they ask for all bounds: 0.5 ms of a picture, and cull nothing
        self._in_software = is_software(window)
        add_portrait_lights(self._avatars)
        if not self._in_software:
            add_contact_shadows(self._avatars)
            self._avatars.SetUseFXAA(background is not None)  # off screen the finished picture is smoothed
        self.use_rig(rig)

    def use_rig(self, rig: Rig) -> None:
        """Show every performer as another avatar from now on."""
        for puppet in getattr(self, "_puppets", []):
            puppet.remove()
        self.rig = rig
        self._puppets = [self._new_puppet()]

    def _new_puppet(self) -> Puppet:
        return Puppet(self.rig, self._avatars, light_vertices=self._in_software)

    def update(self, view: str, picture_rgb: Array | None, appearances: Sequence[Appearance]) -> framing.Layout:
        """Set everything up for the next render; nothing is drawn yet.

        picture_rgb : (H, W, 3) uint8, or None where there is none
        returns     : where picture and avatars are"""
        window_px = tuple(self.plotter.render_window.GetSize())
        picture_px = None if picture_rgb is None else (picture_rgb.shape[1], picture_rgb.shape[0])
        places = framing.layout(view, window_px, picture_px)
        if self._below is not None:
            self._below.show(places, picture_rgb, window_px)
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
        return places

    def render(self) -> None:
        """Draw."""
        self.plotter.render_window.Render()

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


class _Below:
    """Two more renderers in the same window: the background, and the camera picture above it."""

    def __init__(self, window: vtk.vtkRenderWindow, avatars: vtk.vtkRenderer, background: Background) -> None:
        window.SetNumberOfLayers(3)
        self._backdrop, self._picture = vtk.vtkRenderer(), vtk.vtkRenderer()
        for layer, renderer in enumerate((self._backdrop, self._picture)):
            renderer.SetLayer(layer)
            renderer.InteractiveOff()
            window.AddRenderer(renderer)
        self._picture.PreserveColorBufferOff()  # a layer above the first is see-through unless told
        avatars.SetLayer(2)
        self._image = PictureTexture(self._picture)
        self._is_blurred = background.blurred_camera
        self._soft_image = PictureTexture(self._backdrop)
        background.apply(self._backdrop)

    def show(self, places: framing.Layout, rgb: Array | None, window_px: tuple[int, int]) -> None:
        """Put the camera picture where it belongs."""
        self._picture.SetDraw(places.picture is not None)
        if places.picture is not None:
            self._picture.SetViewport(*places.picture)
            self._image.show(rgb)
        if self._is_blurred and rgb is not None and places.avatars not in (None, places.picture):
            x0, _, x1, _ = places.avatars
            self._backdrop.SetViewport(*places.avatars)
            soft = PICTURES.empty((window_px[1], round((x1 - x0) * window_px[0]), 3))
            self._soft_image.show(blurred(rgb, soft))
