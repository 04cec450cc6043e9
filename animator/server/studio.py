"""The drawing thread of a worker: every puppet picture of every room, one after another.

One thread, as VTK wants; avatars of one kind and size share one OpenGL window, whoever wears them.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from ..data import Array
from ..pipeline import Moment
from ..puppets import Puppets, picture_of
from ..rendering.backdrop import Background
from ..rendering.overlay import resized
from ..rendering.renderer import Renderer
from ..rig import Rig
from ..rigging.library import load_rig
from ..timing import Clock, Stopwatch, monotonic_s
from ..webrtc.outbound import Fanout
from .governor import Governor
from .performer import Performer, motions_of_all

log = logging.getLogger("animator")

STAGE_SIZE_PX = (640, 480)
MAX_WINDOWS = 6
"""OpenGL windows kept; each holds its avatar's textures."""
MAX_SIDE_PX = 1280
STILL_S = 1.0
"""A picture is sent again after this long, so that somebody who joins a still room sees it."""


@dataclass(slots=True, eq=False)
class Output:
    """One stream of puppet pictures, for one performer or for everybody who watches a room."""

    fanout: Fanout
    performers: Callable[[], list[Performer]]
    of_room: bool
    """A room's stage shows avatars alone, all performers side by side."""
    rig: str = "human"
    drawn: tuple[tuple[int, int], ...] | None = None
    """Whom the last picture showed, and how far each had come."""
    published_s: float = float("-inf")
    """When the last picture went out."""
    puppets: Puppets | None = None
    rendered: int = 0
    stopwatch: Stopwatch = field(default_factory=Stopwatch)


class Studio:
    """Draws whenever something is new, and at least once a second: who joins a still room sees it, too.

    rig : the avatar whose window is opened before anybody waits for it"""

    def __init__(self, rig: str = "human", clock: Clock = monotonic_s) -> None:
        self._clock, self._first_rig = clock, rig
        self._wake, self._lock = threading.Event(), threading.Lock()
        self._outputs: list[Output] = []
        self._windows: OrderedDict[tuple[str, tuple[int, int]], Renderer] = OrderedDict()
        self._rigs: dict[str, Rig] = {}
        self._governor = Governor()
        self._running = True
        self.failure: str | None = None
        self.ready = threading.Event()
        """Set once OpenGL is open, or has failed to open."""
        self._thread = threading.Thread(target=self._work, name="studio", daemon=True)
        self._thread.start()

    def add(self, output: Output) -> None:
        """Draw this output from now on."""
        with self._lock:
            self._outputs.append(output)

    def remove(self, output: Output) -> None:
        """Stop drawing it."""
        with self._lock:
            if output in self._outputs:
                self._outputs.remove(output)

    def wake(self) -> None:
        """Something is new. May be called from any thread."""
        self._wake.set()

    def close(self) -> None:
        """Stop the thread; its OpenGL windows go with it."""
        self._running = False
        self._wake.set()
        self._thread.join()

    @property
    def scale(self) -> float:
        """The share of full size that pictures have now; below 1 under overload."""
        return self._governor.scale

    def _work(self) -> None:
        self._warm_up()
        while self._running:
            self._wake.wait(STILL_S)
            self._wake.clear()
            with self._lock:
                outputs = list(self._outputs)
            start_s = self._clock()
            drawn = [self._draw(output) for output in outputs if output.fanout.subscribers]
            if any(drawn) and self._governor.spent(self._clock() - start_s):
                log.info("pictures are drawn at %d %% of their size now", 100 * self._governor.scale)
        for window in self._windows.values():
            window.close()

    def _warm_up(self) -> None:
        """Open OpenGL before anybody waits for it."""
        try:
            self._window(self._first_rig, STAGE_SIZE_PX)
        except Exception as error:  # whatever it is, who waits for us must hear it
            self.failure = str(error) or type(error).__name__
        finally:
            self.ready.set()

    def _draw(self, output: Output) -> bool:
        """Draw and publish one output if any of its performers has moved on, or nothing came for a while."""
        performers = output.performers()
        marks = tuple((id(performer), performer.frames_solved) for performer in performers)
        if marks == output.drawn and self._clock() - output.published_s < STILL_S:
            return False
        output.drawn = marks
        try:
            rgb = self._stage(output, performers) if output.of_room else self._own(output, performers[0])
            with output.stopwatch.measuring("encode"):
                output.fanout.publish(rgb, self._clock())
        except Exception:  # one output that cannot be drawn must not end the drawing of all others
            log.exception("a picture could not be drawn")
            return False
        output.published_s = self._clock()
        output.rendered += 1
        return True

    def _stage(self, output: Output, performers: list[Performer]) -> Array:
        moment = Moment(self._clock(), output.rendered, None, (), motions_of_all(performers))
        return self._render(output, moment, "avatar", output.rig, STAGE_SIZE_PX)

    def _own(self, output: Output, performer: Performer) -> Array:
        show = performer.config.show
        moment = performer.newest or Moment(self._clock(), 0, None, (), ())
        moment = moment.mirrored() if show.mirror else moment
        view = show.view if moment.frame is not None else "avatar"
        width, height = moment.frame.size_px if moment.frame is not None else STAGE_SIZE_PX
        size_px = (2 * width, height) if view == "side-by-side" else (width, height)
        return self._render(output, moment, view, show.rig, size_px)

    def _render(self, output: Output, moment: Moment, view: str, rig: str, size_px: tuple[int, int]) -> Array:
        size_px = _fitting(size_px, self._governor.scale)
        with output.stopwatch.measuring("overlay"):
            picture = picture_of(moment, view)
        if view == "mesh":
            return resized(picture, size_px)
        window = self._window(rig, size_px)
        if output.puppets is None or output.puppets.rig is not window.scene.rig:
            output.puppets = Puppets(window.scene.rig, output.stopwatch)
        moment = replace(moment, time_s=self._clock())  # performers' clocks differ; loss is timed by ours
        appearances = output.puppets.act(moment, view)
        with output.stopwatch.measuring("render"):
            return window.draw(view, picture, appearances)

    def _window(self, rig: str, size_px: tuple[int, int]) -> Renderer:
        key = (rig, size_px)
        if key not in self._windows:
            if rig not in self._rigs:
                self._rigs[rig] = load_rig(rig)
            self._windows[key] = Renderer(self._rigs[rig], size_px, Background(), smooth_edges=False)
        self._windows.move_to_end(key)
        while len(self._windows) > MAX_WINDOWS:
            self._windows.popitem(last=False)[1].close()
        return self._windows[key]


def _fitting(size_px: tuple[int, int], scale: float) -> tuple[int, int]:
    """Even sides, none above the limit, scaled."""
    scale *= min(1.0, MAX_SIDE_PX / max(size_px))
    width, height = (max(16, 2 * int(np.round(side * scale / 2))) for side in size_px)
    return width, height
