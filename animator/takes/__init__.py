"""Recorded performances, the files that hold them, and what can be done with them."""

from .comparing import Comparison, compared
from .editing import at_times, joined, mirrored, resampled, sliced, smoothed
from .take import Take, arrays_of, take_from_arrays, take_from_motions

__all__ = [
    "Comparison",
    "Take",
    "arrays_of",
    "at_times",
    "compared",
    "joined",
    "mirrored",
    "resampled",
    "sliced",
    "smoothed",
    "take_from_arrays",
    "take_from_motions",
]
