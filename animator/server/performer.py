"""One performer in a room: a camera that is solved here, or motion that was solved elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ..config import Config
from ..data import Motion
from ..errors import SettingError
from ..pipeline import Moment, Performance
from ..rendering.framing import check_view
from ..rigging.library import known_rigs
from ..timing import Closed, Stopwatch
from ..tracking.config import MAX_FACES

SLIDERS = {
    "detection": ("tracking", "detection_confidence"),
    "tracking": ("tracking", "tracking_confidence"),
    "presence": ("tracking", "presence_confidence"),
    "smoothing": ("solving", "smoothing"),
}
"""Names on the control channel, 0 to 100, and the settings of 0 to 1 that they stand for."""
TRACKS_EACH = MAX_FACES
"""Track numbers set aside for each performer of a room."""


class Performer:
    """Holds the newest moment; whoever draws looks at it, nobody waits in a queue."""

    def __init__(self, config: Config, changed: Callable[[], None]) -> None:
        self.config = config
        self.newest: Moment | None = None
        self.stopwatch = Stopwatch()
        self.frames_solved = 0
        self._changed = changed
        self._performance: Performance | None = None

    def perform(self, performance: Performance) -> None:
        """Follow a camera from now on; its threads begin at once."""
        self.stopwatch = performance.stopwatch
        self._performance = performance
        performance.listen(self._solved)
        with suppress(TimeoutError, Closed):  # this only has to begin: moments come by the listener
            performance.next_moment(0.0)

    def hear(self, motion: Motion) -> None:
        """Take motion that came over the network in place of a camera."""
        self._solved(Moment(motion.time_s, self.frames_solved, None, (), (motion,)))

    def set(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Apply what a control message asks for; returns all settings now.

        raises : SettingError naming what is wrong, with nothing changed"""
        self.config = _changed_config(self.config, changes)
        if self._performance is not None:
            self._performance.reconfigure(self.config)
        return self.settings()

    def settings(self) -> dict[str, Any]:
        """Every setting, under its name on the control channel."""
        shown = {name: round(100 * getattr(getattr(self.config, s), f)) for name, (s, f) in SLIDERS.items()}
        show = self.config.show
        return shown | {
            "faces": self.config.tracking.faces,
            "view": show.view,
            "rig": show.rig,
            "mirror": show.mirror,
        }

    def calibrate(self) -> None:
        """Take the next second as neutral."""
        if self._performance is not None:
            self._performance.calibrate()

    def has_face(self) -> bool:
        """Whether a face is seen now."""
        return self.newest is not None and any(motion.confidence > 0 for motion in self.newest.motions)

    def listen(self, listener: Callable[[Moment], None]) -> None:
        """Call `listener` with every moment, as a recorder wants."""
        if self._performance is not None:
            self._performance.listen(listener)

    def ignore(self, listener: Callable[[Moment], None]) -> None:
        """Stop calling `listener`."""
        if self._performance is not None:
            self._performance.ignore(listener)

    def close(self) -> None:
        """Stop its threads and free its tracker."""
        if self._performance is not None:
            self._performance.close()

    def _solved(self, moment: Moment) -> None:
        self.newest = moment
        self.frames_solved += 1
        self._changed()


def motions_of_all(performers: list[Performer]) -> tuple[Motion, ...]:
    """The newest motions of every performer of a room, with track numbers that do not meet."""
    return tuple(
        replace(motion, track_id=seat * TRACKS_EACH + motion.track_id)
        for seat, performer in enumerate(performers)
        if performer.newest is not None
        for motion in performer.newest.motions
    )


def _changed_config(config: Config, changes: dict[str, Any]) -> Config:
    tracking, solving, show = config.tracking, config.solving, config.show
    for name, value in changes.items():
        if name in SLIDERS:
            _check_number(name, value, 0, 100)
            stage, field = SLIDERS[name]
            if stage == "tracking":
                tracking = replace(tracking, **{field: value / 100})
            else:
                solving = replace(solving, **{field: value / 100})
        elif name == "faces":
            _check_number(name, value, 1, MAX_FACES)
            tracking = replace(tracking, faces=int(value))
        elif name == "mirror":
            show = replace(show, mirror=bool(value))
        elif name == "view":
            show = replace(show, view=check_view(value))
        elif name == "rig":
            if value not in known_rigs():  # never a path: a client must not choose what is read
                raise SettingError(f"rig: wanted one of {', '.join(known_rigs())}")
            show = replace(show, rig=value)
        else:
            raise SettingError(f"set: there is no setting of that name (known: {', '.join(SLIDERS)}, faces, ...)")
    return Config(tracking, solving, show)


def _check_number(name: str, value: object, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise SettingError(f"{name}: wanted a number from {low:g} to {high:g}")
