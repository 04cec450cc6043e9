"""The first performer's profile during a run: loaded if there is one, made if there is none, kept up to date."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from ..data import Motion
from ..errors import AnimatorError
from .profile import load_profile, profile_path, save_profile
from .solver import LinearSolver

SEAT = 0
"""The track number that a profile belongs to: the first performer's."""
ENOUGH_S, SOON_S = 3.0, 10.0
"""A neutral that is found while running is kept at the end if the face was seen this long, and already after the
other, in case there is no orderly end."""
QUIET_S = 60.0
"""Between two warnings that the face does not fit."""

log = logging.getLogger("animator")


class ProfileKeeper:
    """Stands beside a solver; `look` is to be told of what is solved, on the solver's own thread.

    A file that cannot be read is told of in one line, and never written to."""

    def __init__(self, name: str, solver: LinearSolver, tell: Callable[[str], None] = log.warning) -> None:
        self._name, self._solver, self._tell = name, solver, tell
        self._path = profile_path(name)
        self._seen_s, self._last_s, self._warned_s = 0.0, None, None
        self._is_new = self._is_wanted = False
        self._is_locked = self._is_closed = False
        self._fits = True
        solver.on_news = self._heard
        if not self._path.exists():
            self._is_new = True
            return
        try:
            solver.adopt(load_profile(self._path), SEAT)
        except AnimatorError as error:
            self._is_locked = True
            remedy = f"the defaults are used, the file is left alone (animator profiles delete {name})"
            tell(f"{error}; {remedy}")

    def look(self, motions: Sequence[Motion]) -> None:
        """Take note of one instant; saves what has become known."""
        motion = next((m for m in motions if m.track_id == SEAT and m.confidence > 0), None)
        if motion is None:
            return
        if self._last_s is not None:
            self._seen_s += min(max(motion.time_s - self._last_s, 0.0), 0.5)
        self._last_s = motion.time_s
        if self._is_new and self._solver.config.calibrate == "auto" and self._seen_s >= SOON_S:
            self._is_wanted = True
        if self._is_wanted:
            self._save()

    def close(self) -> None:
        """Keep what is known at the end, if it is of the person whose profile this is."""
        if self._is_closed:
            return
        self._is_closed = True
        learned = self._seen_s >= ENOUGH_S and self._solver.config.calibrate == "auto"
        known = self._path.exists() and self._fits
        if self._fits and not self._is_locked and self._seen_s >= ENOUGH_S and (learned or known):
            self._save()

    def _heard(self, what: str, track_id: int) -> None:
        if track_id != SEAT:
            return
        if what == "calibrated":
            self._is_wanted = self._fits = True
        elif what == "stranger":
            self._fits = False  # this one's neutral is not that person's
        elif what == "misfit":
            self._fits = False
            if self._warned_s is None or self._last_s is None or abs(self._last_s - self._warned_s) >= QUIET_S:
                self._warned_s = self._last_s or 0.0
                self._tell(
                    f"this face does not fit the profile {self._name}: another person, or a camera of another field "
                    "of view (--fov); c in the window calibrates anew"
                )

    def _save(self) -> None:
        self._is_wanted = False
        profile = self._solver.profile(SEAT, self._name)
        if profile is None or self._is_locked:
            return
        try:
            save_profile(self._path, profile)
        except AnimatorError as error:
            self._is_locked = True
            self._tell(str(error))
            return
        if self._is_new:
            log.info("profile %s: saved as %s", self._name, self._path)
        self._is_new = False
