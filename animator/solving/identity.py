"""The person's own neutral face: measured on request or found on the fly; `profile` remembers it."""

from __future__ import annotations

import math

import numpy as np

from ..data import LANDMARKS, Array
from .face_model import FaceModel

CORRELATION_S = 1.0
"""Frames nearer in time than this tell nearly the same about a person."""
MEMORY_S = 60.0
"""How much of the past the running estimate weighs in full; older frames fade."""
REFRESH = ((1.5, 0.0), (6.0, 0.1), (float("inf"), 0.5))
"""Until so many seconds of looking, the first frame counting as one, the running estimate is renewed so often: at first
with each frame."""
HALF_TOLD_RAD = math.radians(20.0)
"""A head that is turned aside by so much tells half of what it tells face on: the tracker guesses its far side."""
# On held-out takes of `train_wide` without a neutral start correlation is 0.976 of that with one; 0.962 if every frame
# counts alike.
PRIOR_FRAMES = 1.0
"""A calibration over n frames believes what the identity model cannot explain by n / (n + this)."""


def told_share(rotation: Array) -> float:
    """How much a frame tells about a person, 0 to 1, by the way the head is turned, (3, 3) camera_from_head."""
    aside_rad = math.acos(max(-1.0, min(1.0, float(rotation[2, 2]))))
    return 1 / (1 + (aside_rad / HALF_TOLD_RAD) ** 4)


class RunningNeutral:
    """A person's neutral from frames in which the face does whatever it likes.

    Landmarks are taken as mean + identity' alpha + expression + noise, all Gaussian; with expression and
    noise marginalised the posterior of alpha is the solution of a small linear system whose two sides are
    running sums. A smile or a blink at the start therefore moves the estimate only a little, and later
    frames take that back."""

    def __init__(self, model: FaceModel) -> None:
        self._mean_cm = np.asfortranarray(model.neutral_cm, np.float64)
        self._identity = model.identity_cm.astype(np.float64).reshape(len(model.identity_cm), -1)
        self._map, self._information, self._axes = _diagonal(model)
        self.reset()

    def reset(self) -> None:
        """Back to the mean of all people."""
        self._looks = 0.0  # independent looks at the person, counting correlated frames as parts of one
        self._sum_cm = np.zeros((3, LANDMARKS)).T  # of changes from the mean, in looks
        self._last_s: float | None = None
        self._solved_looks = 0.0
        self.identity = np.zeros(len(self._identity))
        """(K,) float64: the estimate so far, in standard deviations along the model's differences between people;
        never written to, only replaced."""
        self._neutral_of, self._neutral_cm = self.identity, self._mean_cm

    @property
    def neutral_cm(self) -> Array:
        """(478, 3) float64: the same as a face; the same object until the estimate changes."""
        if self._neutral_of is not self.identity:
            self._neutral_of = self.identity
            self._neutral_cm = self._mean_cm + (self.identity @ self._identity).reshape(LANDMARKS, 3)
        return self._neutral_cm

    def add(self, landmarks_cm: Array, time_s: float, share: float = 1.0) -> None:
        """Learn from one frame.

        landmarks_cm : (478, 3) in the head frame
        share        : how much it tells, 0 to 1, see `told_share`"""
        elapsed_s = CORRELATION_S if self._last_s is None else time_s - self._last_s
        self._last_s = time_s
        look = share * min(max(elapsed_s / CORRELATION_S, 0.0), 1.0)
        self._sum_cm += look * (landmarks_cm - self._mean_cm)
        self._looks += look
        kept = min(1.0, MEMORY_S / CORRELATION_S / max(self._looks, 1e-9))
        if kept < 1:
            self._sum_cm *= kept
            self._looks *= kept
            self._solved_looks *= kept
        due_s = next(refresh_s for until_s, refresh_s in REFRESH if self._looks <= until_s / CORRELATION_S)
        if (self._looks - self._solved_looks) * CORRELATION_S >= due_s - 1e-6:
            self._solved_looks = self._looks
            evidence = self._map @ self._sum_cm.T.ravel()
            self.identity = self._axes @ (evidence / (self._looks * self._information + 1.0))


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


def _diagonal(model: FaceModel) -> tuple[Array, Array, Array]:
    """The same model in axes in which no trait of a person has to do with any other, so that no system of equations is
    left: (K, 1434) what maps changes of landmarks, column by column, to evidence, (K,) the information that one look
    gives, and (K, K) the axes along the model's differences between people."""
    identity = model.identity_cm.astype(np.float64).reshape(len(model.identity_cm), -1)
    to_evidence = model.identity_map.astype(np.float64)
    information = to_evidence @ identity.T
    looks, axes = np.linalg.eigh(0.5 * (information + information.T))
    by_columns = (axes.T @ to_evidence).reshape(len(looks), LANDMARKS, 3).swapaxes(1, 2).reshape(len(looks), -1)
    return np.ascontiguousarray(by_columns), looks, axes
