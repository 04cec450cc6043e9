"""A sink that works on a thread of its own, while the next picture is drawn."""

from __future__ import annotations

import threading

from ..data import Frame
from ..stages import FrameSink
from ..timing import BoundedQueue, Closed, Stopwatch

WAITING_PICTURES = 2
"""One is being written, so many wait: enough to even out a slow one, and no more memory than that."""


class WriteBehind:
    """Writes into `sink` in the order of the calls; the caller waits only while the sink is two pictures late.

    What goes wrong on the thread is raised by the next `write`, or by `close`. Pictures must not be changed after
    they were given here."""

    def __init__(self, sink: FrameSink, stopwatch: Stopwatch) -> None:
        self._sink, self._stopwatch = sink, stopwatch
        self._waiting: BoundedQueue[Frame] = BoundedQueue(WAITING_PICTURES)
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    def write(self, frame: Frame) -> None:
        """Hand one picture over."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="writing", daemon=True)
            self._thread.start()
        try:
            self._waiting.put(frame)
        except Closed:
            self._raise_what_went_wrong()
            raise

    def close(self) -> None:
        """Write what waits and finish the file. May be called twice."""
        self._waiting.close()
        if self._thread is not None:
            self._thread.join()
        try:
            self._sink.close()
        finally:
            self._raise_what_went_wrong()

    def _work(self) -> None:
        try:
            while True:
                frame = self._waiting.get()
                with self._stopwatch.measuring("encode"):
                    self._sink.write(frame)
        except Closed:
            pass  # the last one is written
        except BaseException as error:  # whatever it is, it is the caller's to hear
            self._error = error
        finally:
            self._waiting.close()

    def _raise_what_went_wrong(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error
