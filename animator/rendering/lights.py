"""Lights that stay with the camera, as a portrait photographer sets them."""

from __future__ import annotations

import pyvista as pv

# position in camera space (x right, y up, z towards the camera), colour, intensity
_PORTRAIT = (
    ((0.45, 0.55, 0.9), (1.00, 0.96, 0.90), 0.82),  # key: high on the right, warm
    ((-0.8, 0.05, 0.7), (0.92, 0.93, 0.97), 0.50),  # fill: low on the left, cool, softens the shadow side
    ((0.0, 0.5, -0.9), (1.00, 1.00, 1.00), 0.45),  # rim: from behind, parts hair and background
)


def add_portrait_lights(renderer: pv.Renderer) -> None:
    """Replace a renderer's lights by ours."""
    renderer.remove_all_lights()
    for position, colour, intensity in _PORTRAIT:
        light = pv.Light(position=position, focal_point=(0, 0, 0), color=colour, intensity=intensity)
        light.set_camera_light()
        renderer.add_light(light)
