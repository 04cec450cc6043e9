"""A landmark take as a source: what a tracker once saw, to be solved again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..data import Face, Frame
from ..takes.npz import load_landmark_take

BACKGROUND_RGB = (24, 26, 30)


class LandmarkSource:
    """Gives dark pictures of the recorded size, and is also the Tracker that knows the face in each."""

    live = False

    def __init__(self, path: Path) -> None:
        self._take = load_landmark_take(path)
        self.name, self.size_px = path.name, self._take.image_size_px
        steps_s = np.diff(self._take.times_s)
        self.fps = float(1 / np.median(steps_s)) if len(steps_s) else 30.0
        self.frame_count: int | None = len(self._take.times_s)

    def __iter__(self) -> Iterator[Frame]:
        width, height = self.size_px
        blank = np.full((height, width, 3), BACKGROUND_RGB, np.uint8)
        for index, time_s in enumerate(self._take.times_s):
            yield Frame(blank, float(time_s), index)

    def track(self, frame: Frame) -> tuple[Face, ...]:
        """The face recorded for this frame."""
        take = self._take
        if not take.tracked[frame.index]:
            return ()
        return (Face(take.landmarks_norm[frame.index], take.image_size_px, 0, 1.0, frame.time_s),)

    def close(self) -> None:
        """Nothing is held open."""
