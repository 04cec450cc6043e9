"""What a face is doing, read by a small network from how its landmarks differ from the person's rest.

A mirrored face must read as the mirrored expression. That is built in rather than hoped for: every change of
shape is split into the half that a mirror keeps and the half that it turns round, each layer has one matrix
for either, and its units come in pairs that a mirror swaps. So left and right are treated exactly alike, at
half the cost of a network without that symmetry.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from ..channels import ARKIT
from ..data import Array
from ..maths.rotations import yaw_pitch_roll_from_matrix
from .face_model import FaceModel

ANGLE_UNIT_RAD = 0.4
"""Head angles are given to the network in this unit."""
INPUT_LIMIT = 6.0
"""Inputs beyond this many standard deviations mean no more than this."""
GAZE_UNIT_RAD, TURN_UNIT_RAD = np.radians(25.0), np.radians(4.0)
"""The network's units of gaze and of what the rigid fit missed, so that its outputs are all about as large."""
GAZE, TURN = slice(52, 54), slice(54, 57)
"""Where the outputs after the 52 weights lie."""
EYE_SHAPES = 40
"""So many of the directions of either half, the first ones, are those of the eyes alone."""
LAGS = 2
"""The network also sees how the eyes moved since each of so many frames before: a lid is quicker than the tracker."""
MOTION_UNIT_S, SHORTEST_S, LONGEST_S = 1 / 20, 1 / 60, 0.2
"""Motion is counted per this long. Frames that are closer are taken to be SHORTEST_S apart; those that are farther
apart tell nothing."""
STILL_BELOW, FULL_FROM, GAIN = 0.075, 0.155, 1.2
"""The network's doubts about channels at rest lie below the first; from the second on a weight counts in full, which is
a little more than the network dares to say. On held-out takes this takes a third off the error at rest, adds 0.02 to
the F1 of blinks, and costs 0.01 of correlation."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the network makes of one frame."""

    weights: Array
    """(52,) float64 in 0..1."""
    gaze_rad: Array
    """(2,) yaw (+ to the subject's left), pitch (+ up) of both eyes."""
    turn_rad: Array
    """(3,) rotation vector in the head frame: what the rigid fit missed."""


@dataclass(frozen=True, slots=True)
class Person:
    """A neutral face and what the network is told of it."""

    neutral_cm: Array
    """(478, 3) float64."""
    kept: Array
    """(I,) float32, coefficients that a mirror keeps."""
    turned: Array
    """(J,) float32, coefficients whose sign a mirror turns round."""
    eyes: Array
    """(2, EYE_SHAPES) float32: where this person's eyes at rest lie, kept and turned."""


@dataclass(frozen=True, slots=True)
class EyesSeen:
    """Where the eyes were at one instant, whatever the neutral was then."""

    time_s: float
    eyes: Array
    """(2, EYE_SHAPES) float32, kept and turned."""


def settled(weights: Array) -> Array:
    """Weights with the murmur near 0 taken out: 0 below STILL_BELOW, GAIN times as large from FULL_FROM on; in 0..1."""
    share = (weights - STILL_BELOW) * (GAIN / (FULL_FROM - STILL_BELOW))
    return np.minimum(weights * np.minimum(np.maximum(share, 0.0), GAIN), 1.0)


class Folding:
    """Splits changes of shape into what a mirror keeps and what it turns round."""

    def __init__(self, mirror: Array) -> None:
        self._one = np.flatnonzero(np.arange(len(mirror)) <= mirror)
        self._other = mirror[self._one]
        self._sign = np.float32([-1, 1, 1])

    def __call__(self, change: Array) -> tuple[Array, Array]:
        """(..., 478, 3) -> kept and turned (..., F), both float32; a mirror negates the second."""
        change = change.astype(np.float32)
        one, other = change[..., self._one, :], change[..., self._other, :] * self._sign
        shape = (*change.shape[:-2], -1)
        return (one + other).reshape(shape), (one - other).reshape(shape)


class FaceNetwork:
    """The network of one model, ready for frame after frame."""

    def __init__(self, model: FaceModel) -> None:
        def columns(*arrays: Array) -> list[Array]:
            # A row of outputs times a matrix reads memory in order.
            return [np.ascontiguousarray(array, np.float32) for array in arrays]

        self._fold = Folding(model.mirror)
        self._mean_cm = model.neutral_cm.astype(np.float64)
        self._shape_kept, self._shape_turned = columns(model.shape_kept, model.shape_turned)
        self._person_kept, self._person_turned = columns(model.person_kept, model.person_turned)
        self._first_kept, self._first_turned = columns(model.first_kept, model.first_turned)
        self._second_kept, self._second_turned = columns(model.second_kept, model.second_turned)
        self._last_kept, self._last_turned = columns(model.last_kept, model.last_turned)
        self._first_bias, self._second_bias, self._last_bias = columns(
            model.first_bias, model.second_bias, model.last_bias
        )
        self._networks = len(model.second_kept)

    def person(self, neutral_cm: Array) -> Person:
        """What the network needs to know of a neutral (478, 3)."""
        kept, turned = self._fold(neutral_cm - self._mean_cm)
        eyes = np.stack([self._shape_kept[:EYE_SHAPES] @ kept, self._shape_turned[:EYE_SHAPES] @ turned])
        return Person(neutral_cm, _limited(self._person_kept @ kept), _limited(self._person_turned @ turned), eyes)

    def read(
        self, landmarks_cm: Array, rotation: Array, person: Person, past: deque[EyesSeen], time_s: float
    ) -> Reading:
        """The reading of one frame.

        landmarks_cm : (478, 3) head frame
        rotation     : (3, 3) camera_from_head
        past         : the eyes of up to LAGS frames before, the last one first; this frame is added"""
        kept, turned = self.inputs(landmarks_cm, rotation, person, past, time_s)
        out = self._forward(kept, turned).astype(np.float64)
        weights = settled(np.maximum(out[: len(ARKIT)], 0.0))
        return Reading(weights, out[GAZE] * GAZE_UNIT_RAD, out[TURN] * TURN_UNIT_RAD)

    def inputs(
        self, landmarks_cm: Array, rotation: Array, person: Person, past: deque[EyesSeen], time_s: float
    ) -> tuple[Array, Array]:
        """What the network sees: inputs that a mirror keeps, and those that it negates; float32."""
        kept, turned = self._fold(landmarks_cm - person.neutral_cm)
        kept, turned = self._shape_kept @ kept, self._shape_turned @ turned
        yaw, pitch, roll = yaw_pitch_roll_from_matrix(rotation) / ANGLE_UNIT_RAD
        now = EyesSeen(time_s, np.stack([kept[:EYE_SHAPES], turned[:EYE_SHAPES]]) + person.eyes)
        motion = np.zeros((2, LAGS, EYE_SHAPES), np.float32)
        for i, before in enumerate(past):
            motion[:, i] = eye_motion(now, before, i + 1)
        past.appendleft(now)
        return (
            _limited(np.concatenate([kept, [pitch], person.kept, motion[0].ravel()], dtype=np.float32)),
            _limited(np.concatenate([turned, [yaw, roll], person.turned, motion[1].ravel()], dtype=np.float32)),
        )

    def _forward(self, kept: Array, turned: Array) -> Array:
        kept, turned = _pairs(self._first_kept @ kept + self._first_bias, self._first_turned @ turned)
        kept, turned = kept.reshape(self._networks, -1, 1), turned.reshape(self._networks, -1, 1)
        kept, turned = _pairs(self._second_kept @ kept + self._second_bias, self._second_turned @ turned)
        return self._last_kept @ kept.ravel() + self._last_turned @ turned.ravel() + self._last_bias


def eye_motion(now: EyesSeen, before: EyesSeen, lag: int) -> Array | float:
    """How the eyes moved since the `lag`-th frame before, as the network counts it; (2, EYE_SHAPES)."""
    elapsed_s = now.time_s - before.time_s
    if not 0 < elapsed_s <= lag * LONGEST_S:
        return 0.0
    return (now.eyes - before.eyes) * np.float32(lag * MOTION_UNIT_S / max(elapsed_s, lag * SHORTEST_S))


def no_past() -> deque[EyesSeen]:
    """What is known of the eyes before the first frame."""
    return deque(maxlen=LAGS)


def _limited(values: Array) -> Array:
    return np.minimum(np.maximum(values, -INPUT_LIMIT), INPUT_LIMIT)  # np.clip takes three times as long


def _pairs(kept: Array, turned: Array) -> tuple[Array, Array]:
    """A layer's units, each beside its image in a mirror, as half their sum and half their difference."""
    one, other = _silu(kept + turned), _silu(kept - turned)
    return 0.5 * (one + other), 0.5 * (one - other)


def _silu(values: Array) -> Array:
    return values / (1 + np.exp(-values))
