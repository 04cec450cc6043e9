"""Ears: a shell with a rolled rim, an inner fold and a hollow, laid against the head."""

from __future__ import annotations

import numpy as np

from animator.data import Array

from .piece import HEAD, Piece, outward, rigid, sheet

ROOT_CM = np.array([7.85, 0.65, -4.3])
"""Middle of the left ear."""


def ear(side: int, rings: int = 12, columns: int = 22) -> Piece:
    """One ear; `side` 1 is the left."""
    turn = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    up, back = np.cos(turn), np.sin(turn)
    # Outline: tall, wider above, drawn in at the front where it grows from the head.
    outline = np.stack([
        np.where(back > 0, 1.95, 1.25) * back * (1 + 0.20 * up), 3.05 * up + 0.10,
    ], 1)  # fmt: skip
    radius = np.concatenate([np.linspace(0, 1, rings), [1.04, 1.0, 0.8, 0.5]])
    height = np.concatenate([[_relief(r, turn) for r in np.linspace(0, 1, rings)],
                             [np.full(columns, h) for h in (0.20, -0.10, -0.45, -0.8)]])  # fmt: skip
    flat = radius[:, None, None] * outline
    points = np.stack([height, flat[..., 1], -flat[..., 0]], -1).reshape(-1, 3)
    positions = ROOT_CM + _turned(points)
    grid = np.arange(len(points)).reshape(len(radius), columns)
    positions = positions * [side, 1, 1]
    triangles = outward(positions, sheet(grid, closed=True))
    name = "leftEar" if side > 0 else "rightEar"
    return Piece(name, "ear", positions, np.zeros((len(points), 2)), triangles, rigid(len(points), HEAD))


def _relief(radius: float, turn: Array) -> Array:
    """Height of the ear's outer face over its plane, cm."""
    up, back = np.cos(turn), np.sin(turn)
    rim_there = _soft((0.75 + up + 0.9 * back) / 0.8)
    rim = 0.55 * np.exp(-(((radius - 0.92) / 0.10) ** 2)) * rim_there
    groove = -0.16 * np.exp(-(((radius - 0.76) / 0.08) ** 2)) * rim_there
    fold = 0.36 * np.exp(-(((radius - 0.58) / 0.10) ** 2)) * _soft((0.9 + 0.7 * up + back) / 1.1)
    hollow = -0.34 * np.exp(-((radius / 0.40) ** 2))
    lobe = 0.22 * np.exp(-(((radius - 0.8) / 0.25) ** 2)) * _soft((-up - 0.55) / 0.3)
    tragus = 0.50 * np.exp(-(((radius - 0.55) / 0.22) ** 2)) * np.exp(-(((back + 0.95) / 0.35) ** 2))
    return 0.15 + rim + groove + fold + hollow + lobe + tragus


def _turned(points: Array) -> Array:
    """Stand the ear off the head: its back edge leads outward, its top leans back."""
    out, lean = np.radians(24), np.radians(-10)
    x, y, z = points.T
    x, z = x * np.cos(out) - z * np.sin(out), z * np.cos(out) + x * np.sin(out)
    y, z = y * np.cos(lean) - z * np.sin(lean), z * np.cos(lean) + y * np.sin(lean)
    return np.stack([x, y, z], 1)


def _soft(x: Array) -> Array:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
