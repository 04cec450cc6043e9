"""What follows from where the eyes look.

Both eyes get the same angles: at a webcam's resolution the difference between them is noise, and eyes that
turn together look right. The `eyeLook` channels say the same in ARKit's way.
"""

from __future__ import annotations

import numpy as np

from ..channels import INDEX
from ..data import Array

FULL_YAW_RAD, FULL_PITCH_RAD = np.radians(30.0), np.radians(25.0)
"""The angles at which an `eyeLook` channel reaches 1."""
_FULL_RAD = np.array([FULL_YAW_RAD, FULL_PITCH_RAD])
LIMIT_RAD = np.radians([45.0, 35.0])
"""No eye turns farther than this (yaw, pitch)."""
_LIMITS = LIMIT_RAD.tolist()
CLOSING, CLOSED = 0.4, 0.8
"""`eyeBlink` from which a lid begins to hide the iris, and at which nothing of it is seen."""

STRAIGHT_RAD, COUNTS_FROM_RAD = np.radians([1.0, 2.0]).tolist()
"""Eyes that seem to look less than this aside look straight ahead; from the second on it counts in full. The irises are
found to about 4 degrees."""
GAINS = (1.1, 1.2)
"""How much farther (yaw, pitch) eyes look than was read: an unsure network says a little."""
# On held-out takes of `train`, `train_nat` and `train_wide` both together take the mean error of gaze from 4.87, 2.50
# and 5.85 degrees to 4.77, 2.43 and 5.77, and that of all channels at rest from 0.0119, 0.0069 and 0.0098 to 0.0113,
# 0.0064 and 0.0090.

LOOK_CHANNELS = np.array(
    [INDEX[f"eyeLook{way}{side}"] for side in ("Left", "Right") for way in ("Down", "In", "Out", "Up")]
)
"""The 8 channels that gaze decides, in the order of `look_weights`."""


def both_eyes(angles_rad: Array) -> Array:
    """(2, 2) left eye, right eye x yaw, pitch, within what eyes can do, from (2,) yaw, pitch."""
    within = [max(-limit, min(limit, angle)) for angle, limit in zip(angles_rad.tolist(), _LIMITS, strict=True)]
    return np.array([within, within])


def settled_gaze(angles_rad: Array) -> Array:
    """Where eyes look, (2,) yaw, pitch, from what was read."""
    settled = []
    for angle, gain in zip(angles_rad.tolist(), GAINS, strict=True):
        share = (abs(angle) - STRAIGHT_RAD) / (COUNTS_FROM_RAD - STRAIGHT_RAD)
        settled.append(angle * gain * max(0.0, min(1.0, share)))
    return np.array(settled)


def visible_share(blinks: Array) -> float:
    """How much of a new gaze to believe: 1 with open eyes, 0 when both lids are shut.

    blinks : (2,) `eyeBlinkLeft`, `eyeBlinkRight`"""
    return max(0.0, min(1.0, (CLOSED - float(min(blinks))) / (CLOSED - CLOSING)))


def look_weights(angles_rad: Array) -> Array:
    """The `eyeLook` channels of a gaze.

    angles_rad : (2, 2) left eye, right eye x yaw, pitch
    returns    : (8,) in 0..1, order `LOOK_CHANNELS`"""
    (left_yaw, left_pitch), (right_yaw, right_pitch) = (angles_rad / _FULL_RAD).tolist()
    # In and out are towards and away from the nose: the left eye looks out when it turns to the left.
    left = (-left_pitch, -left_yaw, left_yaw, left_pitch)
    right = (-right_pitch, right_yaw, -right_yaw, right_pitch)
    return np.array([max(0.0, min(1.0, way)) for way in (*left, *right)])
