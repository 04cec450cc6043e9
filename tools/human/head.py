"""The refined head: the cage subdivided twice, its expressions with it, cut into pieces by material."""

from __future__ import annotations

import numpy as np

from animator.channels import ARKIT
from animator.data import Array

from .cage import Cage, build_cage
from .expressions import all_channels
from .lids import LID_CHANNELS, LOOPS, Lids, lifted_off_eyeball
from .muscles import Muscles
from .piece import CHEST, HEAD, JOINTS, NECK, Piece, normals
from .subdivide import graph_laplacian, subdivide

LEVELS = 2
FIT_ROUNDS = 3
"""Subdivision shrinks; this often the cage is pushed out so that the skin runs through the canonical face."""
NECK_BELOW = 0.35
"""Skin that turns with the head by less than this share belongs to the neck."""
SHIRT_ROUNDS = 3
"""Cloth is smoother than what is under it: rounds of smoothing."""


class Head:
    """Everything at full resolution, before it is cut into pieces."""

    def __init__(self) -> None:
        self.cage: Cage = build_cage()
        count = len(self.cage.positions)
        smooth, straight, self.triangles = subdivide(self.cage.triangles, count, LEVELS)
        fitted = self.cage.positions.copy()
        for _ in range(FIT_ROUNDS):
            fitted[:468] += 0.8 * (self.cage.positions[:468] - (smooth @ fitted)[:468])
        self.smooth, self.straight = smooth, straight
        self.region = np.repeat(self.cage.region, 4**LEVELS)
        self.row = straight @ self._rows()
        self.is_rim = straight @ np.isin(np.arange(count), self.cage.rims).astype(float) > 1e-9
        self.positions = lifted_off_eyeball(smooth @ fitted, self.is_rim)
        self.lids = {side: self._lids(side) for side in (1, -1)}
        self.moves = self._moves()

    def _rows(self) -> Array:
        """(N,) which ring of the skull a cage vertex is on; 0 on the face."""
        row = np.zeros(len(self.cage.positions))
        for number, ring in enumerate(self.cage.loft):
            row[ring] = number
        return row

    def _lids(self, side: int) -> Lids:
        on_loop = np.zeros(len(self.cage.positions))
        on_loop[list(LOOPS[side])] = 1
        edge = np.flatnonzero(self.straight @ on_loop > 1 - 1e-9)
        return Lids(side, self.positions, edge, self.is_rim)

    def _moves(self) -> dict[str, Array]:
        """Channel -> (V, 3) cm."""
        coarse = all_channels(Muscles(self.cage))
        moves = {}
        for name in ARKIT:
            move = self.smooth @ coarse[name]
            for side, suffix in ((1, "Left"), (-1, "Right")):
                stem = name.removesuffix(suffix)
                if stem != name and stem in LID_CHANNELS:
                    move = move + self.lids[side].moves(stem, self.positions)
            if np.abs(move).max() > 0:
                move = lifted_off_eyeball(self.positions + move, self.is_rim) - self.positions
            moves[name] = move
        return moves

    def joint_weights(self) -> Array:
        """(V, 5): the head turns as one down to the jaw, the neck bends, the chest stays."""
        x, y, z = self.positions.T
        height = y + 0.35 * (z + 5)
        head = _smooth((height + 12.0) / 4.0)
        chest = 1 - _smooth((height + 18.0) / 4.5)
        weights = np.zeros((len(x), len(JOINTS)))
        weights[:, HEAD], weights[:, CHEST] = head, chest
        weights[:, NECK] = 1 - head - chest
        weights[self.row == 0] = np.eye(len(JOINTS))[HEAD]
        return weights

    def pieces(self, covered: Array) -> list[Piece]:
        """Face, skull, neck, shirt and the inside of the mouth.

        covered : (V,) bool, skin that is left out, as it lies well under the hair"""
        face_uv, body_uv = self.straight @ self.cage.face_uv, self.straight @ self.cage.body_uv
        skin = self.joint_weights()
        triangle_row = self.row[self.triangles].min(1)
        clothed = (self.region == 1) & (triangle_row >= self.cage.shirt_row - 1e-9)
        bare = (self.region == 1) & (triangle_row < self.cage.shirt_row + 1.0)
        on_neck = skin[self.triangles, HEAD].min(1) < NECK_BELOW
        bare &= ~covered[self.triangles].all(1)
        return [
            self._piece("face", "face", np.isin(self.region, (0, 3)), face_uv, skin),
            self._piece("skull", "body", bare & ~on_neck, body_uv, skin),
            self._piece("neck", "body", bare & on_neck, body_uv, skin),
            *self._shirt(clothed, body_uv, skin),
            self._piece("mouth", "mouth", self.region == 2, face_uv, skin),
        ]

    def _piece(self, name: str, material: str, chosen: Array, uv: Array, skin: Array) -> Piece:
        rows, triangles = np.unique(self.triangles[chosen], return_inverse=True)
        moves = {channel: move[rows] for channel, move in self.moves.items()}
        return Piece(name, material, self.positions[rows], uv[rows], triangles.reshape(-1, 3), skin[rows], moves, rows)

    def _shirt(self, chosen: Array, uv: Array, skin: Array) -> list[Piece]:
        """The clothed rings, lifted off the skin; the first of them is a collar, rolled outward."""
        piece = self._piece("shirt", "shirt", chosen, uv, skin)
        rows = np.unique(self.triangles[chosen])
        above = self.row[rows] - self.cage.shirt_row
        lift = 0.36 + 0.62 * np.exp(-(((above - 0.45) / 0.30) ** 2)) - 0.16 * np.exp(-(((above - 1.2) / 0.2) ** 2))
        lift = np.where(above < 1e-9, -0.10, lift)
        piece.positions = piece.positions + normals(self.positions, self.triangles)[rows] * lift[:, None]
        laplacian = graph_laplacian(piece.triangles, len(rows))
        for _ in range(SHIRT_ROUNDS):
            piece.positions = piece.positions + 0.5 * (laplacian @ piece.positions)
        piece.moves = {}
        is_collar = above[piece.triangles].max(1) <= 1 + 1e-9
        collar = piece.part("collar", is_collar)
        across, down = (collar.uv - 0.5).T
        turn = np.arctan2(across, -down)  # the seam is at the back
        collar.uv = np.stack([turn / (2 * np.pi), np.clip(above[collar.rows], 0, 1)], 1)
        collar.material = "collar"
        return [collar, piece.part("shirt", ~is_collar)]


def _smooth(x: Array) -> Array:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
