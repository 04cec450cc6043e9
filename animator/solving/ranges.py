"""A person's own range: how far a whole blink goes in what is solved, and the gain that makes it whole.

Only blinks have one, it is measured always and applied only if asked for (`SolverConfig.ranges`). How far a face goes
within a take tells more of the acting than of the person. Mean absolute error without and with a gain by the high
percentile of each take, held out of learning; below, F1 at 0.5 of blinks, each take by its own range:

                                   random            captured          large head turns
  brows                            0.039 -> 0.039    0.081 -> 0.083    0.028 -> 0.029
  mouth                            0.047 -> 0.048    0.037 -> 0.040    0.041 -> 0.043
  jawOpen                          0.057 -> 0.093    0.024 -> 0.035    0.072 -> 0.096
  eyeBlink, held out, F1           0.880 -> 0.880    0.921 -> 0.921    0.877 -> 0.877
  eyeBlink, public sets, F1        0.825 -> 0.825    0.810 -> 0.785    0.903 -> 0.903

Most people's blinks are read whole as it is (0.93 to 1). In the captured public takes people blink by halves (0.35 to
0.78 in four of five), which nothing tells from whole blinks read by half: there the gain does harm, and for the latter
it is meant."""

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
        self._learn(max(blinks.tolist()))
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
