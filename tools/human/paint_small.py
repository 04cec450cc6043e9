"""The pictures of eyes, hair, cloth and the mouth's inside."""

from __future__ import annotations

import numpy as np

from animator.data import Array

from .eyes import EYE_RADIUS_CM, IRIS_RADIUS_CM, uv_radius
from .raster import mixed, noise, picture_from

EYE_PX = 512
TEETH = 14
"""In each row."""


def eye_picture() -> Array:
    """(512, 512, 3) uint8: the eyeball seen from the front, its pole in the middle."""
    size = EYE_PX
    across = (np.arange(size) + 0.5) / size - 0.5
    x, y = np.meshgrid(across, across)
    radius, turn = np.hypot(x, y), np.arctan2(y, x)
    iris = float(uv_radius(np.arcsin(IRIS_RADIUS_CM / EYE_RADIUS_CM)))
    inside = radius / iris
    soft = 0.025
    picture = np.broadcast_to([0.965, 0.955, 0.945], (size, size, 3)).copy()
    picture = mixed(picture, (0.86, 0.70, 0.66), 0.55 * np.clip((inside - 1.35) / 1.2, 0, 1))
    fibres = noise((720, 64), (0.9, 9), 21)
    ring = fibres[(turn / (2 * np.pi) * 720).astype(int) % 720, np.clip(inside * 63, 0, 63).astype(int)]
    outer, inner = np.array([0.13, 0.36, 0.47]), np.array([0.56, 0.62, 0.42])
    blend = np.clip((inside - 0.42) / 0.42, 0, 1)[..., None]
    colour = (inner * (1 - blend) + outer * blend) * (1 + 0.20 * ring[..., None])
    colour = colour * (0.80 + 0.45 * np.clip(0.5 + y / iris * 0.6, 0, 1))[..., None]  # light falls in from above
    colour = mixed(colour, (0.05, 0.10, 0.13), np.clip((inside - 0.80) / 0.18, 0, 1) ** 1.5)
    picture = picture + _edge(1 - inside, soft * 2)[..., None] * (colour - picture)
    picture = mixed(picture, (0.02, 0.02, 0.025), _edge(0.43 - inside, soft))
    glint = np.hypot(x / iris - 0.33, y / iris + 0.38)
    picture = mixed(picture, (1.0, 1.0, 1.0), 0.95 * _edge(0.24 - glint, 0.03))
    small = np.hypot(x / iris + 0.34, y / iris - 0.38)
    return picture_from(mixed(picture, (1.0, 1.0, 1.0), 0.45 * _edge(0.11 - small, 0.04)))


def hair_picture() -> Array:
    """(512, 512, 3) uint8: strands run downwards, roots on top."""
    size = 512
    fine, broad = noise((size, size), (70, 0.7), 31), noise((size, size), (110, 5.0), 32)
    light = 0.26 * fine + 0.30 * broad
    down = np.linspace(0, 1, size)[:, None]
    base = np.array([0.300, 0.180, 0.112])
    tint = np.array([0.66, 0.42, 0.25])
    picture = np.broadcast_to(base, (size, size, 3)) * (1 + 0.5 * light[..., None])
    sheen = np.exp(-(((down - 0.50) / 0.17) ** 2)) * np.clip(0.40 + 0.45 * fine, 0, 1)
    return picture_from(mixed(picture, tuple(tint), 0.62 * sheen) * (0.62 + 0.46 * down)[..., None])


def shirt_picture() -> Array:
    """(512, 512, 3) uint8: a knit seen from above, the neck in the middle."""
    size = 512
    row, column = (np.mgrid[0:size, 0:size] + 0.5) / size - 0.5
    radius, turn = np.hypot(row, column), np.arctan2(row, column)
    knit = np.cos(turn * 220) * np.cos(radius * 900 + np.pi * np.round(turn * 70))
    cloth = np.array([0.13, 0.36, 0.42]) * (0.95 + 0.05 * knit + 0.03 * noise((size, size), 6, 41))[..., None]
    return picture_from(cloth)


def collar_picture() -> Array:
    """(32, 512, 3) uint8: ribs around, darker where the collar ends in the cloth."""
    around, down = np.linspace(0, 2 * np.pi, 512)[None], np.linspace(0, 1, 32)[:, None]
    ribs = 0.84 + 0.18 * np.cos(around * 64) + 0 * down
    cloth = np.array([0.15, 0.41, 0.47]) * ribs[..., None]
    return picture_from(mixed(cloth, (0.04, 0.15, 0.18), 0.7 * np.clip((down - 0.80) / 0.2, 0, 1) + 0 * around))


def teeth_picture() -> Array:
    """(64, 512, 3) uint8: gum on top, enamel below, a shadow between any two teeth and towards the back."""
    across, down = (np.arange(512) + 0.5)[None] / 512, np.linspace(0, 1, 64)[:, None]
    enamel = np.broadcast_to([0.900, 0.875, 0.820], (64, 512, 3)) * (0.90 + 0.10 * down)[..., None]
    gap = np.abs(np.cos(np.pi * TEETH * across)) ** 24 * np.clip((down - 0.30) / 0.2, 0, 1)
    teeth = mixed(enamel, (0.45, 0.30, 0.26), 0.75 * gap)
    picture = mixed(teeth, (0.74, 0.38, 0.38), np.clip((0.40 - down + 0.05 * (gap - 0.5)) / 0.05, 0, 1) + 0 * across)
    back = np.clip((np.abs(2 * across - 1) - 0.30) / 0.55, 0, 1) + 0 * down
    return picture_from(mixed(picture, (0.22, 0.08, 0.07), 0.80 * back))


def tongue_picture() -> Array:
    """(128, 128, 3) uint8: darker at the root."""
    down = np.linspace(0, 1, 128)[:, None] * np.ones((1, 128))
    flesh = np.broadcast_to([0.84, 0.45, 0.45], (128, 128, 3)) * (0.55 + 0.45 * down)[..., None]
    middle = np.exp(-(((np.linspace(-1, 1, 128)[None, :]) / 0.06) ** 2)) * np.ones((128, 1))
    flesh = mixed(flesh, (0.60, 0.26, 0.28), 0.5 * middle)
    return picture_from(flesh * (1 + 0.04 * noise((128, 128), 1.0, 51))[..., None])


def _edge(depth: Array, soft: float) -> Array:
    """0 outside, 1 inside of a line, soft across it."""
    x = np.clip(0.5 + depth / (2 * soft), 0, 1)
    return x * x * (3 - 2 * x)
