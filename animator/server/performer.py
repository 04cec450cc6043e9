"""One performer in a room: a camera that is solved here, or motion that was solved elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from threading import Lock
from typing import Any

from ..config import Config
from ..data import Motion
from ..errors import AnimatorError, SettingError
from ..pipeline import Moment, Performance
from ..rendering.framing import check_view
from ..rigging.library import known_rigs
from ..solving.profile import Profile
from ..timing import Clock, Closed, monotonic_s
from ..tracking.config import MAX_FACES
from .metrics import StageTimes

log = logging.getLogger("animator")

SLIDERS = {
    "detection": ("tracking", "detection_confidence"),
    "tracking": ("tracking", "tracking_confidence"),
    "presence": ("tracking", "presence_confidence"),
    "smoothing": ("solving", "smoothing"),
}
"""Names on the control channel, 0 to 100, and the settings of 0 to 1 that they stand for."""
OWN = "own"
"""What the control channel calls the avatar that a client has brought."""
NAMES = (*SLIDERS, "faces", "view", "rig", "mirror")
TRACKS_EACH = MAX_FACES
"""Track numbers set aside for each performer of a room."""
RESTART_S = 1.0
"""A clock that jumps by more than this has begun anew."""
HEARD_FOR_S = 0.5
"""A face of which no motion came for so long is gone."""


class Performer:
    """Holds the newest moment; whoever draws looks at it, nobody waits in a queue."""

    def __init__(self, config: Config, changed: Callable[[], None], clock: Clock = monotonic_s) -> None:
        self.config = config
        self.seat = 0
        """Its number in the room, for as long as it stays."""
        self.is_finished = False
        """Its pictures are its puppet, drawn elsewhere, and no camera's: they are shown as they are."""
        self.own_avatar: str | None = None
        """The key of the avatar that it has brought, which nobody else is told."""
        self.newest: Moment | None = None
        self.ahead_s = 0.0
        """What to add to its camera's clock to have ours: those of several performers differ."""
        self.stopwatch = StageTimes()
        self.frames_solved = 0
        self._changed, self._clock = changed, clock
        self._telling = Lock()
        self._listeners: list[Callable[[Moment], None]] = []
        self._performance: Performance | None = None
        self._adopted: dict[int, Profile] = {}
        self._heard: dict[int, Motion] = {}
        self._heard_again: set[int] = set()
        """Faces of which motion came since the last moment."""

    @property
    def has_camera(self) -> bool:
        """Whether a camera is followed."""
        return self._performance is not None

    def perform(self, performance: Performance) -> None:
        """Follow a camera from now on; its threads begin at once."""
        self._performance = performance
        for face, profile in self._adopted.items():
            performance.adopt(face, profile)
        performance.listen(self._solved)
        self.apply()  # what was set while the tracker was being made
        with suppress(TimeoutError, Closed):  # this only has to begin: moments come by the listener
            performance.next_moment(0.0)

    def hear(self, motion: Motion) -> None:
        """Take motion that came over the network in place of a camera; what comes late is let go.

        Each face comes in a message of its own. A moment is made once all faces are there, so that none is drawn
        a frame behind the others, or as soon as one comes a second time: what is lost holds up nobody."""
        before = self._heard.get(motion.track_id)
        late_s = 0.0 if before is None else before.time_s - motion.time_s
        if 0 < late_s < RESTART_S or motion.track_id >= TRACKS_EACH:
            return
        self._heard[motion.track_id] = motion
        self._heard = {m.track_id: m for m in self._heard.values() if abs(motion.time_s - m.time_s) <= HEARD_FOR_S}
        repeated = motion.track_id in self._heard_again
        self._heard_again = {motion.track_id} if repeated else self._heard_again | {motion.track_id}
        of_one_instant = all(other.time_s == motion.time_s for other in self._heard.values())
        complete = of_one_instant or before is None or self._heard_again >= self._heard.keys()
        if repeated or complete:
            motions = tuple(sorted(self._heard.values(), key=lambda m: m.track_id))
            self._solved(Moment(max(m.time_s for m in motions), self.frames_solved, None, (), motions))
        if complete:
            self._heard_again = set()

    def set(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Take what a control message asks for; returns all settings now. `apply` is to follow.

        raises : SettingError naming what is wrong, with nothing changed"""
        if changes.get("rig") == OWN and self.own_avatar is not None:
            changes = {name: value for name, value in changes.items() if name != "rig"}
            self.config = _wearing(_changed_config(self.config, changes), self.own_avatar)
        else:
            self.config = _changed_config(self.config, changes)
        return self.settings()

    def wear(self, key: str) -> str | None:
        """Wear an avatar of its own; returns the key of the one before, if there was one."""
        before, self.own_avatar = self.own_avatar, key
        self.config = _wearing(self.config, key)
        return before

    def apply(self) -> None:
        """Bring the settings to the tracker and the solver; a new tracker takes a tenth of a second."""
        if self._performance is not None and self._performance.config != self.config:
            self._performance.reconfigure(self.config)

    def settings(self) -> dict[str, Any]:
        """Every setting, under its name on the control channel."""
        shown = {name: round(100 * getattr(getattr(self.config, s), f)) for name, (s, f) in SLIDERS.items()}
        show = self.config.show
        return shown | {
            "faces": self.config.tracking.faces,
            "view": show.view,
            "rig": OWN if self.wears_own else show.rig,
            "mirror": show.mirror,
        }

    def calibrate(self) -> None:
        """Take the next second as neutral; waits for the picture that is being looked at."""
        if self._performance is not None:
            self._performance.calibrate()

    def profiles(self) -> dict[int, Profile]:
        """What is known of each face at rest, by its number; nothing without a camera."""
        return {} if self._performance is None else self._performance.profiles()

    def adopt(self, face: int, profile: Profile) -> None:
        """Use a calibration of earlier, now or once there is a camera."""
        self._adopted[face] = profile
        if self._performance is not None:
            self._performance.adopt(face, profile)

    @property
    def wears_own(self) -> bool:
        """Whether it wears the avatar that it has brought."""
        return self.own_avatar is not None and self.config.show.rig == self.own_avatar

    @property
    def faces(self) -> int:
        """How many faces the newest moment shows."""
        return 0 if self.newest is None else sum(motion.confidence > 0 for motion in self.newest.motions)

    def failure(self) -> str | None:
        """One sentence, given once, if the camera can be followed no longer."""
        if self._performance is None:
            return None
        try:
            self._performance.next_moment(0.0)
        except (TimeoutError, Closed):
            return None
        except AnimatorError as error:
            return str(error)
        except Exception:  # a fault of ours: the client gets a sentence, the log the rest
            log.exception("a performance broke off")
            return "Following your camera failed; the server's log tells more. Connect again."
        return None

    def listen(self, listener: Callable[[Moment], None]) -> None:
        """Call `listener` with every moment, as a recorder wants, on the thread that solves."""
        with self._telling:
            self._listeners.append(listener)

    def ignore(self, listener: Callable[[Moment], None]) -> None:
        """Stop calling `listener`; when this returns no call is under way."""
        with self._telling:
            self._listeners.remove(listener)

    def close(self) -> None:
        """Stop its threads and free its tracker."""
        if self._performance is not None:
            self._performance.close()

    def _solved(self, moment: Moment) -> None:
        ahead_s = self._clock() - moment.time_s
        if self.newest is None or abs(ahead_s - self.ahead_s) > RESTART_S:
            self.ahead_s = ahead_s  # else it stays: what a network adds to and fro is no motion
        self.newest = moment
        self.frames_solved += 1
        with self._telling:
            for listener in self._listeners:
                listener(moment)
        self._changed()


def motions_of_all(performers: list[Performer]) -> tuple[Motion, ...]:
    """The newest motions of every performer of a room, by our clock, with track numbers that do not meet."""
    return tuple(
        replace(
            motion,
            track_id=performer.seat * TRACKS_EACH + motion.track_id,
            time_s=motion.time_s + performer.ahead_s,
        )
        for performer in performers
        for motion in (() if performer.newest is None else performer.newest.motions)
    )


def _wearing(config: Config, rig: str) -> Config:
    return replace(config, show=replace(config.show, rig=rig))


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
            if value != int(value):
                raise SettingError("faces: wanted a whole number")
            tracking = replace(tracking, faces=int(value))
        elif name == "mirror":
            if not isinstance(value, bool):
                raise SettingError("mirror: wanted true or false")
            show = replace(show, mirror=value)
        elif name == "view":
            show = replace(show, view=check_view(value))
        elif name == "rig":
            if value == OWN:
                raise SettingError("rig: there is no avatar of your own here: bring one first")
            if value not in known_rigs():  # never a path: a client must not choose what is read
                raise SettingError(f"rig: wanted one of {', '.join(known_rigs())}")
            show = replace(show, rig=value)
        else:
            raise SettingError(f"set: there is no setting of that name (known: {', '.join(NAMES)})")
    return replace(config, tracking=tracking, solving=solving, show=show)


def _check_number(name: str, value: object, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise SettingError(f"{name}: wanted a number from {low:g} to {high:g}")
