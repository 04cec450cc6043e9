"""The coarse head: the canonical face with eyes and mouth cut open, lips and lids turned inward, and a
skull, neck and bust grown from its outline. One mesh without seams, refined later by subdivision."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse.linalg import spsolve

from animator.data import Array
from animator.topology import FACE_OVAL, LEFT_EYE, LIPS_INNER, RIGHT_EYE, canonical_face

from . import torso
from .eyes import EYE_RADIUS_CM, LID_GAP_CM, eye_centre_cm
from .subdivide import graph_laplacian

UPPER_LIP = (185, 40, 39, 37, 0, 267, 269, 270, 409), (184, 74, 73, 72, 11, 302, 303, 304, 408), \
    (183, 42, 41, 38, 12, 268, 271, 272, 407), (191, 80, 81, 82, 13, 312, 311, 310, 415)  # fmt: skip
LOWER_LIP = (146, 91, 181, 84, 17, 314, 405, 321, 375), (77, 90, 180, 85, 16, 315, 404, 320, 307), \
    (96, 89, 179, 86, 15, 316, 403, 319, 325), (95, 88, 178, 87, 14, 317, 402, 318, 324)  # fmt: skip
"""Rings of the lips from the outside in, subject's right to left."""
MOUTH_CORNERS = (61, 76, 62, 78, 291, 306, 292, 308)
SACK_DEPTHS_CM = (0.28, 0.75, 2.2, 4.0)
"""Rings of the mouth's inside, behind the inner lips."""
SACK_OPENING_CM = (0.10, 0.55, 1.7, 1.9)
"""How far above and below the lips' line those rings run."""


@dataclass(frozen=True)
class Cage:
    """The coarse mesh; what is built on it refers to vertices by these numbers."""

    positions: Array
    """(N, 3) float64 cm; the first 468 are the canonical face's."""
    triangles: Array
    """(T, 3) int"""
    region: Array
    """(T,) int: 0 face, 1 skull, neck and bust, 2 inside of the mouth, 3 rims of the eyelids."""
    face_uv: Array
    """(N, 2) texture coordinates on the face's picture."""
    body_uv: Array
    """(N, 2) texture coordinates on the body's picture."""
    loft: Array
    """(R + 1, 36) vertex numbers of the skull's rings; row 0 is the face's outline."""
    sack: Array
    """(4, 20) vertex numbers of the mouth's rings, in the order of LIPS_INNER."""
    rims: Array
    """(2, 16) vertex numbers of the lids' inner rings, left and right eye."""
    throat: int
    """The vertex where the mouth's inside ends."""
    shirt_row: int
    """First ring of the loft that is clothed."""


def build_cage() -> Cage:
    """The whole cage at rest."""
    face = canonical_face()
    triangles = face.triangles.astype(np.int64)
    for loop in (LEFT_EYE, RIGHT_EYE, LIPS_INNER):
        triangles = triangles[~np.isin(triangles, loop).all(1)]
    positions = shaped_face(face.positions_cm.astype(np.float64))
    parts, regions = [triangles], [np.zeros(len(triangles), int)]
    count = len(positions)
    new = [positions]

    rings = torso.rings(positions[list(FACE_OVAL)])
    loft = np.concatenate([[FACE_OVAL], count + np.arange(rings.shape[0] * 36).reshape(-1, 36)])
    new.append(rings.reshape(-1, 3))
    count += rings.shape[0] * 36
    parts.append(_facing(_strips(loft, np.arange(36) >= 18), triangles, FACE_OVAL))
    regions.append(np.ones(len(parts[-1]), int))

    sack_points = _sack_points(positions)
    sack = count + np.arange(sack_points.shape[0] * 20).reshape(-1, 20)
    new.append(sack_points.reshape(-1, 3))
    count += sack.size
    throat = count
    new.append(sack_points[-1].mean(0, keepdims=True) + [[0, 0, -0.4]])
    count += 1
    mouth = _strips(np.concatenate([[LIPS_INNER], sack]), np.arange(20) // 5 % 3 == 0)
    cap = np.stack([np.roll(sack[-1], -1), sack[-1], np.full(20, throat)], 1)
    parts.append(_facing(np.concatenate([mouth, cap]), triangles, LIPS_INNER))
    regions.append(np.full(len(parts[-1]), 2))

    rims = []
    for side, loop in ((1, LEFT_EYE), (-1, RIGHT_EYE)):
        centre = eye_centre_cm(side)
        edge = positions[list(loop)] - centre
        inward = edge * np.minimum((EYE_RADIUS_CM - 0.06) / np.linalg.norm(edge, axis=1, keepdims=True), 1)
        inward *= [0.99, 0.93, 1.0]
        rims.append(count + np.arange(16))
        new.append(centre + inward)
        count += 16
        parts.append(_facing(_strips(np.stack([loop, rims[-1]]), np.arange(16) < 0), triangles, loop))
        regions.append(np.full(len(parts[-1]), 3))

    all_triangles, region = np.concatenate(parts), np.concatenate(regions)
    positions = _faired(np.concatenate(new), all_triangles, loft)
    face_uv = np.zeros((count, 2))
    face_uv[:468] = face.uv
    face_uv[sack] = face.uv[list(LIPS_INNER)]
    face_uv[throat] = face.uv[[13, 14]].mean(0)
    for ring, loop in zip(rims, (LEFT_EYE, RIGHT_EYE), strict=True):
        middle = face.uv[list(loop)].mean(0)
        face_uv[ring] = middle + 0.72 * (face.uv[list(loop)] - middle)
    return Cage(
        positions, all_triangles, region, face_uv, _polar_uv(loft, count), loft, sack, np.array(rims),
        throat, torso.SHIRT_ROW,
    )  # fmt: skip


def shaped_face(face_cm: Array) -> Array:
    """The canonical face made friendlier: lips closed and fuller, eyes larger.

    face_cm : (468, 3) canonical
    returns : (468, 3)"""
    shaped = face_cm.copy()
    for upper, lower, closing in zip(UPPER_LIP, LOWER_LIP, (0.12, 0.45, 0.77, 1.04), strict=True):
        inner_upper, inner_lower = face_cm[list(UPPER_LIP[-1])], face_cm[list(LOWER_LIP[-1])]
        meeting = 0.55 * inner_upper + 0.45 * inner_lower
        shaped[list(upper)] += closing * (meeting - inner_upper)
        shaped[list(lower)] += closing * (meeting - inner_lower)
    # A slimmer jaw and nose than the average of many.
    shaped[:, 0] *= 1 - 0.075 * _soft((-face_cm[:, 1] - 2.0) / 6.0)
    nose = np.exp(-((np.linalg.norm((face_cm - [0, -1.0, 6.5]) / [1.9, 1.6, 2.2], axis=1)) ** 2))
    shaped[:, 0] *= 1 - 0.17 * nose
    for side in (1, -1):  # the corners of the mouth a little up: a friendly face at rest
        away = np.linalg.norm((face_cm - [side * 2.35, -4.3, 4.0]) / [1.1, 0.9, 2.0], axis=1)
        shaped[:, 1] += 0.13 * np.exp(-(away**2))
    for side, loop in ((1, LEFT_EYE), (-1, RIGHT_EYE)):
        centre = eye_centre_cm(side)
        edge = face_cm[list(loop)]
        wanted = _lid_outline(edge, centre)
        away = np.linalg.norm(face_cm[:, None] - edge[None], axis=2)
        share = np.exp(-((away / 0.75) ** 2))
        pull = share / np.maximum(share.sum(1, keepdims=True), 1e-9) @ (wanted - edge)
        shaped += pull * np.exp(-((away.min(1) / 1.25) ** 2))[:, None]
        shaped[list(loop)] = wanted
    return shaped


def _lid_outline(edge: Array, centre: Array) -> Array:
    """(16, 3) the eye's outline opened wider and laid just above the eyeball."""
    corner_line = np.interp(edge[:, 0], *_ascending(edge[[0, 8], 0], edge[[0, 8], 1]))
    height = edge[:, 1] - corner_line
    wanted = edge.copy()
    wanted[:, 1] = corner_line + height * np.where(height > 0, 1.80, 1.48)
    wanted[:, 0] = centre[0] + (edge[:, 0] - centre[0]) * 1.11
    arm = wanted - centre
    flat = np.hypot(arm[:, 0], arm[:, 1])
    reach = EYE_RADIUS_CM + LID_GAP_CM
    depth = np.sqrt(np.maximum(reach**2 - flat**2, 0.3))
    arm[1:8, 2], arm[9:, 2] = depth[1:8], depth[9:]
    inner = np.array([7, 8, 9])  # the tear duct's corner lies in front of the ball
    arm[inner, 2] = np.maximum(arm[inner, 2], (edge[inner, 2] - centre[2]) - 0.35)
    arm[0, 2] = depth[0]
    return centre + arm


def _ascending(x: Array, y: Array) -> tuple[Array, Array]:
    order = np.argsort(x)
    return x[order], y[order]


def _sack_points(face: Array) -> Array:
    """(4, 20, 3) rings of the mouth's inside behind the closed lips."""
    lips = face[list(LIPS_INNER)]
    middle = lips.mean(0)
    is_upper = np.isin(LIPS_INNER, UPPER_LIP[-1])
    is_lower = np.isin(LIPS_INNER, LOWER_LIP[-1])
    bulge = np.sqrt(np.clip(1 - ((lips[:, 0] - middle[0]) / 2.2) ** 2, 0, 1))
    rings = []
    for depth, opening in zip(SACK_DEPTHS_CM, SACK_OPENING_CM, strict=True):
        ring = lips.copy()
        ring[:, 2] -= depth * (0.45 + 0.55 * bulge)
        ring[:, 1] += opening * bulge * (is_upper.astype(float) - is_lower)
        ring[:, 0] *= 1 + 0.12 * depth
        rings.append(ring)
    return np.array(rings)


def _strips(rings: Array, flipped: Array) -> Array:
    """(T, 3) triangles between closed rings of equal length.

    flipped : (columns,) which quads are split along their other diagonal, so that left mirrors right; every
              other ring is split the other way, or the points on the middle line would be drawn to one side"""
    triangles = []
    columns = rings.shape[1]
    for row, (near, far) in enumerate(pairwise(rings)):
        for k in range(columns):
            n = (k + 1) % columns
            if flipped[k] ^ (row % 2 == 1):
                triangles += [(near[k], far[k], near[n]), (near[n], far[k], far[n])]
            else:
                triangles += [(near[k], far[k], far[n]), (near[k], far[n], near[n])]
    return np.array(triangles)


def _facing(strip: Array, triangles: Array, loop: tuple[int, ...]) -> Array:
    """Turn a strip so that it runs on from the surface around `loop` without changing sides."""
    a, b = loop[0], loop[1]
    outer = {tuple(t[[i, (i + 1) % 3]]) for t in triangles for i in range(3)}
    inner = {tuple(t[[i, (i + 1) % 3]]) for t in strip for i in range(3)}
    clash = ((a, b) in outer and (a, b) in inner) or ((b, a) in outer and (b, a) in inner)
    return strip[:, ::-1] if clash else strip


def _faired(positions: Array, triangles: Array, loft: Array) -> Array:
    """Let the first rings of the skull run on smoothly from the face."""
    free = loft[1:4].ravel()
    laplacian = graph_laplacian(triangles, len(positions))
    square = (laplacian @ laplacian).tocsr()
    fixed = np.setdiff1d(np.arange(len(positions)), free)
    matrix = square[free]
    result = positions.copy()
    solved = spsolve(matrix[:, free].tocsc(), -(matrix[:, fixed] @ positions[fixed]))
    column = np.minimum(np.arange(36), 36 - np.arange(36))
    beside = np.clip((column - 3) / 3, 0, 1)  # the forehead runs on into the skull as it is
    share = np.concatenate([0.35 + 0.55 * beside, 0.1 + 0.5 * beside, 0.3 * beside])[:, None]
    result[free] += share * (solved - positions[free])
    return result


def _polar_uv(loft: Array, count: int) -> Array:
    """Texture coordinates of skull and bust: rings around the middle of the picture, the face its hole."""
    uv = np.zeros((count, 2))
    rows = len(loft) - 1
    angle = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    for row, ring in enumerate(loft):
        radius = 0.10 + 0.39 * row / rows
        uv[ring, 0] = 0.5 + radius * np.sin(angle)
        uv[ring, 1] = 0.5 - radius * np.cos(angle)
    return uv


def _soft(x: Array) -> Array:
    """0 to 1 with level ends."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
