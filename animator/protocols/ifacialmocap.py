"""iFacialMocap and Facemotion3d: the text that their phone apps send, versions 1 and 2.

    name-value|name-value|...|=head#rx,ry,rz,px,py,pz|rightEye#rx,ry,rz|leftEye#rx,ry,rz|

Values are whole hundredths; version 2 has `&` in the place of `-`. Angles are degrees of Ry @ Rx @ Rz: x + down,
y + to the subject's left, z + to the right shoulder. Positions are metres in camera space.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import degrees, radians

import numpy as np

from ..data import Motion
from ..errors import ProtocolError
from .reading import (
    FARTHEST_CM,
    RAW_NAMES,
    REST_CM,
    SPELLINGS,
    WIDEST_RAD,
    Heard,
    check_finite,
    chosen_performer,
    made_motion,
)  # fmt: skip
from .turns import IDENTITY, eye_matrix, look_of, matrix_from_wxyz, wxyz_from_yxz, yxz_from_matrix

PORT = 49983
"""Both the phone's, for requests, and the computer's, for the stream."""
FACEMOTION3D_PORT = 49993
"""Where the Facemotion3d app takes requests; its stream comes to `PORT` all the same."""
VERSIONS = ("v1", "v2")
LONGEST = 8192
MOST_TOKENS = 512
TCP_PORT = 49986
"""The computer's, where the phone connects. A page of the vendor's says 49896; its newer one and all code say this."""
FLIPS = ("pitch", "yaw", "roll")
END = "___iFacialMocap"
"""Ends a frame sent over TCP; some apps put it at the end of a datagram too."""

_SECRET = "sahuasouryya9218sauhuiayeta91555dy3719"
_REQUEST = f"iFacialMocap_{_SECRET}"
_TRANSFORMS = "=head#%.6f,%.6f,%.6f,%.6f,%.6f,%.6f|rightEye#%.6f,%.6f,%.6f|leftEye#%.6f,%.6f,%.6f|"
_TEMPLATES = {
    version: "".join(f"{name}{between}%d|" for name in RAW_NAMES) + _TRANSFORMS
    for version, between in zip(VERSIONS, "-&", strict=True)
}
_STATUS = {"v1": "trackingStatus-%d|", "v2": "trackingStatus&%d|"}
_LENGTHS = {"head": (3, 6), "lefteye": (3,), "righteye": (3,)}


def request(version: str = "v1", app: str = "ifacialmocap", *, tcp: bool = False) -> bytes:
    """What a computer sends to the phone, as a datagram, to be sent the stream: in datagrams, or over TCP."""
    if app == "facemotion3d":
        return b"FACEMOTION3D_OtherStreaming" + (b"|protocol=tcp" if tcp else b"")
    begin = f"iFacialMocap_UDPTCP_{_SECRET}" if tcp else _REQUEST
    return (begin + ("|sendDataVersion=v2" if version == "v2" else "")).encode()


def requested_version(message: bytes) -> str | None:
    """The version that a request asks for; None where the message is no request for datagrams."""
    if message == request("v2"):
        return "v2"
    return "v1" if message == request("v1") else None


def encode(motion: Motion, version: str = "v1", flips: Collection[str] = (), *, status: bool = False) -> bytes:
    """One frame.

    status : begin with trackingStatus, which newer apps do"""
    hundredths = np.rint(motion.expression.weights * 100).astype(int).tolist()
    head = yxz_from_matrix(matrix_from_wxyz(motion.pose.rotation_wxyz.tolist()))
    left, right = (yxz_from_matrix(eye_matrix(*look)) for look in motion.gaze.angles_rad.tolist())
    place_m = (0.01 * motion.pose.translation_cm).tolist()
    numbers = (*map(degrees, _flipped(head, flips)), *place_m, *map(degrees, right), *map(degrees, left))
    text = _TEMPLATES[version] % (*hundredths, *numbers)
    return ((_STATUS[version] % (motion.confidence > 0) if status else "") + text).encode()


def decode(message: bytes, time_s: float, flips: Collection[str] = ()) -> Motion:
    """Read a frame of either version and app; names that are not ours are passed over. Raises ProtocolError."""
    if message.startswith(b"FMV3"):
        raise ProtocolError("this is iFacialMocap's binary version 3: switch the app to version 1 or 2")
    if not 0 < len(message) <= LONGEST:
        raise ProtocolError(f"an iFacialMocap frame has 1 to {LONGEST} bytes, got {len(message)}")
    tokens = message.decode("utf-8", "replace").split("|", MOST_TOKENS + 1)
    if len(tokens) > MOST_TOKENS:
        raise ProtocolError(f"an iFacialMocap frame has at most {MOST_TOKENS} parts")
    hundredths: list[float] = [0.0] * len(RAW_NAMES)
    transforms: dict[str, list[float]] = {}
    shapes, tracked = 0, True
    for token in tokens:
        if "#" in token:
            name, _, text = token.strip("= ").partition("#")
            if name.lower() in _LENGTHS:
                transforms[name.lower()] = _transform(name, text)
            continue
        name, _, text = token.rpartition("&") if "&" in token else _split_v1(token)
        place = SPELLINGS.get(name.strip().lower())
        if place is not None:
            hundredths[place] = _number(name, text)
            shapes += 1
        elif name.startswith("trackingStatus"):
            tracked = _number(name, text) != 0
    if not shapes:
        raise ProtocolError("not an iFacialMocap frame: it has none of the 52 names")
    check_finite("iFacialMocap values", hundredths, 1e4)
    return _motion(time_s, hundredths, transforms, tracked, flips)


def _split_v1(token: str) -> tuple[str, str, str]:
    """At the last hyphen; of two in a row the second one is a sign."""
    name, hyphen, text = token.rpartition("-")
    return (name[:-1], hyphen, "-" + text) if name.endswith("-") else (name, hyphen, text)


def _motion(
    time_s: float,
    hundredths: Sequence[float],
    transforms: dict[str, list[float]],
    tracked: bool,
    flips: Collection[str],
) -> Motion:
    head, place_m = transforms.get("head", []), list(REST_CM)
    if len(head) == 6:
        place_m = [100 * metres for metres in head[3:]]
        check_finite("iFacialMocap position", place_m, FARTHEST_CM)
    eyes = [transforms.get(name) for name in ("lefteye", "righteye")]
    looks = None if None in eyes else tuple(look_of(matrix_from_wxyz(wxyz_from_yxz(*map(radians, e)))) for e in eyes)
    return made_motion(
        time_s,
        [0.01 * value for value in hundredths],
        head=wxyz_from_yxz(*_flipped([radians(angle) for angle in head[:3]], flips)) if head else IDENTITY,
        translation_cm=place_m,
        looks=looks,
        confidence=float(tracked),
    )


def _transform(name: str, text: str) -> list[float]:
    parts = text.split(",", 7)
    if len(parts) not in _LENGTHS[name.lower()]:
        raise ProtocolError(f"iFacialMocap: {name} has {len(parts)} numbers")
    numbers = [_number(name, part) for part in parts]
    check_finite(f"iFacialMocap {name}", numbers, degrees(WIDEST_RAD))
    return numbers


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ProtocolError(f"iFacialMocap: {name[:40]!r} has no number") from None


def _flipped(angles: Sequence[float], flips: Collection[str]) -> tuple[float, ...]:
    return tuple(-angle if name in flips else angle for name, angle in zip(FLIPS, angles, strict=True))


class IFacialMocapWriter:
    """Frames of one performer."""

    def __init__(self, version: str = "v1", flips: Collection[str] = (), *, status: bool = False) -> None:
        self.version, self._flips, self._status = version, flips, status
        self._performer: int | None = None

    def write(self, motions: Sequence[Motion], time_s: float) -> list[bytes]:
        """One frame; none while nobody is there."""
        motion = chosen_performer(motions, self._performer)
        if motion is None:
            return []
        self._performer = motion.track_id
        return [encode(motion, self.version, self._flips, status=self._status)]


class IFacialMocapReader:
    """Frames of one phone."""

    def __init__(self, flips: Collection[str] = ()) -> None:
        self._flips = flips

    def read(self, message: bytes, now_s: float) -> list[Heard]:
        """One motion a frame, at its arrival. Raises ProtocolError."""
        return [Heard("", "", decode(message, now_s, self._flips))]

    def overdue(self, now_s: float) -> list[Heard]:
        """Nothing ever waits."""
        return []
