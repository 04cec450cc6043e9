"""Where each texel of the face's picture is seen in the photo, and how well."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..data import Array
from ..topology import LEFT_BROW, LEFT_EYE, LIPS_INNER, LIPS_OUTER, RIGHT_BROW, RIGHT_EYE, canonical_face

SIDE = 1024
"""Of the face's picture, texels."""
SEEN_FROM, SEEN_FULLY = 0.20, 0.50
"""Cosines of the angle between skin and camera at which a texel counts for nothing, and for all."""
PHOTO_EYES_PX = 300.0
"""The photo is brought to this distance between the pupils: about the picture's own."""


GRAINY_FROM = 2.5
"""Enlarged by more than this, a photo is smoothed first, edges kept."""


@dataclass(frozen=True, slots=True)
class Close:
    """The photo cut to the head and brought to the texture's resolution."""

    rgb: Array
    """(h, w, 3) float32 0..255."""
    landmarks_px: Array
    """(478, 2) in `rgb`."""


def close_up(rgb: Array, landmarks_px: Array, eye_distance_px: float) -> Close:
    """Cut out twice the face, enlarged with care or shrunk."""
    low, high = landmarks_px.min(0), landmarks_px.max(0)
    margin = 0.6 * (high - low).max()
    left, top = np.maximum(np.floor(low - margin), 0).astype(int)
    right, bottom = np.minimum(np.ceil(high + margin), [rgb.shape[1], rgb.shape[0]]).astype(int)
    part = rgb[top:bottom, left:right]
    scale = PHOTO_EYES_PX / eye_distance_px
    if scale > GRAINY_FROM:  # a film's grain would become blotches
        part = cv2.bilateralFilter(np.ascontiguousarray(part), 5, 11, 1.2)
    size = max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale))
    large = cv2.resize(part, size, interpolation=cv2.INTER_LANCZOS4 if scale > 1 else cv2.INTER_AREA)
    large = large.astype(np.float32)
    if scale > 1.5:  # an enlarged picture is soft: raise its finest detail a little
        large += 0.3 * (large - cv2.GaussianBlur(large, (0, 0), 0.8 * scale))
    ratio = np.array([size[0] / part.shape[1], size[1] / part.shape[0]])
    return Close(np.clip(large, 0, 255), (landmarks_px - [left, top] + 0.5) * ratio - 0.5)


@dataclass(frozen=True, slots=True)
class Layout:
    """The face's picture texel by texel."""

    photo_px: Array
    """(S, S, 2) float32: where a texel is in the close-up."""
    facing: Array
    """(S, S) float32 0..1: how squarely it is seen."""


def lay_out(uv: Array, triangles: Array, facing: Array, landmarks_px: Array) -> Layout:
    """uv (V, 2), triangles (T, 3), facing (V,) of the face's piece; landmarks (478, 2) in the close-up."""
    places = _between_landmarks(uv, landmarks_px[:468])
    values = np.concatenate([places, facing[:, None]], 1)
    texels = interpolated(uv, triangles, values, SIDE).astype(np.float32)
    return Layout(np.ascontiguousarray(texels[..., :2]), np.clip(texels[..., 2], 0, 1))


def _between_landmarks(uv: Array, landmarks_px: Array) -> Array:
    """(V, 2) places in the photo of texture coordinates, linear within the canonical face's triangles."""
    canonical = canonical_face()
    corners = canonical.uv.astype(np.float64)[canonical.triangles]
    a, ab, ac = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    area = np.where(np.abs(area) < 1e-12, 1e-12, area)
    arm = uv[:, None] - a[None]
    of_b = (arm[..., 0] * ac[:, 1] - arm[..., 1] * ac[:, 0]) / area
    of_c = (ab[:, 0] * arm[..., 1] - ab[:, 1] * arm[..., 0]) / area
    outside = -np.minimum(np.minimum(of_b, of_c), 1 - of_b - of_c)
    best = outside.argmin(1)
    rows = np.arange(len(uv))
    share = np.stack([1 - of_b - of_c, of_b, of_c], -1)[rows, best]
    return np.einsum("vk,vki->vi", share, landmarks_px[canonical.triangles[best]])


def interpolated(uv: Array, triangles: Array, values: Array, side: int) -> Array:
    """(side, side, K) values given at vertices, drawn over a picture; outside the mesh the nearest inside.

    uv : (V, 2) 0..1, v downward; values : (V, K)"""
    corners = uv[triangles] * side - 0.5
    owner = np.full((side, side), -1, np.int32)
    for index, corner in enumerate(np.round(corners * 16).astype(np.int32)):
        cv2.fillConvexPoly(owner, corner, index, cv2.LINE_8, 4)
    _, nearest = cv2.distanceTransformWithLabels(
        (owner < 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    inside = np.flatnonzero(owner.ravel() >= 0)
    of_label = np.zeros(nearest.max() + 1, np.int64)
    of_label[nearest.ravel()[inside]] = inside
    owner = owner.ravel()[of_label[nearest.ravel()]]
    rows, columns = np.divmod(of_label[nearest.ravel()], side)
    a, b, c = corners[owner].transpose(1, 0, 2)
    ab, ac, ap = b - a, c - a, np.stack([columns, rows], 1) - a
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    area = np.where(np.abs(area) < 1e-12, 1e-12, area)
    of_b = (ap[:, 0] * ac[:, 1] - ap[:, 1] * ac[:, 0]) / area
    of_c = (ab[:, 0] * ap[:, 1] - ab[:, 1] * ap[:, 0]) / area
    share = np.clip(np.stack([1 - of_b - of_c, of_b, of_c], 1), 0, 1)
    share /= share.sum(1, keepdims=True)
    return np.einsum("pk,pkv->pv", share, values[triangles[owner]]).reshape(side, side, -1)


def zone(outline: tuple[int, ...], grow: float = 0.0, blur: float = 0.0) -> Array:
    """(S, S) float32 0..1: the inside of an outline of landmarks in the face's picture.

    grow : texels by which it is made larger (below 0 smaller); blur : softness in texels"""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    polygon = canonical_face().uv[list(outline)].astype(np.float64) * SIDE - 0.5
    cv2.fillPoly(mask, [np.round(polygon * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    if grow:
        width = 2 * round(abs(grow)) + 1
        brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
        mask = cv2.dilate(mask, brush) if grow > 0 else cv2.erode(mask, brush)
    soft = mask.astype(np.float32) / 255
    return cv2.GaussianBlur(soft, (0, 0), blur) if blur else soft


def features(lip_margin: float = 14) -> Array:
    """(S, S) 0..1: eyes, brows and lips, which are no skin."""
    grown = [
        zone(LEFT_EYE, 22),
        zone(RIGHT_EYE, 22),
        zone(LEFT_BROW, 16),
        zone(RIGHT_BROW, 16),
        zone(LIPS_OUTER, lip_margin),
    ]
    return np.max(grown, 0)


SMILE_FOLD = (129, 36, 205, 187, 214, 212, 57, 186, 92, 165, 98)
"""From the right wing of the nose around the corner of the mouth."""
SMILE_CREASES = (33, 130, 226, 31, 228, 229, 230, 231, 232, 128, 121, 120, 119, 118, 117, 111, 35, 124, 156, 143, 34)
"""Below the right eye, and beside its outer corner."""


def creases(outline: tuple[int, ...], mirror: Array) -> Array:
    """(S, S) 0..1: a region of the right half and its mirror image, soft."""
    return np.maximum(zone(outline, 4, 12.0), zone(tuple(mirror[list(outline)]), 4, 12.0))


def openings() -> tuple[Array, Array]:
    """(S, S) 0..1 each: where the photo shows eyeballs, and where it shows what is between the lips."""
    eyes = np.maximum(zone(LEFT_EYE, 3, 2.0), zone(RIGHT_EYE, 3, 2.0))
    return eyes, zone(LIPS_INNER, 2, 1.2)
