"""A piece of the head: what becomes one mesh of the avatar's file."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from animator.data import Array

JOINTS = ("chest", "neck", "head", "leftEye", "rightEye")
CHEST, NECK, HEAD, LEFT_EYE_JOINT, RIGHT_EYE_JOINT = range(5)


@dataclass
class Piece:
    """Positions in centimetres; `moves` holds the channels that move it."""

    name: str
    material: str
    positions: Array
    """(n, 3) cm."""
    uv: Array
    """(n, 2), v downward."""
    triangles: Array
    """(t, 3) int, counter-clockwise seen from outside."""
    weights: Array
    """(n, 5) share of each joint of `JOINTS`."""
    moves: dict[str, Array] = field(default_factory=dict)
    """Channel -> (n, 3) cm at weight 1."""
    rows: Array | None = None
    """(n,) which vertices of the refined head these are, for a piece that was cut from it."""

    def part(self, name: str, chosen: Array) -> Piece:
        """Some of its triangles, (t,) bool, as a piece of its own; `rows` are then this piece's vertices."""
        rows, triangles = np.unique(self.triangles[chosen], return_inverse=True)
        moves = {channel: move[rows] for channel, move in self.moves.items()}
        return Piece(
            name, self.material, self.positions[rows], self.uv[rows], triangles.reshape(-1, 3), self.weights[rows],
            moves, rows,
        )  # fmt: skip


def rigid(count: int, joint: int) -> Array:
    """(count, 5) weights of a piece that hangs on one joint."""
    weights = np.zeros((count, len(JOINTS)))
    weights[:, joint] = 1
    return weights


def sheet(grid: Array, *, closed: bool) -> Array:
    """Triangles of a (rows, columns) grid of vertex numbers; `closed` joins the last column to the first.

    Counter-clockwise seen from the side where columns run to the right and rows run down."""
    triangles = []
    rows, columns = grid.shape
    for r in range(rows - 1):
        for c in range(columns if closed else columns - 1):
            n = (c + 1) % columns
            a, b, d, e = grid[r, c], grid[r, n], grid[r + 1, c], grid[r + 1, n]
            triangles += [(a, d, e), (a, e, b)]
    return np.array(triangles)


def outward(positions: Array, triangles: Array) -> Array:
    """The triangles of a closed or nearly closed shape, turned over if they look inward."""
    a, b, c = (positions[triangles[:, k]] - positions.mean(0) for k in range(3))
    return triangles if np.einsum("ti,ti->", a, np.cross(b, c)) > 0 else triangles[:, ::-1]


def normals(positions: Array, triangles: Array) -> Array:
    """(n, 3) area-weighted unit normals."""
    a, b, c = (positions[triangles[:, k]] for k in range(3))
    faces = np.cross(b - a, c - a)
    total = np.zeros_like(positions)
    for k in range(3):
        np.add.at(total, triangles[:, k], faces)
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
