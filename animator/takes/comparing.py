"""How far one take is from another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..channels import ARKIT
from ..data import Array
from ..errors import TakeError
from .editing import at_times
from .take import Take


@dataclass(frozen=True, slots=True)
class Comparison:
    """The errors of a take against another, over the frames in which both see the face."""

    frames: int
    mean_error: Array
    """(52,) mean absolute difference of each channel, order `channels.ARKIT`."""
    largest_error: Array
    """(52,) largest absolute difference of each channel."""
    head_deg: Array
    """(frames,) angle between the two heads' rotations."""
    head_cm: Array
    """(frames,) distance between the two heads."""
    gaze_deg: Array
    """(frames, 2) left and right eye: angle between the two directions, about."""

    def by_channel(self) -> dict[str, float]:
        """Mean error by channel name, largest first."""
        order = np.argsort(-self.mean_error, kind="stable")
        return {ARKIT[channel]: float(self.mean_error[channel]) for channel in order}


def compared(take: Take, reference: Take) -> Comparison:
    """`take` against `reference`, each counted from its own first frame, at the reference's times where both have them.

    raises : TakeError if they share no frame with a face in both"""
    if not len(take) or not len(reference):
        raise TakeError("a take without frames cannot be compared")
    since_s = reference.times_s - reference.times_s[0]
    both = since_s <= take.times_s[-1] - take.times_s[0] + 1e-9
    other = at_times(take, since_s[both] + take.times_s[0])
    seen = (other.confidence > 0) & (reference.confidence[both] > 0)
    if not seen.any():
        raise TakeError("the takes share no frame in which both see a face")

    def difference(name: str) -> Array:
        return (getattr(other, name)[seen] - getattr(reference, name)[both][seen]).astype(np.float64)

    apart = np.abs(difference("weights"))
    # Twice the sine of a quarter turn's share: exact for small angles, where the cosine says nothing.
    one, two = other.rotations_wxyz[seen], reference.rotations_wxyz[both][seen]
    chord = np.minimum(np.linalg.norm(one - two, axis=1), np.linalg.norm(one + two, axis=1))
    return Comparison(
        int(seen.sum()),
        apart.mean(0),
        apart.max(0),
        np.degrees(4 * np.arcsin(np.clip(chord / 2, 0, 1))),
        np.linalg.norm(difference("translations_cm"), axis=1),
        np.degrees(np.linalg.norm(difference("gaze_rad"), axis=2)),
    )
