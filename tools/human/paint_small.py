"""The pictures of eyes, hair, cloth and the mouth's inside."""

from __future__ import annotations

import numpy as np

from animator.data import Array

from .eyes import EYE_RADIUS_CM, IRIS_RADIUS_CM, uv_radius
from .raster import mixed, noise, picture_from

EYE_PX = 512


def eye_picture() -> Array:
    """(512, 512, 3) uint8: the eyeball seen from the front, its pole in the middle."""
    size = EYE_PX
    across = (np.arange(size) + 0.5) / size - 0.5
    x, y = np.meshgrid(across, across)
    radius, turn = np.hypot(x, y), np.arctan2(y, x)
    iris = float(uv_radius(np.arcsin(IRIS_RADIUS_CM / EYE_RADIUS_CM)))
    inside = radius / iris
    soft = 0.025
    picture = np.broadcast_to([0.955, 0.945, 0.935], (size, size, 3)).copy()
    picture = mixed(picture, (0.86, 0.70, 0.66), 0.55 * np.clip((inside - 1.35) / 1.2, 0, 1))
    fibres = noise((720, 64), (0.9, 9), 21)
    ring = fibres[(turn / (2 * np.pi) * 720).astype(int) % 720, np.clip(inside * 63, 0, 63).astype(int)]
    outer, inner = np.array([0.16, 0.34, 0.40]), np.array([0.50, 0.56, 0.38])
    blend = np.clip((inside - 0.42) / 0.42, 0, 1)[..., None]
    colour = (inner * (1 - blend) + outer * blend) * (1 + 0.20 * ring[..., None])
    colour = colour * (0.80 + 0.45 * np.clip(0.5 + y / iris * 0.6, 0, 1))[..., None]  # light falls in from above
    colour = mixed(colour, (0.05, 0.10, 0.13), np.clip((inside - 0.80) / 0.18, 0, 1) ** 1.5)
    picture = picture + _edge(1 - inside, soft * 2)[..., None] * (colour - picture)
    picture = mixed(picture, (0.02, 0.02, 0.025), _edge(0.46 - inside, soft))
    glint = np.hypot(x / iris - 0.30, y / iris + 0.34)
    picture = mixed(picture, (1.0, 1.0, 1.0), 0.95 * _edge(0.20 - glint, 0.03))
    small = np.hypot(x / iris + 0.34, y / iris - 0.38)
    return picture_from(mixed(picture, (1.0, 1.0, 1.0), 0.45 * _edge(0.11 - small, 0.04)))


def hair_picture() -> Array:
    """(512, 512, 3) uint8: strands run downwards, roots on top."""
    size = 512
    fine, broad = noise((size, size), (70, 0.7), 31), noise((size, size), (110, 5.0), 32)
    light = 0.26 * fine + 0.30 * broad
    down = np.linspace(0, 1, size)[:, None]
    base = np.array([0.285, 0.175, 0.115])
    tint = np.array([0.58, 0.37, 0.23])
    picture = np.broadcast_to(base, (size, size, 3)) * (1 + 0.5 * light[..., None])
    sheen = np.exp(-(((down - 0.45) / 0.16) ** 2)) * np.clip(0.30 + 0.45 * fine, 0, 1)
    return picture_from(mixed(picture, tuple(tint), 0.5 * sheen) * (0.85 + 0.2 * down)[..., None])


def shirt_picture() -> Array:
    """(256, 256, 3) uint8: a plain knit."""
    size = 256
    row, column = np.mgrid[0:size, 0:size]
    knit = 0.5 + 0.5 * np.cos(row * np.pi / 2) * np.cos(column * np.pi / 2)
    cloth = np.array([0.17, 0.37, 0.45]) * (0.94 + 0.05 * knit + 0.03 * noise((size, size), 6, 41))[..., None]
    return picture_from(cloth)


def teeth_picture() -> Array:
    """(64, 64, 3) uint8: gum on top, enamel below."""
    down = np.linspace(0, 1, 64)[:, None] * np.ones((1, 64))
    enamel = np.broadcast_to([0.915, 0.895, 0.850], (64, 64, 3)) * (0.93 + 0.07 * down)[..., None]
    return picture_from(mixed(enamel, (0.78, 0.42, 0.42), np.clip((0.40 - down) / 0.05, 0, 1)))


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
