"""The robot's mouth: a rubber ring on the face's glass, dark inside, with a row of teeth and a tongue painted in.

Each place on the ring is known by `across`, -1 at its right corner to 1 at its left one, and `side`, 1 on the upper
lip, -1 on the lower, 0 at the corners; `bow` is 1 in the middle and 0 at the corners.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from animator.data import Array

from .shapes import Shape, head_depth_cm, tube

COLUMNS = 36
HALF_WIDTH_CM, HEIGHT_CM, LIP_CM = 3.1, -4.0, 0.34
RINGS = 4

Move = Callable[[Array, Array, Array], tuple]
"""(across, side, bow) -> x, y, z in centimetres, + outward for the z."""


def _ring() -> tuple[Array, Array, Array]:
    turn = np.linspace(0, 2 * np.pi, COLUMNS, endpoint=False)
    across = np.cos(turn)
    side = np.where(np.abs(np.sin(turn)) < 1e-9, 0.0, np.sign(np.sin(turn)))
    return across, side, np.sqrt(np.clip(1 - across**2, 0, 1))


ACROSS, SIDE, BOW = _ring()


def path_cm(move: Move | None = None) -> Array:
    """(COLUMNS, 3) the ring's middle line."""
    x, y = HALF_WIDTH_CM * ACROSS, HEIGHT_CM + 0.30 * SIDE * BOW + 0.42 * ACROSS**2
    out = np.zeros(COLUMNS)
    if move is not None:
        dx, dy, dz = (np.broadcast_to(part, (COLUMNS,)) for part in move(ACROSS, SIDE, BOW))
        x, y, out = x + dx, y + dy, dz
    return np.stack([x, y, head_depth_cm(x, y) + 0.36 + out], 1)


def lips(move: Move | None = None) -> Shape:
    """The rubber ring."""
    return tube(path_cm(move), LIP_CM * (0.75 + 0.25 * BOW), closed=True)


def inside(move: Move | None = None) -> Shape:
    """What the ring encloses, upper lip (v 0) to lower lip (v 1), a little behind it."""
    path = path_cm(move)
    path[:, 2] -= head_depth_cm(path[:, 0], path[:, 1]) + 0.10  # off the glass, which bulges between the lips
    half = COLUMNS // 2
    upper, lower = path[1:half], path[:half:-1]  # the same places across, left to right of the subject
    share = np.linspace(0, 1, RINGS)[:, None, None]
    points = upper + share * (lower - upper)
    count = half - 1
    grid = np.arange(RINGS * count).reshape(RINGS, count)
    corners = np.stack([path[0], path[half]])
    positions = np.concatenate([points.reshape(-1, 3), corners])
    positions[:, 2] += head_depth_cm(positions[:, 0], positions[:, 1])
    across = np.broadcast_to(np.linspace(0, 1, count), (RINGS, count))
    down = np.broadcast_to(np.linspace(0, 1, RINGS)[:, None], (RINGS, count))
    uv = np.concatenate([np.stack([across, down], -1).reshape(-1, 2), [[0, 0.5], [1, 0.5]]])
    triangles = []
    for r in range(RINGS - 1):
        for c in range(count - 1):
            a, b, d, e = grid[r, c], grid[r, c + 1], grid[r + 1, c], grid[r + 1, c + 1]
            triangles += [(a, b, e), (a, e, d)]
        first, last = RINGS * count, RINGS * count + 1
        triangles += [(first, grid[r, 0], grid[r + 1, 0]), (last, grid[r + 1, -1], grid[r, -1])]
    return positions, uv, np.array(triangles)[:, ::-1]


def left(across: Array) -> Array:
    """1 on the subject's left half, 0 on the right."""
    x = np.clip(0.5 + 1.2 * across, 0, 1)
    return x * x * (3 - 2 * x)


def corner(across: Array) -> Array:
    """1 at the left corner, 0 in the middle and on the right."""
    return np.clip(across, 0, 1) ** 2


MOVES: dict[str, Move] = {
    "jawOpen": lambda a, s, b: (-0.35 * a**3, np.where(s < 0, -2.5 * b, -0.5 * (s == 0) - 0.25 * (1 - b)), 0),
    "mouthClose": lambda a, s, b: (0.2 * a**3, np.where(s < 0, 2.4 * b, 0.2 * (1 - b)), 0.05 * b),
    "jawForward": lambda a, s, b: (0, np.where(s < 0, 0.16 * b, 0), 0.55 + 0.35 * (s < 0)),
    "jawLeft": lambda a, s, b: (np.where(s < 0, 1.1, 0.45), -0.1 * b, 0),
    "mouthLeft": lambda a, s, b: (1.5 - 0.3 * a, 0.25 * a, 0),
    "mouthFunnel": lambda a, s, b: (-1.5 * a, 0.95 * s * b - 0.15, 0.55 + 0.25 * b),
    "mouthPucker": lambda a, s, b: (-1.95 * a, 0.20 * s * b - 0.36 * a**2, 0.75),
    "mouthRollLower": lambda a, s, b: (0, np.where(s < 0, 0.30 * b, 0), np.where(s < 0, -0.42 * b, 0)),
    "mouthRollUpper": lambda a, s, b: (0, np.where(s > 0, -0.30 * b, 0), np.where(s > 0, -0.42 * b, 0)),
    "mouthShrugLower": lambda a, s, b: (0, 0.50 * b * np.where(s < 0, 1, 0.75), 0.35 * b * (s < 0)),
    "mouthShrugUpper": lambda a, s, b: (0, 0.62 * b * np.where(s > 0, 1, 0.35), 0.45 * b * (s > 0)),
    "mouthSmileLeft": lambda a, s, b: (0.85 * corner(a), 1.75 * corner(a) - 0.18 * b * left(a), 0),
    "mouthFrownLeft": lambda a, s, b: (0.1 * corner(a), -1.55 * corner(a) + 0.30 * b * left(a), 0),
    "mouthDimpleLeft": lambda a, s, b: (0.55 * corner(a), 0.30 * corner(a), -0.35 * corner(a)),
    "mouthStretchLeft": lambda a, s, b: (1.15 * corner(a), -0.50 * corner(a), 0),
    "mouthPressLeft": lambda a, s, b: (0, -0.20 * s * b * left(a) + 0.1 * corner(a), -0.16 * left(a)),
    "mouthLowerDownLeft": lambda a, s, b: (0, np.where(s < 0, -1.1 * b * left(a + 0.15), 0), 0),
    "mouthUpperUpLeft": lambda a, s, b: (0, np.where(s > 0, 1.0 * b * left(a + 0.15), 0), 0),
    "noseSneerLeft": lambda a, s, b: (0, np.where(s > 0, 0.55 * np.exp(-(((a - 0.45) / 0.3) ** 2)), 0), 0.12 * (s > 0)),
    "cheekPuff": lambda a, s, b: (-0.5 * a, 0, -0.05),
    "tongueOut": lambda a, s, b: (-0.3 * a, np.where(s < 0, -0.75 * b, 0.35 * b), 0),
}
"""The mouth's share of each channel at 1; left ones are mirrored."""
