"""Three lights that stay with the camera, as a portrait photographer sets them."""

from __future__ import annotations

import pyvista as pv

# position in camera space (x right, y up, z towards the camera), colour, intensity
_PORTRAIT = (
    ((-0.7, 0.8, 1.0), (1.00, 0.96, 0.90), 0.78),  # key: high on the left, warm
    ((1.0, 0.1, 0.8), (0.85, 0.92, 1.00), 0.34),  # fill: low on the right, cool, softens the shadow side
    ((0.3, 0.9, -1.0), (1.00, 1.00, 1.00), 0.45),  # rim: from behind, parts hair and background
)


def add_portrait_lights(renderer: pv.Renderer) -> None:
    """Replace a renderer's lights by ours."""
    renderer.remove_all_lights()
    for position, colour, intensity in _PORTRAIT:
        renderer.add_light(
            pv.Light(
                position=position, focal_point=(0, 0, 0), color=colour, intensity=intensity, light_type="camera light"
            )
        )
