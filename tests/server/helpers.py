"""Motion and performances for tests without a camera."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from animator.channels import ARKIT
from animator.config import Config
from animator.data import Expression, HeadPose, Motion
from animator.pipeline import Performance

JAW = ARKIT.index("jawOpen")


def motion_at(time_s: float, track_id: int = 0, jaw: float = 0.5, confidence: float = 1.0) -> Motion:
    """A face half a metre away."""
    weights = np.zeros(len(ARKIT), np.float32)
    weights[JAW] = jaw
    pose = HeadPose(np.array([1.0, 0, 0, 0]), np.array([0, 0, -50.0]))
    return Motion(time_s, track_id, pose, expression=Expression(weights), confidence=confidence)


class Motions:
    """A source of motion that gives what it was given, then an error if there is one."""

    name, live, fps, frame_count = "motions", True, 30.0, None

    def __init__(self, motions: list[Motion], error: Exception | None = None) -> None:
        self._motions, self._error = motions, error
        self.closed = False

    def __iter__(self) -> Iterator[tuple[Motion, ...]]:
        yield from ((motion,) for motion in self._motions)
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        self.closed = True


def performance_of(source: Motions, open_tracker: Callable[..., Any] | None = None) -> Performance:
    """A live performance without a tracker."""
    return Performance(source, Config(), open_tracker or (lambda _settings: None), live=True)
