"""Whether the face before the camera is the person whose neutral is known, and whether it is a face at all."""

from __future__ import annotations

import numpy as np

from ..data import Array
from .face_model import FaceModel
from .identity import CORRELATION_S, RunningNeutral

# Distances of one person to the own neutral and to those of others, after 1 frame, 1 s and 2 s of acting on
# 192 takes of the training sets (112 random, 40 captured, 40 with large head turns), each another person:
#
#                            1 frame      1 s         2 s
#   own, median / highest    0.6 / 1.18   0.8 / 1.40  0.9 / 1.48
#   others, 1 % / median     0.95 / 1.7   1.4 / 2.5   1.7 / 3.0
#   others within STRANGER   about 35 %   1 to 2 %    0.1 %
#
# Plain distances between the two neutrals, in centimetres, tell much less: after 2 s a fifth to a third of all others
# are nearer than the farthest one of the same person. With a wrong field of view (35 or 65 degrees taken for 50) the
# own distance is 2.2 to 3.7: a neutral from such a camera fits no better than another person's.
STRANGER = 1.5
"""Farther than this from a neutral is another person, or another lens."""
DECIDE_S = 2.0
"""Seen for so long, who is no stranger is the same person."""
LOOK_EVERY_S = 0.05

# Root mean square distance from the canonical face, of 24,000 frames of the same takes: median 0.45, highest 1.10 cm.
# Points strewn at random over the picture have 5 and more.
MAX_MISS_CM = 2.0


def is_face(landmarks_cm: Array, canonical_cm: Array) -> bool:
    """Whether landmarks (478, 3) in the head frame have the shape of any face."""
    offset = landmarks_cm - canonical_cm
    return bool(np.vdot(offset, offset) <= len(offset) * MAX_MISS_CM**2)  # nan is no face either


class Likeness:
    """Measures how alike people are, by one model."""

    def __init__(self, model: FaceModel) -> None:
        self.model = model
        self._map = model.identity_map.astype(np.float64)
        information = self._map @ model.identity_cm.astype(np.float64).reshape(len(self._map), -1).T
        self._information = 0.5 * (information + information.T)

    def distance(self, neutral_cm: Array, seen_cm: Array, looks: float) -> float:
        """How far somebody is from a known neutral: what a prior that believes in likeness would have to give up.

        neutral_cm : (478, 3) the known one
        seen_cm    : (478, 3) mean of the frames that were seen, head frame, whatever the face did in them
        looks      : how many independent looks these frames are worth
        returns    : in standard deviations, a mean over the modes of identity; grows with certainty"""
        evidence = looks * (self._map @ (neutral_cm - seen_cm).ravel())
        precision = looks * self._information
        precision[np.diag_indices_from(precision)] += 1.0
        return float(np.sqrt(max(0.0, evidence @ np.linalg.solve(precision, evidence)) / len(evidence)))


class Watch:
    """Looks at somebody who has come (again) until it is clear whether the neutral at hand is theirs."""

    def __init__(self, likeness: Likeness) -> None:
        self._likeness = likeness
        self._sum_cm = np.zeros_like(likeness.model.neutral_cm, dtype=np.float64)
        self._looks = 0.0
        self._last_s: float | None = None
        self.running = RunningNeutral(likeness.model)
        """What was learned of the newcomer meanwhile."""

    def verdict(self, landmarks_cm: Array, neutral_cm: Array, time_s: float) -> str | None:
        """ "stranger" or "same" once that is known, from one more frame (478, 3) in the head frame; else None."""
        elapsed_s = CORRELATION_S if self._last_s is None else time_s - self._last_s
        if 0 <= elapsed_s < LOOK_EVERY_S:
            return None
        self._last_s = time_s
        look = float(np.clip(elapsed_s / CORRELATION_S, 0.0, 1.0))
        self._sum_cm += look * landmarks_cm
        self._looks += look
        self.running.add(landmarks_cm, time_s)
        if look and self._likeness.distance(neutral_cm, self._sum_cm / self._looks, self._looks) > STRANGER:
            return "stranger"
        return "same" if self._looks >= 1 + DECIDE_S / CORRELATION_S - 1e-6 else None
