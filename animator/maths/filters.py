"""The One-Euro filter: calm when still, quick when moving (Casiez, Roussel, Vogel, CHI 2012)."""

from __future__ import annotations

import math

import numpy as np

from ..data import Array


def smoothing_share(cutoff_hz: Array | float, step_s: float) -> Array:
    """The share of the new value in a first-order low-pass: 1 / (1 + tau / step), tau = 1 / (2 pi cutoff)."""
    ratio = cutoff_hz * (2 * math.pi * step_s)
    return ratio / (1 + ratio)


class OneEuro:
    """One low-pass per array element whose cut-off rises with the element's speed.

    cutoff_hz            : cut-off at rest; lower is calmer
    beta                 : cut-off gained per unit of speed (units of the signal per second); one, or one an element
    derivative_cutoff_hz : cut-off of the speed estimate

    raw_speed            : the speed is that from value to value, as in MediaPipe's filter, and not that from the
                           filtered value to the next, as in the paper
    A gap of more than `reset_after_s` starts afresh, as a new value has nothing to do with the old one."""

    def __init__(
        self,
        cutoff_hz: float,
        beta: Array | float = 0.0,
        derivative_cutoff_hz: float = 1.0,
        reset_after_s: float = 0.5,
        raw_speed: bool = False,
    ) -> None:
        self.cutoff_hz, self.beta = cutoff_hz, beta
        self.derivative_cutoff_hz, self.reset_after_s = derivative_cutoff_hz, reset_after_s
        self.raw_speed = raw_speed
        self._time_s: float | None = None

    def reset(self) -> None:
        """Forget everything: the next value passes unchanged."""
        self._time_s = None

    def step(self, value: Array, time_s: float) -> Array:
        """The filtered value; `value` may have any shape, the same in every call. Time must not go back."""
        value = np.asarray(value, np.float64)
        if self._time_s is None or not 0 <= time_s - self._time_s <= self.reset_after_s:
            self._time_s, self._value, self._speed = time_s, value.copy(), np.zeros_like(value)
            self._before = self._value
            return self._value
        step_s = time_s - self._time_s
        if step_s == 0:
            return self._value
        speed = value - self._before
        speed /= step_s
        speed -= self._speed
        speed *= smoothing_share(self.derivative_cutoff_hz, step_s)
        self._speed = speed = speed + self._speed
        share = np.abs(speed)
        share *= self.beta
        share += self.cutoff_hz
        share *= 2 * math.pi * step_s
        share /= share + 1  # `smoothing_share` of every element's cut-off
        self._value = self._value + share * (value - self._value)
        self._before = value.copy() if self.raw_speed else self._value
        self._time_s = time_s
        return self._value
