"""A session's recording: kept in a folder of its own that goes with the session."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ..pipeline import Moment
from ..sinks.recorder import MotionRecorder
from ..takes.live_link_csv import save_csv
from ..takes.npz import load_takes
from .performer import Performer

FPS = 30.0
MAX_FRAMES = 30 * 60 * 30
"""Half an hour: a forgotten recording must not fill the memory."""


class SessionRecording:
    """Starts, stops, and gives the last take as a file's bytes."""

    def __init__(self, performer: Performer) -> None:
        self._performer = performer
        self._folder = tempfile.TemporaryDirectory(prefix="animator-")
        self._path = Path(self._folder.name) / "take.npz"
        self._recorder: MotionRecorder | None = None

    @property
    def running(self) -> bool:
        """Whether motion is being recorded now."""
        return self._recorder is not None

    def start(self) -> None:
        """Record from now on; does nothing while recording."""
        if self._recorder is None:
            self._recorder = MotionRecorder(self._path, FPS)
            self._performer.listen(self._write)

    def stop(self) -> int:
        """Finish the take; returns its frames, 0 if there was nothing to finish."""
        if self._recorder is None:
            return 0
        self._performer.ignore(self._write)
        recorder, self._recorder = self._recorder, None
        frames = recorder.frames
        recorder.close()
        return frames

    def file(self, kind: str) -> bytes | None:
        """The last take as `npz` or `csv`; None if there is none."""
        if not self._path.is_file():
            return None
        if kind == "npz":
            return self._path.read_bytes()
        path = self._path.with_suffix(".csv")
        save_csv(path, load_takes(self._path)[0])
        return path.read_bytes()

    def close(self) -> None:
        """Forget everything."""
        self.stop()
        self._folder.cleanup()

    def _write(self, moment: Moment) -> None:
        if self._recorder is not None and self._recorder.frames < MAX_FRAMES:
            self._recorder.write(moment.motions, moment.time_s)
