"""A tracker that is ready before anybody asks for one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from threading import Lock

from ..config import Config
from ..errors import AnimatorError
from ..pipeline import open_performance
from ..resources import asset_path
from ..stages import Tracker
from ..tracking.config import TrackingConfig

log = logging.getLogger("animator")

OpenTracker = Callable[[TrackingConfig], Tracker]
PICTURES = 3
"""Of the bundled performance, to find out whether all works and to load what the first picture needs."""


class WarmTracker:
    """Keeps one tracker, open and unused, for whoever comes next.

    Nobody gets a tracker that has seen a face: what MediaPipe remembers of it (regions, smoothing) cannot be
    cleared. Number of faces and confidences are the graph's own; a change of those makes it anew, in 20 to 40 ms.
    open_tracker : makes one; slow"""

    def __init__(self, open_tracker: OpenTracker, settings: TrackingConfig) -> None:
        self._open, self._settings = open_tracker, settings
        self._lock = Lock()
        self._spare: Tracker | None = None
        self._closed = False

    def take(self, settings: TrackingConfig) -> Tracker:
        """A tracker of one's own with these settings, which the taker closes; on any thread, may take a while."""
        with self._lock:
            tracker, self._spare = self._spare, None
        if tracker is None:
            return self._open(settings)
        if settings != self._settings:
            try:
                tracker.configure(settings)
            except BaseException:
                tracker.close()
                raise
        return tracker

    def refill(self) -> None:
        """Make the next one unless it is there; on a thread that may wait. A failure is told to who takes one."""
        if self._spare is not None or self._closed:
            return
        try:
            tracker = self._open(self._settings)
        except AnimatorError as error:
            log.warning("no tracker could be made in advance: %s", error)
            return
        with self._lock:
            if self._spare is None and not self._closed:
                self._spare, tracker = tracker, None
        if tracker is not None:
            tracker.close()

    def close(self) -> None:
        """Free the one that was not taken. May be called twice."""
        self._closed = True
        with self._lock:
            tracker, self._spare = self._spare, None
        if tracker is not None:
            tracker.close()


def rehearse(model: Path) -> None:
    """Track and solve a few pictures once: imports, model and numbers are in memory then.

    A process's first tracker takes 1.1 s to open, later ones 0.03; the first solver 0.19, later ones 0.05.
    raises : AnimatorError where this machine cannot track"""
    source = str(asset_path("performance.mp4"))
    with open_performance(source, Config(), model=model, live=False) as performance:
        for _ in islice(performance, PICTURES):
            pass
