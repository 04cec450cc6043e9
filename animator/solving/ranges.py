"""A person's own range: how far a whole blink goes in what is solved, and the gain that makes it whole.

Only blinks have one. On held-out takes of the training sets a gain by the high percentile of a take made blinks better
and everything else worse, as how far a face goes within a take tells more of the acting than of the person:

                                   random              captured
  eyeBlink, F1 at 0.5              0.876 -> 0.881      0.884 -> 0.882 (4 of 8 takes blink enough)
  eyeBlink, mean absolute error    0.0309 -> 0.0302    0.0774 -> 0.0779
  brows, the same                  0.029 -> 0.031      0.060 -> 0.067 to 0.079
  mouth                            0.040 -> 0.040      0.038 -> 0.044 to 0.047
  jawOpen                          0.049 -> 0.075      0.023 -> 0.030"""

from __future__ import annotations

from collections import deque

import numpy as np

from ..data import Array

ENOUGH, KEPT = 4, 30
"""Blinks that must have been seen before they tell anything, and how many of the last are remembered."""
RISE, FALL = 0.3, 0.6
"""A blink begins by so much above the lowest since the last, and is over below this share of its peak."""
PERCENTILE, TARGET, MAX_GAIN = 80.0, 0.95, 1.3
"""So many of a person's blinks are whole; what those reach is to become this, by no more than this gain."""


class BlinkRange:
    """Learns from the solved blinks of one person."""

    def __init__(self, reach: float | None = None) -> None:
        """`reach`: what a whole blink reaches, from a profile; it holds until enough blinks were seen."""
        self._reach, self._gain = reach, 1.0
        self._peaks: deque[float] = deque(maxlen=KEPT)
        self._lowest, self._peak = 1.0, 0.0
        self._renew()

    @property
    def reach(self) -> float | None:
        """What a whole blink reaches in what is solved; None while that is not known."""
        return self._reach

    def apply(self, blinks: Array) -> Array:
        """(2,) left and right in 0..1, solved -> the same on this person's own scale."""
        self._learn(float(np.max(blinks)))
        return np.minimum(blinks * self._gain, 1.0)

    def _learn(self, blink: float) -> None:
        if self._peak:
            self._peak = max(self._peak, blink)
            if blink < FALL * self._peak:
                self._peaks.append(self._peak)
                self._lowest, self._peak = blink, 0.0
                self._renew()
            return
        self._lowest = min(self._lowest, blink)
        if blink > self._lowest + RISE:
            self._peak = blink

    def _renew(self) -> None:
        if len(self._peaks) >= ENOUGH:
            self._reach = float(np.percentile(self._peaks, PERCENTILE))
        if self._reach is not None:
            self._gain = float(np.clip(TARGET / self._reach, 1.0, MAX_GAIN))
