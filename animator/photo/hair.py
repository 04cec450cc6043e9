"""Hair as full as the person's: how far it stands off the head, all around, in the photo."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

from ..data import Array
from ..topology import LEFT_PUPIL, RIGHT_PUPIL
from .layout import Close
from .model import HumanModel
from .skin import linear

CENTRE_CM = np.array([0.0, 5.0])
"""What directions around the head are counted from, x and y in the head's frame."""
EYES_CM = 6.36
"""Between the human's pupils."""
WORK_EYES_PX = 60.0
"""The outline is looked for in a picture of this distance between the pupils."""
DIRECTIONS_RAD = np.radians(np.arange(-100, 101, 4))
"""From straight up, + to the subject's left."""
MOST_CM = 1.6
"""No outline is moved by more: what stands off farther is a hat, or the background."""


def fuller(model: HumanModel, close: Close, hair_rgb: Array, pieces: set[str]) -> None:
    """Move the hair's surface out or in to the outline in the photo; roots stay where they are."""
    seen = outline_cm(close, hair_rgb)
    if seen is None:
        return
    hair = [model.pieces[name] for name in pieces]
    own = _reach(np.concatenate([piece.positions_cm[:, :2] for piece in hair]) - CENTRE_CM)
    more = np.clip(seen - own, -1.0, MOST_CM)
    more = gaussian_filter1d(np.where(np.isfinite(more), more, 0.0), 2.0, mode="nearest")
    skin = cKDTree(np.concatenate([model.pieces[name].positions_cm for name in ("face", "skull", "neck")]))
    for piece in hair:
        arm, z = piece.positions_cm[:, :2] - CENTRE_CM, piece.positions_cm[:, 2]
        angle = np.arctan2(arm[:, 0], arm[:, 1])
        length = np.linalg.norm(arm, axis=1)
        off_skin = _smooth(skin.query(piece.positions_cm)[0] / 1.6)
        aside = _smooth((np.radians(118) - np.abs(angle)) / np.radians(60))
        # Beside the face the front edge stays on the temples.
        aside *= 1 - _smooth((np.abs(angle) - np.radians(25)) / np.radians(30)) * _smooth((z + 1.0) / 4.0)
        by = np.interp(angle, DIRECTIONS_RAD, more) * off_skin * aside
        # Vertices near the axis through the head make the front and the back, which go along as far as the sides do.
        outward = arm / np.maximum(length, 1e-6)[:, None] * np.minimum(length / 6.0, 1.0)[:, None]
        piece.positions_cm[:, :2] += outward * by[:, None]
        piece.positions_cm[:, 2] += 0.5 * by * np.clip((z + 3.6) / 8.0, -1, 0.25)


def outline_cm(close: Close, hair_rgb: Array) -> Array | None:
    """(D,) how far the hair reaches from `CENTRE_CM` in each of `DIRECTIONS_RAD`, nan where the picture ends; None
    where the head cannot be told from what is behind it."""
    scale = WORK_EYES_PX / np.linalg.norm(close.landmarks_px[LEFT_PUPIL] - close.landmarks_px[RIGHT_PUPIL])
    small = cv2.resize(np.clip(close.rgb, 0, 255).astype(np.uint8), None, fx=scale, fy=scale,
                       interpolation=cv2.INTER_AREA)  # fmt: skip
    points = close.landmarks_px * scale
    eyes = points[[LEFT_PUPIL, RIGHT_PUPIL]]
    right = (eyes[0] - eyes[1]) / np.linalg.norm(eyes[0] - eyes[1])
    up = np.array([right[1], -right[0]])
    per_cm = WORK_EYES_PX / EYES_CM
    centre = eyes.mean(0) + up * per_cm * (CENTRE_CM[1] - 2.66)
    ways = np.sin(DIRECTIONS_RAD)[:, None] * right + np.cos(DIRECTIONS_RAD)[:, None] * up
    person = _person(small, points, centre, per_cm, hair_rgb)
    if person is None:
        return None
    steps = np.arange(3.0, 15.0, 0.1)
    places = centre + ways[:, None] * (steps * per_cm)[None, :, None]
    x, y = np.round(places).astype(int).transpose(2, 0, 1)
    inside = (x >= 0) & (y >= 0) & (x < small.shape[1]) & (y < small.shape[0])
    hit = np.where(inside, person[np.clip(y, 0, small.shape[0] - 1), np.clip(x, 0, small.shape[1] - 1)], False)
    ends = hit.argmin(1)
    cut = ~inside[np.arange(len(ends)), ends] | (ends == 0)
    return np.where(cut, np.nan, steps[np.maximum(ends, 1) - 1])


def _person(small: Array, points: Array, centre: Array, per_cm: float, hair_rgb: Array) -> Array | None:
    """(h, w) bool: head and hair, by GrabCut from what is surely one or the other."""
    height, width = small.shape[:2]
    row, column = np.mgrid[:height, :width]
    away = np.hypot(column - centre[0], row - centre[1]) / per_cm
    labels = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    likeness = np.abs(np.log((linear(small) + 0.03) / (hair_rgb + 0.03))).max(-1)
    labels[(likeness < 0.8) & (away < 11.5)] = cv2.GC_PR_FGD
    labels[away > 13.5] = cv2.GC_BGD
    labels[(away < 7.2) & (row < centre[1])] = cv2.GC_FGD
    cv2.fillConvexPoly(labels, cv2.convexHull(np.round(points[:468]).astype(np.int32)), cv2.GC_FGD)
    labels[row > points[152, 1]] = cv2.GC_BGD
    if not (labels == cv2.GC_BGD).any() or not (labels == cv2.GC_PR_BGD).any():
        return None
    cv2.setRNGSeed(1)
    cv2.grabCut(small[:, :, ::-1].copy(), labels, None, np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_MASK)
    found = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    return cv2.morphologyEx(found, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)) > 0


def _reach(arms: Array) -> Array:
    """(D,) how far points (N, 2) reach in each direction."""
    angle, length = np.arctan2(arms[:, 0], arms[:, 1]), np.linalg.norm(arms, axis=1)
    near = np.abs(angle[None] - DIRECTIONS_RAD[:, None]) < np.radians(6)
    return np.where(near, length[None], 0).max(1)


def _smooth(x: Array) -> Array:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
