"""Fewer triangles where nobody sees the difference, at rest and in any expression.

Vertices are taken away one by one, each merged into a neighbour that stays where it is: texture coordinates,
weights and morphs of what remains are simply kept. What a removal costs is the distance of its neighbour from
the planes around it, summed over the rest pose and some strong expressions (Garland and Heckbert's quadrics,
Mohr and Gleicher's sum over poses).
"""

from __future__ import annotations

import heapq

import numpy as np

from animator.data import Array

from .piece import Piece

SLOPE = 2e-4
"""How much a long edge costs beside the error of shape, so that flat places keep evenly sized triangles."""
LEAST_TURN = 0.25
"""Cosine by which a triangle may turn when one of its corners moves."""
POSES = (
    {}, {}, {"jawOpen": 1.0}, {"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0},
    {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}, {"mouthPucker": 1.0}, {"mouthFunnel": 1.0},
    {"mouthFrownLeft": 1.0, "mouthFrownRight": 1.0}, {"browInnerUp": 1.0, "noseSneerLeft": 1.0, "noseSneerRight": 1.0},
    {"browDownLeft": 1.0, "browDownRight": 1.0}, {"mouthUpperUpLeft": 1.0, "mouthUpperUpRight": 1.0},
    {"cheekPuff": 1.0}, {"eyeWideLeft": 1.0, "eyeWideRight": 1.0},
)  # fmt: skip


def thinned(piece: Piece, triangles: int, kept: int = 0, share: Array | None = None) -> Piece:
    """The piece with about as many triangles as wanted.

    kept  : so many first vertices stay, in their order; borders of the sheet stay as well
    share : (n,) how dear each place is, 1 where None"""
    poses = np.stack([_posed(piece, pose) for pose in POSES]) if piece.moves else piece.positions[None]
    mesh = _Mesh(poses, piece.triangles, np.ones(len(piece.positions)) if share is None else share)
    mesh.locked[:kept] = True
    mesh.reduce(triangles)
    rows, corners = np.unique(mesh.alive_triangles(), return_inverse=True)
    if not np.array_equal(rows[:kept], np.arange(kept)):
        raise ValueError(f"{piece.name}: a vertex that should stay belongs to no triangle")
    moves = {channel: move[rows] for channel, move in piece.moves.items()}
    return Piece(
        piece.name, piece.material, piece.positions[rows], piece.uv[rows], corners.reshape(-1, 3),
        piece.weights[rows], moves, rows if piece.rows is None else piece.rows[rows],
    )  # fmt: skip


def _posed(piece: Piece, pose: dict[str, float]) -> Array:
    result = piece.positions.copy()
    for channel, weight in pose.items():
        if channel in piece.moves:
            result = result + weight * piece.moves[channel]
    return result


class _Mesh:
    """Triangles under reduction; `poses` (K, n, 3) are the same vertices in several expressions."""

    def __init__(self, poses: Array, triangles: Array, share: Array) -> None:
        self.poses, self.share = poses, share
        self.triangles = [tuple(t) for t in triangles.tolist()]
        self.alive = [True] * len(triangles)
        count = poses.shape[1]
        self.fan: list[set[int]] = [set() for _ in range(count)]
        for number, corners in enumerate(self.triangles):
            for vertex in corners:
                self.fan[vertex].add(number)
        self.locked = np.zeros(count, bool)
        sides = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
        edges, uses = np.unique(sides, axis=0, return_counts=True)
        self.locked[np.unique(edges[uses != 2])] = True
        self.quadrics = self._quadrics(triangles)
        self.left = len(triangles)

    def _quadrics(self, triangles: Array) -> Array:
        """(n, K, 4, 4) sums of squared distances from the planes around each vertex."""
        a, b, c = (self.poses[:, triangles[:, k]] for k in range(3))
        normal = np.cross(b - a, c - a)
        area = np.linalg.norm(normal, axis=2, keepdims=True)
        normal = normal / np.maximum(area, 1e-12)
        plane = np.concatenate([normal, -(normal * a).sum(2, keepdims=True)], 2)
        outer = (area[..., None] / 2) * plane[..., :, None] * plane[..., None, :]
        result = np.zeros((self.poses.shape[1], len(self.poses), 4, 4))
        for k in range(3):
            np.add.at(result, triangles[:, k], outer.transpose(1, 0, 2, 3))
        return result

    def neighbours(self, vertex: int) -> set[int]:
        return {other for number in self.fan[vertex] for other in self.triangles[number]} - {vertex}

    def best(self, vertex: int) -> tuple[float, int] | None:
        """The cheapest neighbour to merge into, and the cost."""
        around = np.fromiter(self.neighbours(vertex), int)
        if not len(around):
            return None
        around.sort()
        places = np.concatenate([self.poses[:, around], np.ones((len(self.poses), len(around), 1))], 2)
        errors = np.einsum("kni,kij,knj->n", places, self.quadrics[vertex], places)
        lengths = ((self.poses[0, around] - self.poses[0, vertex]) ** 2).sum(1)
        costs = (errors + SLOPE * lengths * len(self.poses)) * self.share[vertex]
        for index in np.argsort(costs, kind="stable")[:4]:
            if self._may_merge(vertex, int(around[index])):
                return float(costs[index]), int(around[index])
        return None

    def _may_merge(self, vertex: int, into: int) -> bool:
        """No triangle may turn over, and the surface must stay a surface."""
        shared = self.neighbours(vertex) & self.neighbours(into)
        if len(shared) != 2 or not self.fan[into]:
            return False
        stay = [self.triangles[n] for n in self.fan[vertex] if into not in self.triangles[n]]
        if not stay:
            return False
        before = np.array(stay)
        after = np.where(before == vertex, into, before)
        old, new = (np.cross(p[:, :, 1] - p[:, :, 0], p[:, :, 2] - p[:, :, 0])
                    for p in (self.poses[:, before], self.poses[:, after]))  # fmt: skip
        turn = (old * new).sum(-1)
        size = np.linalg.norm(old, axis=-1) * np.linalg.norm(new, axis=-1)
        if (turn[0] < LEAST_TURN * size[0]).any():
            return False
        sides = self.poses[0, after] - self.poses[0, np.roll(after, 1, 1)]
        longest = (sides**2).sum(-1).max(-1)
        return bool((np.linalg.norm(new[0], axis=-1) > 0.16 * longest).all())

    def reduce(self, triangles: int) -> None:
        """Take vertices away, the cheapest first, until few enough triangles are left."""
        stale, waiting = np.zeros((2, self.poses.shape[1]), bool)
        heap: list[tuple[float, int, int]] = []

        def push(vertex: int) -> None:
            found = None if self.locked[vertex] else self.best(vertex)
            stale[vertex], waiting[vertex] = False, found is not None
            if found is not None:
                heapq.heappush(heap, (found[0], vertex, found[1]))

        for vertex in range(len(stale)):
            push(vertex)
        while self.left > triangles and heap:
            _, vertex, into = heapq.heappop(heap)
            if not self.fan[vertex]:
                continue
            if stale[vertex] or not self._may_merge(vertex, into):  # what it costs now is reckoned when its turn comes
                push(vertex)
                continue
            around = sorted(self.neighbours(vertex))
            self._merge(vertex, into)
            for other in around:
                stale[other] = True
                if not waiting[other] and self.fan[other]:
                    push(other)

    def _merge(self, vertex: int, into: int) -> None:
        for number in list(self.fan[vertex]):
            corners = self.triangles[number]
            if into in corners:
                self.alive[number] = False
                self.left -= 1
                for corner in corners:
                    self.fan[corner].discard(number)
            else:
                self.triangles[number] = tuple(into if c == vertex else c for c in corners)
                self.fan[into].add(number)
        self.fan[vertex].clear()
        self.quadrics[into] += self.quadrics[vertex]

    def alive_triangles(self) -> Array:
        return np.array([t for t, alive in zip(self.triangles, self.alive, strict=True) if alive])
