"""Teeth and tongue. The lower teeth and the tongue ride on the jaw."""

from __future__ import annotations

import numpy as np

from animator.data import Array

from .muscles import JAW_OPEN_RAD, TONGUE_JAW_SHARE, jaw_drop
from .paint_small import TEETH
from .piece import HEAD, Piece, outward, rigid, sheet

BITE_CM = -4.22
"""Height at which the teeth meet."""


def arch(share: Array, back: float = 0.0) -> Array:
    """(n, 2) x and z of the row of teeth, share from -1 (right back tooth) to 1 (left back tooth)."""
    angle = share * 1.25
    return np.stack([(2.45 - back) * np.sin(angle) * 1.02, 1.05 + (3.15 - back) * np.cos(angle)], 1)


def teeth(upper: bool) -> Piece:
    """One row: gum, then teeth with grooves between them, then the biting edge and the inner side."""
    sign = 1 if upper else -1
    columns = 57
    share = np.linspace(-1, 1, columns)
    count = TEETH
    phase = (share * 0.5 + 0.5) * count
    groove = np.abs(np.cos(np.pi * phase)) ** 10  # 1 between two teeth
    middle = np.exp(-((share / 0.35) ** 2))
    length = (0.92 if upper else 0.80) + (0.12 * middle if upper else 0.03 * middle)
    overbite = 0.0 if upper else 0.20
    profile = (
        # how far below the gum's top (0) or towards the edge (1), outward bulge, groove's depth
        (-0.55, -0.16, 0.0), (-0.25, -0.03, 0.15), (0.0, 0.02, 0.3), (0.10, 0.00, 0.9), (0.45, 0.05, 1.0),
        (0.80, 0.03, 1.0), (0.96, -0.05, 1.2), (1.0, -0.14, 1.0), (0.96, -0.26, 0.5), (0.3, -0.45, 0.0),
        (-0.3, -0.60, 0.0),
    )  # fmt: skip
    points, uv = [], []
    for down, bulge, depth in profile:
        inset = overbite - bulge + 0.055 * depth * groove
        flat = np.stack([arch(np.array([s]), i)[0] for s, i in zip(share, inset, strict=True)])
        rise = length * (1 - down)
        edge = 0.05 * groove * (down > 0.9)
        y = BITE_CM + sign * (rise + edge - (0.10 if upper else 0.02))
        points.append(np.stack([flat[:, 0], y, flat[:, 1]], 1))
        uv.append(np.stack([share * 0.5 + 0.5, np.full(columns, np.clip((down + 0.55) / 1.55, 0, 1))], 1))
    grid = np.arange(len(profile) * columns).reshape(len(profile), columns)
    triangles = sheet(grid, closed=False)
    if not upper:
        triangles = triangles[:, ::-1]
    positions = np.concatenate(points)
    moves = {} if upper else jaw_moves(positions)
    name = "upperTeeth" if upper else "lowerTeeth"
    return Piece(name, "teeth", positions, np.concatenate(uv), triangles, rigid(len(positions), HEAD), moves)


def jaw_moves(points: Array) -> dict[str, Array]:
    """What the jaw's bone does to points that ride on it."""
    shift = np.ones((len(points), 1))
    return {
        "jawOpen": jaw_drop(points, JAW_OPEN_RAD),
        "tongueOut": TONGUE_JAW_SHARE * jaw_drop(points, JAW_OPEN_RAD),
        "jawForward": shift * [0.0, -0.14, 0.36],
        "jawLeft": shift * [0.60, -0.03, -0.05],
        "jawRight": shift * [-0.60, -0.03, -0.05],
    }


def tongue(rows: int = 15, columns: int = 14) -> Piece:
    """A flat drop with a groove, its tip behind the lower front teeth."""
    along = 1 - np.linspace(1, 0, rows) ** 1.8  # closest where the tip is round
    turn = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    width = 1.55 * np.clip(1 - np.abs((along - 0.30) / 0.71) ** 5.0, 0.0, 1) ** 0.5
    thick = 0.52 * (1 - 0.45 * along) * np.clip((1.02 - along) / 0.10, 0.2, 1) ** 0.5
    points = np.zeros((rows, columns, 3))
    points[..., 0] = width[:, None] * np.cos(turn)
    groove = -0.10 * np.exp(-((np.cos(turn) / 0.3) ** 2)) * (np.sin(turn) > 0)
    middle = -5.05 + 0.25 * np.sin(np.pi * along)
    points[..., 1] = middle[:, None] + thick[:, None] * np.sin(turn) + groove * np.sin(np.pi * along)[:, None]
    points[..., 2] = (-1.2 + 5.2 * along)[:, None]
    grid = np.arange(rows * columns).reshape(rows, columns)
    positions = points.reshape(-1, 3)
    positions = np.concatenate([positions, positions[grid[-1]].mean(0, keepdims=True) + [[0, 0, 0.08]]])
    tip = np.stack([grid[-1], np.full(columns, len(positions) - 1), np.roll(grid[-1], -1)], 1)
    triangles = outward(positions, np.concatenate([sheet(grid, closed=True), tip]))
    uv = np.stack([0.5 + positions[:, 0] / 4, np.clip((positions[:, 2] + 1.2) / 5.4, 0, 1)], 1)
    share = np.clip((positions[:, 2] + 1.2) / 5.2, 0, 1)
    out = np.zeros_like(positions)
    out[:, 2] = 2.9 * share**1.2
    # Over the lower teeth and lip, then down.
    out[:, 1] = 1.25 * np.exp(-(((share - 0.74) / 0.24) ** 2)) + 0.35 * np.clip(share - 0.3, 0, 1) - 0.55 * share**10
    out[:, 0] = -0.06 * positions[:, 0] * share
    moves = jaw_moves(positions)
    moves["tongueOut"] = moves["tongueOut"] + out
    return Piece("tongue", "tongue", positions, uv, triangles, rigid(len(positions), HEAD), moves)
