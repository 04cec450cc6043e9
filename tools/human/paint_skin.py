"""The pictures of face and body. Colour is a function of the place on the head, so that they meet unseen."""

from __future__ import annotations

import numpy as np

from animator.data import Array
from animator.topology import LEFT_BROW, LEFT_EYE, LIPS_OUTER, RIGHT_BROW, RIGHT_EYE, canonical_face

from .cage import LOWER_LIP, UPPER_LIP
from .piece import Piece
from .raster import drawn, filled, mixed, noise, picture_from, pixels_of, rounded

FACE_PX, BODY_PX = 1024, 512
SKIN = np.array([0.915, 0.725, 0.615])
LIP, LIP_LINE = (0.790, 0.440, 0.420), (0.470, 0.190, 0.190)
HAIR = (0.235, 0.140, 0.090)
BLUSH, SHADE, LASH = (0.93, 0.56, 0.50), (0.72, 0.45, 0.37), (0.16, 0.10, 0.08)


def face_picture(piece: Piece, hollow: Array) -> Array:
    """(1024, 1024, 3) uint8. hollow : (n,) how deep in a fold each vertex lies, -1..1."""
    size = FACE_PX
    layout = pixels_of(piece.uv, piece.triangles, np.column_stack([piece.positions, hollow]), size)
    place, fold = layout[..., :3], layout[..., 3]
    picture = skin_colors(place, fold)
    picture = _face_tones(picture, place)
    uv_px = canonical_face().uv.astype(np.float64) * size - 0.5
    picture = _eyes(picture, uv_px)
    picture = _lips(picture, uv_px)
    picture = _brows(picture, uv_px)
    grain = noise((size, size), 1.1, 3) * 0.006 + noise((size, size), 5, 4) * 0.006
    return picture_from(picture * (1 + grain[..., None]))


def body_picture(piece: Piece, hollow: Array, scalp: Array) -> Array:
    """(512, 512, 3) uint8: skull, ears and neck. scalp : (n,) 1 where hair grows."""
    size = BODY_PX
    layout = pixels_of(piece.uv, piece.triangles, np.column_stack([piece.positions, hollow, scalp]), size)
    picture = skin_colors(layout[..., :3], layout[..., 3])
    return picture_from(mixed(picture, HAIR, layout[..., 4]))


def skin_colors(place: Array, fold: Array) -> Array:
    """(..., 3) sRGB 0..1 of bare skin at places (..., 3) cm."""
    _, y, z = np.moveaxis(place, -1, 0)
    picture = np.broadcast_to(SKIN, place.shape).copy()
    picture = mixed(picture, SHADE, 0.34 * np.clip(fold, 0, 1))
    picture = picture * (1 + 0.05 * np.clip(-fold, 0, 1))[..., None]
    under_jaw = _soft((-y - 9.0) / 2.5) * _soft((5.5 - z) / 3) * _soft((y + 19) / 5)
    return mixed(picture, SHADE, 0.22 * under_jaw)


def _face_tones(picture: Array, place: Array) -> Array:
    """Blush, and where blood or bone lies near the skin."""
    spots = (
        # place on the left half, radius, colour, strength
        ((4.5, -0.6, 4.2), 1.9, BLUSH, 0.34), ((0.0, -0.7, 7.6), 1.0, BLUSH, 0.36),
        ((1.3, -1.3, 5.8), 0.8, BLUSH, 0.25),
        ((0.0, -8.6, 5.0), 1.7, BLUSH, 0.20), ((3.2, 1.35, 4.3), 0.9, SHADE, 0.12), ((3.2, 3.9, 4.4), 0.8, BLUSH, 0.22),
        ((1.75, 2.7, 3.9), 0.65, SHADE, 0.34), ((0.0, 6.2, 5.5), 2.8, (1.0, 0.86, 0.76), 0.26),
        # Bones: what a face painter shades and lifts.
        ((5.9, -3.6, 2.2), 1.9, SHADE, 0.22), ((6.6, 4.6, 0.8), 2.0, SHADE, 0.16),
        ((4.6, 0.9, 4.3), 1.0, (1.0, 0.86, 0.76), 0.24),
        ((0.0, 1.3, 6.6), 0.6, (1.0, 0.88, 0.80), 0.30), ((1.15, 1.2, 5.2), 0.7, SHADE, 0.20),
        ((4.9, -7.6, 1.6), 1.6, SHADE, 0.14),
    )  # fmt: skip
    for (x, y, z), radius, color, strength in spots:
        for side in (1, -1):
            away = np.linalg.norm(place - [side * x, y, z], axis=-1) / radius
            picture = mixed(picture, color, strength * np.exp(-(away**2)) * (0.5 if x == 0 else 1))
    for side in (1, -1):
        away = np.linalg.norm((place - [side * 0.62, -1.62, 6.15]) / [0.48, 0.32, 0.55], axis=-1)
        picture = mixed(picture, (0.36, 0.17, 0.14), 0.50 * _soft(1.15 - away))
    return picture


def _eyes(picture: Array, uv_px: Array) -> Array:
    """Lash lines, the wet rims and a little shade on the upper lids."""
    size = len(picture)
    for loop in (LEFT_EYE, RIGHT_EYE):
        outline = rounded(uv_px[list(loop)])
        upper, lower = uv_px[[*loop[8:], loop[0]]], uv_px[list(loop[:9])]
        above = uv_px[[*loop[9:]]] - [0, 9]
        crease = uv_px[[*loop[9:]]] + [0, -15]
        picture = mixed(picture, SHADE, 0.38 * drawn([above], size, 10, 5))
        picture = mixed(picture, (0.50, 0.29, 0.23), 0.55 * drawn([crease[1:-1]], size, 3, 2.2))
        picture = mixed(picture, (0.80, 0.50, 0.46), 0.8 * filled(outline, size, 1.0))
        picture = mixed(picture, (0.45, 0.25, 0.20), 0.5 * drawn([lower], size, 2, 1.5))
        picture = mixed(picture, LASH, 0.95 * drawn([upper], size, 6, 1.0))
    return picture


def _lips(picture: Array, uv_px: Array) -> Array:
    """Lips with a darker line where they meet and a lighter middle."""
    size = len(picture)
    outer = rounded(uv_px[list(LIPS_OUTER)])
    red = filled(outer, size, 2.2)
    streaks = 1 + 0.035 * noise((size, size), (6, 0.8), 9)
    picture = picture + red[..., None] * (np.array(LIP) * streaks[..., None] - picture) * 0.88
    for rings, strength in ((UPPER_LIP, 0.22), (LOWER_LIP, 0.40)):
        middle = uv_px[list(rings[1][2:7])]
        picture = mixed(picture, (0.93, 0.60, 0.58), strength * drawn([middle], size, 12, 6))
    for rings in (UPPER_LIP, LOWER_LIP):
        line = uv_px[[78, *rings[3], 308]]
        picture = mixed(picture, LIP_LINE, 0.85 * drawn([line], size, 5, 2.2))
    below = uv_px[[181, 84, 17, 314, 405]] + [0, 16]
    return mixed(picture, SHADE, 0.35 * drawn([below], size, 8, 6))


def _brows(picture: Array, uv_px: Array) -> Array:
    """Hairs drawn one by one between the brows' outlines."""
    size = len(picture)
    dice = np.random.default_rng(11)
    for brow in (LEFT_BROW, RIGHT_BROW):
        low, high = uv_px[list(brow[:5][::-1])], uv_px[list(brow[5:])]
        strokes = []
        for along in dice.uniform(0.02, 1, 520):
            a, b = _at(low, along), _at(high, along)
            taper = 1 - 0.55 * along
            across = 0.5 + (dice.uniform(-0.5, 0.5)) * 0.78 * taper
            root = a + across * (b - a)
            ahead = _at(low, min(along + 0.05, 1)) - _at(low, max(along - 0.05, 0))
            ahead /= np.linalg.norm(ahead)
            rise = (b - a) / np.linalg.norm(b - a)
            lean = np.clip(0.50 - 0.9 * along, 0.0, 1) - 1.0 * (across - 0.40)
            direction = ahead + lean * rise
            direction = direction / np.linalg.norm(direction)
            length = dice.uniform(9, 16) * min(1.0, 0.55 + 3 * along)
            strokes.append(np.stack([root, root + length * direction]))
        body = np.concatenate([low + 0.24 * (high - low), (low + 0.76 * (high - low))[::-1]])
        picture = mixed(picture, HAIR, 0.62 * filled(rounded(body, 2), size, 4.0))
        picture = mixed(picture, HAIR, 0.85 * drawn(strokes, size, 1, 0.6))
    return picture


def _at(line: Array, share: float) -> Array:
    """A point along a polyline of evenly counted corners."""
    place = share * (len(line) - 1)
    index = min(int(place), len(line) - 2)
    return line[index] + (place - index) * (line[index + 1] - line[index])


def hollows(positions: Array, laplacian: object, normal: Array) -> Array:
    """(V,) -1..1: + in folds, - on ridges, from the surface's bend at three scales."""
    total = np.zeros(len(positions))
    smooth = positions
    for rounds, weight in ((2, 6.0), (10, 3.0), (40, 1.2)):
        for _ in range(rounds):
            smooth = smooth + 0.5 * (laplacian @ smooth)
        total += weight * np.einsum("vi,vi->v", smooth - positions, normal)
    return np.clip(total, -1, 1)


def _soft(x: Array) -> Array:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)

