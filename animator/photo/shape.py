"""Bend the head to a person's shape: one smooth map of space that carries skin, hair, teeth and expressions alike.

Around the eyes a morph is bent by mapping where its vertices go to, not what they move by: lids that met meet again,
and glide on the eyeball, as one place has one image. Elsewhere mostly by what they move by: a mouth that the person
smiled with in the photo has been bent much, and lips that run through such folds would fold themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree

from ..data import Array
from ..topology import LEFT_EYE, RIGHT_EYE
from .model import HumanModel

LANDMARKS = 468
SMOOTHING = 0.02
"""Of the thin plate: landmarks are met within 0.3 mm, and their noise is not."""
FIXED_BEYOND_CM = 6.5
"""Farther from the face than this nothing moves: back of the head, neck, shoulders."""
FIXED_SPACING_CM = 3.0
LID_REACH = (1.15, 1.75)
"""Distances from an eyeball's middle, in its radii: up to the first a lid glides on it, from the second on it is
free skin."""
MAPPED_ELSEWHERE = 0.3
"""How much of a morph away from the eyes is bent by where its vertices go to."""
EYES = {"leftEye": LEFT_EYE, "rightEye": RIGHT_EYE}


@dataclass(frozen=True, slots=True)
class _Eye:
    centre_cm: Array
    moved_cm: Array
    radius_cm: float
    scale: float


class Bend:
    """Where each place of the human's head goes; centimetres to centimetres."""

    def __init__(self, model: HumanModel, shape_cm: Array) -> None:
        """shape_cm : (478, 3) how the person's landmarks at rest differ from everybody's mean."""
        face = model.pieces["face"].positions_cm[:LANDMARKS]
        others = np.concatenate([p.positions_cm for p in model.pieces.values() if not p.moves_cm or p.name == "skull"])
        away = cKDTree(face).query(others)[0]
        fixed = _thinned(others[away > FIXED_BEYOND_CM], FIXED_SPACING_CM)
        places, moves = np.concatenate([face, fixed]), np.concatenate([shape_cm[:LANDMARKS], np.zeros_like(fixed)])
        # Landmarks of sealed lips share a place.
        _, kept = np.unique(np.round(places, 1), axis=0, return_index=True)
        self._field = RBFInterpolator(places[kept], moves[kept], smoothing=SMOOTHING, degree=1)
        self.eyes = {name: self._eye(model, name, loop) for name, loop in EYES.items()}

    def _eye(self, model: HumanModel, name: str, loop: tuple[int, ...]) -> _Eye:
        """An eyeball goes along with its lids, and grows with them."""
        centre = model.joints_cm[name]
        ball = model.pieces[f"{name}Ball"].positions_cm
        outline = model.pieces["face"].positions_cm[list(loop)]
        moved = outline + self._field(outline)
        scale = np.clip(np.linalg.norm(moved[0] - moved[8]) / np.linalg.norm(outline[0] - outline[8]), 0.92, 1.08)
        corners = moved[[0, 8]].mean(0) - outline[[0, 8]].mean(0)
        return _Eye(centre, centre + corners, float(np.linalg.norm(ball - centre, axis=1).max()), float(scale))

    def __call__(self, places_cm: Array) -> Array:
        """(N, 3) -> (N, 3)."""
        result = places_cm + self._field(places_cm)
        for eye in self.eyes.values():
            arm = places_cm - eye.centre_cm
            length = np.linalg.norm(arm, axis=1)
            near = np.flatnonzero((length < LID_REACH[1] * eye.radius_cm) & (arm[:, 2] > -0.3 * eye.radius_cm))
            bent = result[near] - eye.moved_cm
            free = np.linalg.norm(bent, axis=1)
            low, high = LID_REACH
            glides = 1 - _smooth((length[near] / eye.radius_cm - low) / (high - low))
            reach = free + glides * (length[near] * eye.scale - free)
            result[near] = eye.moved_cm + bent * (reach / np.maximum(free, 1e-9))[:, None]
        return result

    def near_eyes(self, places_cm: Array) -> Array:
        """(N,) 1 on the lids, 0 far from both eyes."""
        away = [np.linalg.norm(places_cm - eye.centre_cm, axis=1) / eye.radius_cm for eye in self.eyes.values()]
        return 1 - _smooth((np.min(away, 0) - 1.6) / 1.2)


def bend(model: HumanModel, shape_cm: Array, *, with_moves: bool = True) -> Bend:
    """Bend all pieces, joints and, unless not wanted, morphs of a model in place."""
    by = Bend(model, shape_cm)
    for piece in model.pieces.values():
        name = piece.name.removesuffix("Ball")
        if name in by.eyes:
            eye = by.eyes[name]
            piece.positions_cm = eye.moved_cm + (piece.positions_cm - eye.centre_cm) * eye.scale
            continue
        before, piece.positions_cm = piece.positions_cm, by(piece.positions_cm)
        if with_moves:
            _bend_moves(by, piece.moves_cm, before, piece.positions_cm)
    for name, place in model.joints_cm.items():
        model.joints_cm[name] = by.eyes[name].moved_cm if name in by.eyes else place
    return by


def _bend_moves(by: Bend, moves: dict[str, tuple[Array, Array]], before: Array, after: Array) -> None:
    """Channel by channel in place: from where a vertex went to where that is now."""
    if not moves:
        return
    counts = np.cumsum([len(rows) for rows, _ in moves.values()])[:-1]
    rows = np.concatenate([rows for rows, _ in moves.values()])
    plain = np.concatenate([move for _, move in moves.values()])
    mapped = by(before[rows] + plain) - after[rows]
    share = (MAPPED_ELSEWHERE + (1 - MAPPED_ELSEWHERE) * by.near_eyes(before))[rows, None]
    for (channel, (own, _)), moved in zip(
        list(moves.items()), np.split(plain + share * (mapped - plain), counts), strict=True
    ):
        moves[channel] = own, moved


def _thinned(points: Array, spacing: float) -> Array:
    """One point for each cube of this size."""
    _, first = np.unique(np.floor(points / spacing).astype(int), axis=0, return_index=True)
    return points[first]


def _smooth(x: Array) -> Array:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
