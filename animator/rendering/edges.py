"""Smooths the stairs along edges in a finished picture: FXAA's search, on the pixels that need it alone.

VTK's own FXAA looks at every pixel of the picture; in software that costs 16 ms of processor time at 640x480. Only
about 2 % of a portrait's pixels lie on an edge, and numpy looks at those in 2.5 ms.
"""

from __future__ import annotations

import numpy as np

from ..data import Array

LEAST_CONTRAST, LEAST_SHARE = 18, 8
"""An edge differs by at least so many of 255 grey levels, and by one in so many of the brighter side's own."""
REACH_PX = (1, 2, 3, 4, 6, 8, 12)
"""How far along an edge its ends are looked for."""
CALM = 0.75
"""How much of the single pixels that stick out is smoothed away."""
AT_ONCE = 16384
"""Edge pixels looked at together, which bounds the memory for them. 10 000, a portrait of 640x480, take 1.6 ms; by
4096 it would be 2.1, as most of numpy's time is then in its calls."""
LEAST_BLEND = 1 / 512
"""A smaller share of the neighbour cannot be seen."""


def smooth_edges(picture: Array, luma: Array, edge: Array) -> None:
    """Blend each edge pixel with its neighbour across the edge, by how much of it the other side covers.

    picture : (H, W, C) uint8 contiguous, changed in place
    luma    : (H, W) uint8 contiguous, its brightness
    edge    : (n,) int pixel numbers, row by row, none on the picture's border"""
    beyond, share = np.empty(len(edge), np.intp), np.empty(len(edge), np.float32)
    for first in range(0, len(edge), AT_ONCE):
        run = slice(first, first + AT_ONCE)
        beyond[run], share[run] = _neighbours(luma, edge[run])
    blended = np.flatnonzero(share > LEAST_BLEND)
    edge, beyond, share = edge[blended], beyond[blended], share[blended, None]
    pixels = picture.reshape(-1, picture.shape[2])
    own, their = pixels[edge].astype(np.float32), pixels[beyond].astype(np.float32)
    pixels[edge] = own + share * (their - own) + np.float32(0.5)


def _neighbours(luma: Array, edge: Array) -> tuple[Array, Array]:
    """The pixel across the edge from each edge pixel, and how much of the latter it covers."""
    width = luma.shape[1]
    light = luma.reshape(-1)

    def at(pixels: Array) -> Array:
        return light.take(pixels, mode="clip").astype(np.int16)

    here = at(edge)
    north, south, west, east = at(edge - width), at(edge + width), at(edge - 1), at(edge + 1)
    corners = [at(edge + step) for step in (-width - 1, -width + 1, width - 1, width + 1)]
    north_west, north_east, south_west, south_east = corners
    level = (
        2 * np.abs(north + south - 2 * here)
        + np.abs(north_west + south_west - 2 * west)
        + np.abs(north_east + south_east - 2 * east)
    )
    upright = (
        2 * np.abs(west + east - 2 * here)
        + np.abs(north_west + north_east - 2 * north)
        + np.abs(south_west + south_east - 2 * south)
    )
    is_level = level >= upright
    one, other = np.where(is_level, north, west), np.where(is_level, south, east)
    across = np.where(is_level, width, 1)
    to_one = np.abs(one - here) >= np.abs(other - here)
    beyond = edge + np.where(to_one, -across, across)
    along = np.where(is_level, 1, width)
    middle = here + np.where(to_one, one, other)  # twice the mean: everything stays a whole number
    steep = np.maximum(np.abs(one - here), np.abs(other - here)) // 2
    back, back_change = _ends(at, edge, beyond, -along, middle, steep)
    ahead, ahead_change = _ends(at, edge, beyond, along, middle, steep)
    nearer = np.where(back < ahead, back_change, ahead_change)
    crosses = (nearer < 0) != (2 * here < middle)
    share = np.where(crosses, 0.5 - np.minimum(back, ahead) / (back + ahead), 0.0)
    around = (2 * (north + south + west + east) + sum(corners)) / 12.0
    spread = np.maximum.reduce([north, south, west, east, here]) - np.minimum.reduce([north, south, west, east, here])
    alone = np.clip(np.abs(around - here) / np.maximum(spread, 1), 0, 1)
    alone = alone * alone * (3 - 2 * alone)
    share = np.maximum(share, CALM * alone * alone)
    return beyond, share


def _ends(at, edge: Array, beyond: Array, along: Array, middle: Array, steep: Array) -> tuple[Array, Array]:
    """How far the edge runs to one side, pixels, and what brightness does where it ends."""
    distance = np.full(len(edge), REACH_PX[-1] + 4)
    change = np.zeros(len(edge), np.int16)
    going = np.arange(len(edge))
    for reach in REACH_PX:
        step = reach * along[going]
        found = at(edge[going] + step) + at(beyond[going] + step) - middle[going]
        ended = np.abs(found) >= steep[going]
        change[going] = found
        distance[going[ended]] = reach
        going = going[~ended]
        if not len(going):
            break
    return distance, change
