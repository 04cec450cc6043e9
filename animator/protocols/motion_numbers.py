"""Motion as 64 whole numbers, the unit in which the motion stream counts.

    place    number              unit                      range          largest error
    0..51    weight              1/100                     0..100         0.005
    52..55   rotation x, y, z, w 1/400                     -400..400      0.29 degrees of turn
    56..58   translation x, y, z 1/20 cm                   -2^20..2^20    0.025 cm each, 0.044 cm in all
    59..62   gaze                1/140 rad                 -440..440      0.21 degrees each, 0.29 in all
    63       confidence          1/20                      0..20          0.025; only 0 becomes 0

Gaze is left yaw, left pitch, right yaw, right pitch. All four parts of the quaternion are sent, not three: there is
no orientation where an error grows, and the fourth hardly costs anything as it hardly moves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..data import Array, Expression, Gaze, HeadPose, Motion
from ..errors import ProtocolError

WEIGHTS = slice(0, 52)
ROTATION = slice(52, 56)
TRANSLATION = slice(56, 59)
GAZE = slice(59, 63)
CONFIDENCE = 63

WEIGHT_STEPS, ROTATION_STEPS, TRANSLATION_STEPS, GAZE_STEPS, CONFIDENCE_STEPS = 100, 400, 20, 140, 20
"""Steps per unit: of weight, of quaternion, per centimetre, per radian, of confidence."""
MAX_TRANSLATION = 1 << 20
MAX_GAZE = 440
"""Just over half a turn."""
MAX_TIME_MS = (1 << 47) - 1
"""4460 years."""

REST: tuple[int, ...] = (*[0] * 55, ROTATION_STEPS, 0, 0, -50 * TRANSLATION_STEPS, *[0] * 4, CONFIDENCE_STEPS)
"""A neutral face that looks into the camera from 50 cm."""
LOWEST = (*[0] * 52, *[-ROTATION_STEPS] * 4, *[-MAX_TRANSLATION] * 3, *[-MAX_GAZE] * 4, 0)
HIGHEST = (*[WEIGHT_STEPS] * 52, *[ROTATION_STEPS] * 4, *[MAX_TRANSLATION] * 3, *[MAX_GAZE] * 4, CONFIDENCE_STEPS)


def time_ms(motion: Motion) -> int:
    """Whole milliseconds; raises ProtocolError beyond 48 bits."""
    scaled = motion.time_s * 1000 + 0.5
    if not abs(scaled) <= MAX_TIME_MS:
        raise ProtocolError(f"time_s: expected a number of seconds within 4460 years of 0, got {motion.time_s}")
    return math.floor(scaled)


def numbers_from_motion(motion: Motion, near: Sequence[int] = REST) -> list[int]:
    """The 64 numbers. Of the two quaternions of an orientation the one nearer to that in `near` is taken.

    Raises ProtocolError where a value is not finite or the quaternion is 0."""
    wxyz = np.asarray(motion.pose.rotation_wxyz, np.float64)
    w, x, y, z = wxyz.tolist()
    length = math.sqrt(x * x + y * y + z * z + w * w)
    if not 1e-6 < length < math.inf:
        raise ProtocolError(f"rotation_wxyz: expected a unit quaternion, got {wxyz}")
    a, b, c, d = near[ROTATION]
    if x * a + y * b + z * c + w * d < 0:
        length = -length
    confidence = _steps("confidence", np.array([motion.confidence]), CONFIDENCE_STEPS, 0, CONFIDENCE_STEPS)
    if motion.confidence > 0 and confidence == [0]:
        confidence = [1]  # 0 says that nobody was seen
    return [
        *_steps("weights", motion.expression.weights, WEIGHT_STEPS, 0, WEIGHT_STEPS),
        *(math.floor(part / length * ROTATION_STEPS + 0.5) for part in (x, y, z, w)),
        *_steps("translation_cm", motion.pose.translation_cm, TRANSLATION_STEPS, -MAX_TRANSLATION, MAX_TRANSLATION),
        *_steps("angles_rad", motion.gaze.angles_rad, GAZE_STEPS, -MAX_GAZE, MAX_GAZE),
        *confidence,
    ]


def motion_from_numbers(numbers: Sequence[int], at_ms: int, track_id: int) -> Motion:
    """The inverse, up to rounding. Raises ProtocolError where a number is out of its range."""
    if any(not low <= n <= high for n, low, high in zip(numbers, LOWEST, HIGHEST, strict=True)):
        raise ProtocolError("a motion message holds a number out of its range")
    x, y, z, w = numbers[ROTATION]
    length = math.sqrt(x * x + y * y + z * z + w * w)
    if length == 0:
        raise ProtocolError("a motion message holds a rotation of length 0")
    return Motion(
        at_ms / 1000,
        track_id,
        HeadPose(
            np.array([w / length, x / length, y / length, z / length]),
            np.array(numbers[TRANSLATION]) / TRANSLATION_STEPS,
        ),
        Gaze(np.array(numbers[GAZE]).reshape(2, 2) / GAZE_STEPS),
        Expression((np.array(numbers[WEIGHTS]) / WEIGHT_STEPS).astype(np.float32)),
        numbers[CONFIDENCE] / CONFIDENCE_STEPS,
    )


def _steps(name: str, values: Array, steps: int, low: int, high: int) -> list[int]:
    """Each value in steps, rounded half up (as JavaScript does) and kept in its range."""
    scaled = np.asarray(values, np.float64).ravel() * steps
    if not np.isfinite(scaled).all():
        raise ProtocolError(f"{name}: expected finite numbers, got {values}")
    return np.clip(np.floor(scaled + 0.5), low, high).astype(np.int64).tolist()
