"""The hot path of an avatar: morphs, joints, normals, on whole arrays in buffers made at load time.

Inside, a coordinate of all vertices is one run of memory: positions and normals are 6 rows of V numbers.
Turning 25 000 vertices takes 9 us so, and 33 us as V rows of 3. The last step writes the usual (V, 3).

25 000 vertices, 52 morphs, a turned head (`make bench-deform`, a busy machine): 0.42 ms with 16 channels at work,
0.58 ms with 30. One dense product for the morphs would take 0.1 ms on idle cores, and 12 ms where other threads
hold one, as BLAS waits for it.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..channels import ARKIT
from ..data import Array, Motion
from ..rig import Mesh, Rig
from .expressions import MorphDriver
from .normals import RestNormals
from .skeleton import Skeleton

LOOKS = tuple(i for i, name in enumerate(ARKIT) if name.startswith("eyeLook"))
"""The channels that turn the eyes."""
LEAST_WEIGHT = 1 / 512
"""Fainter morphs move a lip by less than 0.05 mm, and a live solver leaves none at exactly 0."""
WIDEST_GAP = 1500
"""A morph's vertices are added as runs; a gap of more rows begins a new one. To add a run takes 3 us and
another 1.3 us for each thousand rows (6 numbers each), so that narrower gaps are cheaper added as zeros."""
LEAST_TURN = 1e-2
"""Smaller changes of a normal are not stored."""
SHORTEST_RUN, MOST_SLOT_RUNS = 400, 40
"""Shorter runs of one joint's vertices go with their neighbours between joints; where more runs than this are
left, vertices are sorted by joint inside, which takes 0.1 ms more for 25 000."""


class Deformer:
    """Turns motion into the surface of one rig. Not to be shared between threads: it owns its buffers."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self._driver = MorphDriver(rig)
        self._has_looks = rig.expressions is not None and bool(rig.expressions.looks)
        self._skeleton = Skeleton(rig)
        self._skin = _Skin(rig, self._skeleton)
        eyeballs = self._skin.rows_of(self._skeleton, "leftEye", "rightEye")
        self._morphs = _Morphs(rig, eyeballs, self._skin.order)
        self._positions, self._normals = np.empty((2, len(rig.positions), 3), np.float32)

    def deform(self, motion: Motion, *, head_turns: bool = True) -> Mesh:
        """The rig's surface at one instant; its arrays are overwritten by the next call.

        head_turns : False leaves head and neck at rest, for a view that places the whole rig itself"""
        turns = self._skeleton.pose(motion, head_turns).astype(np.float32)
        surface = self._skin.apply(self._morphs.apply(self._driver.weights(motion)), turns)
        for axis in range(3):  # whole columns: one copy of all, three numbers at a time, takes thrice as long
            self._skin.write(surface[axis], self._positions[:, axis])
            self._skin.write(surface[3 + axis], self._normals[:, axis])
        return Mesh(self._positions, self._normals, self._driver.values_now if self._has_looks else None)


def look_morphs(rig: Rig) -> Array:
    """(M,) bool: morphs that turn the eyes, by a channel or by a preset."""
    looks = rig.mapping[:, LOOKS].any(1)
    said = rig.expressions
    if said is not None:
        rows = said.gains[:, LOOKS].any(1) | np.array([preset.startswith("look") for preset in said.presets])
        looks = looks | said.binds[rows].any(0)
    return looks


class _Morphs:
    """Neutral positions and normals plus weighted changes: (6, V) in the skin's order."""

    def __init__(self, rig: Rig, eyeball_rows: Array, order: Array | None) -> None:
        rest = RestNormals(rig)
        whole = np.concatenate([rig.positions, rest.normals], 1)
        self._neutral = _rows_of_numbers(whole, order)
        self._surface = self._neutral.copy()
        runs: list[list[tuple[slice, Array]]] = []
        looks = look_morphs(rig)
        driven = rig.mapping.any(1)
        if rig.expressions is not None:
            driven |= rig.expressions.binds.any(0)
        touched = np.zeros(len(rig.positions), bool)
        place = None if order is None else np.argsort(order, kind="stable")
        for offsets, is_look, is_driven in zip(rig.morphs, looks, driven, strict=True):
            if not is_driven:
                runs.append([])
                continue
            if is_look and len(eyeball_rows):  # the eyes' joints turn them already; lids only follow
                offsets = offsets.copy()
                offsets[eyeball_rows] = 0
            rows, changes = _changes(rest, offsets, place)
            touched[rows] = True
            runs.append([(run, _filled(run, rows, changes)) for run in _runs_of(rows)])
        longest = max((changes.shape[1] for of_morph in runs for _, changes in of_morph), default=0)
        share = np.empty((6, longest), np.float32)
        # Views are made once: to cut them out takes as long as to add 500 rows.
        self._runs = [[(changes, share[:, : changes.shape[1]], self._surface[:, run]) for run, changes in of_morph]
                      for of_morph in runs]  # fmt: skip
        self._touched = [(self._neutral[:, run], self._surface[:, run],
                          np.empty((2, run.stop - run.start), np.float32))
                         for run in _runs_of(np.flatnonzero(touched))]  # fmt: skip

    def apply(self, weights: Array) -> Array:
        """(M,) weights -> (6, V) float32 morphed positions and normals."""
        for neutral, surface, _ in self._touched:
            np.copyto(surface, neutral)
        for morph in np.flatnonzero(weights > LEAST_WEIGHT).tolist():
            weight = weights[morph]
            for changes, share, surface in self._runs[morph]:
                np.multiply(changes, weight, out=share)
                np.add(surface, share, out=surface)
        for _, surface, scratch in self._touched:
            _make_unit(surface[3:], scratch)
        return self._surface


class _Skin:
    """Linear blend skinning over the few joints that move."""

    def __init__(self, rig: Rig, skeleton: Skeleton) -> None:
        slots = skeleton.slot_of_joint[rig.skin_joints]
        count = len(rig.positions)
        shares = np.zeros((count, len(skeleton.turns)), np.float32)
        for corner in range(slots.shape[1]):
            np.add.at(shares, (np.arange(count), slots[:, corner]), rig.skin_weights[:, corner])
        self._slot = np.where(shares.max(1) > 1 - 2e-3, shares.argmax(1), -1)
        """(V,) the one slot that moves a vertex, -1 for those between joints."""
        self.order: Array | None = None
        """(V,) vertices sorted by slot, or None: as they are."""
        self._inverse: Array | None = None
        slot = _without_short_runs(self._slot)
        if np.count_nonzero(np.diff(slot)) >= MOST_SLOT_RUNS:
            self.order = np.argsort(self._slot, kind="stable")
            self._inverse = np.argsort(self.order, kind="stable")
            slot, shares = self._slot[self.order], shares[self.order]
        self._rigid, self._mixed = [], []
        for first, end in pairwise(_edges(slot)):
            if slot[first] >= 0:
                self._rigid.append((slice(first, end), int(slot[first])))
            else:
                self._mixed.append(_Mixed(slice(first, end), shares[first:end]))
        self._skinned = np.empty((6, count), np.float32)

    def rows_of(self, skeleton: Skeleton, *roles: str) -> Array:
        """Vertices that hang on the joints of these roles alone."""
        slots = [slot for slot, role in enumerate(skeleton.moving, start=1) if role in roles]
        return np.flatnonzero(np.isin(self._slot, slots))

    def apply(self, surface: Array, turns: Array) -> Array:
        """(6, V) float32 morphed surface and (S, 3, 4) float32 turns -> (6, V) float32, reused."""
        skinned = self._skinned
        for run, slot in self._rigid:
            if slot == 0:
                np.copyto(skinned[:, run], surface[:, run])
                continue
            turn = turns[slot]
            moved = skinned[:3, run]
            np.matmul(turn[:, :3], surface[:3, run], out=moved)
            moved += turn[:, 3:]
            np.matmul(turn[:, :3], surface[3:, run], out=skinned[3:, run])
        for mixed in self._mixed:
            mixed.apply(surface, turns, skinned)
        return skinned

    def write(self, row: Array, column: Array) -> None:
        """One coordinate of all vertices, in the rig's order."""
        if self._inverse is None:
            column[:] = row
        else:
            column[:] = row[self._inverse]


class _Mixed:
    """A run of vertices between joints."""

    def __init__(self, run: slice, shares: Array) -> None:
        self._run = run
        self._slots = np.flatnonzero(shares.any(0))
        self._shares = np.ascontiguousarray(shares[:, self._slots].T)
        count = run.stop - run.start
        self._matrices = np.empty((12, count), np.float32)
        self._products = np.empty((3, 3, count), np.float32)
        self._scratch = np.empty((2, count), np.float32)

    def apply(self, surface: Array, turns: Array, skinned: Array) -> None:
        """Turn each vertex by the mean of its joints' matrices, weighted."""
        np.matmul(turns[self._slots].reshape(-1, 12).T, self._shares, out=self._matrices)
        matrices = self._matrices.reshape(3, 4, -1)
        for first in (0, 3):
            np.multiply(matrices[:, :3], surface[first : first + 3, self._run], out=self._products)
            np.add.reduce(self._products, axis=1, out=skinned[first : first + 3, self._run])
        skinned[:3, self._run] += matrices[:, 3]
        _make_unit(skinned[3:, self._run], self._scratch)


def _changes(rest: RestNormals, offsets: Array, place: Array | None) -> tuple[Array, Array]:
    """What a morph adds: places of the vertices in rising order, (n,), and positions' and normals' changes, (n, 6).

    offsets : (V, 3); place : (V,) where each vertex is kept, None: at its own number"""
    moved = _rows_that_move(offsets)
    rows, turns = rest.change(offsets, moved)
    turns[np.abs(turns).max(1, initial=0) < LEAST_TURN] = 0
    every = np.union1d(moved, rows[turns.any(1)])
    changes = np.zeros((len(every), 6), np.float32)
    changes[:, :3] = offsets[every]
    kept = np.isin(rows, every, assume_unique=True)
    changes[np.searchsorted(every, rows[kept]), 3:] = turns[kept]
    if place is None:
        return every, changes
    order = np.argsort(place[every], kind="stable")
    return place[every][order], changes[order]


def _rows_that_move(offsets: Array) -> Array:
    """Rows of (V, 3) that are not all zero, in rising order."""
    rows = np.flatnonzero(offsets) // 3
    return rows[np.flatnonzero(np.diff(rows, prepend=-1))]


def _filled(run: slice, rows: Array, changes: Array) -> Array:
    """(6, n) the changes of a run of vertices, zero where nothing changes."""
    first, end = np.searchsorted(rows, (run.start, run.stop))
    whole = np.zeros((6, run.stop - run.start), np.float32)
    whole[:, rows[first:end] - run.start] = changes[first:end].T
    return whole


def _make_unit(normals: Array, scratch: Array) -> None:
    """(3, n) vectors to unit length, in place; scratch : (2, n)."""
    length, square = scratch
    np.multiply(normals[0], normals[0], out=length)
    for axis in (1, 2):
        np.multiply(normals[axis], normals[axis], out=square)
        length += square
    np.sqrt(length, out=length)
    np.maximum(length, 1e-12, out=length)
    normals /= length


def _rows_of_numbers(columns: Array, order: Array | None) -> Array:
    """(V, 6) -> (6, V) float32, contiguous, in another order of vertices."""
    return np.ascontiguousarray((columns if order is None else columns[order]).T, np.float32)


def _edges(slot: Array) -> list[int]:
    """Where runs of equal numbers begin, and the end."""
    return [0, *(np.flatnonzero(np.diff(slot)) + 1).tolist(), len(slot)]


def _without_short_runs(slot: Array) -> Array:
    """The same with -1 in place of runs that are too short to be worth a call."""
    slot = slot.copy()
    for first, end in pairwise(_edges(slot)):
        if end - first < SHORTEST_RUN:
            slot[first:end] = -1
    return slot


def _runs_of(rows: Array) -> list[slice]:
    """Runs that hold these rising row numbers, parted at the widest gaps."""
    if not len(rows):
        return []
    wide = np.flatnonzero(np.diff(rows) > WIDEST_GAP)
    starts, ends = rows[[0, *(wide + 1)]], rows[[*wide, len(rows) - 1]]
    return [slice(int(a), int(b) + 1) for a, b in zip(starts, ends, strict=True)]
