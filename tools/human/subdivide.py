"""Loop's subdivision of triangle meshes as sparse matrices, so that morphs can be refined like positions."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from animator.data import Array


def loop_step(triangles: Array, count: int) -> tuple[sparse.csr_matrix, sparse.csr_matrix, Array]:
    """One level: every triangle becomes four.

    triangles : (T, 3) int
    count     : number of vertices
    returns   : smooth (N, count) Loop's weights, straight (N, count) midpoints, triangles (4 T, 3)"""
    sides = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    edges, edge_of_side, uses = np.unique(sides, axis=0, return_inverse=True, return_counts=True)
    edge_of_side = edge_of_side.ravel()
    border = uses == 1
    opposite = triangles[:, [2, 0, 1]].reshape(-1)
    new = count + np.arange(len(edges))
    smooth = sparse.lil_matrix((count + len(edges), count))
    _refine_vertices(smooth, edges, border, count)
    inner = ~border
    rows = np.concatenate([new, new])
    columns = np.concatenate([edges[:, 0], edges[:, 1]])
    ends = np.where(border, 0.5, 0.375)
    tips = inner[edge_of_side]
    points = sparse.coo_matrix(
        (
            np.concatenate([ends, ends, np.full(tips.sum(), 0.125)]),
            (np.concatenate([rows, new[edge_of_side[tips]]]), np.concatenate([columns, opposite[tips]])),
        ),
        smooth.shape,
    )
    straight = sparse.coo_matrix(
        (
            np.concatenate([np.ones(count), np.full(2 * len(edges), 0.5)]),
            (np.concatenate([np.arange(count), rows]), np.concatenate([np.arange(count), columns])),
        ),
        smooth.shape,
    )
    a, b, c = triangles.T
    ab, bc, ca = new[edge_of_side.reshape(-1, 3)].T
    finer = np.concatenate(
        [np.stack(t, 1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
    )
    order = np.arange(len(finer)).reshape(4, -1).T.ravel()  # the four children of a triangle stay together
    return (smooth.tocsr() + points.tocsr()), straight.tocsr(), finer[order]


def _refine_vertices(smooth: sparse.lil_matrix, edges: Array, border: Array, count: int) -> None:
    """Rows of the old vertices: Warren's weights inside, a cubic spline along borders."""
    neighbours: list[list[int]] = [[] for _ in range(count)]
    along: list[list[int]] = [[] for _ in range(count)]
    for (a, b), on_border in zip(edges.tolist(), border.tolist(), strict=True):
        neighbours[a].append(b)
        neighbours[b].append(a)
        if on_border:
            along[a].append(b)
            along[b].append(a)
    for vertex in range(count):
        if along[vertex]:
            ring, weight = along[vertex], 0.125
        else:
            ring = neighbours[vertex]
            weight = 3 / 16 if len(ring) == 3 else 3 / (8 * max(len(ring), 1))
        smooth[vertex, vertex] = 1 - weight * len(ring)
        for other in ring:
            smooth[vertex, other] = weight


def subdivide(triangles: Array, count: int, levels: int) -> tuple[sparse.csr_matrix, sparse.csr_matrix, Array]:
    """Several levels at once: smooth (N, count), straight (N, count), triangles (4^levels T, 3)."""
    smooth = straight = sparse.identity(count, format="csr")
    for _ in range(levels):
        step, middle, triangles = loop_step(triangles, smooth.shape[0])
        smooth, straight = step @ smooth, middle @ straight
    return smooth, straight, triangles


def graph_laplacian(triangles: Array, count: int) -> sparse.csr_matrix:
    """(count, count) mean of the neighbours minus self."""
    sides = triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    both = np.concatenate([sides, sides[:, ::-1]])
    adjacency = sparse.coo_matrix((np.ones(len(both)), both.T), (count, count)).tocsr()
    adjacency.data[:] = 1
    mean = sparse.diags(1 / np.maximum(np.asarray(adjacency.sum(1)).ravel(), 1)) @ adjacency
    return (mean - sparse.identity(count)).tocsr()
