"""The corridor, end to end: the only file that knows every stage.

    source -> (tracker -> solver) -> avatars -> pictures

Capture, tracking with solving, and drawing each have a thread; drawing stays on the caller's, as VTK wants.
A live source hands over only the newest item; a file hands over every one, by bounded queues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from time import sleep
from typing import Any

from .config import Config
from .data import Array, Face, Frame, Motion
from .errors import SettingError
from .handover import Ahead
from .maths.mirror import mirrored_face, mirrored_frame, mirrored_motion
from .rig import Rig
from .rigging.deform import Deformer
from .rigging.posing import Poser
from .solving.solver import LinearSolver
from .stages import FrameSource, MotionSource, Tracker
from .timing import BoundedQueue, LatestSlot, Stopwatch, monotonic_s, paced
from .tracking.config import TrackingConfig

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

    Iterate over it for moments; or poll `next_moment` from an event loop.
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
        self.solver = LinearSolver(config.solving)
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
            if config.solving != self._config.solving:
                self.solver.configure(config.solving)
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

    def close(self) -> None:
        """Stop the threads and give the camera, the file and the model back. May be called twice."""
        self._moments.close()
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
        if self.live and not self.source.live:
            return paced(iter(self.source), _time_s, monotonic_s, sleep)
        return iter(self.source)

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


class Puppets:
    """The avatars' bodies: one deformed mesh per performer, from left to right as the picture shows them."""

    def __init__(self, rig: Rig, stopwatch: Stopwatch) -> None:
        self._stopwatch = stopwatch
        self.use_rig(rig)

    def use_rig(self, rig: Rig) -> None:
        """Give every performer another body."""
        self.rig = rig
        self._deformers: dict[int, Deformer] = {}
        self._poser = Poser()

    def act(self, moment: Moment, view: str) -> list[Any]:
        """`rendering.scene.Appearance` of every performer; with nobody there one avatar rests.

        A mask lies on a face that is there: lost faces have none once they are no longer held."""
        from .rendering.scene import Appearance

        present = [(motion, self._poser.presence(motion)) for motion in moment.motions]
        as_mask = view == "mask" and moment.frame is not None
        motions = [self._poser.pose(motion) for motion, share in present if share == 1.0 or not as_mask]
        if not motions and not as_mask:
            motions = [Motion(moment.time_s, 0)]
        motions.sort(key=lambda motion: float(motion.pose.translation_cm[0]))
        with self._stopwatch.measuring("deform"):
            return [
                Appearance(number, self._deformer(motion.track_id).deform(motion, head_turns=not as_mask), motion.pose)
                for number, motion in enumerate(motions)
            ]

    def _deformer(self, track_id: int) -> Deformer:
        return self._deformers.setdefault(track_id, Deformer(self.rig))


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
    if latest is not None:
        yield replace(latest, time_s=tick / fps, index=tick)


def is_motion_source(source: FrameSource | MotionSource) -> bool:
    """True for sources that give motion instead of pictures."""
    return not hasattr(source, "size_px")


def open_mediapipe(model: Path) -> Callable[[TrackingConfig], Tracker]:
    """What makes the default tracker; mediapipe is loaded when it is called."""

    def open_tracker(config: TrackingConfig) -> Tracker:
        from .tracking.mediapipe_faces import MediaPipeFaces

        return MediaPipeFaces(model, config)

    return open_tracker


def picture_of(moment: Moment, view: str) -> Array | None:
    """The camera picture as a view shows it: with the mesh drawn in, or as it is."""
    if moment.frame is None:
        if view in ("mesh", "mask"):
            raise SettingError(f"view {view}: a take has no camera picture; choose avatar")
        return None
    if view == "mesh":
        from .rendering.overlay import draw_faces

        return draw_faces(moment.frame.rgb, moment.faces)
    return moment.frame.rgb
