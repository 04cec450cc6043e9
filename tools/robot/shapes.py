"""The few shapes that a robot is made of. Centimetres; texture coordinates with v downward."""

from __future__ import annotations

import numpy as np

from animator.data import Array
from tools.human.piece import outward, sheet

HEAD_CENTRE_CM, HEAD_RADII_CM, HEAD_POWER = np.array([0.0, 1.2, -3.0]), np.array([9.6, 9.0, 8.6]), 2.9

Shape = tuple[Array, Array, Array]
"""Positions (n, 3), texture coordinates (n, 2), triangles (t, 3)."""


def rounded_box(centre: Array, radii: Array, power: float, rows: int = 22, columns: int = 36) -> Shape:
    """A ball on the way to a box: power 2 is a ball, 4 nearly a box."""
    polar = np.linspace(0, np.pi, rows)[:, None]
    turn = np.linspace(-np.pi, np.pi, columns + 1)[None]
    unit = np.stack(np.broadcast_arrays(
        np.sin(polar) * np.sin(turn), np.cos(polar), np.sin(polar) * np.cos(turn)), -1)  # fmt: skip
    length = (np.abs(unit) ** power).sum(-1, keepdims=True) ** (1 / power)
    positions = (centre + radii * unit / length).reshape(-1, 3)
    uv = np.stack(np.broadcast_arrays(0.5 + turn / (2 * np.pi), polar / np.pi), -1).reshape(-1, 2)
    grid = np.arange(rows * (columns + 1)).reshape(rows, columns + 1)
    return positions, uv, outward(positions, _without_slivers(positions, sheet(grid, closed=False)))


def head_depth_cm(x: Array, y: Array) -> Array:
    """z of the head's front at places on it."""
    flat = np.abs(x / HEAD_RADII_CM[0]) ** HEAD_POWER + np.abs((y - HEAD_CENTRE_CM[1]) / HEAD_RADII_CM[1]) ** HEAD_POWER
    return HEAD_CENTRE_CM[2] + HEAD_RADII_CM[2] * np.clip(1 - flat, 0.02, None) ** (1 / HEAD_POWER)


def tube(path: Array, radius: Array, sides: int = 8, *, closed: bool = False) -> Shape:
    """A tube along a path (n, 3) in front of the head; radius (n,). Its cross-section stands on the path."""
    count = len(path)
    along = (np.roll(path, -1, 0) - np.roll(path, 1, 0)) if closed else np.gradient(path, axis=0)
    along = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    out = np.array([0.0, 0.0, 1.0]) - along * along[:, 2:]
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9)
    side = np.cross(along, out)
    turn = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    ring = np.cos(turn)[:, None] * out[:, None] + np.sin(turn)[:, None] * side[:, None]
    positions = (path[:, None] + radius[:, None, None] * ring).reshape(-1, 3)
    grid = np.arange(count * sides).reshape(count, sides)
    triangles = sheet(np.concatenate([grid, grid[:1]]) if closed else grid, closed=True)
    a, b, c = (positions[triangles[:, k]] for k in range(3))
    middle = np.repeat(path, sides, 0)[triangles[:, 0]]
    if np.einsum("ti,ti->", np.cross(b - a, c - a), a - middle) < 0:
        triangles = triangles[:, ::-1]
    uv = np.stack(np.broadcast_arrays(np.linspace(0, 1, count)[:, None], turn[None] / (2 * np.pi)), -1)
    return positions, uv.reshape(-1, 2), triangles


def disc(centre: Array, radii: tuple[float, float], thickness: float, rings: int = 4, columns: int = 24) -> Shape:
    """A lens that looks forward."""
    radius = np.linspace(0, 1, rings + 1)[1:]
    turn = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    flat = radius[:, None, None] * np.stack([np.cos(turn), np.sin(turn)], 1)
    height = thickness * np.sqrt(np.clip(1 - 0.98 * radius**2, 0, 1))
    heights = np.broadcast_to(height[:, None, None], (*flat.shape[:2], 1))
    rim = np.concatenate([flat * radii, heights], -1).reshape(-1, 3)
    positions = centre + np.concatenate([[[0, 0, thickness]], rim])
    uv = 0.5 + 0.5 * np.concatenate([[[0.0, 0.0]], flat.reshape(-1, 2)]) * [1, -1]
    first = 1 + np.arange(columns)
    cap = np.stack([np.zeros(columns, int), first, np.roll(first, -1)], 1)
    grid = 1 + np.arange(rings * columns).reshape(rings, columns)
    return positions, uv, np.concatenate([cap, sheet(grid, closed=True)])


def joined(*shapes: Shape) -> Shape:
    """Several shapes as one."""
    starts = np.cumsum([0, *(len(shape[0]) for shape in shapes[:-1])])
    return (
        np.concatenate([shape[0] for shape in shapes]),
        np.concatenate([shape[1] for shape in shapes]),
        np.concatenate([shape[2] + start for shape, start in zip(shapes, starts, strict=True)]),
    )


def _without_slivers(positions: Array, triangles: Array) -> Array:
    """Without the triangles that a pole draws together to a line."""
    a, b, c = (positions[triangles[:, k]] for k in range(3))
    return triangles[np.linalg.norm(np.cross(b - a, c - a), axis=1) > 1e-9]
