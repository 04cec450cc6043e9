"""Recorders as listeners of a performance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from .errors import SinkError
from .pipeline import Moment


@contextmanager
def record_into(path: Path, fps: float) -> Iterator[Callable[[Moment], None]]:
    """A listener that records into `path`, by its ending; the file is complete when the block ends."""
    from .sinks.recorder import LANDMARKS_SUFFIX, LandmarkRecorder, MotionRecorder

    if path.name.lower().endswith(LANDMARKS_SUFFIX):
        with closing(LandmarkRecorder(path)) as landmarks:

            def write_landmarks(moment: Moment) -> None:
                if moment.frame is None:
                    raise SinkError(f"cannot write {path}: a take without pictures has no landmarks; choose .npz")
                landmarks.write(moment.faces, moment.frame.size_px, moment.time_s)

            yield write_landmarks
    else:
        with closing(MotionRecorder(path, fps)) as motions:
            yield lambda moment: motions.write(moment.motions, moment.time_s)
