"""One bitrate for all viewers of a stream, from what each of them says its line carries."""

from __future__ import annotations

from collections.abc import Hashable

from ..timing import Clock

START_BPS, MIN_BPS, MAX_BPS = 1_000_000, 250_000, 2_500_000
"""Bits per second: until a viewer's estimate comes, at the least, at the most."""
ESTIMATE_AGE_S = 10.0
"""Older estimates say nothing any more."""
STEP, LOWER_EVERY_S, RAISE_EVERY_S = 0.15, 1.0, 5.0
"""A new bitrate costs a key frame, so it must differ by this share, and changes are this far apart."""


class SharedBitrate:
    """Follows the lowest of the viewers' recent estimates, as all get the same packets."""

    def __init__(self, start_bps: int, clock: Clock) -> None:
        self.bps = start_bps
        """What to aim at now, bits per second."""
        self._clock, self._changed_s = clock, float("-inf")
        self._estimates: dict[Hashable, tuple[int, float]] = {}

    def estimate(self, viewer: Hashable, bitrate_bps: int) -> None:
        """Take a viewer's newest estimate."""
        now_s = self._clock()
        self._estimates[viewer] = (bitrate_bps, now_s)
        lowest = min(bps for bps, then_s in self._estimates.values() if now_s - then_s <= ESTIMATE_AGE_S)
        target_bps = min(max(lowest, MIN_BPS), MAX_BPS)
        change = target_bps / self.bps - 1
        wait_s = LOWER_EVERY_S if change < 0 else RAISE_EVERY_S
        worth_it = abs(change) >= STEP or (change and target_bps in (MIN_BPS, MAX_BPS))
        if worth_it and now_s - self._changed_s >= wait_s:
            self.bps, self._changed_s = target_bps, now_s

    def forget(self, viewer: Hashable) -> None:
        """The viewer has gone."""
        self._estimates.pop(viewer, None)
