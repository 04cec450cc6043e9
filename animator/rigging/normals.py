"""Smooth vertex normals of a surface that moves, made anew in every frame without new arrays."""

from __future__ import annotations

import numpy as np

from ..data import Array
from ..rig import Rig

WELD_SHARE = 1e-6
"""Vertices nearer than this share of the rig's size that also move alike are one point of the surface."""
LEAST_LENGTH = 1e-20
"""Shorter sums of triangles' areas have no direction."""


class SmoothNormals:
    """Area-weighted normals; vertices doubled along a texture's seam share theirs, so no seam shows."""

    def __init__(self, rig: Rig, rigid_parts: dict[int, int]) -> None:
        """rigid_parts : part number -> slot of the turn that moves all of it; its normals are only turned."""
        triangles = [part.triangles.astype(np.int64) + part.first_vertex for part in rig.parts]
        runs = [slice(part.first_vertex, part.first_vertex + part.vertex_count) for part in rig.parts]
        live = [number for number in range(len(rig.parts)) if number not in rigid_parts]
        points = _welded(rig, np.concatenate(triangles))
        rest = np.empty((len(rig.positions), 3), np.float32)
        _PointNormals(points, np.concatenate(triangles), runs).write(rig.positions, rest)
        self._normals = rest.copy()
        self._rigid = [(runs[number], slot, rest[runs[number]]) for number, slot in rigid_parts.items()]
        self._live = (
            _PointNormals(points, np.concatenate([triangles[n] for n in live]), [runs[n] for n in live])
            if live
            else None
        )

    def of(self, positions: Array, turns: Array) -> Array:
        """Normals of the surface as it is now.

        positions : (V, 3) float32
        turns     : (S, 3, 4) float32, how each slot of the skeleton is turned
        returns   : (V, 3) float32 unit, overwritten by the next call"""
        if self._live is not None:
            self._live.write(positions, self._normals)
        for run, slot, rest in self._rigid:
            np.matmul(rest, turns[slot, :, :3].T, out=self._normals[run])
        return self._normals


class _PointNormals:
    """Normals of some runs of vertices from some triangles, in buffers made once."""

    def __init__(self, points: Array, corners: Array, runs: list[slice]) -> None:
        """points : (V,) int, the point of the surface of each vertex; corners : (T, 3) int vertices."""
        used = np.unique(np.concatenate([points[run] for run in runs]))
        points = np.searchsorted(used, points)  # right for the vertices of the runs; no other is asked for
        valence = np.bincount(points[corners].ravel(), minlength=len(used))
        # Points in falling order of valence: the k-th triangle of all that have one is then a leading run.
        order = np.argsort(-valence, kind="stable")
        rank = np.empty(len(used), np.int64)
        rank[order] = np.arange(len(used))
        self._runs = [(run, rank[points[run]]) for run in runs]
        self._corners = [np.ascontiguousarray(corners[:, k]) for k in range(3)]
        self._fans = _fans(rank[points[corners]], valence[order])
        self._edges = np.empty((3, len(corners), 3), np.float32)
        self._products = np.empty((2, len(corners)), np.float32)
        self._faces = np.empty((len(corners), 3), np.float32)
        self._points, self._fan = np.empty((2, len(used), 3), np.float32)
        self._lengths = np.empty((len(used), 1), np.float32)

    def write(self, positions: Array, normals: Array) -> None:
        """Write the unit normals of the runs into `normals` (V, 3)."""
        self._cross_edges(positions)
        self._points[:] = 0
        for triangles in self._fans:
            fan = self._fan[: len(triangles)]
            np.take(self._faces, triangles, axis=0, out=fan, mode="clip")
            self._points[: len(triangles)] += fan
        np.multiply(self._points, self._points, out=self._fan)
        np.sum(self._fan, axis=1, keepdims=True, out=self._lengths)
        np.sqrt(self._lengths, out=self._lengths)
        np.maximum(self._lengths, LEAST_LENGTH, out=self._lengths)
        self._points /= self._lengths
        self._points[self._lengths[:, 0] <= LEAST_LENGTH] = (0.0, 0.0, 1.0)  # no triangle spans these
        for run, points in self._runs:
            np.take(self._points, points, axis=0, out=normals[run], mode="clip")

    def _cross_edges(self, positions: Array) -> None:
        """Cross products of the triangles' edges: twice the area long."""
        for corner, out in zip(self._corners, self._edges, strict=True):
            np.take(positions, corner, axis=0, out=out, mode="clip")
        a, b, c = self._edges
        b -= a
        c -= a
        first, second = self._products
        for axis, (u, v) in enumerate(((1, 2), (2, 0), (0, 1))):
            np.multiply(b[:, u], c[:, v], out=first)
            np.multiply(b[:, v], c[:, u], out=second)
            np.subtract(first, second, out=self._faces[:, axis])


def _fans(points: Array, valence: Array) -> list[Array]:
    """The k-th triangle of each point, for k = 0, 1, ..., of the points that have so many.

    points  : (T, 3) int, a triangle's points
    valence : (P,) int, triangles of each point, falling
    returns : list of (P_k,) int triangle numbers, P_k falling"""
    by_point = np.argsort(points.ravel(), kind="stable")
    starts = np.concatenate([[0], np.cumsum(valence)[:-1]]) if len(valence) else np.zeros(0, np.int64)
    most = int(valence[0]) if len(valence) else 0
    return [by_point[starts[valence > k] + k] // 3 for k in range(most)]


def _welded(rig: Rig, corners: Array) -> Array:
    """(V,) int: the point of the surface that each vertex belongs to.

    Vertices at one place are one point if they move alike under every morph (closed lips touch but are
    two) and face alike (a sheet drawn on both sides is two)."""
    size = float(np.ptp(rig.positions, axis=0).max()) or 1.0
    step = size * WELD_SHARE
    probe = np.random.default_rng(0).normal(size=(len(rig.morphs), 1, 1)).astype(np.float32)
    moves = sum((m * w for m, w in zip(rig.morphs, probe, strict=True)), np.zeros_like(rig.positions))
    keys = np.concatenate([np.round(rig.positions / step), np.round(moves / (10 * step))], axis=1)
    _, first, group = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    group = group.ravel()
    a, b, c = (rig.positions[corners[:, k]].astype(np.float64) for k in range(3))
    own = np.zeros((len(rig.positions), 3))
    faces = np.cross(b - a, c - a)
    for k in range(3):
        np.add.at(own, corners[:, k], faces)
    behind = np.einsum("vi,vi->v", own, own[first[group]]) < 0
    return np.unique(group * 2 + behind, return_inverse=True)[1].ravel()
