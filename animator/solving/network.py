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
    """What the network is told of a neutral face."""

    rest: tuple[Array, Array]
    """(S,), (T,) float32: where this face at rest lies along the directions of change, kept and turned."""
    who: tuple[Array, Array]
    """(I,), (J,) float32: coefficients that a mirror keeps, and those whose sign it turns round."""


@dataclass(frozen=True, slots=True)
class EyesSeen:
    """Where the eyes were at one instant, whatever the neutral was then."""

    time_s: float
    eyes: Array
    """(2, EYE_SHAPES) float32, kept and turned."""


def settled(weights: Array, settling: Array) -> Array:
    """Weights (..., 52) as they are shown, in 0..1, from what was read; `settling` is (52, 3) as in the face model.

    The network's doubts about a channel at rest lie below a threshold of its own. Above it a weight counts, a little
    more than the network dares to say."""
    below, full_from, gain = settling.T
    share = (weights - below) / (full_from - below)
    return np.minimum(weights * gain * np.minimum(np.maximum(share, 0.0), 1.0), 1.0)


_NO_MOTION = np.zeros((2, EYE_SHAPES), np.float32)


class Folding:
    """Splits changes of shape into what a mirror keeps and what it turns round."""

    def __init__(self, mirror: Array) -> None:
        self._one = np.flatnonzero(np.arange(len(mirror)) <= mirror)
        self._other = mirror[self._one]
        self._sign = np.float32([-1, 1, 1])
        # Where the numbers of either lie in (3, 478), for a face that is stored column by column.
        self._places = [(of[:, None] + len(mirror) * np.arange(3)).ravel() for of in (self._one, self._other)]
        self._signs = np.tile(self._sign, len(self._one))

    def __call__(self, change: Array) -> tuple[Array, Array]:
        """(..., 478, 3) -> kept and turned (..., F), both float32; a mirror negates the second."""
        change = change.astype(np.float32, order="C")
        one, other = change.take(self._one, -2), change.take(self._other, -2)
        other *= self._sign
        shape = (*change.shape[:-2], -1)
        return (one + other).reshape(shape), (one - other).reshape(shape)

    def of_one(self, change: Array) -> tuple[Array, Array]:
        """The same of one (478, 3) that lies column by column in memory, as `HeadFitter` gives it, in half the time."""
        columns = change.T.ravel().astype(np.float32)
        one, other = columns.take(self._places[0]), columns.take(self._places[1])
        other *= self._signs
        return one + other, one - other


class FaceNetwork:
    """The network of one model, ready for frame after frame."""

    def __init__(self, model: FaceModel) -> None:
        self._fold = Folding(model.mirror)
        self._mean_cm = np.asfortranarray(model.neutral_cm, np.float64)
        self._shapes = _in_order(model.shape_kept), _in_order(model.shape_turned)
        self._people = _in_order(model.person_kept), _in_order(model.person_turned)
        self._first = _in_order(model.first_kept), _in_order(model.first_turned)
        # Units come as sum and difference of a pair; their half is taken here, once for all.
        self._second = _in_order(0.5 * model.second_kept), _in_order(0.5 * model.second_turned)
        self._last = _in_order(0.5 * np.concatenate([model.last_kept, model.last_turned], 1))
        self._biases = tuple(map(_in_order, (model.first_bias, model.second_bias, model.last_bias)))
        self._networks = len(model.second_kept)
        self._settling = np.asfortranarray(model.settling, np.float64)
        identity = self._fold(model.identity_cm)
        # A neutral that is a sum of the model's people is seen without being made: (K, S + T + I + J).
        views = (*self._shapes, *self._people)
        seen = [half @ view.T for half, view in zip(2 * identity, views, strict=True)]
        self._identity, self._parts = np.concatenate(seen, 1), np.cumsum([part.shape[1] for part in seen])[:-1]

    def person(self, neutral_cm: Array) -> Person:
        """What the network needs to know of a neutral (478, 3)."""
        kept, turned = self._fold(neutral_cm - self._mean_cm)
        rest = self._shapes[0] @ kept, self._shapes[1] @ turned
        return Person(rest, (_limited(self._people[0] @ kept), _limited(self._people[1] @ turned)))

    def person_of(self, identity: Array) -> Person:
        """The same of the neutral that lies so many standard deviations (K,) along the model's differences between
        people."""
        parts = np.split(identity.astype(np.float32) @ self._identity, self._parts)
        return Person(tuple(parts[:2]), tuple(map(_limited, parts[2:])))

    def read(
        self, landmarks_cm: Array, rotation: Array, person: Person, past: deque[EyesSeen], time_s: float
    ) -> Reading:
        """The reading of one frame.

        landmarks_cm : (478, 3) head frame
        rotation     : (3, 3) camera_from_head
        past         : the eyes of up to LAGS frames before, the last one first; this frame is added"""
        out = self._forward(*self.inputs(landmarks_cm, rotation, person, past, time_s)).astype(np.float64)
        weights = settled(np.maximum(out[: len(ARKIT)], 0.0), self._settling)
        return Reading(weights, out[GAZE] * GAZE_UNIT_RAD, out[TURN] * TURN_UNIT_RAD)

    def inputs(
        self, landmarks_cm: Array, rotation: Array, person: Person, past: deque[EyesSeen], time_s: float
    ) -> tuple[Array, Array]:
        """What the network sees: inputs that a mirror keeps, and those that it negates; float32."""
        kept, turned = self._fold.of_one(landmarks_cm - self._mean_cm)
        kept, turned = self._shapes[0] @ kept, self._shapes[1] @ turned
        yaw, pitch, roll = (yaw_pitch_roll_from_matrix(rotation) / ANGLE_UNIT_RAD).tolist()
        eyes = np.concatenate([kept[:EYE_SHAPES], turned[:EYE_SHAPES]]).reshape(2, EYE_SHAPES)
        now = EyesSeen(time_s, eyes)
        motion = [eye_motion(now, before, i + 1) for i, before in enumerate(past)]
        motion += [_NO_MOTION] * (LAGS - len(motion))
        past.appendleft(now)
        kept -= person.rest[0]
        turned -= person.rest[1]
        return (
            _limited(np.concatenate([kept, np.float32([pitch]), person.who[0], *[moved[0] for moved in motion]])),
            _limited(np.concatenate([turned, np.float32([yaw, roll]), person.who[1], *[moved[1] for moved in motion]])),
        )

    def _forward(self, kept: Array, turned: Array) -> Array:
        pair = _pairs(self._first[0] @ kept + self._biases[0], self._first[1] @ turned)
        kept, turned = pair.reshape(2, self._networks, -1, 1)
        pair = _pairs(self._second[0] @ kept + self._biases[1], self._second[1] @ turned)
        return self._last @ pair.ravel() + self._biases[2]


def _in_order(array: Array) -> Array:
    """A row of outputs times a matrix reads memory in order."""
    return np.ascontiguousarray(array, np.float32)


def eye_motion(now: EyesSeen, before: EyesSeen, lag: int) -> Array:
    """How the eyes moved since the `lag`-th frame before, as the network counts it; (2, EYE_SHAPES)."""
    elapsed_s = now.time_s - before.time_s
    if not 0 < elapsed_s <= lag * LONGEST_S:
        return _NO_MOTION
    return (now.eyes - before.eyes) * np.float32(lag * MOTION_UNIT_S / max(elapsed_s, lag * SHORTEST_S))


def no_past() -> deque[EyesSeen]:
    """What is known of the eyes before the first frame."""
    return deque(maxlen=LAGS)


def _limited(values: Array) -> Array:
    # np.clip takes three times as long.
    return np.minimum(np.maximum(values, -INPUT_LIMIT, out=values), INPUT_LIMIT, out=values)


_HALF = np.float32(0.5)


def _pairs(kept: Array, turned: Array) -> Array:
    """A layer's units, each beside its image in a mirror, as their sum and their difference, (2, ...)."""
    pair = np.empty((2, *kept.shape), np.float32)
    np.add(kept, turned, out=pair[0])
    np.subtract(kept, turned, out=pair[1])
    pair *= _HALF
    share = np.tanh(pair)  # x / (1 + exp(-x)), which overflows, is x/2 (1 + tanh(x/2))
    share += 1
    pair *= share
    np.add(pair[0], pair[1], out=share[0])
    np.subtract(pair[0], pair[1], out=share[1])
    return share
