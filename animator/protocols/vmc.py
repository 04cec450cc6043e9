"""VMC (Virtual Motion Capture) 3.1: OSC bundles of expressions and of the head's, neck's and eyes' bones.

Bones are local quaternions in Unity's axes: left-handed, y up, the avatar faces +z and its right is +x, so that a
rotation x, y, z, w of ours is x, -y, -z, w there. They are turns from rest, as VRM 0 and every normalised avatar has
them. Head translation is not sent.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..channels import ARKIT
from ..data import Motion
from ..errors import ProtocolError
from .osc import LONGEST, Layout, arguments_of, bundled, elements, osc_message
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
_LONGEST_MESSAGE = 256
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
        self._bundles: list[Layout] = []
        for part in bundled(_messages(names, PLACES_M[places], bones), bundle_bytes):
            self._bundles.append(Layout(part, self._bundles[-1].end if self._bundles else 0))
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


def _messages(names: Sequence[str], places_m: dict, bones: bool) -> list[tuple[bytes, int]]:
    """(message, how many numbers at its end are to be filled in); -1 stands for the tracking status."""
    messages = [
        (osc_message("/VMC/Ext/OK", ("i", 1), ("i", 3), ("i", 0), ("i", 1)), -1),
        (osc_message("/VMC/Ext/T", ("f", 0.0)), 1),
    ]
    for name, place_m in places_m.items() if bones else ():
        numbers = [("f", part) for part in (*place_m, 0.0, 0.0, 0.0, 1.0)]
        messages.append((osc_message("/VMC/Ext/Bone/Pos", ("s", name), *numbers), 4))
    messages += [(osc_message("/VMC/Ext/Blend/Val", ("s", name), ("f", 0.0)), 1) for name in names]
    return [*messages, (osc_message("/VMC/Ext/Blend/Apply"), 0)]


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
        for element in elements(message):
            address = element[: element.find(b"\0")]
            tags = _WANTED.get(address)
            if tags is None or len(element) > _LONGEST_MESSAGE:
                continue
            arguments = arguments_of(element, len(address), tags)
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
