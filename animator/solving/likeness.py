"""Whether the face before the camera is the person whose neutral is known, and whether it is a face at all."""

from __future__ import annotations

import numpy as np

from ..data import Array
from .face_model import FaceModel
from .identity import RunningNeutral

# The frame of somebody's acting that is most like a known neutral, on takes of 67 people: 48 of training sets and 19
# of whom nothing was learned (15 of the 67 captured, 14 with large head turns), each once calibrated over 20 frames:
#
#                          in the first 1 s    1.5 s          2 s            3 s
#   own, median / highest      1.07 / 1.62     0.98 / 1.56    0.93 / 1.38    0.89 / 1.37
#   others, 1 % / median       1.68 / 2.79     1.66 / 2.75    1.63 / 2.70    1.57 / 2.66
#   others within STRANGER     0.8 %           0.9 %          1.2 %          1.6 %
#
# The threshold was chosen in view of these. In the 1.5 s after the first ones, one of the 67 was beyond it (1.68).
# One frame alone is beyond STRANGER for 9 % of the same people. The mean of the frames tells less, as big expressions
# and turns stay in it; plain centimetres between neutrals much less: of those a third of all others are nearer than
# the farthest of the same. A neutral taken with another field of view: nearest 1.3 and 1.4 (median) when 8 degrees
# off, 2.1 and 2.2 at 15 degrees off, where most are strangers to themselves.
STRANGER = 1.65
"""Who has not been nearer than this to a neutral is another person, or seen through another lens."""
DECIDE_S = 1.5
"""For so long."""
CERTAIN_LOOKS = 3.0
"""Each frame is weighed as that many independent looks, which sets the scale of the distance."""
LOOK_EVERY_S = 0.05

# Root mean square distance from the canonical face, of 24,000 frames of the same takes: median 0.45, highest 1.10 cm.
# A face whose depth is lost has 2.0, one squashed to a tenth of its height 9, points strewn at random 56 and more.
# Irises are left out: a tracker without them may say anything there, and only the gaze suffers.
MAX_MISS_CM = 4.0
_SKIN = 468


def is_face(landmarks_cm: Array, canonical_cm: Array) -> bool:
    """Whether landmarks (478, 3) in the head frame have the shape of any face."""
    offset = (landmarks_cm[:_SKIN] - canonical_cm[:_SKIN]).ravel("K")
    return bool(offset @ offset <= _SKIN * MAX_MISS_CM**2)  # nan is no face either


class Likeness:
    """Measures how alike people are, by one model."""

    def __init__(self, model: FaceModel) -> None:
        self.model = model
        identity_map = model.identity_map.astype(np.float64)
        information = identity_map @ model.identity_cm.astype(np.float64).reshape(len(identity_map), -1).T
        posterior = np.linalg.inv(CERTAIN_LOOKS * 0.5 * (information + information.T) + np.eye(len(identity_map)))
        scale = CERTAIN_LOOKS / np.sqrt(len(identity_map))
        self._map = scale * np.linalg.cholesky(posterior).T @ identity_map

    def distance(self, neutral_cm: Array, seen_cm: Array) -> float:
        """How far somebody is from a known neutral, whatever the face does just now.

        neutral_cm, seen_cm : (478, 3) head frame
        returns             : in standard deviations, root mean square over the modes of identity"""
        return float(np.linalg.norm(self._map @ (neutral_cm - seen_cm).ravel()))


class Watch:
    """Looks at somebody who has come (again) until it is clear whether the neutral at hand is theirs."""

    def __init__(self, likeness: Likeness) -> None:
        self._likeness = likeness
        self._seen_s = 0.0
        self._last_s: float | None = None
        self.running = RunningNeutral(likeness.model)
        """What was learned of the newcomer meanwhile."""

    def verdict(self, landmarks_cm: Array, neutral_cm: Array, time_s: float) -> str | None:
        """ "stranger" or "same" once that is known, from one more frame (478, 3) in the head frame; else None.

        One frame that is near says "same"; until then it is as if a stranger were there."""
        self.running.add(landmarks_cm, time_s)
        elapsed_s = LOOK_EVERY_S if self._last_s is None else time_s - self._last_s
        if 0 <= elapsed_s < LOOK_EVERY_S - 1e-6:
            return None
        self._seen_s += min(max(elapsed_s, 0.0), LOOK_EVERY_S * 4) if self._last_s is not None else 0.0
        self._last_s = time_s
        if self._likeness.distance(neutral_cm, landmarks_cm) <= STRANGER:
            return "same"
        return "stranger" if self._seen_s >= DECIDE_S - 1e-6 else None
