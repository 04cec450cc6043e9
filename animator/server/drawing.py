"""Draws the puppets of a worker's outputs, round after round, and as few and small as the load asks for."""

from __future__ import annotations

import logging
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..data import Array
from ..pipeline import Moment
from ..puppets import Puppets, picture_of
from ..rendering.backdrop import Background
from ..rendering.overlay import resized
from ..rendering.renderer import Renderer
from ..rig import Rig
from ..rigging.deform import Deformer
from ..rigging.library import load_rig
from ..timing import Clock
from ..webrtc.outbound import Fanout
from .finished import finished_pictures, side_by_side
from .governor import Governor
from .metrics import StageTimes
from .performer import Performer, motions_of_all

log = logging.getLogger("animator")

STAGE_SIZE_PX = (640, 480)
MAX_WINDOWS = 6
"""OpenGL windows kept; each holds its avatar's textures."""
MAX_SIDE_PX = 1280
STILL_S = 1.0
"""A picture is sent again after this long, so that somebody who joins a still room sees it."""
EARLY = 0.8
"""A round may begin after this share of a frame time: cameras and networks are not punctual."""
MAX_SPARES = 4
"""Bodies of each avatar that wait to be used again."""


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
    cost_s: float = 0.0
    """How long the last picture took, encoding included."""
    puppets: Puppets | None = None
    rendered: int = 0
    stopwatch: StageTimes = field(default_factory=StageTimes)


class Painter:
    """What the drawing thread does, without the thread. Used on one thread, as VTK wants; avatars of one kind
    and size share one OpenGL window, whoever wears them."""

    def __init__(self, clock: Clock) -> None:
        self.governor = Governor()
        self._clock, self._began_s = clock, float("-inf")  # of the last round that drew
        self._windows: OrderedDict[tuple[str, tuple[int, int]], Renderer] = OrderedDict()
        self._rigs: dict[str, Rig] = {}
        self._spares: dict[str, list[Deformer]] = defaultdict(list)

    def warm_up(self, rig: str) -> None:
        """Do once what the first picture would otherwise wait for: 0.9 s, where later ones take 0.04."""
        window = self._window(rig, STAGE_SIZE_PX)
        puppets = Puppets(window.scene.rig, StageTimes(), self._spares[rig])
        window.draw("avatar", None, puppets.act(Moment(0.0, 0, None, (), ()), "avatar"))
        puppets.close()

    def prepare(self, rig: str) -> None:
        """Have a body ready for the next who comes; for a time when nothing else is to be done."""
        if not self._spares[rig]:
            self._spares[rig].append(Deformer(self._rigs[rig]))

    def pause_s(self) -> float:
        """How long to wait before the next round, so that there are no more than the governor allows."""
        return max(0.0, self._began_s + EARLY / self.governor.step.fps - self._clock())

    def draw(self, outputs: Sequence[Output]) -> bool:
        """One round: draw and publish whatever has moved on, or was still for long; False if there was nothing."""
        start_s = self._clock()
        watched = [output for output in outputs if output.fanout.subscribers]
        drawn = [self._draw(output) for output in watched]
        if not any(drawn):
            return False
        self._began_s = start_s
        # What all that move would cost: with several, each round finds but some of them moved on.
        lively = (output.cost_s for output in watched if start_s - output.published_s < STILL_S)
        if self.governor.spent(sum(lively)):
            step = self.governor.step
            log.info("at most %g pictures a second now, at %g %% of their size", step.fps, 100 * step.scale)
        return True

    def forget(self, output: Output) -> None:
        """The output will not be drawn again: its bodies are free."""
        if output.puppets is not None:
            output.puppets.close()
            output.puppets = None
        for spares in self._spares.values():
            del spares[MAX_SPARES:]

    def close(self) -> None:
        """Close every window."""
        for window in self._windows.values():
            window.close()

    def _draw(self, output: Output) -> bool:
        """Draw and publish one output if any of its performers has moved on, or nothing came for a while."""
        performers = output.performers()
        marks = tuple((id(performer), performer.frames_solved) for performer in performers)
        start_s = self._clock()
        if marks == output.drawn and start_s - output.published_s < STILL_S:
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
        output.cost_s = output.published_s - start_s
        output.rendered += 1
        return True

    def _stage(self, output: Output, performers: list[Performer]) -> Array:
        finished = finished_pictures(performers)
        others = sum(not performer.is_finished for performer in performers)
        if finished and not others:
            return side_by_side(finished, _fitting(STAGE_SIZE_PX, self.governor.step.scale))
        width, height = STAGE_SIZE_PX
        beside_px = 2 * (width * len(finished) // (others + len(finished)) // 2) if finished else 0
        moment = Moment(self._clock(), output.rendered, None, (), motions_of_all(performers))
        drawn = self._render(output, moment, "avatar", output.rig, (width - beside_px, height))
        if not finished:
            return drawn
        beside = side_by_side(finished, _fitting((beside_px, height), self.governor.step.scale))
        return np.concatenate([drawn, beside], axis=1)

    def _own(self, output: Output, performer: Performer) -> Array:
        show = performer.config.show
        moment = performer.newest or Moment(self._clock(), 0, None, (), ())
        moment = moment.mirrored() if show.mirror else moment
        view = show.view if moment.frame is not None else "avatar"
        view = "mesh" if performer.is_finished and moment.frame is not None else view
        width, height = moment.frame.size_px if moment.frame is not None else STAGE_SIZE_PX
        size_px = (2 * width, height) if view == "side-by-side" else (width, height)
        return self._render(output, moment, view, show.rig, size_px)

    def _render(self, output: Output, moment: Moment, view: str, rig: str, size_px: tuple[int, int]) -> Array:
        size_px = _fitting(size_px, self.governor.step.scale)
        with output.stopwatch.measuring("overlay"):
            picture = picture_of(moment, view)
        if view == "mesh":
            return resized(picture, size_px)
        window = self._window(rig, size_px)
        if output.puppets is None or output.puppets.rig is not window.scene.rig:
            self.forget(output)
            output.puppets = Puppets(window.scene.rig, output.stopwatch, self._spares[rig])
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
