"""Who is heard over the network: each performer's place, time and rest, whatever senders do.

No socket and no clock is here: messages come with the time of their arrival.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np

from ..data import Array, Expression, Gaze, HeadPose, Motion
from ..maths.easing import EASE_S, HOLD_S, presence_share
from ..maths.mirror import mirrored_motion
from ..maths.rotations import inverse_wxyz, multiply_wxyz
from ..protocols.reading import Heard

SILENT_S = 1.0
"""A performer who is not heard of for this long has fallen silent."""
FORGOTTEN_S = 10.0
"""After this long the place is free for another one."""
MOST_PERFORMERS = 8
MOST_FRAMES_A_SECOND, FRAME_BURST = 240, 60
RESYNC_S = 1.0
"""A sender's clock that is this far from where it was has been set anew, or is another sender's."""
FOLLOW = 1e-3
"""Share by which the offset to a sender's clock follows what is measured: crystals differ by 1 in 20 000."""
COPY_S = 0.004
"""Copies that a network makes come at once. Later the same time is another frame, of a clock that is coarse."""
LEAST_STEP_S = 1e-4


class Bucket:
    """So many a second, and a burst of so many at once."""

    def __init__(self, a_second: float, burst: float) -> None:
        self._a_second, self._burst = a_second, burst
        self._left, self._last_s = burst, None

    def takes(self, now_s: float) -> bool:
        """False for what is too much."""
        if self._last_s is not None:
            self._left = min(self._burst, self._left + (now_s - self._last_s) * self._a_second)
        self._last_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


class SenderClock:
    """A sender's times on our clock: as even as they were sent, and never far from when they came."""

    def __init__(self) -> None:
        self._offset_s: float | None = None
        self._last_s = self._came_s = self._local_s = 0.0

    def local_s(self, sender_s: float, now_s: float) -> float | None:
        """When it was, by our clock; None for what comes late or twice."""
        measured_s = now_s - sender_s
        if self._offset_s is None or abs(measured_s - self._offset_s) > RESYNC_S:
            self._offset_s = measured_s
            self._local_s = now_s
        elif sender_s > self._last_s:
            self._offset_s += FOLLOW * (measured_s - self._offset_s)
            self._local_s = sender_s + self._offset_s
        elif sender_s == self._last_s and now_s - self._came_s > COPY_S:
            self._local_s += now_s - self._came_s
        else:
            return None
        self._last_s, self._came_s = sender_s, now_s
        return self._local_s


@dataclass(slots=True)
class Performer:
    """One of those who are heard."""

    track_id: int
    label: str
    sender: str
    heard_s: float
    clock: SenderClock = field(default_factory=SenderClock)
    bucket: Bucket = field(default_factory=lambda: Bucket(MOST_FRAMES_A_SECOND, FRAME_BURST))
    motion: Motion | None = None
    """The last one with a face."""
    lost_s: float | None = None
    silent: bool = False
    straight_wxyz: Array | None = None
    """What of the head's rotation is taken to be straight ahead."""
    calibrate: bool = False


class Performers:
    """At most eight, each with a place of its own that stays.

    mirror   : left and right are exchanged
    straight : each one's first frame tells where straight ahead is"""

    def __init__(self, *, mirror: bool = False, straight: bool = False) -> None:
        self._mirror, self._straight = mirror, straight
        self._those: dict[tuple[str, str], Performer] = {}
        self._first_s: float | None = None
        self._last_s = -np.inf
        self.said: deque[str] = deque(maxlen=16)
        """Lines for people: who has fallen silent and who is back."""

    def hear(self, sender: str, heard: Heard, now_s: float) -> tuple[Motion, ...]:
        """Everyone, as of this message; nothing where it is late, too much, or one more than there is room for."""
        one = self._one(sender, heard, now_s)
        if one is None or not one.bucket.takes(now_s):
            return ()
        local_s = one.clock.local_s(heard.motion.time_s, now_s)
        if local_s is None:
            return ()
        if one.silent:
            self.said.append(f"{self._called(one)} is back")
        one.silent, one.heard_s = False, now_s
        if heard.motion.confidence > 0:
            one.motion, one.lost_s = self._interpreted(one, heard.motion), None
        elif one.lost_s is None:
            one.lost_s = now_s
        return self._all(local_s, now_s)

    def tick(self, now_s: float) -> tuple[Motion, ...]:
        """Everyone, where someone silent is on the way to rest; nothing while nothing moves by itself."""
        eases = False
        for key, one in list(self._those.items()):
            quiet_s = now_s - one.heard_s
            if quiet_s > SILENT_S and not one.silent:
                one.silent, one.lost_s = True, now_s if one.lost_s is None else one.lost_s
                self.said.append(f"{self._called(one)} has fallen silent")
            if quiet_s > FORGOTTEN_S and len(self._those) > 1:
                del self._those[key]
            eases |= one.silent and now_s - one.lost_s <= HOLD_S + EASE_S + 0.1
        return self._all(now_s, now_s) if eases else ()

    def calibrate(self) -> None:
        """Where each one looks next is straight ahead."""
        for one in list(self._those.values()):
            one.calibrate = True

    def _one(self, sender: str, heard: Heard, now_s: float) -> Performer | None:
        key = (sender, heard.key)
        one = self._those.get(key)
        if one is not None:
            return one
        # A program that was started again sends from another port: it takes its old place.
        host = sender.rpartition(":")[0]
        gone = [k for k, p in self._those.items() if p.silent and k[0].rpartition(":")[0] == host and k[1] == heard.key]
        if not gone and len(self._those) >= MOST_PERFORMERS:
            gone = [k for k, p in self._those.items() if now_s - p.heard_s > FORGOTTEN_S]
            if not gone:
                return None
        if gone:
            old = self._those.pop(gone[0])
            one = replace(old, label=heard.label, sender=sender, clock=SenderClock())
        else:
            taken = {p.track_id for p in self._those.values()}
            free = next(i for i in range(MOST_PERFORMERS) if i not in taken)
            one = Performer(free, heard.label, sender, now_s, calibrate=self._straight)
        self._those[key] = one
        return one

    def _interpreted(self, one: Performer, motion: Motion) -> Motion:
        if self._mirror:
            motion = mirrored_motion(motion)
        if one.calibrate:
            one.calibrate, one.straight_wxyz = False, inverse_wxyz(motion.pose.rotation_wxyz)
        if one.straight_wxyz is None:
            return motion
        turned = multiply_wxyz(one.straight_wxyz, motion.pose.rotation_wxyz)
        return replace(motion, pose=HeadPose(turned, motion.pose.translation_cm))

    def _all(self, local_s: float, now_s: float) -> tuple[Motion, ...]:
        if self._first_s is None:
            self._first_s = local_s
        self._last_s = max(local_s - self._first_s, self._last_s + LEAST_STEP_S)
        those = sorted(self._those.values(), key=lambda one: one.track_id)
        return tuple(_at(one, self._last_s, now_s) for one in those)

    @staticmethod
    def _called(one: Performer) -> str:
        host = one.sender.rpartition(":")[0]
        return f"{printable(one.label)} at {host}" if one.label else host


def _at(one: Performer, time_s: float, now_s: float) -> Motion:
    """The last motion; one who is lost is held, then eases to rest. (The head is eased where it is drawn.)"""
    last = one.motion or Motion(time_s, one.track_id, confidence=0.0)
    if one.lost_s is None:
        return replace(last, time_s=time_s, track_id=one.track_id)
    share = presence_share(now_s - one.lost_s)
    return Motion(
        time_s,
        one.track_id,
        last.pose,
        Gaze(last.gaze.angles_rad * share),
        Expression((last.expression.weights * np.float32(share)).astype(np.float32)),
        0.0,
    )


def printable(text: str, most: int = 40) -> str:
    """What a stranger says, as one line that does nothing to a terminal."""
    return "".join(c if c.isprintable() else " " for c in text[: 4 * most]).strip()[:most]
