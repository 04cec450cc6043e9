"""What else takes its colour from the photo: ears, neck and scalp, hair, irises."""

from __future__ import annotations

import cv2
import numpy as np

from ..data import Array
from ..topology import LEFT_BROW, LEFT_IRIS, LEFT_PUPIL, RIGHT_BROW, RIGHT_IRIS, RIGHT_PUPIL
from .layout import Close
from .skin import encoded, linear

WHITE = 0.80
"""Of the light of the painted eyes' white, beside fair skin; a darker photo's would glare."""
HAIR_BANDS = ((-0.03, 0.09), (-0.10, 0.03), (0.02, 0.20))
"""Where hair is looked for in turn, from the forehead's top upward, in heights of the face."""
HAIR_SHARE = 0.35
"""Of such a band must look like hair."""
CHIN, FOREHEAD_TOP = 152, 10


def body_picture(base_rgb: Array, tone: Array, hair_tone: Array, hair_rgb: Array) -> Array:
    """The picture of skull and neck: skin by the skin's tone, painted scalp by the hair's.

    hair_rgb : (3,) linear, the human's own hair colour"""
    base = linear(base_rgb)
    skin = np.median(base[base.mean(-1) > 3 * hair_rgb.mean()], 0)
    light = base.mean(-1, keepdims=True)
    is_skin = np.clip((light - hair_rgb.mean()) / (0.7 * skin.mean() - hair_rgb.mean()), 0, 1)
    toned = np.where(is_skin < 1, skin, base) * tone
    return _picture(is_skin * toned + (1 - is_skin) * hair_rgb * hair_tone)


def hair_colour(close: Close, skin_rgb: Array) -> Array | None:
    """(3,) linear: what grows above the forehead; None where that cannot be told from skin (bald, or cut off).

    skin_rgb : (3,) linear, the person's skin"""
    points = close.landmarks_px
    up = points[FOREHEAD_TOP] - points[CHIN]
    across = np.array([-up[1], up[0]])
    for first, last in HAIR_BANDS:
        along, aside = np.meshgrid(np.linspace(first, last, 40), np.linspace(-0.20, 0.20, 40))
        places = points[FOREHEAD_TOP] + along[..., None] * up + aside[..., None] * across
        x, y = np.round(places).astype(int).reshape(-1, 2).T
        kept = (x >= 0) & (y >= 0) & (x < close.rgb.shape[1]) & (y < close.rgb.shape[0])
        if kept.mean() < 0.4:
            continue
        colours = linear(close.rgb[y[kept], x[kept]])
        contrast = _contrast(colours, skin_rgb)
        found = colours[contrast > 0.4]
        if len(found) < HAIR_SHARE * len(colours):
            continue
        # Between locks skin shines through: what differs more is the hair's own.
        found = colours[contrast >= np.quantile(contrast[contrast > 0.4], 0.35)]
        # What is behind the head is the lesser part: stay near the middle of what was found.
        near = _contrast(found, np.median(found, 0)) < 0.8
        return found[near].mean(0) if near.sum() > 20 else np.median(found, 0)
    return None


def _contrast(colours: Array, other: Array) -> Array:
    """(N,) natural logarithm of how many times lighter or darker one of the channels is."""
    return np.abs(np.log((colours + 0.01) / (other + 0.01))).max(1)


def brow_colour(close: Close) -> Array:
    """(3,) linear: the darker half of the brows."""
    mask = np.zeros(close.rgb.shape[:2], np.uint8)
    for brow in (LEFT_BROW, RIGHT_BROW):
        cv2.fillPoly(mask, [np.round(close.landmarks_px[list(brow)]).astype(np.int32)], 1)
    colours = linear(close.rgb[mask > 0])
    return colours[colours.mean(1) <= np.median(colours.mean(1))].mean(0)


def toned_picture(base_rgb: Array, tone: Array) -> Array:
    """A picture in another colour; tone : (3,) linear factor."""
    # Fair hair has less contrast: lights do not run into white.
    toned = linear(base_rgb) * tone
    return _picture(toned / (1 + np.maximum(toned - 0.35, 0)))


def iris_colour(close: Close) -> Array | None:
    """(3,) linear: between pupil and rim, without lids and glints; None where too little of it is seen."""
    found = []
    for middle, ring in ((LEFT_PUPIL, LEFT_IRIS), (RIGHT_PUPIL, RIGHT_IRIS)):
        centre = close.landmarks_px[middle]
        radius = np.linalg.norm(close.landmarks_px[list(ring)] - centre, axis=1).mean()
        turn = np.linspace(0, 2 * np.pi, 90, endpoint=False)
        level = turn[np.abs(np.sin(turn)) < 0.6]  # to the sides: above and below are lids and lashes
        for share in np.linspace(0.5, 0.78, 8):
            places = centre + share * radius * np.stack([np.cos(level), np.sin(level)], 1)
            x, y = np.round(places).astype(int).T
            kept = (x >= 0) & (y >= 0) & (x < close.rgb.shape[1]) & (y < close.rgb.shape[0])
            found.append(close.rgb[y[kept], x[kept]])
    colours = linear(np.concatenate(found))
    if len(colours) < 50:
        return None
    light = colours.mean(1)
    low, high = np.quantile(light, [0.2, 0.7])
    return colours[(light >= low) & (light <= high)].mean(0)


def eye_picture(base_rgb: Array, colour: Array, skin_rgb: Array) -> Array:
    """The eyeball's picture with an iris of another colour; pupil and glint stay.

    colour, skin_rgb : (3,) linear, the photo's"""
    side = len(base_rgb)
    row, column = (np.mgrid[0:side, 0:side] + 0.5) / side - 0.5
    radius = np.hypot(row, column)
    base = linear(base_rgb)
    edge = _iris_edge(base, radius)
    saturation = (base.max(-1) - base.min(-1)) / (base.max(-1) + 0.02)
    is_iris = np.clip((1.02 * edge - radius) / (0.06 * edge), 0, 1) * np.clip((saturation - 0.12) / 0.2, 0, 1)
    ring = (radius > 0.5 * edge) & (radius < 0.9 * edge) & (saturation > 0.25)
    light = base.mean(-1)
    # An iris in a photo lies in the lids' shade.
    target = np.clip(1.5 * colour, 0.012, 0.5)
    recoloured = (light / light[ring].mean())[..., None] * target
    white_light = np.clip(WHITE * (skin_rgb.mean() / 0.5) ** 0.4, 0.45, 0.85)
    white = base * np.where(radius > 1.02 * edge, white_light, 1.0)[..., None]
    return _picture(white + is_iris[..., None] * (recoloured - white))


def _iris_edge(base: Array, radius: Array) -> float:
    """Where, going outward, the picture turns white."""
    rings = np.linspace(0.05, 0.45, 81)
    light = np.array([base[np.abs(radius - r) < 0.004].mean() for r in rings])
    return float(rings[np.argmax(np.diff(light))])


def _picture(colours: Array) -> Array:
    return np.clip(np.round(encoded(colours)), 0, 255).astype(np.uint8)
