"""The person's own neutral face: measured on request or found on the fly; `profile` remembers it."""

from __future__ import annotations

import numpy as np

from ..data import LANDMARKS, Array
from .face_model import FaceModel

CORRELATION_S = 1.0
"""Frames nearer in time than this tell nearly the same about a person."""
MEMORY_S = 60.0
"""How much of the past the running estimate weighs in full; older frames fade."""
SETTLED_S, REFRESH_S = 5.0, 0.5
"""The running estimate is renewed with each frame at first, then this often."""
PRIOR_FRAMES = 1.0
"""A calibration over n frames believes what the identity model cannot explain by n / (n + this)."""


class RunningNeutral:
    """A person's neutral from frames in which the face does whatever it likes.

    Landmarks are taken as mean + identity' alpha + expression + noise, all Gaussian; with expression and
    noise marginalised the posterior of alpha is the solution of a small linear system whose two sides are
    running sums. A smile or a blink at the start therefore moves the estimate only a little, and later
    frames take that back."""

    def __init__(self, model: FaceModel) -> None:
        self._mean_cm = model.neutral_cm.astype(np.float64)
        self._identity = model.identity_cm.astype(np.float64).reshape(len(model.identity_cm), -1)
        self._map = model.identity_map.astype(np.float64)
        information = self._map @ self._identity.T
        self._information = 0.5 * (information + information.T)
        self.reset()

    def reset(self) -> None:
        """Back to the mean of all people."""
        self._looks = 0.0  # independent looks at the person, counting correlated frames as parts of one
        self._evidence = np.zeros(len(self._identity))
        self._last_s: float | None = None
        self._solved_looks = 0.0
        self.neutral_cm = self._mean_cm
        """(478, 3) float64: the estimate so far; never written to, only replaced."""

    def add(self, landmarks_cm: Array, time_s: float) -> None:
        """Learn from one frame; landmarks_cm (478, 3) in the head frame."""
        elapsed_s = CORRELATION_S if self._last_s is None else time_s - self._last_s
        self._last_s = time_s
        look = float(np.clip(elapsed_s / CORRELATION_S, 0.0, 1.0))
        self._evidence += look * (self._map @ (landmarks_cm - self._mean_cm).ravel())
        self._looks += look
        kept = min(1.0, MEMORY_S / CORRELATION_S / max(self._looks, 1e-9))
        self._evidence *= kept
        self._looks *= kept
        self._solved_looks -= (1 - kept) * self._solved_looks
        due = REFRESH_S / CORRELATION_S if self._looks > SETTLED_S / CORRELATION_S else 0.0
        if self._looks - self._solved_looks >= due or kept < 1:
            self._solved_looks = self._looks
            self.neutral_cm = self._mean_cm + (self._posterior() @ self._identity).reshape(LANDMARKS, 3)

    def _posterior(self) -> Array:
        precision = self._looks * self._information
        precision[np.diag_indices_from(precision)] += 1.0
        return np.linalg.solve(precision, self._evidence)


class Calibration:
    """A person's neutral from frames that are neutral because the person was asked for that."""

    def __init__(self, model: FaceModel, seconds: float) -> None:
        self.seconds = seconds
        self._running = RunningNeutral(model)
        self._frames: list[Array] = []
        self._sum_cm = np.zeros((LANDMARKS, 3))
        self._start_s: float | None = None

    def is_over(self, time_s: float) -> bool:
        """True once the asked time has passed since the first frame."""
        return self._start_s is not None and time_s - self._start_s >= self.seconds - 1e-6

    def add(self, landmarks_cm: Array, time_s: float) -> None:
        """Learn from one neutral frame."""
        if self._start_s is None or time_s < self._start_s:
            self._start_s = time_s
        self._frames.append(landmarks_cm)
        self._sum_cm += landmarks_cm
        self._running.add(landmarks_cm, time_s)

    @property
    def neutral_cm(self) -> Array:
        """(478, 3) float64: the mean so far, drawn towards what the identity model makes of it."""
        return self._drawn(self._sum_cm / max(1, len(self._frames)))

    def result_cm(self) -> Array:
        """(478, 3) float64: like `neutral_cm`, but of the median, so that a blink among the frames does no
        harm; too slow for every frame."""
        return self._drawn(np.median(np.stack(self._frames), axis=0))

    def _drawn(self, measured_cm: Array) -> Array:
        share = len(self._frames) / (len(self._frames) + PRIOR_FRAMES)
        return self._running.neutral_cm + share * (measured_cm - self._running.neutral_cm)
