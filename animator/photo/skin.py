"""The face's picture: the photo where it shows skin, its mirror image where that is seen better, and else the human's
own painted skin in the person's tone."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..data import Array
from ..solving.face_model import face_model
from ..topology import FACE_OVAL, LEFT_BROW, LIPS_OUTER, RIGHT_BROW
from .layout import (
    SEEN_FROM,
    SEEN_FULLY,
    SIDE,
    SMILE_CREASES,
    SMILE_FOLD,
    Close,
    Layout,
    creases,
    features,
    openings,
    zone,
)

SKIN_SPREAD = ((5.0, 3.0, 4.0), (9.0, 4.0, 6.0))
"""Least and most deviations of one person's skin in L, a, b."""
EVENED = 0.88
"""How much of the photo's broad light and shade is taken out: the renderer lights the face itself."""
COLOUR_EVENED = 0.5
"""How much of that applies to colour: blush is the face's own, coloured light is not."""
BROAD_TEXELS = 48.0
"""Light changes over this distance; what changes over less is the face's own."""
RIM_TEXELS = 46.0
"""Width over which the photo fades into painted skin at the face's rim, where cheeks turn away."""
BANDS = 6
LIT = 0.62
"""The quantile of the seen skin's light that is its colour: below are shades, above are glints."""
LIFT = 0.45
"""Skin under full light over skin in a picture, linear, is 1 + this * (1 - its brightest channel): drawn with its lamps
the avatar comes out as the photo."""
LIPS_OWN = 0.45
"""How much of the lips is the photo; the rest is painted lips in its colour: smiling lips are thin and shine."""
AROUND_TEXELS = 26.0
MOST_CONTRAST = 0.13
"""Of a glint or a fold against the skin around it, in natural logarithms of light."""
HAIR_FROM, HAIR_SURELY = 2.2, 3.4
"""Deviations from the skin's colours from which a texel of forehead or temple is taken for hair."""


@dataclass(frozen=True, slots=True)
class Skin:
    """The painted face and what was learned on the way."""

    rgb: Array
    """(S, S, 3) uint8 sRGB."""
    tone: Array
    """(3,) the person's skin over the painted skin, linear."""
    colour: Array
    """(3,) the person's skin in the photo, linear."""


def painted(close: Close, layout: Layout, base_rgb: Array, smile: float = 0.0) -> Skin:
    """Paint the face.

    base_rgb : (S, S, 3) uint8, the human's own picture; smile : 0..1, how much the person smiles in the photo"""
    seen = cv2.remap(
        close.rgb, layout.photo_px[..., 0], layout.photo_px[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    inside = _inside(close.rgb.shape, layout.photo_px)
    own = _smooth((layout.facing - SEEN_FROM) / (SEEN_FULLY - SEEN_FROM)) * inside
    photo, base = linear(seen), linear(base_rgb.astype(np.float32))
    eyes, mouth = openings()
    skin_only = (1 - features()) * _rim()
    own = own * (1 - _hair(seen, own * skin_only))
    own = cv2.GaussianBlur(cv2.erode(own, np.ones((9, 9), np.uint8)), (0, 0), 4)
    tone, lift = _tone(photo, base, own * skin_only)
    toned = base * tone
    photo = np.minimum(_evened(photo * lift, toned, own * skin_only), 1.0)
    photo = _calmed(photo, own, smile)
    mirrored = own[:, ::-1]
    photo, known = _with_mirror(photo, own, mirrored)
    toned, photo = _with_lips(toned, photo, base, own * (1 - mouth))
    photo = photo * _grain(base)
    share = known * _rim() * (1 - eyes) * (1 - 0.85 * mouth)
    blended = _blended(encoded(photo), encoded(toned), share)
    return Skin(
        np.clip(np.round(blended), 0, 255).astype(np.uint8), tone, np.median(base.reshape(-1, 3), 0) * tone / lift
    )


def _inside(shape: tuple[int, ...], place_px: Array) -> Array:
    x, y = place_px[..., 0], place_px[..., 1]
    return ((x > 1) & (y > 1) & (x < shape[1] - 2) & (y < shape[0] - 2)).astype(np.float32)


def _rim() -> Array:
    """(S, S) 0 at the face's rim, 1 inside."""
    oval = (zone(FACE_OVAL) > 0.5).astype(np.uint8)
    return _smooth((cv2.distanceTransform(oval, cv2.DIST_L2, 5) - 4) / RIM_TEXELS).astype(np.float32)


def _hair(seen: Array, skin: Array) -> Array:
    """(S, S) 0..1: fringes over the forehead and locks over the temples, by their colour."""
    lab = cv2.cvtColor((np.clip(seen, 0, 255) / 255).astype(np.float32), cv2.COLOR_RGB2LAB)
    lab = cv2.GaussianBlur(lab, (0, 0), 3)
    down = np.arange(SIDE)[:, None] / SIDE
    sure = (skin > 0.6) & (down > 0.36) & (down < 0.62)  # cheeks and nose
    middle = np.median(lab[sure], 0)
    spread = np.clip(1.48 * np.median(np.abs(lab[sure] - middle), 0), *SKIN_SPREAD)
    away = np.sqrt((((lab - middle) / spread) ** 2).sum(-1))
    strange = _smooth((away - HAIR_FROM) / (HAIR_SURELY - HAIR_FROM))
    above_brows = _smooth((0.285 - down) / 0.03)
    across = np.abs(np.arange(SIDE)[None] / SIDE - 0.5)
    temples = _smooth((across - 0.23) / 0.06) * _smooth((0.62 - down) / 0.10)
    # Where a fringe hides most of the forehead, what little is left between its tips is no use either.
    forehead = (zone(FACE_OVAL) > 0.5) & (down < 0.24)
    hidden = float(_smooth((strange[forehead].mean() - 0.25) / 0.2))
    brows = np.maximum(zone(LEFT_BROW, 9, 3.0), zone(RIGHT_BROW, 9, 3.0))
    above = _smooth((0.275 - down) / 0.02) * (1 - brows) * hidden
    hair = np.maximum(strange * np.maximum(above_brows, temples) * (1 - brows * hidden), above)
    return cv2.GaussianBlur(cv2.dilate(hair.astype(np.float32), np.ones((27, 27), np.uint8)), (0, 0), 6)


def _tone(photo: Array, base: Array, weight: Array) -> tuple[Array, float]:
    """(3,) linear: by what the painted skin is to be multiplied, and the photo."""
    known = weight > 0.5
    if not known.any():
        known = weight >= weight.max()
    skin = (1 - features()) * _rim() > 0.5
    seen = np.quantile(photo[known], LIT, 0)
    lift = 1 + LIFT * (1 - float(seen.max()))
    return lift * seen / np.median(base[skin], 0), lift


def _evened(photo: Array, toned: Array, weight: Array) -> Array:
    """The photo with most of its broad shading replaced by that of the painted skin."""
    small = SIDE // 4
    ratio = np.log(np.maximum(toned, 1e-3)) - np.log(np.maximum(photo, 1e-3))
    value, share = (cv2.resize(a, (small, small), interpolation=cv2.INTER_AREA)
                    for a in (ratio * weight[..., None], weight))  # fmt: skip
    broad = np.zeros_like(value)
    done = np.zeros((small, small), np.float32)
    for widening in (1.0, 2.5, 8.0):  # far from all skin that is seen, what is known farther away
        sigma = BROAD_TEXELS / 4 * widening
        near = cv2.GaussianBlur(share, (0, 0), sigma)
        found = cv2.GaussianBlur(value, (0, 0), sigma) / np.maximum(near, 1e-6)[..., None]
        take = (1 - done) * np.clip(near / 0.15, 0, 1)
        broad, done = broad + take[..., None] * found, done + take
    plain = broad.mean(-1, keepdims=True)
    broad = plain + COLOUR_EVENED * (broad - plain)
    field = cv2.resize(broad, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return photo * np.exp(EVENED * np.clip(field, -1.2, 1.2))


def _calmed(photo: Array, known: Array, smile: float) -> Array:
    """Glints and folds brought nearer to the skin around them; those that a smile has made nearly go."""
    light = np.log(np.maximum(photo, 1e-3))
    weight = np.maximum(known * (1 - features()), 1e-3)
    near = cv2.GaussianBlur(weight, (0, 0), AROUND_TEXELS)[..., None]
    around = cv2.GaussianBlur(light * weight[..., None], (0, 0), AROUND_TEXELS) / near
    mirror = face_model().mirror
    calm = np.full_like(weight, MOST_CONTRAST)
    for outline, least in ((SMILE_FOLD, 0.015), (SMILE_CREASES, 0.06)):
        share = smile * creases(outline, mirror)
        calm += share * (np.minimum(calm, least) - calm)
    detail, calm = light - around, calm[..., None]
    change = calm * np.tanh(detail / calm) - detail
    lips = zone(LIPS_OUTER, 2, 4.0)
    change *= 1 - np.maximum(features(lip_margin=0) - lips, 0)[..., None]
    change = np.where(lips[..., None] > 0.5, np.minimum(change, 0), change)  # lips: only their glints
    return photo * np.exp(change)


def _with_lips(toned: Array, photo: Array, base: Array, known: Array) -> tuple[Array, Array]:
    """Painted lips in the person's own colour, and the photo's brought near to them."""
    lips = zone(LIPS_OUTER, -4) * known > 0.6
    if not lips.any():
        return toned, photo
    tone = np.median(photo[lips], 0) / np.median(base[zone(LIPS_OUTER, -4) > 0.5], 0)
    share = zone(LIPS_OUTER, -2, 4.0)[..., None]
    toned = toned + share * (base * tone - toned)
    return toned, photo + share * (1 - LIPS_OWN) * (toned - photo)


def _grain(base: Array) -> Array:
    """(S, S, 1) around 1: the pores of the painted skin, which no photo of this size shows."""
    light = base.mean(-1, keepdims=True)
    fine = light / np.maximum(cv2.GaussianBlur(light, (0, 0), 5)[..., None], 1e-3)
    return np.where((features() < 0.01)[..., None], np.clip(fine, 0.94, 1.06), 1.0).astype(np.float32)


def _with_mirror(photo: Array, own: Array, mirrored: Array) -> tuple[Array, Array]:
    """The photo filled up with its mirror image where that is seen and the place itself is not."""
    lent = np.clip(mirrored - own, 0, 1)
    total = np.maximum(own + lent, 1e-6)
    filled = (own[..., None] * photo + lent[..., None] * photo[:, ::-1]) / total[..., None]
    return filled, np.clip(own + lent, 0, 1)


def _blended(over: Array, under: Array, share: Array) -> Array:
    """Laplacian pyramids: coarse bands mix over wide seams, fine ones over narrow."""
    result: Array | None = None
    tops = over.astype(np.float32), under.astype(np.float32), share.astype(np.float32)
    levels = [tops]
    for _ in range(BANDS):
        levels.append(tuple(cv2.pyrDown(a) for a in levels[-1]))
    for number in range(BANDS, -1, -1):
        one, other, mask = levels[number]
        if number < BANDS:
            size = one.shape[1], one.shape[0]
            one, other = (
                a - cv2.pyrUp(b, dstsize=size) for a, b in zip((one, other), levels[number + 1], strict=False)
            )
        mixed = mask[..., None] * one + (1 - mask[..., None]) * other
        result = mixed if result is None else mixed + cv2.pyrUp(result, dstsize=(mixed.shape[1], mixed.shape[0]))
    return result


def linear(rgb: Array) -> Array:
    """sRGB 0..255 -> linear 0..1."""
    c = np.clip(rgb, 0, 255).astype(np.float32) / 255
    return np.where(c > 0.04045, ((c + 0.055) / 1.055) ** 2.4, c / 12.92).astype(np.float32)


def encoded(rgb: Array) -> Array:
    """Linear 0..1 -> sRGB 0..255, float."""
    c = np.clip(rgb, 0, 1)
    return (255 * np.where(c > 0.0031308, 1.055 * c ** (1 / 2.4) - 0.055, 12.92 * c)).astype(np.float32)


def _smooth(x: Array) -> Array:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
