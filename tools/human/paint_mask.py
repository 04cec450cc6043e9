"""The mask's picture: porcelain with gold lines, as a theatre would paint it."""

from __future__ import annotations

import numpy as np

from animator.data import Array
from animator.topology import FACE_OVAL, LEFT_BROW, LEFT_EYE, LIPS_OUTER, RIGHT_BROW, RIGHT_EYE, canonical_face

from .cage import LOWER_LIP, UPPER_LIP
from .piece import Piece
from .raster import drawn, filled, mixed, noise, picture_from, pixels_of, rounded

MASK_PX = 1024
PORCELAIN, GOLD, DEEP_GOLD = (0.945, 0.925, 0.890), (0.840, 0.640, 0.270), (0.470, 0.300, 0.110)
BLUE, DEEP_BLUE, RED = (0.150, 0.360, 0.520), (0.070, 0.180, 0.330), (0.680, 0.150, 0.190)


def mask_picture(piece: Piece) -> Array:
    """(1024, 1024, 3) uint8."""
    size = MASK_PX
    place = pixels_of(piece.uv, piece.triangles, piece.positions, size)
    uv_px = canonical_face().uv.astype(np.float64) * size - 0.5
    picture = np.broadcast_to(PORCELAIN, (size, size, 3)) * (1 + 0.012 * noise((size, size), 9, 61))[..., None]
    picture = mixed(picture, (0.83, 0.72, 0.66), 0.35 * np.clip((np.abs(place[..., 0]) - 5.2) / 2.2, 0, 1))
    for side in (1, -1):
        away = np.linalg.norm((place - [4.4 * side, -1.2, 4.2]) / [1.7, 1.5, 2.0], axis=-1)
        picture = mixed(picture, (0.90, 0.52, 0.50), 0.42 * np.exp(-(away**2)))
    for eye, brow in ((LEFT_EYE, LEFT_BROW), (RIGHT_EYE, RIGHT_BROW)):
        picture = _eye(picture, uv_px, eye, brow)
    picture = _lips(picture, uv_px)
    for line in ((10, 151, 9), (8, 168, 6)):
        picture = _gold(picture, [uv_px[list(line)]], 6)
    gem = uv_px[9] + np.array([[0, -26], [15, 0], [0, 26], [-15, 0]])
    picture = mixed(picture, RED, 0.95 * filled(gem, size, 0.8))
    picture = _gold(picture, [gem], 4, closed=True)
    outline = rounded(uv_px[list(FACE_OVAL)])
    inner = outline.mean(0) + 0.955 * (outline - outline.mean(0))
    picture = _gold(picture, [outline], 22, closed=True)
    return picture_from(_gold(picture, [inner], 3, closed=True))


def _eye(picture: Array, uv_px: Array, eye: tuple[int, ...], brow: tuple[int, ...]) -> Array:
    """A blue field around the eye that runs out to the temple, edged with gold; a golden brow."""
    size = len(picture)
    loop = uv_px[list(eye)]
    middle = loop.mean(0)
    around = rounded(middle + (loop - middle) * [1.55, 2.6])
    outer = loop[np.abs(loop[:, 0] - size / 2).argmax()]
    away = np.sign(outer[0] - size / 2)
    flare = outer + np.array([[-40 * away, -34], [70 * away, -74], [-20 * away, 26]])
    field = np.maximum(filled(around, size, 1.2), filled(rounded(flare, 2), size, 1.2))
    down, across = np.indices((size, size))
    shade = np.clip(np.hypot(across - middle[0], down - middle[1]) / 90, 0, 1)
    blue = np.array(DEEP_BLUE) + shade[..., None] * (np.array(BLUE) - DEEP_BLUE)
    picture = picture + field[..., None] * (blue - picture)
    edge = np.abs(field - 0.5) < 0.49
    picture = mixed(picture, GOLD, filled_edge(edge))
    picture = _gold(picture, [rounded(loop)], 5, closed=True)
    low, high = uv_px[list(brow[:5][::-1])], uv_px[list(brow[5:])]
    return _gold(picture, [0.5 * (low + high)], 11)


def filled_edge(edge: Array) -> Array:
    """(H, W) 0..1: a thin line made soft and a little wider."""
    from scipy.ndimage import gaussian_filter

    return np.clip(gaussian_filter(edge.astype(float), 1.6) * 2.2, 0, 1)


def _lips(picture: Array, uv_px: Array) -> Array:
    size = len(picture)
    picture = mixed(picture, RED, 0.96 * filled(rounded(uv_px[list(LIPS_OUTER)]), size, 1.2))
    for rings in (UPPER_LIP, LOWER_LIP):
        picture = mixed(picture, (0.90, 0.45, 0.45), 0.45 * drawn([uv_px[list(rings[1][2:7])]], size, 8, 5))
        picture = mixed(picture, (0.25, 0.03, 0.06), 0.9 * drawn([uv_px[[78, *rings[3], 308]]], size, 4, 1.5))
    return _gold(picture, [rounded(uv_px[list(LIPS_OUTER)])], 3, closed=True)


def _gold(picture: Array, lines: list[Array], width: int, *, closed: bool = False) -> Array:
    """Raised golden lines: dark below, light above."""
    size = len(picture)
    shadow = [line + [0, max(1, width / 5)] for line in lines]
    picture = mixed(picture, DEEP_GOLD, 0.8 * drawn(shadow, size, width + 2, 1.0, closed))
    picture = mixed(picture, GOLD, drawn(lines, size, width, 0.7, closed))
    light = [line - [0, max(1, width / 4)] for line in lines]
    return mixed(picture, (0.99, 0.88, 0.60), 0.8 * drawn(light, size, max(1, width // 3), 0.8, closed))
