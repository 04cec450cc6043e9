"""Live Link Face: the UDP packets, version 6, that Epic's phone app sends and Unreal Engine reads.

Numbers have the highest byte first. Angles are radians: yaw + to the subject's right, pitch + down, roll + to the
left shoulder; a rotation is Rz(-roll) @ Ry(-yaw) @ Rx(pitch). Head translation is not in them.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import floor, isfinite
from uuid import NAMESPACE_URL, uuid5

from ..channels import ARKIT
from ..data import Motion
from ..errors import ProtocolError
from .reading import WIDEST_RAD, Heard, check_finite, made_motion
from .turns import eye_matrix, look_of, matrix_from_wxyz, wxyz_from_zyx, zyx_from_matrix

PORT = 11111
VERSION = 6
VALUES = 61
RATE = (60, 1)
"""Frames of the time code a second, as a fraction."""
LAST_SUBFRAME = 1 - 2**-24
"""The largest that is still below 1 as a float of 32 bits."""
LONGEST_NAME = 256
LONGEST_SUBJECT = 64
"""Bytes; Unreal cuts packets off at the end of a fixed buffer."""
LONGEST = 9 + 2 * LONGEST_NAME + 17 + 4 * VALUES + 64
MAX_SUBJECTS = 8
FLIPS = ("yaw", "pitch", "roll")

_TIME = struct.Struct(">ifii")
_VALUES = struct.Struct(f">{VALUES}f")
_WHOLE = struct.Struct(f">ifiiB{VALUES}f")


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet as it is, nothing interpreted: encoding it again gives the same bytes."""

    device_id: str
    subject: str
    frame: int
    """Frame number of the time code: the time of day in frames, and on past 24 hours."""
    subframe: float
    """0 <= x < 1."""
    rate: tuple[int, int]
    """Frames a second: numerator, denominator."""
    values: tuple[float, ...] | None
    """52 weights in the order of `channels.ARKIT`, then yaw, pitch, roll of head, left eye, right eye; None without
    a face."""

    @property
    def time_s(self) -> float:
        """The time code in seconds. Some senders give a rate of x/0 or 0/x: it is read as 60 a second."""
        numerator, denominator = self.rate if min(self.rate) > 0 else RATE
        return (self.frame + self.subframe) * denominator / numerator


def encode(packet: Packet) -> bytes:
    """The bytes of a packet. Raises ProtocolError where they would not be one."""
    if packet.values is not None and len(packet.values) != VALUES:
        raise ProtocolError(f"a Live Link packet has {VALUES} values, got {len(packet.values)}")
    try:
        head = _names(packet.device_id, packet.subject)
        if packet.values is None:
            return head + _TIME.pack(packet.frame, packet.subframe, *packet.rate)
        return head + _WHOLE.pack(packet.frame, packet.subframe, *packet.rate, VALUES, *packet.values)
    except (struct.error, OverflowError, UnicodeEncodeError) as error:
        raise ProtocolError(f"a Live Link packet cannot hold this: {error}") from error


def _names(device_id: str, subject: str) -> bytes:
    device, name = device_id.encode(), subject.encode()
    if max(len(device), len(name)) > LONGEST_NAME:
        raise ProtocolError(f"a Live Link packet's names have at most {LONGEST_NAME} bytes")
    return struct.pack(f">Bi{len(device)}si{len(name)}s", VERSION, len(device), device, len(name), name)


def decode(data: bytes) -> Packet:
    """Read a packet; what stands behind it is ignored. Raises ProtocolError for everything else."""
    if not 25 <= len(data) <= LONGEST or data[0] != VERSION:
        got = f"version {data[0]}, {len(data)} bytes" if data else "nothing"
        raise ProtocolError(f"not a Live Link packet: wanted version {VERSION} and 25 to {LONGEST} bytes, got {got}")
    device, place = _text(data, 1)
    subject, place = _text(data, place)
    if len(data) < place + _TIME.size:
        raise ProtocolError("a Live Link packet ends before its time code")
    frame, subframe, numerator, denominator = _TIME.unpack_from(data, place)
    if not (isfinite(subframe) and 0 <= subframe <= 1):
        raise ProtocolError(f"a Live Link packet's sub-frame is {subframe}, wanted 0 to 1")
    place += _TIME.size
    values = None
    if len(data) > place:
        if data[place] != VALUES or len(data) < place + 1 + _VALUES.size:
            raise ProtocolError(f"a Live Link packet has {VALUES} values, got {data[place]} in {len(data)} bytes")
        values = _VALUES.unpack_from(data, place + 1)
    return Packet(device, subject, frame, subframe, (numerator, denominator), values)


def _text(data: bytes, place: int) -> tuple[str, int]:
    if len(data) < place + 4:
        raise ProtocolError("a Live Link packet ends before its names")
    length = int.from_bytes(data[place : place + 4], "big", signed=True)
    end = place + 4 + length
    if not 0 <= length <= LONGEST_NAME or end > len(data):
        raise ProtocolError(f"a Live Link packet's name has {length} bytes, wanted 0 to {LONGEST_NAME}")
    try:
        return data[place + 4 : end].decode(), end
    except UnicodeDecodeError:
        raise ProtocolError("a Live Link packet's name is not UTF-8") from None


def motion_from_packet(packet: Packet, flips: Collection[str] = ()) -> Motion:
    """What a packet tells, at its time code; without a face a motion of confidence 0.

    flips  : of `FLIPS`, head angles whose sign the sender has the other way round
    raises : ProtocolError for numbers that are none"""
    if packet.values is None:
        return made_motion(packet.time_s, [0.0] * len(ARKIT), confidence=0.0)
    weights, angles = packet.values[: len(ARKIT)], packet.values[len(ARKIT) :]
    check_finite("Live Link weights", weights, 100.0)
    check_finite("Live Link angles in radians", angles, WIDEST_RAD)
    yaw, pitch, roll = _flipped(angles[:3], flips)
    eyes = [matrix_from_wxyz(wxyz_from_zyx(p, -y, -r)) for y, p, r in (angles[3:6], angles[6:9])]
    return made_motion(
        packet.time_s, weights, head=wxyz_from_zyx(pitch, -yaw, -roll), looks=(look_of(eyes[0]), look_of(eyes[1]))
    )


def values_from_motion(motion: Motion, flips: Collection[str] = (), *, head: bool = True) -> tuple[float, ...]:
    """The 61 values of a motion.

    head : False sends the head angles as 0, as the app does with its head rotation switched off"""
    x, y, z = zyx_from_matrix(matrix_from_wxyz(motion.pose.rotation_wxyz.tolist()))
    values = [*motion.expression.weights.tolist(), *(_flipped((-y, x, -z), flips) if head else (0.0, 0.0, 0.0))]
    for look in motion.gaze.angles_rad.tolist():
        x, y, z = zyx_from_matrix(eye_matrix(*look))
        values += (-y, x, -z)
    return tuple(values)


def _flipped(angles: Sequence[float], flips: Collection[str]) -> tuple[float, ...]:
    return tuple(-angle if name in flips else angle for name, angle in zip(FLIPS, angles, strict=True))


class LiveLinkWriter:
    """Packets of every performer, each a subject of its own: `animator`, `animator 2` ...

    started_s : time of day at the first packet, in seconds; the time code begins there
    no_face   : a performer who is not seen is told by packets without values, as the app does it; False sends the
                numbers, which are on their way to rest"""

    def __init__(
        self, subject: str, started_s: float, flips: Collection[str] = (), *, head: bool = True, no_face: bool = True
    ) -> None:
        if not 0 < len(subject.encode()) <= LONGEST_SUBJECT - 2:
            raise ProtocolError(f"a Live Link subject has 1 to {LONGEST_SUBJECT - 2} bytes, got {subject!r}")
        self._subject, self._started_s, self._flips = subject, started_s, flips
        self._head, self._no_face = head, no_face
        self._first_s: float | None = None
        self._names: dict[int, bytes] = {}

    def write(self, motions: Sequence[Motion], time_s: float) -> list[bytes]:
        """One packet a performer; those who have gone go on as packets without a face."""
        if self._first_s is None:
            self._first_s = time_s
        # a billionth of a frame is added, so that whole frames stay whole through the division
        frames = (self._started_s + time_s - self._first_s) * RATE[0] / RATE[1] + 1e-9
        code = floor(frames), min(frames - floor(frames), LAST_SUBFRAME), *RATE
        seen = {motion.track_id: motion for motion in motions}
        for track_id in seen:
            if track_id not in self._names and len(self._names) < MAX_SUBJECTS:
                self._names[track_id] = self._named(track_id)
        return [
            names + (_TIME.pack(*code) if self._is_away(seen.get(track_id)) else self._whole(code, seen[track_id]))
            for track_id, names in self._names.items()
        ]

    def _is_away(self, motion: Motion | None) -> bool:
        return motion is None or (self._no_face and motion.confidence == 0)

    def _whole(self, code: tuple[int, float, int, int], motion: Motion) -> bytes:
        return _WHOLE.pack(*code, VALUES, *values_from_motion(motion, self._flips, head=self._head))

    def _named(self, track_id: int) -> bytes:
        subject = f"{self._subject} {track_id + 1}" if track_id else self._subject
        # Unreal drops a device's old subject when it changes: each subject is a device of its own.
        return _names(str(uuid5(NAMESPACE_URL, f"animator:{subject}")).upper(), subject)


class LiveLinkReader:
    """Packets of any number of subjects."""

    def __init__(self, flips: Collection[str] = ()) -> None:
        self._flips = flips

    def read(self, message: bytes, now_s: float) -> list[Heard]:
        """One motion a packet. Raises ProtocolError."""
        packet = decode(message)
        return [Heard(packet.device_id, packet.subject, motion_from_packet(packet, self._flips))]

    def overdue(self, now_s: float) -> list[Heard]:
        """Nothing ever waits."""
        return []
