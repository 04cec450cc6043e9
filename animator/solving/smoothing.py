"""Calm stills without lag: One-Euro filters on pose, gaze and weights, governed by one knob."""

from __future__ import annotations

import math

import numpy as np

from ..channels import ARKIT
from ..data import Array, Expression, Gaze, HeadPose
from ..maths.filters import OneEuro

CALMEST_HZ = 0.4
"""Cut-off at rest with the knob at 1; at 0.5 it is 2 Hz, near 0 the filter is transparent."""
QUICKEST_HZ = 10.0
# Cut-off gained per unit of speed, with the knob at 0.5. Chosen on training takes: rotation loses 0.1 degree
# of median accuracy to lag while its jitter at rest falls to less than half. A blink rises at about 8 / s
# and must pass: 8 * 5 = 40 Hz.
WEIGHT_BETA = 5.0
ROTATION_BETA = 60.0  # speed in quaternion units, half a radian each
TRANSLATION_BETA = 0.8  # speed in cm / s
GAZE_BETA = 3.0  # speed in rad / s
# The speed estimate itself may not lag, or a blink is over before the cut-off rises.
SPEED_HZ = 5.0


_ROTATION, _TRANSLATION, _GAZE, _WEIGHTS = slice(0, 4), slice(4, 7), slice(7, 11), slice(11, 11 + len(ARKIT))


class Smoother:
    """The filters of one performer, side by side in one."""

    def __init__(self, smoothing: float) -> None:
        cutoff_hz = QUICKEST_HZ * (CALMEST_HZ / QUICKEST_HZ) ** smoothing
        eager = 4.0 ** (1 - 2 * smoothing)  # 1 at the default
        self._off = smoothing <= 0
        beta = np.repeat([ROTATION_BETA, TRANSLATION_BETA, GAZE_BETA, WEIGHT_BETA], [4, 3, 4, len(ARKIT)]) * eager
        self._filter = OneEuro(cutoff_hz, beta, SPEED_HZ)
        self._last_wxyz: Array | None = None

    def step(self, pose: HeadPose, gaze: Gaze, weights: Array, time_s: float) -> tuple[HeadPose, Gaze, Expression]:
        """What to show at `time_s`; weights (52,) in 0..1."""
        if self._off:
            return pose, gaze, Expression(weights.astype(np.float32))
        wxyz = pose.rotation_wxyz
        if self._last_wxyz is not None and wxyz @ self._last_wxyz < 0:
            wxyz = -wxyz  # the same rotation, on the side of the sphere where the filter is
        seen = np.concatenate([wxyz, pose.translation_cm, gaze.angles_rad.ravel(), weights])
        calm = self._filter.step(seen, time_s)
        wxyz = calm[_ROTATION]
        self._last_wxyz = wxyz = wxyz / math.sqrt(wxyz @ wxyz)
        return (
            HeadPose(wxyz, calm[_TRANSLATION]), Gaze(calm[_GAZE].reshape(2, 2)),
            Expression(np.minimum(np.maximum(calm[_WEIGHTS], 0), 1).astype(np.float32)),
        )  # fmt: skip
