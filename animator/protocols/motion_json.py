"""Motion as JSON, one object a frame: for pages and scripts that want to read it with what they have.

    {"animator": 1, "time_s": 1.5, "performers": [{"id": 0, "confidence": 1, "rotation_wxyz": [w, x, y, z],
     "translation_cm": [x, y, z], "gaze_rad": [[yaw, pitch], [yaw, pitch]], "weights": {"eyeBlinkLeft": 0.5, ...}}]}

Axes and units are those of docs/conventions.md.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..channels import ARKIT
from ..data import Motion
from ..errors import ProtocolError
from .reading import FARTHEST_CM, REST_CM, SPELLINGS, WIDEST_RAD, Heard, check_finite, made_motion
from .turns import IDENTITY, unit

VERSION = 1
LONGEST = 65536
MAX_PERFORMERS = 8

_PERFORMER = (
    '{"id": %d, "confidence": %.4f, "rotation_wxyz": [%.7f, %.7f, %.7f, %.7f], "translation_cm": [%.4f, %.4f, %.4f], '
    '"gaze_rad": [[%.6f, %.6f], [%.6f, %.6f]], "weights": {'
    + ", ".join(f'"{name}": %.5f' for name in ARKIT)
    + "}}"
)  # fmt: skip


def encode(motions: Sequence[Motion], time_s: float) -> bytes:
    """Every performer at one instant. A template is three times as fast here as the json module."""
    performers = ", ".join(map(_one, motions))
    return f'{{"animator": {VERSION}, "time_s": {time_s:.6f}, "performers": [{performers}]}}'.encode()


def _one(motion: Motion) -> str:
    return _PERFORMER % (
        motion.track_id,
        motion.confidence,
        *motion.pose.rotation_wxyz.tolist(),
        *motion.pose.translation_cm.tolist(),
        *motion.gaze.angles_rad.ravel().tolist(),
        *motion.expression.weights.tolist(),
    )


def decode(message: bytes) -> list[tuple[int, Motion]]:
    """(id, motion) of every performer. What is absent is at rest; names that are not ours are passed over.

    Raises ProtocolError."""
    if len(message) > LONGEST:
        raise ProtocolError(f"a JSON frame has at most {LONGEST} bytes, got {len(message)}")
    try:
        frame = json.loads(message, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"not a JSON frame: {str(error)[:80]}") from None
    if not isinstance(frame, dict) or frame.get("animator") != VERSION:
        raise ProtocolError(f'not a JSON frame: wanted an object with "animator": {VERSION}')
    time_s = _numbers("time_s", [frame.get("time_s")], 1, 1e12)[0]
    performers = frame.get("performers")
    if not isinstance(performers, list) or len(performers) > MAX_PERFORMERS:
        raise ProtocolError(f"a JSON frame's performers are a list of at most {MAX_PERFORMERS}")
    return [_performer(performer, time_s) for performer in performers]


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is not a number")


def _performer(given: Any, time_s: float) -> tuple[int, Motion]:
    if not isinstance(given, dict) or not isinstance(given.get("weights"), dict):
        raise ProtocolError("a JSON performer is an object with weights")
    number = given.get("id", 0)
    if type(number) is not int or not 0 <= number < 1_000_000:
        raise ProtocolError("a JSON performer's id is a whole number from 0 on")
    weights = [0.0] * len(ARKIT)
    for name, weight in given["weights"].items():
        place = SPELLINGS.get(name.lower())
        if place is not None:
            weights[place] = _numbers(name, [weight], 1, 100.0)[0]
    rotation = unit(_numbers("rotation_wxyz", given.get("rotation_wxyz", IDENTITY), 4, 2.0))
    if rotation is None:
        raise ProtocolError("rotation_wxyz has no length")
    gaze = given.get("gaze_rad")
    looks = None
    if gaze is not None:
        eyes = gaze if isinstance(gaze, list) and len(gaze) == 2 else [None, None]
        looks = tuple(_numbers("gaze_rad", eye, 2, WIDEST_RAD) for eye in eyes)
    return number, made_motion(
        time_s,
        weights,
        head=rotation,
        translation_cm=_numbers("translation_cm", given.get("translation_cm", REST_CM), 3, FARTHEST_CM),
        looks=looks,
        confidence=min(max(_numbers("confidence", [given.get("confidence", 1.0)], 1, 100.0)[0], 0.0), 1.0),
    )


def _numbers(name: str, values: Any, count: int, limit: float) -> tuple[float, ...]:
    if not isinstance(values, list | tuple) or len(values) != count:
        raise ProtocolError(f"{name[:40]!r}: wanted {count} numbers")
    if not all(type(value) in (int, float) for value in values):
        raise ProtocolError(f"{name[:40]!r}: wanted numbers")
    if any(type(value) is int and abs(value) > limit for value in values):  # may be too long for a float
        raise ProtocolError(f"{name[:40]!r}: wanted numbers within {limit:g}")
    check_finite(name[:40], values, limit)
    return tuple(map(float, values))


class JsonWriter:
    """Frames of every performer."""

    def write(self, motions: Sequence[Motion], time_s: float) -> list[bytes]:
        """One object."""
        return [encode(motions[:MAX_PERFORMERS], time_s)]


class JsonReader:
    """Frames of any number of performers."""

    def read(self, message: bytes, now_s: float) -> list[Heard]:
        """Every performer of a frame. Raises ProtocolError."""
        return [Heard(str(number), f"performer {number + 1}", motion) for number, motion in decode(message)]

    def overdue(self, now_s: float) -> list[Heard]:
        """Nothing ever waits."""
        return []
