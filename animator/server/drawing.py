"""Draws the puppets of a worker's outputs, round after round, and as few and small as the load asks for."""

from __future__ import annotations

import logging
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

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
    """What is shown on an empty stage."""
    drawn: tuple[tuple[int, int], ...] | None = None
    """Whom the last picture showed, and how far each had come."""
    published_s: float = float("-inf")
    """When the last picture went out."""
    cost_s: float = 0.0
    """How long the last picture took, encoding included."""
    puppets: dict[str, Puppets] = field(default_factory=dict)
    """Bodies by avatar."""
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

    def bring(self, key: str, rig: Rig, body: Deformer) -> None:
        """Know another avatar by this key, with a body for it. From any thread."""
        self._spares[key] = [body]
        self._rigs[key] = rig

    def drop(self, key: str) -> None:
        """Forget it, and give back what OpenGL holds of it."""
        for place in [place for place in self._windows if place[0] == key]:
            self._windows.pop(place).close()
        self._rigs.pop(key, None)
        self._spares.pop(key, None)

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
        self._free(output, ())

    def _free(self, output: Output, worn: Collection[str]) -> None:
        """Take back the bodies of avatars that an output shows no longer."""
        for rig in output.puppets.keys() - set(worn):
            output.puppets.pop(rig).close()
        for spares in list(self._spares.values()):
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
        """All performers side by side, each as the avatar of its choice; those who wear the same stand together."""
        finished = finished_pictures(performers)
        groups = _by_avatar(performers)
        self._free(output, groups or ((output.rig,) if not finished else ()))
        if not groups and not finished:
            groups = {output.rig: []}
        shares = [len(group) for group in groups.values()] + ([len(finished)] if finished else [])
        columns = []
        for rig, width in zip(groups, _widths(shares), strict=False):
            moment = Moment(self._clock(), output.rendered, None, (), motions_of_all(groups[rig]))
            columns.append(self._render(output, moment, "avatar", rig, (width, STAGE_SIZE_PX[1])))
        if finished:
            size_px = _fitting((_widths(shares)[-1], STAGE_SIZE_PX[1]), self.governor.step.scale)
            columns.append(side_by_side(finished, size_px))
        return columns[0] if len(columns) == 1 else np.concatenate(columns, axis=1)

    def _own(self, output: Output, performer: Performer) -> Array:
        show = performer.config.show
        moment = performer.newest or Moment(self._clock(), 0, None, (), ())
        moment = moment.mirrored() if show.mirror else moment
        view = show.view if moment.frame is not None else "avatar"
        view = "mesh" if performer.is_finished and moment.frame is not None else view
        width, height = moment.frame.size_px if moment.frame is not None else STAGE_SIZE_PX
        size_px = (2 * width, height) if view == "side-by-side" else (width, height)
        self._free(output, (show.rig,))
        return self._render(output, moment, view, show.rig, size_px)

    def _render(self, output: Output, moment: Moment, view: str, rig: str, size_px: tuple[int, int]) -> Array:
        size_px = _fitting(size_px, self.governor.step.scale)
        with output.stopwatch.measuring("overlay"):
            picture = picture_of(moment, view)
        if view == "mesh":
            return resized(picture, size_px)
        window = self._window(rig, size_px)
        if rig not in output.puppets:
            output.puppets[rig] = Puppets(window.scene.rig, output.stopwatch, self._spares[rig])
        moment = replace(moment, time_s=self._clock())  # performers' clocks differ; loss is timed by ours
        appearances = output.puppets[rig].act(moment, view)
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


def _by_avatar(performers: Sequence[Performer]) -> dict[str, list[Performer]]:
    """Who wears what, of those whose puppet is drawn here; in the order of their coming."""
    found: dict[str, list[Performer]] = {}
    for performer in performers:
        if not performer.is_finished:
            found.setdefault(performer.config.show.rig, []).append(performer)
    return found


def _widths(shares: Sequence[int]) -> list[int]:
    """Even parts of the stage's width, one for each share and as wide as that, at least 2 pixels each."""
    whole = max(sum(shares), 1)
    edges = [2 * (STAGE_SIZE_PX[0] * sum(shares[:n]) // whole // 2) for n in range(len(shares))] + [STAGE_SIZE_PX[0]]
    return [max(right - left, 2) for left, right in pairwise(edges)]


def _fitting(size_px: tuple[int, int], scale: float) -> tuple[int, int]:
    """Even sides, none above the limit, scaled."""
    scale *= min(1.0, MAX_SIDE_PX / max(size_px))
    width, height = (max(16, 2 * int(np.round(side * scale / 2))) for side in size_px)
    return width, height
