"""Takes, recorded while a performance goes on."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from ..data import Array, Face, Motion
from ..errors import SinkError
from ..takes.finishing import LANDMARKS_SUFFIX, finish
from ..takes.journal import JournalWriter

log = logging.getLogger("animator")

__all__ = ["LANDMARKS_SUFFIX", "LandmarkRecorder", "MotionRecorder"]


class MotionRecorder:
    """Records every performer's motion to `.npz`, or to Live Link Face `.csv` (one file a performer).

    Performers keep their `track_id` as their place in the file. A frame in which one is not seen has
    confidence 0 and holds its last pose; a recording without any face is one performer at rest.

    What comes goes into a journal beside the file, so that memory stays flat and a killed program loses nothing. When
    the disk is full the recording stops, and `write` goes on to take what nobody keeps: nothing else must end for it.

    landmarks : keep the 478 landmarks of every face, too
    about     : what to say of the recording: `source`, `rig`"""

    def __init__(
        self, path: Path, fps: float, *, landmarks: bool = False, about: Mapping[str, Any] | None = None
    ) -> None:
        if path.suffix.lower() not in (".npz", ".csv"):
            raise SinkError(f"cannot write {path}: wanted a take's name, ending in .npz, .csv or {LANDMARKS_SUFFIX}")
        self.path, self._landmarks = path, landmarks
        self._journal = JournalWriter(path, {"fps": fps, **(about or {})})
        self._stages: tuple[str, ...] = ()
        self._size_px: tuple[int, int] | None = None
        self._finished = False
        self.frames = 0
        """Frames recorded so far."""
        self.broken: SinkError | None = None
        """Why the recording stopped early; None while it goes on."""

    def write(
        self,
        motions: Sequence[Motion],
        time_s: float,
        faces: Sequence[Face] = (),
        size_px: tuple[int, int] | None = None,
        stages_ms: Mapping[str, float] | None = None,
    ) -> None:
        """Append one instant.

        faces     : those that the motions were solved from; their landmarks are kept if that was asked for
        size_px   : (width, height) of the picture
        stages_ms : how long each stage worked on it"""
        if self.broken is not None or self._finished:
            return
        stages_ms = stages_ms or {}
        try:
            if size_px is not None and size_px != self._size_px:
                self._size_px = size_px
                self._journal.say({"image_size_px": size_px})
            if stages_ms.keys() - set(self._stages):
                self._stages += tuple(name for name in stages_ms if name not in self._stages)
                self._journal.say({"stage_names": self._stages})
            found = {face.track_id: face.landmarks_norm for face in faces} if self._landmarks else {}
            self._journal.frame(motions, time_s, found, [stages_ms.get(name, 0.0) for name in self._stages])
            self.frames += 1
        except SinkError as error:
            self._stop(error)

    def keep_profile(self, track_id: int, neutral_cm: Array) -> None:
        """Remember a performer's neutral face, (478, 3), as it is known by now."""
        if self.broken is None and not self._finished:
            try:
                self._journal.profile(track_id, neutral_cm)
            except SinkError as error:
                self._stop(error)

    def close(self) -> None:
        """Write the file; without a single frame there is none. May be called twice.

        raises : SinkError if the recording had stopped early, or the file cannot be written: the journal then stays"""
        if self._finished:
            return
        self._finished = True
        self._journal.end()
        if os.name == "nt":  # which removes no file that is open
            self._journal.close()
        with closing(self._journal):  # held until the take is there, or another program's start would finish it
            finish(self._journal.path, self.path)
        if self.broken is not None:
            raise SinkError(f"{self.broken}; {self.path} has the {self.frames} frames before") from self.broken

    def _stop(self, error: SinkError) -> None:
        self.broken = error
        log.error("%s", error)


class LandmarkRecorder:
    """Records what the tracker saw of the first performer, to be solved again."""

    def __init__(self, path: Path) -> None:
        self._recorder = MotionRecorder(path, 30.0, landmarks=True)
        self.path = path

    @property
    def frames(self) -> int:
        """Frames recorded so far."""
        return self._recorder.frames

    @property
    def broken(self) -> SinkError | None:
        """Why the recording stopped early; None while it goes on."""
        return self._recorder.broken

    def write(self, faces: Sequence[Face], size_px: tuple[int, int], time_s: float) -> None:
        """Append one picture's faces; only those of the performer who was seen first are kept."""
        motions = [Motion(time_s, face.track_id) for face in faces if np.isfinite(face.landmarks_norm).all()]
        self._recorder.write(motions, time_s, faces, size_px)

    def close(self) -> None:
        """Write the file; without a single frame there is none. May be called twice."""
        self._recorder.close()
