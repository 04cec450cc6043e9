"""The robot's materials and pictures."""

from __future__ import annotations

import numpy as np

from animator.data import Array
from tools.human.glb import Look
from tools.human.raster import mixed, noise, picture_from

CREAM, ORANGE, SEAM = (0.925, 0.905, 0.860), (0.960, 0.470, 0.160), (0.420, 0.400, 0.380)


def looks() -> dict[str, Look]:
    """A look for every material."""
    return {
        "shell": Look(_shell_picture(), roughness=0.35),
        "torso": Look(_torso_picture(), roughness=0.35),
        "glass": Look(_glass_picture(), roughness=0.08),
        "eye": Look(_eye_picture(), roughness=0.05),
        "mouth": Look(_mouth_picture(), roughness=0.5, double_sided=True),
        "lid": Look(color=(0.860, 0.850, 0.820), roughness=0.4, double_sided=True),
        "orange": Look(color=ORANGE, roughness=0.35),
        "metal": Look(color=(0.480, 0.510, 0.550), roughness=0.3),
        "rubber": Look(color=(0.240, 0.260, 0.300), roughness=0.8),
        "lips": Look(color=(0.330, 0.860, 0.900), roughness=0.4),
        "blush": Look(color=(1.000, 0.420, 0.330), roughness=0.3),
        "tongue": Look(color=(0.950, 0.430, 0.440), roughness=0.5),
    }


def _shell_picture() -> Array:
    """(512, 512, 3) uint8: u around the head from behind, v from the crown down."""
    u, v = _grid(512)
    picture = np.broadcast_to(CREAM, (512, 512, 3)) * (1 + 0.010 * noise((512, 512), 4, 71))[..., None]
    stripe = np.abs(u - 0.5) * np.sin(np.pi * v).clip(0.05) * 2
    picture = mixed(picture, ORANGE, _line(stripe, 0.075, 0.004) * (v < 0.34))
    for seam in (np.abs(stripe - 0.115) / 2, np.abs(v - 0.36), np.abs(np.abs(u - 0.5) - 0.285)):
        picture = mixed(picture, SEAM, 0.75 * _line(seam, 0.0022, 0.0015))
    for rivet in (0.20, 0.80):
        picture = mixed(picture, SEAM, 0.7 * _line(np.hypot(u - rivet, (v - 0.40) * 1.3), 0.008, 0.002))
    return picture_from(mixed(picture, (0.55, 0.50, 0.47), 0.45 * np.clip((v - 0.66) / 0.3, 0, 1)))


def _torso_picture() -> Array:
    """(512, 512, 3) uint8: a seam down the middle, a plate on the chest, stripes on the shoulders."""
    u, v = _grid(512)
    picture = np.broadcast_to(CREAM, (512, 512, 3)) * (1 + 0.010 * noise((512, 512), 4, 72))[..., None]
    plate = np.maximum(np.abs(u - 0.5) / 0.105, np.abs(v - 0.395) / 0.085)
    picture = mixed(picture, (0.30, 0.33, 0.38), _line(plate, 1.0, 0.03))
    picture = mixed(picture, SEAM, 0.8 * _line(np.abs(plate - 1.0), 0.03, 0.02))
    shoulder = np.abs(np.abs(u - 0.5) - 0.20)
    return picture_from(mixed(picture, ORANGE, _line(shoulder, 0.016, 0.002) * (v < 0.62)))


def _glass_picture() -> Array:
    """(256, 256, 3) uint8: dark, lighter above, with a window's reflection."""
    u, v = _grid(256)
    picture = np.array([0.070, 0.110, 0.170]) + (1 - v)[..., None] * np.array([0.055, 0.085, 0.115])
    slant = u + 0.45 * v
    shine = _line(np.abs(slant - 0.34), 0.055, 0.006) + 0.6 * _line(np.abs(slant - 0.455), 0.018, 0.006)
    return picture_from(mixed(picture, (0.55, 0.72, 0.85), 0.16 * shine * np.clip(1.1 - v, 0, 1)))


def _eye_picture() -> Array:
    """(256, 256, 3) uint8: a lamp seen from the front."""
    u, v = _grid(256)
    x, y = 2 * u - 1, 2 * v - 1
    radius = np.hypot(x, y)
    dimmed = 1 - 0.35 * np.clip(radius - 0.45, 0, 1)
    picture = np.broadcast_to([0.885, 0.955, 0.970], (256, 256, 3)) * dimmed[..., None]
    iris = mixed(np.broadcast_to([0.05, 0.62, 0.72], (256, 256, 3)), (0.35, 0.95, 0.95), np.clip(0.5 + 0.9 * y, 0, 1))
    picture = picture + _line(radius, 0.58, 0.02)[..., None] * (iris - picture)
    picture = mixed(picture, (0.02, 0.25, 0.33), _line(np.abs(radius - 0.56), 0.035, 0.015))
    picture = mixed(picture, (0.60, 1.00, 0.98), 0.8 * _line(np.abs(radius - 0.43), 0.012, 0.012))
    picture = mixed(picture, (0.02, 0.07, 0.11), _line(radius, 0.29, 0.02))
    picture = mixed(picture, (1, 1, 1), _line(np.hypot(x - 0.20, y + 0.24), 0.13, 0.02))
    return picture_from(mixed(picture, (1, 1, 1), 0.6 * _line(np.hypot(x + 0.20, y - 0.20), 0.06, 0.02)))


def _mouth_picture() -> Array:
    """(128, 256, 3) uint8: teeth on top, a tongue below, dark between; v runs from lip to lip."""
    u, v = (part[:128] for part in _grid(256))
    v = np.linspace(0, 1, 128)[:, None] + 0 * u
    picture = np.broadcast_to([0.20, 0.05, 0.09], (128, 256, 3))
    tongue = np.hypot((u - 0.5) / 0.34, (v - 1.05) / 0.42)
    picture = mixed(picture, (0.90, 0.38, 0.40), _line(tongue, 1.0, 0.06))
    teeth = _line(v, 0.27, 0.02) * _line(np.abs(u - 0.5), 0.44, 0.02)
    picture = mixed(picture, (0.97, 0.97, 0.95), teeth)
    return picture_from(mixed(picture, (0.60, 0.60, 0.62), 0.7 * teeth * (np.abs(np.sin(np.pi * 8 * u)) < 0.10)))


def _grid(size: int) -> tuple[Array, Array]:
    """u and v of a picture's pixels, 0..1."""
    across = (np.arange(size) + 0.5) / size
    u, v = np.meshgrid(across, across)
    return u, v


def _line(distance: Array, width: float, soft: float) -> Array:
    """1 where the distance is below the width, 0 beyond, soft between."""
    return np.clip(0.5 + (width - distance) / (2 * soft), 0, 1)
