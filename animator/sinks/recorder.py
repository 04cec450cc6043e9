"""Takes, recorded while a performance goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..data import LANDMARKS, Array, Face, Motion
from ..errors import SinkError
from ..takes.files import check_writable
from ..takes.live_link_csv import save_csv
from ..takes.npz import LandmarkTake, save_landmark_take, save_takes
from ..takes.take import take_from_motions

LANDMARKS_SUFFIX = ".landmarks.npz"


class MotionRecorder:
    """Records every performer's motion to `.npz`, or to Live Link Face `.csv` (one file a performer).

    Performers keep their `track_id` as their place in the file. A frame in which one is not seen has
    confidence 0 and holds its last pose; a recording without any face is one performer at rest."""

    def __init__(self, path: Path, fps: float) -> None:
        if path.suffix.lower() not in (".npz", ".csv"):
            raise SinkError(f"cannot write {path}: wanted a take's name, ending in .npz, .csv or {LANDMARKS_SUFFIX}")
        check_writable(path)
        self.path, self._fps = path, fps
        self._times_s: list[float] = []
        self._performers: dict[int, list[Motion]] = {}

    @property
    def frames(self) -> int:
        """Frames recorded so far."""
        return len(self._times_s)

    def write(self, motions: Sequence[Motion], time_s: float) -> None:
        """Append one instant."""
        seen = {motion.track_id: motion for motion in motions}
        for track_id in seen.keys() - self._performers.keys():
            self._performers[track_id] = [_absent(Motion(t, track_id), t) for t in self._times_s]
        for track_id, rows in self._performers.items():
            last = rows[-1] if rows else Motion(time_s, track_id)
            rows.append(replace(seen[track_id], time_s=time_s) if track_id in seen else _absent(last, time_s))
        self._times_s.append(time_s)

    def close(self) -> None:
        """Write the file; without a single frame there is none. May be called twice."""
        if not self._times_s:
            return
        nobody = {0: [_absent(Motion(t, 0), t) for t in self._times_s]}
        performers = self._performers or nobody
        takes = [take_from_motions(performers[track_id], self._fps) for track_id in sorted(performers)]
        if self.path.suffix.lower() == ".npz":
            save_takes(self.path, takes)
        else:
            for number, take in enumerate(takes, start=1):
                name = self.path if number == 1 else self.path.with_stem(f"{self.path.stem}_{number}")
                save_csv(name, take)
        self._times_s, self._performers = [], {}


class LandmarkRecorder:
    """Records what the tracker saw of the first performer, to be solved again."""

    def __init__(self, path: Path) -> None:
        check_writable(path)
        self.path = path
        self._times_s: list[float] = []
        self._landmarks: list[Array | None] = []
        self._size_px: tuple[int, int] | None = None
        self._track_id: int | None = None

    @property
    def frames(self) -> int:
        """Frames recorded so far."""
        return len(self._times_s)

    def write(self, faces: Sequence[Face], size_px: tuple[int, int], time_s: float) -> None:
        """Append one picture's faces; only those of the performer who was seen first are kept."""
        if self._track_id is None and faces:
            self._track_id = faces[0].track_id
        self._times_s.append(time_s)
        self._landmarks.append(next((f.landmarks_norm for f in faces if f.track_id == self._track_id), None))
        self._size_px = size_px

    def close(self) -> None:
        """Write the file; without a single frame there is none. May be called twice."""
        if not self._times_s:
            return
        none = np.zeros((LANDMARKS, 3), np.float32)
        take = LandmarkTake(
            np.stack([none if found is None else found for found in self._landmarks]),
            self._size_px,
            np.array(self._times_s),
            np.array([found is not None for found in self._landmarks]),
        )
        save_landmark_take(self.path, take)
        self._times_s, self._landmarks = [], []


def _absent(last: Motion, time_s: float) -> Motion:
    """The pose held, the face at rest."""
    return replace(Motion(time_s, last.track_id), pose=last.pose, confidence=0.0)
