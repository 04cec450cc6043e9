"""The hot path of an avatar: morphs, joints, normals, on whole arrays in buffers made at load time."""

from __future__ import annotations

import numpy as np

from ..channels import ARKIT
from ..data import Array, Motion
from ..rig import Mesh, Rig
from .expressions import MorphDriver
from .normals import SmoothNormals
from .skeleton import Skeleton

LOOKS = tuple(i for i, name in enumerate(ARKIT) if name.startswith("eyeLook"))
"""The channels that turn the eyes."""
SHORTEST_RUN = 200
"""Vertices; fewer in a row are cheaper gathered with the others."""


class Deformer:
    """Turns motion into the surface of one rig. Not to be shared between threads: it owns its buffers."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self._driver = MorphDriver(rig)
        self._skeleton = Skeleton(rig)
        self._skin = _Skin(rig, self._skeleton)
        self._morphs = _Morphs(rig, self._skin.rows_of(self._skeleton, "leftEye", "rightEye"))
        self._normals = SmoothNormals(rig, self._skin.rigid_parts(rig))

    def deform(self, motion: Motion, *, head_turns: bool = True) -> Mesh:
        """The rig's surface at one instant; its arrays are overwritten by the next call.

        head_turns : False leaves head and neck at rest, for a view that places the whole rig itself"""
        turns = self._skeleton.pose(motion, head_turns).astype(np.float32)
        positions = self._skin.apply(self._morphs.apply(self._driver.weights(motion)), turns)
        return Mesh(positions, self._normals.of(positions, turns))


class _Morphs:
    """Neutral positions plus weighted offsets."""

    def __init__(self, rig: Rig, eyeball_rows: Array) -> None:
        self._neutral = np.ascontiguousarray(rig.positions, np.float32)
        self._morphed = self._neutral.copy()
        self._scratch = np.empty_like(self._neutral)
        # A morph of one eyelid touches a few rows of many thousand: only the run between its first and
        # its last moving vertex is added.
        self._runs: list[tuple[int, Array]] = []
        looks = look_morphs(rig)
        for offsets, is_look in zip(rig.morphs, looks, strict=True):
            if is_look and len(eyeball_rows):  # the eyes' joints turn them already; lids only follow
                offsets = offsets.copy()
                offsets[eyeball_rows] = 0
            rows = np.flatnonzero(offsets.any(1))
            first, end = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 0)
            self._runs.append((first, np.ascontiguousarray(offsets[first:end], np.float32)))

    def apply(self, weights: Array) -> Array:
        """(M,) weights -> (V, 3) float32 morphed positions."""
        np.copyto(self._morphed, self._neutral)
        for morph in np.flatnonzero(weights):
            first, offsets = self._runs[morph]
            share = self._scratch[: len(offsets)]
            np.multiply(offsets, weights[morph], out=share)
            self._morphed[first : first + len(offsets)] += share
        return self._morphed


def look_morphs(rig: Rig) -> Array:
    """(M,) bool: morphs that turn the eyes, by a channel or by a preset."""
    looks = rig.mapping[:, LOOKS].any(1)
    said = rig.expressions
    if said is not None:
        rows = said.gains[:, LOOKS].any(1) | np.array([preset.startswith("look") for preset in said.presets])
        looks = looks | said.binds[rows].any(0)
    return looks


class _Skin:
    """Linear blend skinning over the few joints that move."""

    def __init__(self, rig: Rig, skeleton: Skeleton) -> None:
        slots = skeleton.slot_of_joint[rig.skin_joints]
        count = len(rig.positions)
        shares = np.zeros((count, len(skeleton.turns)), np.float32)
        for corner in range(slots.shape[1]):
            np.add.at(shares, (np.arange(count), slots[:, corner]), rig.skin_weights[:, corner])
        self._slot = np.where(shares.max(1) > 1 - 1e-4, shares.argmax(1), -1)
        """(V,) the one slot that moves a vertex, -1 for those between joints."""
        self._runs = _runs(self._slot)
        in_run = np.zeros(count, bool)
        for first, end, _ in self._runs:
            in_run[first:end] = True
        self._mixed = np.flatnonzero(~in_run)
        self._shares = [np.ascontiguousarray(shares[self._mixed, s, None]) for s in range(shares.shape[1])]
        self._gathered, self._turned, self._blended = np.empty((3, len(self._mixed), 3), np.float32)
        self._skinned = np.empty((count, 3), np.float32)

    def rows_of(self, skeleton: Skeleton, *roles: str) -> Array:
        """Vertices that hang on the joints of these roles alone."""
        slots = [slot for slot, role in enumerate(skeleton.moving, start=1) if role in roles]
        return np.flatnonzero(np.isin(self._slot, slots))

    def rigid_parts(self, rig: Rig) -> dict[int, int]:
        """Parts that no morph bends and one slot moves as a whole: part number -> slot."""
        bent = rig.morphs.any((0, 2)) if len(rig.morphs) else np.zeros(len(rig.positions), bool)
        rigid = {}
        for number, part in enumerate(rig.parts):
            rows = slice(part.first_vertex, part.first_vertex + part.vertex_count)
            slot = int(self._slot[part.first_vertex])
            if slot >= 0 and (self._slot[rows] == slot).all() and not bent[rows].any():
                rigid[number] = slot
        return rigid

    def apply(self, positions: Array, turns: Array) -> Array:
        """(V, 3) float32 morphed positions and (S, 3, 4) float32 turns -> (V, 3) float32 skinned positions."""
        for first, end, slot in self._runs:
            run = self._skinned[first:end]
            np.matmul(positions[first:end], turns[slot, :, :3].T, out=run)
            run += turns[slot, :, 3]
        if len(self._mixed):
            np.take(positions, self._mixed, axis=0, out=self._gathered, mode="clip")
            self._blended[:] = 0
            for shares, turn in zip(self._shares, turns, strict=True):
                np.matmul(self._gathered, turn[:, :3].T, out=self._turned)
                self._turned += turn[:, 3]
                self._turned *= shares
                self._blended += self._turned
            self._skinned[self._mixed] = self._blended
        return self._skinned


def _runs(slot: Array) -> list[tuple[int, int, int]]:
    """Neighbouring vertices that one slot moves: (first, end, slot). Short runs are left out, as each costs a call."""
    edges = np.flatnonzero(np.diff(slot)) + 1
    starts, ends = np.concatenate([[0], edges]), np.concatenate([edges, [len(slot)]])
    return [
        (int(a), int(b), int(slot[a]))
        for a, b in zip(starts, ends, strict=True)
        if slot[a] >= 0 and b - a >= SHORTEST_RUN
    ]
