"""The hot path of an avatar: morphs, joints, normals, on whole arrays in buffers made at load time."""

from __future__ import annotations

import numpy as np

from ..channels import ARKIT
from ..data import Array, Motion
from .normals import SmoothNormals
from .rig import Mesh, Rig
from .skeleton import Skeleton

LOOKS = tuple(i for i, name in enumerate(ARKIT) if name.startswith("eyeLook"))
"""The channels that turn the eyes."""


class Deformer:
    """Turns motion into the surface of one rig. Not to be shared between threads: it owns its buffers."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self._skeleton = Skeleton(rig)
        self._skin = _Skin(rig, self._skeleton)
        self._morphs = _Morphs(rig, self._skin.rows_of(self._skeleton, "leftEye", "rightEye"))
        self._normals = SmoothNormals(rig)

    def deform(self, motion: Motion, *, head_turns: bool = True) -> Mesh:
        """The rig's surface at one instant; its arrays are overwritten by the next call.

        head_turns : False leaves head and neck at rest, for a view that places the whole rig itself"""
        morphed = self._morphs.apply(motion.expression.weights)
        positions = self._skin.apply(morphed, self._skeleton.pose(motion, head_turns))
        return Mesh(positions, self._normals.of(positions))


class _Morphs:
    """Neutral positions plus weighted offsets."""

    def __init__(self, rig: Rig, eyeball_rows: Array) -> None:
        self._neutral = np.ascontiguousarray(rig.positions, np.float32)
        self._mapping = np.ascontiguousarray(rig.mapping, np.float32)
        self._weights = np.zeros(len(rig.mapping), np.float32)
        self._morphed = self._neutral.copy()
        self._scratch = np.empty_like(self._neutral)
        # A morph of one eyelid touches a few rows of many thousand: only the run between its first and
        # its last moving vertex is added.
        self._runs: list[tuple[int, Array]] = []
        looks = rig.mapping[:, LOOKS].any(1)
        for offsets, is_look in zip(rig.morphs, looks, strict=True):
            if is_look and len(eyeball_rows):  # the eyes' joints turn them already; lids only follow
                offsets = offsets.copy()
                offsets[eyeball_rows] = 0
            rows = np.flatnonzero(offsets.any(1))
            first, end = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 0)
            self._runs.append((first, np.ascontiguousarray(offsets[first:end], np.float32)))

    def apply(self, channels: Array) -> Array:
        """(52,) weights -> (V, 3) float32 morphed positions."""
        np.matmul(self._mapping, channels, out=self._weights)
        np.clip(self._weights, 0.0, 1.0, out=self._weights)
        np.copyto(self._morphed, self._neutral)
        for morph in np.flatnonzero(self._weights):
            first, offsets = self._runs[morph]
            share = self._scratch[: len(offsets)]
            np.multiply(offsets, self._weights[morph], out=share)
            self._morphed[first : first + len(offsets)] += share
        return self._morphed


class _Skin:
    """Linear blend skinning over the few joints that move."""

    def __init__(self, rig: Rig, skeleton: Skeleton) -> None:
        slots = skeleton.slot_of_joint[rig.skin_joints]
        count = len(rig.positions)
        shares = np.zeros((count, len(skeleton.turns)), np.float32)
        for corner in range(slots.shape[1]):
            np.add.at(shares, (np.arange(count), slots[:, corner]), rig.skin_weights[:, corner])
        self._still = np.ascontiguousarray(shares[:, :1])
        self._rows = [np.flatnonzero(shares[:, slot]) for slot in range(1, shares.shape[1])]
        self._shares = [
            np.ascontiguousarray(shares[rows, slot, None]) for slot, rows in enumerate(self._rows, start=1)
        ]
        self._gathered = np.empty((count, 3), np.float32)
        self._turned = np.empty((count, 3), np.float32)
        self._skinned = np.empty((count, 3), np.float32)

    def rows_of(self, skeleton: Skeleton, *roles: str) -> Array:
        """Vertices that hang on the joints of these roles."""
        rows = [self._rows[slot] for slot, role in enumerate(skeleton.moving) if role in roles]
        return np.concatenate(rows) if rows else np.zeros(0, np.int64)

    def apply(self, positions: Array, turns: Array) -> Array:
        """(V, 3) float32 morphed positions and (S, 3, 4) turns -> (V, 3) float32 skinned positions."""
        np.multiply(positions, self._still, out=self._skinned)
        for rows, shares, turn in zip(self._rows, self._shares, turns[1:].astype(np.float32), strict=True):
            gathered, turned = self._gathered[: len(rows)], self._turned[: len(rows)]
            np.take(positions, rows, axis=0, out=gathered, mode="clip")
            np.matmul(gathered, turn[:, :3].T, out=turned)
            turned += turn[:, 3]
            turned *= shares
            np.take(self._skinned, rows, axis=0, out=gathered, mode="clip")
            gathered += turned
            self._skinned[rows] = gathered
        return self._skinned
