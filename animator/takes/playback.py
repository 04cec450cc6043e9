"""Where a player is in a take: playing, paused, scrubbed, looped. No clock: time that passes is an argument."""

from __future__ import annotations

import numpy as np

from ..data import Array
from ..errors import TakeError

SPEEDS = (0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 4.0, 8.0)
LEAST_SPAN_S = 0.05
"""In and out points come no nearer to each other."""


class Playback:
    """The playhead of a take. Positions are seconds since its first frame.

    times_s : (N,) rising, N >= 1
    fps     : how long the last frame stays: 1 / fps"""

    def __init__(self, times_s: Array, fps: float) -> None:
        if not len(times_s):
            raise TakeError("a take without frames cannot be played")
        self._times_s = np.asarray(times_s, np.float64) - times_s[0]
        self.duration_s = float(self._times_s[-1] + 1 / fps)
        self.in_s, self.out_s = 0.0, self.duration_s
        self.position_s, self.speed = 0.0, 1.0
        self.playing, self.loops = True, False

    @property
    def frame(self) -> int:
        """The frame that is shown: the last one that has begun."""
        return max(int(np.searchsorted(self._times_s, self.position_s + 1e-9, side="right")) - 1, 0)

    @property
    def is_at_end(self) -> bool:
        """Whether it has stopped at the out point."""
        return not self.playing and self.position_s >= self.out_s

    def advance(self, passed_s: float) -> None:
        """Let time pass: at the out point it stops, or begins again at the in point."""
        if not self.playing:
            return
        self.position_s += max(passed_s, 0.0) * self.speed
        if self.position_s < self.out_s:
            return
        if self.loops:
            self.position_s = self.in_s + (self.position_s - self.in_s) % (self.out_s - self.in_s)
        else:
            self.position_s, self.playing = self.out_s, False

    def toggle(self) -> None:
        """Play or pause; from the out point on it plays from the in point."""
        self.playing = not self.playing
        if self.playing and self.position_s >= self.out_s - 1e-9:
            self.position_s = self.in_s

    def seek(self, position_s: float) -> None:
        """Go to a position, anywhere in the take."""
        self.position_s = min(max(position_s, 0.0), self.duration_s)

    def step(self, frames: int) -> None:
        """Pause, and go some frames on or back."""
        self.playing = False
        self.position_s = float(self._times_s[min(max(self.frame + frames, 0), len(self._times_s) - 1)])

    def change_speed(self, steps: int) -> None:
        """Faster or slower by some steps of `SPEEDS`."""
        place = SPEEDS.index(self.speed) + steps
        self.speed = SPEEDS[min(max(place, 0), len(SPEEDS) - 1)]

    def set_in(self, position_s: float) -> None:
        """Begin here."""
        self.in_s = min(max(position_s, 0.0), max(self.duration_s - LEAST_SPAN_S, 0.0))
        self.out_s = min(max(self.out_s, self.in_s + LEAST_SPAN_S), self.duration_s)

    def set_out(self, position_s: float) -> None:
        """End here."""
        self.out_s = min(max(position_s, LEAST_SPAN_S), self.duration_s)
        self.in_s = max(min(self.in_s, self.out_s - LEAST_SPAN_S), 0.0)

    def clear(self) -> None:
        """Play all of it again."""
        self.in_s, self.out_s = 0.0, self.duration_s
