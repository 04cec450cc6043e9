"""Under overload pictures become fewer and smaller; latency does not grow."""

from __future__ import annotations

SCALES = (1.0, 0.75, 0.5)
"""Sizes of the puppet's picture, as shares of the camera's."""
SLOW_S, FAST_S = 1 / 15, 1 / 40
"""A round of drawing slower than the first asks for smaller pictures, one faster than the second for larger."""
PATIENCE = 20
"""Rounds in a row before anything changes: sizes must not flicker."""


class Governor:
    """Chooses a picture size from how long drawing takes; knows no clock."""

    def __init__(self) -> None:
        self._step = self._slow = self._fast = 0

    @property
    def scale(self) -> float:
        """What to multiply a picture's sides with."""
        return SCALES[self._step]

    def spent(self, round_s: float) -> bool:
        """Tell how long a round took; True if the scale has changed."""
        self._slow = self._slow + 1 if round_s > SLOW_S else 0
        self._fast = self._fast + 1 if round_s < FAST_S else 0
        if self._slow >= PATIENCE and self._step < len(SCALES) - 1:
            self._step, self._slow = self._step + 1, 0
            return True
        if self._fast >= 5 * PATIENCE and self._step > 0:
            self._step, self._fast = self._step - 1, 0
            return True
        return False
