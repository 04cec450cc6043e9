"""What the readers of every protocol share: the checks of numbers from strangers, and motion made of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, radians
from typing import NamedTuple, Protocol

import numpy as np

from ..channels import ARKIT, INDEX
from ..data import Expression, Gaze, HeadPose, Motion
from ..errors import ProtocolError
from .turns import IDENTITY, Wxyz

FARTHEST_CM = 10_000.0
"""No head is farther from a camera than this."""
WIDEST_RAD = 7.0
"""More than a turn: who sends that sends no angle in radians."""
REST_CM = (0.0, 0.0, -50.0)
LOOK_YAW_RAD, LOOK_PITCH_RAD = radians(30), radians(25)
"""How far an eye has turned where `eyeLook...` is 1 (docs/conventions.md)."""

_OUT = [INDEX["eyeLookOutLeft"], INDEX["eyeLookInRight"]]
_IN = [INDEX["eyeLookInLeft"], INDEX["eyeLookOutRight"]]
_UP = [INDEX["eyeLookUpLeft"], INDEX["eyeLookUpRight"]]
_DOWN = [INDEX["eyeLookDownLeft"], INDEX["eyeLookDownRight"]]

Look = tuple[float, float]


class Heard(NamedTuple):
    """One motion out of a message."""

    key: str
    """Tells a sender's performers apart."""
    label: str
    """What people call the performer, as the sender says it: not to be printed as it is. May be empty."""
    motion: Motion
    """Its time is the sender's clock, or that of its arrival where the protocol has none."""


class Reader(Protocol):
    """Turns one sender's messages into motion. It holds what belongs to that sender alone, and never grows."""

    def read(self, message: bytes, now_s: float) -> list[Heard]:
        """The motions that this message completes. Raises ProtocolError."""
        ...

    def overdue(self, now_s: float) -> list[Heard]:
        """Motion that waits for a message that should have come by now."""
        ...


class Writer(Protocol):
    """Turns motion into messages for one receiver."""

    def write(self, motions: Sequence[Motion], time_s: float) -> list[bytes]:
        """The messages of one instant, in the order in which they are to be sent."""
        ...


def check_finite(what: str, values: Sequence[float], limit: float) -> None:
    """Raise ProtocolError unless every number is one and within +-limit."""
    for value in values:
        if not (isfinite(value) and -limit <= value <= limit):
            raise ProtocolError(f"{what}: wanted numbers within {limit:g}, got {value:.6g}")


def made_motion(
    time_s: float,
    weights: Sequence[float],
    *,
    head: Wxyz = IDENTITY,
    translation_cm: Sequence[float] = REST_CM,
    looks: tuple[Look, Look] | None = None,
    confidence: float = 1.0,
) -> Motion:
    """Motion of checked numbers; weights are put into 0..1, as phones send a little more.

    looks : (yaw, pitch) of the left and the right eye; None takes them from the eyeLook channels"""
    clipped = np.asarray(weights, np.float64).clip(0.0, 1.0).astype(np.float32)
    gaze = looks_from_weights(clipped) if looks is None else np.array(looks, np.float64)
    return Motion(
        time_s,
        0,
        HeadPose(np.array(head, np.float64), np.array(translation_cm, np.float64)),
        Gaze(gaze),
        Expression(clipped),
        confidence,
    )


def looks_from_weights(weights: np.ndarray) -> np.ndarray:
    """(2, 2) gaze angles that the eyeLook channels tell of, for senders without eye bones."""
    yaw = LOOK_YAW_RAD * (weights[_OUT].astype(np.float64) - weights[_IN])
    pitch = LOOK_PITCH_RAD * (weights[_UP].astype(np.float64) - weights[_DOWN])
    return np.stack([yaw, pitch], 1)


def chosen_performer(motions: Sequence[Motion], before: int | None) -> Motion | None:
    """For protocols that carry one performer: the one of before while seen, else the first who is seen, else any."""
    same = next((motion for motion in motions if motion.track_id == before), None)
    if same is not None and same.confidence > 0:
        return same
    seen = [motion for motion in motions if motion.confidence > 0]
    return min(seen, key=lambda motion: motion.track_id) if seen else same or next(iter(motions), None)


SPELLINGS: dict[str, int] = {}
"""Every spelling of the 52 names in lower case -> place: `eyeblinkleft`, and `eyeblink_l` as ARKit's raw strings."""
RAW_NAMES: tuple[str, ...] = tuple(
    name
    if name in ("jawLeft", "jawRight", "mouthLeft", "mouthRight")
    else name[:-4] + "_L" if name.endswith("Left") else name[:-5] + "_R" if name.endswith("Right") else name
    for name in ARKIT
)  # fmt: skip
"""ARKit's raw strings, in the order of `channels.ARKIT`: `eyeBlink_L`, but `jawLeft`."""
for _place, _names in enumerate(zip(ARKIT, RAW_NAMES, strict=True)):
    for _name in _names:
        SPELLINGS[_name.lower()] = _place
