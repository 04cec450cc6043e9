"""Lashes: tapered hairs, a few triangles each, that turn with the lids' edges."""

from __future__ import annotations

import numpy as np

from animator.data import Array

from .eyes import EYE_RADIUS_CM, eye_centre_cm
from .head import Head
from .lids import LID_CHANNELS, Lids
from .piece import HEAD, Piece, rigid

PER_LID = 40
LENGTH_CM = 0.46


def lashes(head: Head) -> Piece:
    """Upper lashes of both eyes as one piece."""
    count = 2 * 5 * PER_LID
    positions, triangles, moves = np.zeros((count, 3)), [], {}
    for number, (side, suffix) in enumerate(((1, "Left"), (-1, "Right"))):
        own = slice(number * count // 2, (number + 1) * count // 2)
        roots, positions[own] = _hairs(side, head.lids[side])
        for stem in LID_CHANNELS:
            moves[stem + suffix] = np.zeros((count, 3))
            moves[stem + suffix][own] = head.lids[side].turned_with_edge(
                stem, np.repeat(roots, 5, 0), positions[own]
            )
        first = own.start + 5 * np.arange(PER_LID)[:, None]
        triangles += [first + np.array(corner) for corner in ((0, 1, 2), (1, 3, 2), (2, 3, 4))]
    uv = np.zeros((count, 2))
    return Piece("lashes", "lash", positions, uv, np.concatenate(triangles), rigid(count, HEAD), moves)


def _hairs(side: int, lids: Lids) -> tuple[Array, Array]:
    """Roots (n, 3) on the upper edge and five points of each hair (5 n, 3)."""
    low, high = lids.corners
    share = np.linspace(0.10, 0.985, PER_LID)
    x = low + share * (high - low)
    upper, _ = lids.edges_rad(x)
    reach = np.sqrt(np.maximum((EYE_RADIUS_CM + 0.13) ** 2 - x**2, 0.12))
    local = np.stack([x, reach * np.sin(upper), reach * np.cos(upper)], 1)
    outward = local / np.linalg.norm(local, axis=1, keepdims=True)
    fan = np.stack([0.95 * (share - 0.40), -0.12 + 0.25 * share, 1.0 - 0.2 * share], 1) + 0.25 * outward
    fan /= np.linalg.norm(fan, axis=1, keepdims=True)
    length = LENGTH_CM * (0.55 + 0.6 * share - 0.25 * share**4)[:, None]
    length = length * (1 + 0.15 * np.sin(7.0 * np.arange(PER_LID)))[:, None]
    across = np.array([0.030, 0.0, 0.0])
    middle = local + 0.55 * length * fan
    tip = local + length * fan + length * [0.0, 0.30, 0.0]
    hairs = np.stack([local - across, local + across, middle - 0.6 * across, middle + 0.6 * across, tip], 1)
    world = hairs.reshape(-1, 3) * [side, 1, 1] + eye_centre_cm(side)
    return local * [side, 1, 1] + eye_centre_cm(side), world
