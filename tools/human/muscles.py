"""Expressions at cage level: a few handles are moved by hand, the skin between them follows smoothly.

The mouth is a slit in the mesh, so what the lower lip does reaches the upper one only around the corners.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import factorized
from scipy.spatial import cKDTree

from animator.data import Array
from animator.topology import LEFT_EYE, LIPS_INNER, RIGHT_EYE

from .cage import LOWER_LIP, MOUTH_CORNERS, SACK_DEPTHS_CM, UPPER_LIP, Cage
from .subdivide import graph_laplacian

JAW_HINGE_CM = np.array([0.0, -0.3, -2.4])
JAW_OPEN_RAD = 0.435
TONGUE_JAW_SHARE = 0.19
"""A tongue cannot come out between closed teeth: this much of jawOpen comes with it."""
STILL_ROW = 6
"""Rings of the skull from here on take no part in expressions."""


class Muscles:
    """Spreads handles over one cage.

    Lip vertices are known by three numbers: `across` from -1 (right corner) to 1 (left corner), `ring` from
    0 (outer edge) to 1 (where the lips meet), `side` 1 upper, -1 lower, 0 corner."""

    def __init__(self, cage: Cage) -> None:
        self.cage = cage
        count = len(cage.positions)
        tied = np.concatenate([cage.sack.ravel(), cage.rims.ravel()])
        skin = np.isin(cage.region, (0, 1))
        laplacian = graph_laplacian(cage.triangles[skin], count)
        self._stiffness = (laplacian.T @ laplacian).tocsr()
        self._still = np.unique(np.concatenate([cage.loft[STILL_ROW:].ravel(), tied, [cage.throat]]))
        mirrored = cage.positions * [-1, 1, 1]
        self.mirror = _mirror_map(cage, mirrored)
        self.lips, self.across, self.ring, self.side = _lip_coordinates(cage)
        self.jaw = self.spread(self._jaw_handles(), locality=0.0005)[:, 0].clip(0, 1)
        """(N,) how much of the jaw's motion each vertex takes on."""

    def spread(self, handles: dict[int, Array], locality: float = 0.02) -> Array:
        """Displacements of all vertices.

        handles  : vertex -> (3,) cm
        locality : the larger, the sooner the skin comes to rest away from the handles
        returns  : (N, 3) cm"""
        count = len(self.cage.positions)
        result = np.zeros((count, 3))
        pinned = np.array(sorted(handles), int)
        result[pinned] = [handles[v] for v in pinned]
        free = np.setdiff1d(np.arange(count), np.concatenate([pinned, self._still]))
        system = (self._stiffness + locality * sparse.identity(count)).tocsr()
        solve = factorized(system[free][:, free].tocsc())
        pull = -(system[free][:, pinned] @ result[pinned])
        result[free] = np.stack([solve(pull[:, axis]) for axis in range(3)], 1)
        return self.tied(result)

    def tied(self, moves: Array) -> Array:
        """Let the mouth's inside and the lids' rims follow what they hang on."""
        cage = self.cage
        lips = moves[list(LIPS_INNER)]
        for ring, depth in zip(cage.sack, SACK_DEPTHS_CM, strict=True):
            moves[ring] = lips * np.exp(-((max(depth - 0.28, 0) / 1.6) ** 2))
        for rim, loop in zip(cage.rims, (LEFT_EYE, RIGHT_EYE), strict=True):
            moves[rim] = moves[list(loop)]
        return moves

    def lip_handles(self, move: Callable[[Array, Array, Array], Array]) -> dict[int, Array]:
        """Handles on all lip vertices from a function (across, ring, side) -> (n, 3) cm."""
        moves = move(self.across, self.ring, self.side)
        return dict(zip(self.lips.tolist(), moves, strict=True))

    def mirrored(self, moves: Array) -> Array:
        """The same expression on the other side."""
        return moves[self.mirror] * [-1, 1, 1]

    def jaw_turned(self, angle_rad: float) -> Array:
        """(N, 3) cm: the jaw dropped about its hinge, the mouth's floor with it."""
        moves = jaw_drop(self.cage.positions, angle_rad) * self.jaw[:, None]
        deep = jaw_drop(self.cage.positions, angle_rad)
        moves = self.tied(moves)
        lower = np.isin(LIPS_INNER, LOWER_LIP[-1]).astype(float)
        for ring, depth in zip(self.cage.sack, SACK_DEPTHS_CM, strict=True):
            share = 1 - np.exp(-((max(depth - 0.28, 0) / 1.6) ** 2))
            moves[ring] += share * lower[:, None] * deep[ring]
        return moves

    def _jaw_handles(self) -> dict[int, Array]:
        """Where the jaw's share is known: lips, chin, jaw line; none above the mouth."""
        one = np.ones(3)
        bulge = np.sqrt(np.clip(1 - self.across**2, 0, 1))
        share = np.where(self.side < 0, 0.40 + 0.60 * bulge**0.8, np.where(self.side > 0, 0.40 * (1 - bulge), 0.40))
        handles = {v: s * one for v, s in zip(self.lips.tolist(), share, strict=True)}
        for vertex in (18, 200, 199, 175, 152, 148, 377, 176, 400, 149, 378, 150, 379, 83, 313, 201, 421, 194, 418):
            handles[vertex] = 1.0 * one
        for vertex, share_ in ((136, 0.9), (365, 0.9), (172, 0.75), (397, 0.75), (58, 0.5), (288, 0.5),
                               (132, 0.22), (361, 0.22), (93, 0.05), (323, 0.05), (234, 0.0), (454, 0.0),
                               (127, 0.0), (356, 0.0), (10, 0.0), (151, 0.0), (1, 0.0), (2, 0.0), (164, 0.0),
                               (98, 0.0), (327, 0.0), (50, 0.02), (280, 0.02), (117, 0.0), (346, 0.0),
                               (205, 0.08), (425, 0.08), (187, 0.25), (411, 0.25), (33, 0.0), (263, 0.0),
                               (133, 0.0), (362, 0.0), (145, 0.0), (374, 0.0), (105, 0.0), (334, 0.0)):  # fmt: skip
            handles[vertex] = share_ * one
        rows = self.cage.loft
        for row, share_ in ((1, 0.95), (2, 0.75), (3, 0.5), (4, 0.25), (5, 0.08)):
            for column in range(15, 22):
                handles[int(rows[row, column])] = share_ * one
        return handles


def jaw_drop(points: Array, angle_rad: float) -> Array:
    """Displacements of points that turn with the jaw, (N, 3) cm; + drops it."""
    arm = points - JAW_HINGE_CM
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    turned = np.stack([arm[:, 0], c * arm[:, 1] - s * arm[:, 2], s * arm[:, 1] + c * arm[:, 2]], 1)
    return turned - arm


def _mirror_map(cage: Cage, mirrored: Array) -> Array:
    """(N,) the vertex on the other side; among those at one place the one of the same ring and lip."""
    nearest = cKDTree(cage.positions).query(mirrored)[1]
    for upper, lower in zip(UPPER_LIP, LOWER_LIP, strict=True):
        nearest[list(upper)], nearest[list(lower)] = upper[::-1], lower[::-1]
    flipped = [LIPS_INNER.index(v) for v in nearest[list(LIPS_INNER)]]
    for ring in cage.sack:
        nearest[ring] = ring[flipped]
    return nearest


def _lip_coordinates(cage: Cage) -> tuple[Array, Array, Array, Array]:
    """Lip vertices and their (across, ring, side)."""
    vertices, ring, side = [], [], []
    for rings, sign in ((UPPER_LIP, 1), (LOWER_LIP, -1)):
        for number, row in enumerate(rings):
            vertices += row
            ring += [number / 3] * len(row)
            side += [sign] * len(row)
    vertices += MOUTH_CORNERS
    ring += [0, 1 / 3, 2 / 3, 1] * 2
    side += [0] * 8
    lips = np.array(vertices)
    x = cage.positions[lips, 0]
    width = np.interp(ring, [0, 1 / 3, 2 / 3, 1], np.abs(cage.positions[list(MOUTH_CORNERS[:4]), 0]))
    return lips, np.clip(x / width, -1, 1), np.array(ring), np.array(side)
