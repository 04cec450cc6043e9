"""The front of the corridor: a source, followed and solved, becomes moments.

    source -> tracker -> solver -> (puppets -> renderer -> sinks: puppets.py, filming.py, on_screen.py)

Capture, tracking with solving, and drawing each have a thread; drawing stays on the caller's, as VTK wants.
A live source hands over only the newest item; a file hands over every one, by bounded queues.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Lock
from time import sleep
from typing import Any

from .config import Config
from .data import Face, Frame, Motion
from .handover import Ahead
from .maths.mirror import mirrored_face, mirrored_frame, mirrored_motion
from .solving.keeping import ProfileKeeper
from .solving.profile import Profile
from .solving.solver import LinearSolver
from .sources.opening import open_source
from .stages import FrameSource, MotionSource, Tracker
from .timing import BoundedQueue, LatestSlot, Stopwatch, monotonic_s, paced
from .tracking.config import TrackingConfig
from .tracking.model import find_or_fetch_model
from .tracking.opening import open_tracker

log = logging.getLogger("animator")

AHEAD = 4
"""Items that wait between two threads of an offline run: enough to even out slow frames."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant on its way through the corridor."""

    time_s: float
    index: int
    frame: Frame | None
    """The camera picture; None when motion came without one."""
    faces: tuple[Face, ...]
    motions: tuple[Motion, ...]

    def mirrored(self) -> Moment:
        """As a mirror would show it."""
        return replace(
            self,
            frame=None if self.frame is None else mirrored_frame(self.frame),
            faces=tuple(map(mirrored_face, self.faces)),
            motions=tuple(map(mirrored_motion, self.motions)),
        )


def _time_s(item: Frame | tuple[Motion, ...]) -> float:
    return item[0].time_s if isinstance(item, tuple) else item.time_s


Listener = Callable[[Moment], None]


class Performance:
    """The front half of the corridor: a source, followed and solved on threads of its own.

    Iterate over it for moments, or poll `next_moment` from an event loop. It begins when the first moment
    is asked for, so that who listens from before hears all of it.
    live : what is shown keeps up with the source by skipping; a file is then played at its own pace"""

    def __init__(
        self,
        source: FrameSource | MotionSource,
        config: Config,
        open_tracker: Callable[[TrackingConfig], Tracker],
        *,
        live: bool | None = None,
        stopwatch: Stopwatch | None = None,
    ) -> None:
        self.source, self.stopwatch = source, stopwatch or Stopwatch()
        self.live = source.live if live is None else live
        self.solver = LinearSolver(config.solving, tuning=config.tuning)
        profile = None if is_motion_source(source) else config.solving.profile
        self._keeper = None if profile is None else ProfileKeeper(profile, self.solver)
        self._config, self._open_tracker = config, open_tracker
        self._tracker: Tracker | None = None
        self._lock, self._telling = Lock(), Lock()
        self._listeners: list[Listener] = []
        self.frames = self.frames_with_face = 0
        if is_motion_source(source):
            self._moments: Ahead[Moment] = Ahead(self._replayed(), self._hand_over())
        else:
            # A tracker that cannot start must say so here, on the caller's thread, before any output is made.
            self._tracker = source if isinstance(source, Tracker) else open_tracker(config.tracking)
            self._captured: Ahead[Frame] = Ahead(self._timed("capture", self._played()), self._hand_over())
            self._moments = Ahead(self._solved(self._captured), self._hand_over())

    def __iter__(self) -> Iterator[Moment]:
        return iter(self._moments)

    def next_moment(self, timeout_s: float) -> Moment:
        """The next moment; raises TimeoutError while there is none, or timing.Closed after the last one."""
        return self._moments.get(timeout_s)

    def reconfigure(self, config: Config) -> None:
        """Use other settings from the next picture on."""
        with self._lock:
            if config.tracking != self._config.tracking and hasattr(self._tracker, "configure"):
                self._tracker.configure(config.tracking)
            if (config.solving, config.tuning) != (self._config.solving, self._config.tuning):
                self.solver.configure(config.solving, config.tuning)
            self._config = config

    def listen(self, listener: Listener) -> None:
        """Call `listener` with each moment as soon as it is solved, on the solving thread.

        Recorders stand here, so that what a slow screen skips is recorded all the same."""
        with self._telling:
            self._listeners.append(listener)

    def ignore(self, listener: Listener) -> None:
        """Stop calling `listener`; when this returns no call is under way."""
        with self._telling:
            self._listeners.remove(listener)

    @property
    def config(self) -> Config:
        """The settings in force."""
        return self._config

    def calibrate(self) -> None:
        """Take the next second of every face as neutral."""
        with self._lock:
            self.solver.calibrate()
            if hasattr(self.source, "calibrate"):
                self.source.calibrate()

    def profiles(self) -> dict[int, Profile]:
        """What is known now of the face at rest of everybody in the newest picture, by `track_id`."""
        with self._lock:
            known = {track_id: self.solver.profile(track_id) for track_id in self.solver.known}
        return {track_id: profile for track_id, profile in known.items() if profile is not None}

    def adopt(self, track_id: int, profile: Profile) -> None:
        """Use what was known of a face earlier."""
        with self._lock:
            self.solver.adopt(profile, track_id)

    def close(self) -> None:
        """Stop the threads and give the camera, the file and the model back. May be called twice."""
        if hasattr(self.source, "interrupt"):  # one that waits for the world would keep its thread waiting
            self.source.interrupt()
        self._moments.close()
        if self._keeper is not None:
            self._keeper.close()
        if self._tracker is not None:
            self._captured.close()
            if self._tracker is not self.source:
                self._tracker.close()
        self.source.close()

    def __enter__(self) -> Performance:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _hand_over(self) -> LatestSlot[Any] | BoundedQueue[Any]:
        return LatestSlot() if self.live else BoundedQueue(AHEAD)

    def _played(self) -> Iterator[Any]:
        """The source's items; those of a file that is shown live come at its own pace, not as fast as they can."""
        pace_it = self.live and not self.source.live
        yield from paced(self.source, _time_s, monotonic_s, sleep) if pace_it else self.source

    def _timed(self, stage: str, items: Iterator[Any]) -> Iterator[Any]:
        with closing(items):
            while True:
                with self.stopwatch.measuring(stage):
                    item = next(items, None)
                if item is None:
                    return
                yield item

    def _solved(self, frames: Iterator[Frame]) -> Iterator[Moment]:
        for frame in frames:
            with self._lock:
                with self.stopwatch.measuring("track"):
                    faces = self._tracker.track(frame)
                with self.stopwatch.measuring("solve"):
                    motions = self.solver.solve(faces, frame.time_s)
                if self._keeper is not None:
                    self._keeper.look(motions)
            yield self._told(Moment(frame.time_s, frame.index, frame, faces, motions))

    def _replayed(self) -> Iterator[Moment]:
        for index, motions in enumerate(self._played()):
            yield self._told(Moment(motions[0].time_s, index, None, (), motions))

    def _told(self, moment: Moment) -> Moment:
        self.frames += 1
        self.frames_with_face += any(motion.confidence > 0 for motion in moment.motions)
        with self._telling:
            for listener in self._listeners:
                listener(moment)
        return moment


def resampled(moments: Iterator[Moment], fps: float | None) -> Iterator[Moment]:
    """The moments at a constant rate: each tick shows the newest moment that has come by then.

    None gives them as they are."""
    if fps is None:
        yield from moments
        return
    tick, start_s, latest = 0, 0.0, None
    for moment in moments:
        if latest is None:
            start_s = moment.time_s
        while latest is not None and start_s + tick / fps < moment.time_s - 1e-6:
            yield replace(latest, time_s=tick / fps, index=tick)
            tick += 1
        latest = moment
    if latest is not None and start_s + tick / fps <= latest.time_s + 1e-6:
        yield replace(latest, time_s=tick / fps, index=tick)


def is_motion_source(source: FrameSource | MotionSource) -> bool:
    """True for sources that give motion instead of pictures."""
    return not hasattr(source, "size_px")


def open_performance(
    source: str | Path | FrameSource | MotionSource | None = None,
    config: Config | None = None,
    *,
    model: Path | None = None,
    live: bool | None = None,
    tell: Callable[[str], None] = log.info,
) -> Performance:
    """A performance of whatever `source` names, or of an open source, with the tracker that `config` names.

    model  : the face model file; None finds or fetches it
    live   : see Performance; None leaves it to the source
    tell   : called with a line for each slow step
    raises : AnimatorError, by its kind, for every input that cannot be used"""
    opened = open_source(None if source is None else str(source)) if _is_name(source) else source
    needs_tracker = not is_motion_source(opened) and not isinstance(opened, Tracker)
    path = find_or_fetch_model(model, tell) if needs_tracker else Path()

    return Performance(opened, config or Config(), partial(open_tracker, path), live=live)


def _is_name(source: object) -> bool:
    return source is None or isinstance(source, str | Path)
