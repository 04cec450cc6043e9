"""Expression weights from head-frame landmarks: a linear response with bounds.

The landmarks are taken as neutral + response @ weights + noise. The most probable weights minimise

    1/2 (r - B w)' N (r - B w) + rate' w + 1/2 w' P w,   0 <= w <= 1

where r is what differs from the person's neutral, B the response, N the inverse noise covariance, `rate`
an exponential prior (most channels are at rest most of the time) and P a small diagonal precision. Written
out that is a quadratic with 52 unknowns, so a frame costs one matrix-vector product and a tiny solve.
"""

from __future__ import annotations

import numpy as np

from ..channels import ARKIT
from ..data import Array
from .face_model import FaceModel

_TOLERANCE = 1e-7
_MAX_STEPS = 40


def solve_box(hessian: Array, linear: Array, start: Array, lower: Array, upper: Array) -> Array:
    """The minimum of 1/2 w' hessian w - linear' w with lower <= w <= upper, by projected Newton steps.

    hessian : (n, n) symmetric positive definite
    linear  : (n,)
    start   : (n,) a guess; near the answer (the last frame's) it saves steps
    returns : (n,)

    Bertsekas 1982: variables that sit on a bound and are pushed against it are left out, the others take
    a Newton step, which is cut back to the box and shortened until the objective falls."""
    weights = np.clip(start, lower, upper)
    gradient = hessian @ weights - linear
    for _ in range(_MAX_STEPS):
        held = ((weights <= lower) & (gradient >= 0)) | ((weights >= upper) & (gradient <= 0))
        free = np.flatnonzero(~held)
        if free.size == 0 or np.abs(gradient[free]).max() < _TOLERANCE * (1 + np.abs(linear).max()):
            break
        step = np.zeros_like(weights)
        step[free] = -np.linalg.solve(hessian[np.ix_(free, free)], gradient[free])
        share = 1.0
        while share > 1e-6:
            trial = np.clip(weights + share * step, lower, upper)
            moved = trial - weights
            change = hessian @ moved
            if gradient @ moved + 0.5 * (moved @ change) <= 1e-4 * (gradient @ moved):
                break
            share *= 0.5
        else:
            break
        weights, gradient = trial, gradient + change
    return weights


class ExpressionSolver:
    """The normal equations of one model, ready for frame after frame."""

    def __init__(self, model: FaceModel) -> None:
        response = model.response_cm.astype(np.float64).reshape(len(ARKIT), -1)
        self._measure = model.measure_map.astype(np.float64)
        self._hessian = self._measure @ response.T + np.diag(model.channel_precision.astype(np.float64))
        self._hessian = 0.5 * (self._hessian + self._hessian.T)
        self._rate = model.channel_rate.astype(np.float64)
        # A channel without any response (tongueOut) cannot be seen: it stays at 0.
        self._upper = np.where(np.abs(response).max(1) > 0, 1.0, 0.0)
        self._lower = np.zeros(len(ARKIT))

    def measure(self, change: Array) -> Array:
        """The whitened view of each channel, (52,), in a change of shape: (1434,) landmarks minus neutral."""
        return self._measure @ change

    def solve_measured(self, measured: Array, start: Array | None = None) -> Array:
        """The weights of one frame.

        measured : (52,) from `measure`
        start    : (52,) the last frame's answer, if any; changes the time it takes, not the answer
        returns  : (52,) float64 in 0..1"""
        start = self._lower if start is None else start
        return solve_box(self._hessian, measured - self._rate, start, self._lower, self._upper)

    def solve(self, landmarks_cm: Array, neutral_cm: Array) -> Array:
        """The weights (52,) of head-frame landmarks (478, 3) of a person with this neutral (478, 3)."""
        return self.solve_measured(self.measure((landmarks_cm - neutral_cm).ravel()))
