"""An avatar whose performer is lost: its head is held, then eases to rest.

Weights and gaze come eased from the solver; the head's rotation is a fact about the performer there and
becomes a matter of looks only here.
"""

from __future__ import annotations

from dataclasses import replace

from ..data import HeadPose, Motion
from ..maths.easing import presence_share
from ..maths.rotations import IDENTITY_WXYZ, slerp_wxyz

FORGET_AFTER_S = 60.0
"""A performer who has been away for this long is forgotten, so that visitors do not pile up."""


class Poser:
    """Remembers when each performer was last seen."""

    def __init__(self) -> None:
        self._seen_s: dict[int, float] = {}

    def pose(self, motion: Motion) -> Motion:
        """The motion to draw: itself while confidence is above 0, afterwards with its head eased to rest.

        Times must not go back by more than a moment; when a recording starts again it is seen afresh."""
        share = self.presence(motion)
        if share == 1.0:
            return motion
        rotation = slerp_wxyz(IDENTITY_WXYZ, motion.pose.rotation_wxyz, share)
        return replace(motion, pose=HeadPose(rotation, motion.pose.translation_cm))

    def presence(self, motion: Motion) -> float:
        """1 while the performer is seen or held, falling to 0 as the avatar eases to rest."""
        last_s = self._seen_s.get(motion.track_id)
        if motion.confidence > 0 or last_s is None or motion.time_s < last_s:
            self._seen_s[motion.track_id] = motion.time_s
            self._forget(motion.time_s)
            return 1.0
        return presence_share(motion.time_s - last_s)

    def _forget(self, now_s: float) -> None:
        """Drop performers not seen for long."""
        self._seen_s = {track: seen_s for track, seen_s in self._seen_s.items() if abs(now_s - seen_s) < FORGET_AFTER_S}
