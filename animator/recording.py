"""Recorders as listeners of a performance."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from .errors import SinkError
from .pipeline import Moment, Performance

log = logging.getLogger("animator")

PROFILE_EVERY_S = 5.0
"""A performer's neutral face is known better and better: so often it is kept, by the performance's own time."""


class Recording:
    """A listener that records. `fed_by` lets it keep what a moment does not tell: times of stages, profiles."""

    def __init__(self, path: Path, fps: float, landmarks: bool, source: str, rig: str) -> None:
        from .sinks.recorder import LANDMARKS_SUFFIX, LandmarkRecorder, MotionRecorder

        self._path, self._performance = path, None
        self._spent_s: dict[str, float] = {}
        self._profiled_s = float("-inf")
        self._marks = self._motions = None
        if path.name.lower().endswith(LANDMARKS_SUFFIX):
            self._marks = LandmarkRecorder(path)
        elif landmarks and path.suffix.lower() != ".npz":
            raise SinkError(f"cannot write {path}: only .npz holds landmarks; choose another name")
        else:
            about = {"source": source, "rig": rig}
            self._motions = MotionRecorder(path, fps, landmarks=landmarks, about=about)
        self._keeps_landmarks = landmarks

    def fed_by(self, performance: Performance) -> Recording:
        """Keep the performance's times of stages and its performers' profiles, too."""
        self._performance = performance
        return self

    @property
    def broken(self) -> SinkError | None:
        """Why the recording stopped early; None while it goes on."""
        return (self._marks or self._motions).broken

    def __call__(self, moment: Moment) -> None:
        """Record one moment."""
        if moment.frame is None and (self._marks is not None or self._keeps_landmarks):
            raise SinkError(f"cannot write {self._path}: a take without pictures has no landmarks to keep")
        if self._marks is not None:
            self._marks.write(moment.faces, moment.frame.size_px, moment.time_s)
            return
        size_px = None if moment.frame is None else moment.frame.size_px
        self._motions.write(moment.motions, moment.time_s, moment.faces, size_px, self._stages_ms())
        if moment.time_s - self._profiled_s >= PROFILE_EVERY_S:
            self._profiled_s = moment.time_s
            self._keep_profiles(moment)
        self._last = moment

    def close(self) -> None:
        """Finish the file."""
        if self._motions is not None and hasattr(self, "_last"):
            self._keep_profiles(self._last)
        (self._marks or self._motions).close()

    def _keep_profiles(self, moment: Moment) -> None:
        if self._performance is None or moment.frame is None:
            return
        for motion in moment.motions:
            profile = self._performance.solver.profile(motion.track_id)
            if profile is not None:
                self._motions.keep_profile(motion.track_id, profile.neutral_cm)

    def _stages_ms(self) -> dict[str, float]:
        """What each stage has worked since the last moment."""
        if self._performance is None:
            return {}
        total_s = dict(self._performance.stopwatch.total_s)
        spent_ms = {name: 1000 * (s - self._spent_s.get(name, 0.0)) for name, s in total_s.items()}
        self._spent_s = total_s
        return spent_ms


@contextmanager
def record_into(
    path: Path, fps: float, *, landmarks: bool = False, source: str = "", rig: str = ""
) -> Iterator[Recording]:
    """A listener that records into `path`, by its ending; the file is complete when the block ends.

    What a killed program left in the same folder is finished first.
    landmarks : keep the 478 landmarks in a `.npz`, so that it can be solved again"""
    finish_left_behind(path)
    with closing(Recording(path, fps, landmarks, source, rig)) as recording:
        yield recording


def finish_left_behind(path: Path) -> None:
    """Finish the recordings that a killed program left in the folder of `path`, and say so."""
    from .takes.finishing import recover

    if path.parent.is_dir():
        for finished in recover(path.parent, taken=path):
            log.info("%s", spoken(finished))


def spoken(finished: object) -> str:
    """One line on a recording that was finished later."""
    names = ", ".join(map(str, finished.paths)) or "nothing: it had no frame"
    torn = f"; {finished.torn_bytes} torn bytes at its end were dropped" if finished.torn_bytes else ""
    return f"finished a recording that was cut short: {names} ({finished.frames} frames{torn})"
