"""What faces were measured to do, laid into what the hand drew.

The learned response of the landmarks to each channel (`assets/face_model.npz`, the one that the solver reads faces
by) is true on average and coarse: lids, sealed lips and the two sides of a face run into one another. So each channel
is drawn by hand first, and moved towards the measurement by a share: a tracker then reads the channel as what it
is, and skin far from its handles (cheeks, chin, the sides of the nose) takes its part.
"""

from __future__ import annotations

import numpy as np

from animator.channels import INDEX, mirrored_name
from animator.data import Array
from animator.solving.face_model import face_model
from animator.topology import LEFT_EYE, RIGHT_EYE

from .cage import LOWER_LIP, UPPER_LIP
from .muscles import Muscles
from .subdivide import graph_laplacian

SHARES = {
    "mouthSmile": 0.25, "mouthDimple": 0.50, "mouthPress": 0.40, "mouthUpperUp": 0.20, "noseSneer": 0.55,
    "cheekSquint": 0.45, "mouthLeft": 0.25, "mouthRight": 0.25, "mouthFunnel": 0.30,
}  # fmt: skip
"""How far each channel goes from the hand's drawing (0) to the measurement (1).

Only where `make bench-loop` reads the channel better with it: noseSneer 0.64 to 0.73, cheekSquint 0.79 to 0.85,
mouthSmile 0.85 to 0.89. Frown, stretch, pucker and jawRight it reads better as drawn."""
SEALED = ("mouthDimple", "mouthPress", "mouthLeft", "mouthRight")
"""Channels in which the lips stay on each other."""
UPPER_FACE = ("cheekSquint",)
LID_REACH_CM, SIDE_CM = 1.3, (0.1, 1.1)
ROUNDS = 3


class Measured:
    """The face model's response on one cage."""

    def __init__(self, muscles: Muscles) -> None:
        self._muscles = muscles
        place = muscles.cage.positions[:468]
        self._x = place[:, 0]
        lids = place[[*LEFT_EYE, *RIGHT_EYE]]
        away = np.linalg.norm(place[:, None] - lids[None], axis=2).min(1)
        self._off_lids = _smooth(away / LID_REACH_CM)
        face = muscles.cage.triangles[muscles.cage.region == 0]
        self._laplacian = graph_laplacian(face, 468)

    def blended(self, channel: str, drawn: Array) -> Array:
        """(N, 3) cm: the drawn displacements moved towards the measured ones."""
        stem = channel.removesuffix("Left").removesuffix("Right") if channel not in SHARES else channel
        share = SHARES.get(stem, 0.0)
        if not share:
            return drawn
        change = share * (self._response(channel) - drawn[:468]) * self._off_lids[:, None]
        if stem != channel:
            side = 1 if channel.endswith("Left") else -1
            low, high = SIDE_CM if stem.startswith(UPPER_FACE) else (-0.9, 0.7)
            change *= _smooth((side * self._x - low) / (high - low))[:, None]
        for _ in range(ROUNDS):
            change = change + 0.5 * (self._laplacian @ change)
        if stem in SEALED:
            for upper, lower in zip(UPPER_LIP[-1], LOWER_LIP[-1], strict=True):
                change[[upper, lower]] = change[[upper, lower]].mean(0)
        pinned = np.setdiff1d(np.arange(468), [*LEFT_EYE, *RIGHT_EYE])
        moves = self._muscles.spread({int(v): change[v] for v in pinned} | dict.fromkeys(
            (*LEFT_EYE, *RIGHT_EYE), np.zeros(3)), locality=0.02)  # fmt: skip
        return drawn + moves

    def _response(self, channel: str) -> Array:
        """(468, 3) cm, the mean of both sides' measurements."""
        model = face_model()
        own, other = model.response_cm[INDEX[channel]], model.response_cm[INDEX[mirrored_name(channel)]]
        return 0.5 * (own + other[model.mirror] * [-1, 1, 1])[:468].astype(float)


def _smooth(x: Array) -> Array:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)

