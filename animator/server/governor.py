"""Under overload pictures become fewer and smaller; latency does not grow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """What pictures are at one level of load."""

    fps: float
    """Pictures a second at most."""
    scale: float
    """What their sides are multiplied with."""


LADDER = (Step(30, 1.0), Step(24, 1.0), Step(24, 0.75), Step(20, 0.75), Step(20, 0.5), Step(15, 0.5))
"""Rate and size in turn: below 15 a second speech falls apart, below half the size faces do."""
SLOW, FAST = 1.25, 0.6
"""A round that takes longer than so many frame times of its step is slow; one that would take less than that
on the step above is fast."""
PATIENCE = 20
"""Slow rounds in a row before it steps down: sizes must not flicker."""
CALM = 100
"""Fast rounds in a row before it steps up again, four times as many each time that this was too soon."""
MAX_CALM = 16 * CALM


class Governor:
    """Chooses a step of the ladder from how long drawing takes; knows no clock."""

    def __init__(self) -> None:
        self._place = self._slow = self._fast = 0
        self._calm, self._since_up = CALM, MAX_CALM

    @property
    def step(self) -> Step:
        """The step in force."""
        return LADDER[self._place]

    @property
    def overloaded(self) -> bool:
        """Whether pictures are fewer or smaller than they might be."""
        return self._place > 0

    def spent(self, round_s: float) -> bool:
        """Tell how long a round of drawing took; True if the step has changed."""
        self._since_up += 1
        self._slow = self._slow + 1 if round_s * self.step.fps > SLOW else 0
        self._fast = self._fast + 1 if self._would_fit_above(round_s) else 0
        if self._slow >= PATIENCE and self._place < len(LADDER) - 1:
            soon = self._since_up < 2 * CALM
            self._calm = min(4 * self._calm, MAX_CALM) if soon else CALM
            self._move(+1)
            return True
        if self._fast >= self._calm:
            self._move(-1)
            self._since_up = 0
            return True
        return False

    def _would_fit_above(self, round_s: float) -> bool:
        """Whether the step above would leave time to spare, if drawing takes as long as there are pixels."""
        if not self._place:
            return False
        above = LADDER[self._place - 1]
        return round_s * (above.scale / self.step.scale) ** 2 * above.fps < FAST

    def _move(self, by: int) -> None:
        self._place += by
        self._slow = self._fast = 0
