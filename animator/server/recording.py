"""A session's recording: kept in a folder of its own that goes with the session."""

from __future__ import annotations

import logging
from contextlib import suppress

from ..errors import SinkError
from ..pipeline import Moment
from ..sinks.recorder import MotionRecorder
from ..takes.journal import journal_beside
from ..takes.live_link_csv import save_csv
from ..takes.npz import load_takes
from .performer import Performer
from .scratch import Scratch

log = logging.getLogger("animator")

PREFIX = "animator-recording-"
FPS = 30.0
MAX_FRAMES = 30 * 60 * 30
"""Half an hour: a forgotten recording must not fill the memory."""


class SessionRecording:
    """Starts, stops, and gives the last take as a file's bytes."""

    def __init__(self, performer: Performer) -> None:
        self._performer = performer
        self._folder = Scratch(PREFIX)
        self._path = self._folder.path / "take.npz"
        self._recorder: MotionRecorder | None = None
        self._last_s = 0.0

    @property
    def is_full(self) -> bool:
        """Whether it has become as long as it may, or as the disk lets it."""
        recorder = self._recorder
        return recorder is not None and (recorder.frames >= MAX_FRAMES or recorder.broken is not None)

    @property
    def running(self) -> bool:
        """Whether motion is being recorded now."""
        return self._recorder is not None

    def start(self) -> None:
        """Record from now on; does nothing while recording."""
        if self._recorder is None:
            self._recorder, self._last_s = MotionRecorder(self._path, FPS), float("-inf")
            self._performer.listen(self._write)

    def stop(self) -> int:
        """Finish the take; returns its frames. With 0 the take before stays the last one.

        raises : SinkError, without a path of this machine, where the take cannot be written"""
        if self._recorder is None:
            return 0
        self._performer.ignore(self._write)
        recorder, self._recorder = self._recorder, None
        try:
            recorder.close()
        except SinkError as error:  # the whole of it names places that are no client's business
            log.error("%s", error)
            if journal_beside(self._path).exists():
                raise SinkError("record: the server could not write the take; its disk may be full") from None
        return recorder.frames

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
        with suppress(SinkError):  # it is thrown away
            self.stop()
        self._folder.close()

    def _write(self, moment: Moment) -> None:
        # Motion from the network has the times that its sender wrote: a take's rise.
        if self._recorder is not None and not self.is_full and moment.time_s > self._last_s:
            self._recorder.write(moment.motions, moment.time_s)
            self._last_s = moment.time_s
