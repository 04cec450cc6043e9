"""VMC (Virtual Motion Capture) 3.1: OSC bundles of expressions and of the head's, neck's and eyes' bones.

Bones are local quaternions in Unity's axes: left-handed, y up, the avatar faces +z and its right is +x, so that a
rotation x, y, z, w of ours is x, -y, -z, w there. They are turns from rest, as VRM 0 and every normalised avatar has
them. Head translation is not sent.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from math import isfinite

import numpy as np
from pythonosc.osc_message_builder import OscMessageBuilder

from ..channels import ARKIT
from ..data import Motion
from ..errors import ProtocolError
from .reading import Heard, chosen_performer, made_motion
from .turns import IDENTITY, Wxyz, eye_wxyz, look_of, matrix_from_wxyz, product, share_of, unit
from .vmc_names import (
    CHANNELS_FROM_PRESETS,
    EMOTIONS0,
    EMOTIONS1,
    NAMES,
    PERFECT_SYNC,
    VRM0,
    VRM1,
    presets_from_weights,
)  # fmt: skip

MARIONETTE_PORT = 39539
"""Where avatars listen for whole performances."""
PERFORMER_PORT = 39540
"""Where programs that make the body listen for faces."""
BUNDLE_BYTES = 1400
"""At most, so that a datagram with its headers stays within 1500 bytes, as the protocol demands."""
LONGEST = 65507
NECK_SHARE = 0.4
"""The neck's part of the head's turn; the head bone does the rest."""
NAMINGS = ("perfect-sync", "vrm0", "vrm1", "both")
PLACES_M = {
    "typical": {
        "Neck": (0.0, 0.12, 0.0), "Head": (0.0, 0.08, 0.01),
        "LeftEye": (-0.03, 0.06, 0.02), "RightEye": (0.03, 0.06, 0.02),
    },
    "zero": dict.fromkeys(("Neck", "Head", "LeftEye", "RightEye"), (0.0, 0.0, 0.0)),
}  # fmt: skip
"""Where bones are in their parents: this sender does not know the avatar, and some receivers move bones there."""
APPLY_PATIENCE_S = 0.1
"""Values that nobody applies are taken as they are after this long."""
PERFECT_FOR_S = 5.0
"""After an ARKit name presets are passed over for this long: they tell the same once more."""

_SPINE = ("Spine", "Chest", "UpperChest", "Neck", "Head")
_BONES = (*_SPINE, "LeftEye", "RightEye")
_BUNDLE = b"#bundle\0"
_IMMEDIATELY = _BUNDLE + struct.pack(">Q", 1)
_DEEPEST, _MOST_MESSAGES, _LONGEST_MESSAGE = 3, 1024, 256
_FLOAT, _INT = struct.Struct(">f"), struct.Struct(">i")
_FLOAT_TAG, _STRING = ord("f"), ord("s")
_WANTED = {
    b"/VMC/Ext/OK": b",i", b"/VMC/Ext/T": b",f", b"/VMC/Ext/Bone/Pos": b",sfffffff",
    b"/VMC/Ext/Blend/Val": b",sf", b"/VMC/Ext/Blend/Apply": b",",
}  # fmt: skip
"""Address -> how its type tags begin."""


class VmcWriter:
    """One performer's bundles. Everything but the numbers is laid out once: filling it in takes 20 microseconds.

    naming       : of `NAMINGS`; VRM 0 and VRM 1 have seven presets of lids and vowels
    bones        : send neck, head and eyes; a program that makes the body itself wants none
    places       : of `PLACES_M`
    emotions     : add four presets of emotions to those of VRM
    bundle_bytes : how long a bundle may be"""

    def __init__(
        self,
        naming: str = "perfect-sync",
        *,
        bones: bool = True,
        places: str = "typical",
        emotions: bool = False,
        bundle_bytes: int = BUNDLE_BYTES,
    ) -> None:
        presets = (VRM1, EMOTIONS1) if naming == "vrm1" else (VRM0, EMOTIONS0)
        self._sends_arkit, self._sends_presets = naming in ("perfect-sync", "both"), naming != "perfect-sync"
        self._preset_count = len(presets[0]) + (len(presets[1]) if emotions else 0)
        self._bones = bones
        names = PERFECT_SYNC if self._sends_arkit else ()
        if self._sends_presets:
            names += (*presets[0], *presets[1])[: self._preset_count]
        self._bundles: list[_Layout] = []
        for part in _parts(_messages(names, PLACES_M[places], bones), bundle_bytes):
            self._bundles.append(_Layout(part, self._bundles[-1].end if self._bundles else 0))
        self._performer: int | None = None
        self._first_s: float | None = None

    def write(self, motions: Sequence[Motion], time_s: float) -> list[bytes]:
        """The bundles of one instant, Apply in the last one."""
        if self._first_s is None:
            self._first_s = time_s
        motion = chosen_performer(motions, self._performer) or Motion(time_s, 0, confidence=0.0)
        self._performer = motion.track_id
        values = [time_s - self._first_s]
        if self._bones:
            values += _bone_values(motion)
        if self._sends_arkit:
            values += motion.expression.weights.tolist()
        if self._sends_presets:
            values += presets_from_weights(motion.expression.weights)[: self._preset_count]
        numbers = np.array(values, np.float32)
        return [bundle.filled(numbers, motion.confidence > 0) for bundle in self._bundles]


def _bone_values(motion: Motion) -> list[float]:
    head = tuple(motion.pose.rotation_wxyz.tolist())
    turns = [share_of(head, NECK_SHARE), share_of(head, 1 - NECK_SHARE)]
    turns += [eye_wxyz(*look) for look in motion.gaze.angles_rad.tolist()]
    return [part for w, x, y, z in turns for part in (x, -y, -z, w)]


def _message(address: str, *arguments: tuple[str, object]) -> bytes:
    builder = OscMessageBuilder(address)
    for kind, value in arguments:
        builder.add_arg(value, kind)
    return builder.build().dgram


def _messages(names: Sequence[str], places_m: dict, bones: bool) -> list[tuple[bytes, int]]:
    """(message, how many numbers at its end are to be filled in); -1 stands for the tracking status."""
    messages = [
        (_message("/VMC/Ext/OK", ("i", 1), ("i", 3), ("i", 0), ("i", 1)), -1),
        (_message("/VMC/Ext/T", ("f", 0.0)), 1),
    ]
    for name, place_m in places_m.items() if bones else ():
        numbers = [("f", part) for part in (*place_m, 0.0, 0.0, 0.0, 1.0)]
        messages.append((_message("/VMC/Ext/Bone/Pos", ("s", name), *numbers), 4))
    messages += [(_message("/VMC/Ext/Blend/Val", ("s", name), ("f", 0.0)), 1) for name in names]
    return [*messages, (_message("/VMC/Ext/Blend/Apply"), 0)]


def _parts(messages: list[tuple[bytes, int]], most: int) -> Iterator[list[tuple[bytes, int]]]:
    part, length = [], len(_IMMEDIATELY)
    for message in messages:
        if part and length + 4 + len(message[0]) > most:
            yield part
            part, length = [], len(_IMMEDIATELY)
        part.append(message)
        length += 4 + len(message[0])
    yield part


class _Layout:
    """One bundle's bytes and the places of its numbers, all of which lie at multiples of four.

    first : the number of the frame's numbers that were in the bundles before"""

    def __init__(self, messages: list[tuple[bytes, int]], first: int) -> None:
        self._bytes = bytearray(_IMMEDIATELY)
        places: list[int] = []
        self._status: int | None = None
        for message, count in messages:
            self._bytes += struct.pack(">i", len(message)) + message
            end = len(self._bytes) // 4
            if count < 0:
                self._status = end - 1
            else:
                places += range(end - count, end)
        self._places = np.array(places, np.intp)
        self.first, self.end = first, first + len(places)
        self._floats, self._ints = np.frombuffer(self._bytes, ">f4"), np.frombuffer(self._bytes, ">i4")

    def filled(self, numbers: np.ndarray, tracked: bool) -> bytes:
        self._floats[self._places] = numbers[self.first : self.end]
        if self._status is not None:
            self._ints[self._status] = tracked
        return bytes(self._bytes)


class VmcReader:
    """One sender's messages, bundled or not. Values and bones stay until they are told anew."""

    def __init__(self) -> None:
        self._values = [0.0] * (len(ARKIT) + len(CHANNELS_FROM_PRESETS))
        self._turns: dict[str, Wxyz] = {}
        self._tracked, self._perfect_s = True, -np.inf
        self._clock: tuple[float, float] | None = None
        self._clock_is_new = False
        self._waiting_since_s: float | None = None

    def read(self, message: bytes, now_s: float) -> list[Heard]:
        """One motion for each Apply. Raises ProtocolError for what is not OSC; messages of other
        kinds and with other arguments than the protocol's are passed over, as it demands."""
        if not 0 < len(message) <= LONGEST or len(message) % 4:
            raise ProtocolError(f"not OSC: wanted 4 to {LONGEST} bytes by fours, got {len(message)}")
        heard = []
        for element in _elements(message):
            address = element[: element.find(b"\0")]
            tags = _WANTED.get(address)
            if tags is None or len(element) > _LONGEST_MESSAGE:
                continue
            arguments = _arguments(element, len(address), tags)
            if arguments is not None:
                heard += self._take(address, arguments, now_s)
        return heard

    def overdue(self, now_s: float) -> list[Heard]:
        """What was told some time ago and never applied."""
        if self._waiting_since_s is None or now_s - self._waiting_since_s < APPLY_PATIENCE_S:
            return []
        return [self._applied(now_s)]

    def _take(self, address: bytes, arguments: list, now_s: float) -> list[Heard]:
        if address == b"/VMC/Ext/Blend/Apply":
            return [self._applied(now_s)]
        if address == b"/VMC/Ext/OK":
            self._tracked = arguments[0] == 1 and (len(arguments) < 4 or arguments[3] != 0)
        elif address == b"/VMC/Ext/T":
            self._clock, self._clock_is_new = (arguments[0], now_s), True
        else:
            if address == b"/VMC/Ext/Blend/Val":
                self._take_value(*arguments[:2], now_s)
            else:
                self._take_bone(arguments[0], arguments[4:8])
            if self._waiting_since_s is None:
                self._waiting_since_s = now_s
        return []

    def _take_value(self, name: str, value: float, now_s: float) -> None:
        place = NAMES.get(name.lower())
        if place is not None:
            self._values[place] = min(max(value, 0.0), 1.0)
            if place < len(ARKIT):
                self._perfect_s = now_s

    def _take_bone(self, name: str, xyzw: Sequence[float]) -> None:
        x, y, z, w = xyzw
        turn = unit((w, x, -y, -z)) if name in _BONES else None
        if turn is not None:
            self._turns[name] = turn

    def _applied(self, now_s: float) -> Heard:
        self._waiting_since_s = None
        weights = np.array(self._values[: len(ARKIT)])
        if now_s - self._perfect_s > PERFECT_FOR_S:
            weights = np.array(self._values[len(ARKIT) :]) @ CHANNELS_FROM_PRESETS
        head = IDENTITY
        for bone in _SPINE:
            head = product(head, self._turns.get(bone, IDENTITY))
        eyes = [self._turns.get(name) for name in ("LeftEye", "RightEye")]
        looks = None if None in eyes else tuple(look_of(matrix_from_wxyz(eye)) for eye in eyes)
        time_s = self._time_s(now_s)
        return Heard("", "", made_motion(time_s, weights, head=head, looks=looks, confidence=float(self._tracked)))

    def _time_s(self, now_s: float) -> float:
        """By the sender's clock, which it may tell less often than it sends frames; by ours where it has none."""
        if self._clock is None:
            return now_s
        told_s, came_s = self._clock
        is_new, self._clock_is_new = self._clock_is_new, False
        return told_s if is_new else told_s + now_s - came_s


def _elements(data: bytes) -> Iterator[bytes]:
    """Every message of a datagram, out of bundles within bundles."""
    waiting, count = [(data, 0)], 0
    while waiting:
        element, depth = waiting.pop()
        count += 1
        if count > _MOST_MESSAGES or depth > _DEEPEST:
            raise ProtocolError(f"OSC: more than {_MOST_MESSAGES} messages, or bundles {_DEEPEST} deep")
        if element.startswith(b"/"):
            yield element
        elif element.startswith(_BUNDLE) and len(element) >= len(_IMMEDIATELY):
            waiting += [(inner, depth + 1) for inner in reversed(list(_inside(element)))]
        else:
            raise ProtocolError("not OSC: wanted a message or a bundle")


def _inside(bundle: bytes) -> Iterator[bytes]:
    place = len(_IMMEDIATELY)
    while place < len(bundle):
        length = int.from_bytes(bundle[place : place + 4], "big", signed=True)
        place += 4
        if length <= 0 or length % 4 or place + length > len(bundle):
            raise ProtocolError(f"OSC: an element of {length} bytes where {len(bundle) - place} are left")
        yield bundle[place : place + length]
        place += length


def _arguments(element: bytes, address_length: int, wanted: bytes) -> list | None:
    """A message's arguments where their types begin as wanted and all are plain numbers and strings; else None.

    python-osc's own reader takes five times as long, and more for a string without an end."""
    start = address_length // 4 * 4 + 4
    tags = element[start : element.find(b"\0", start)] or b","
    place, arguments = start + len(tags) // 4 * 4 + 4, []
    if not tags.startswith(wanted) or tags.strip(b",ifs"):
        return None
    try:
        for tag in tags[1:]:
            if tag == _STRING:
                end = element.index(b"\0", place)
                arguments.append(element[place:end].decode())
                place = end // 4 * 4 + 4
            else:
                arguments.append((_FLOAT if tag == _FLOAT_TAG else _INT).unpack_from(element, place)[0])
                place += 4
    except (struct.error, ValueError):  # it ends too early, or is not UTF-8
        return None
    return arguments if all(isinstance(value, str) or isfinite(value) for value in arguments) else None
