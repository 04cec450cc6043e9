"""Landmarks as a source: what a tracker once saw, to be solved again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..data import Array, Face, Frame
from ..errors import TakeError
from ..takes.npz import kind_of_npz, load_landmark_take, load_takes

BACKGROUND_RGB = (24, 26, 30)


class LandmarkSource:
    """Gives dark pictures of the recorded size, and is also the Tracker that knows the faces in each.

    path : a landmark take, or a take with the landmarks of every performer"""

    live = False

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._performers: list[tuple[Array, Array, Array]] = []
        """Landmarks (N, 478, 3), tracked (N,) and confidence (N,) of each."""
        if kind_of_npz(path) == "landmarks":
            take = load_landmark_take(path)
            self._performers.append((take.landmarks_norm, take.tracked, np.ones(len(take.times_s))))
            self._times_s, self.size_px, fps = take.times_s, take.image_size_px, None
        else:
            takes = load_takes(path)
            kept = [take for take in takes if take.landmarks_norm is not None]
            if not kept:
                raise TakeError(f"{path} holds no landmarks to solve again; record with --landmarks")
            self._performers = [(take.landmarks_norm, take.tracked, take.confidence) for take in kept]
            self._times_s, self.size_px, fps = takes[0].times_s, kept[0].image_size_px, takes[0].fps
        steps_s = np.diff(self._times_s)
        self.fps = fps or (float(1 / np.median(steps_s)) if len(steps_s) else 30.0)
        self.frame_count: int | None = len(self._times_s)

    def __iter__(self) -> Iterator[Frame]:
        width, height = self.size_px
        blank = np.full((height, width, 3), BACKGROUND_RGB, np.uint8)
        for index, time_s in enumerate(self._times_s):
            yield Frame(blank, float(time_s), index)

    def track(self, frame: Frame) -> tuple[Face, ...]:
        """The faces recorded for this frame."""
        return tuple(
            Face(landmarks[frame.index], self.size_px, number, float(confidence[frame.index]) or 1.0, frame.time_s)
            for number, (landmarks, tracked, confidence) in enumerate(self._performers)
            if tracked[frame.index]
        )

    def close(self) -> None:
        """Nothing is held open."""
