"""Where the eyes are, and the eyeballs."""

from __future__ import annotations

import numpy as np

from animator.data import Array

EYE_RADIUS_CM = 1.50
LID_GAP_CM = 0.10
"""How far the lids' edges hover above the eyeball. A lid that closes by 35 degrees of arc on a straight
chord dips by 4.6 % of the radius half-way; the gap must be more."""
IRIS_RADIUS_CM = 0.82


def eye_centre_cm(side: int) -> Array:
    """The middle of the left (1) or right (-1) eyeball."""
    return np.array([side * 3.18, 2.66, 2.38])


def uv_radius(polar_rad: Array) -> Array:
    """How far from its picture's middle a point at this angle from the pupil lies; the iris gets most room."""
    return 0.5 * (np.asarray(polar_rad) / (0.8 * np.pi)) ** 0.7


def eyeball(side: int, columns: int = 24) -> tuple[Array, Array, Array]:
    """A sphere whose pole looks forward, its picture seen from the front; open far inside the head.

    returns : positions (N, 3) cm, uv (N, 2), triangles (T, 3)"""
    polar = np.concatenate([np.linspace(0, 0.62, 5)[1:], np.linspace(0.62, np.pi * 0.72, 8)[1:]])
    turn = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    ring = np.stack([np.cos(turn), np.sin(turn)], 1)
    flat = np.sin(polar)[:, None, None] * ring
    depth = np.cos(polar)[:, None] + 0.0 * turn
    unit = np.concatenate([[[0, 0, 1.0]], np.concatenate([flat, depth[..., None]], 2).reshape(-1, 3)])
    spread = uv_radius(polar)[:, None, None] * ring
    uv = 0.5 + np.concatenate([[[0.0, 0.0]], spread.reshape(-1, 2)]) * [1, -1]
    triangles = [(0, 1 + k, 1 + (k + 1) % columns) for k in range(columns)]
    for row in range(len(polar) - 1):
        for k in range(columns):
            a, b = 1 + row * columns + k, 1 + row * columns + (k + 1) % columns
            triangles += [(a, a + columns, b + columns), (a, b + columns, b)]
    return eye_centre_cm(side) + EYE_RADIUS_CM * unit, uv, np.array(triangles)
