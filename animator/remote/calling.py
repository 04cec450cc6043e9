"""A performance given to a room: as numbers, or as the puppet's video, which is drawn here."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ..data import Frame
from ..pipeline import Moment, Performance
from ..protocols.motion_stream import KEY_REQUEST, Encoder
from ..timing import Clock, RateMeter, monotonic_s
from .keeping import Tell, log
from .room import Room
from .signalling import Address

APART_S = 1 / 40
"""Moments nearer to each other than this are not all sent: a camera of 60 pictures a second gives 30."""


class Call:
    """Our motion on its way into a room."""

    def __init__(self, address: Address, tell: Tell = log.warning) -> None:
        self.room = Room(address, "perform", on_motion=self._hear, tell=tell)
        self._encoder, self._connections = Encoder(), 0
        self._key_wanted = threading.Event()
        self._last_s = float("-inf")
        self._rate = RateMeter()
        self.fps = 0.0
        """Moments sent per second."""

    def open(self) -> None:
        """Join the room; raises AnimatorError with one sentence where that cannot be."""
        self.room.open()

    def perform(self, performance: Performance, after_each: Callable[[Moment], None] = lambda _moment: None) -> None:
        """Send every moment until the performance ends. Raises AnimatorError once the server lets us in no more."""
        for moment in performance:
            self.room.check()
            self.send(moment)
            after_each(moment)

    def send(self, moment: Moment) -> None:
        """Send the motion of one moment, unless it comes too soon after the last."""
        if 0 <= moment.time_s - self._last_s < APART_S:
            return
        self._last_s, self.fps = moment.time_s, self._rate.tick()
        if self._connections != self.room.connections:  # who is new there has no key frame
            self._connections = self.room.connections
            self._encoder = Encoder()
        if self._key_wanted.is_set():
            self._key_wanted.clear()
            self._encoder.request_key()
        for motion in moment.motions:
            for message in self._encoder.encode(motion):
                self.room.send_motion(message)

    def close(self) -> None:
        """Leave the room."""
        self.room.close()

    def _hear(self, payload: bytes) -> None:
        if payload == KEY_REQUEST:
            self._key_wanted.set()


class VideoCall:
    """A stages.FrameSink: the puppet's pictures on their way into a room, which shows them as they are.

    fps : pictures per second that the bitrate is shared out to"""

    def __init__(
        self, address: Address, fps: float = 30.0, tell: Tell = log.warning, clock: Clock = monotonic_s
    ) -> None:
        self.room = Room(address, "perform", puppet=fps, tell=tell)
        self._clock, self._rate = clock, RateMeter()
        self.fps = 0.0
        """Pictures sent per second."""

    def open(self) -> None:
        """Join the room; raises AnimatorError with one sentence where that cannot be."""
        self.room.open()

    @property
    def sent_bytes(self) -> int:
        """Of encoded pictures, without what the network adds."""
        return sum(counts.bytes for counts in self.room.fanout.counts.values())

    def write(self, frame: Frame) -> None:
        """Encode and send one picture. Raises AnimatorError once the server lets us in no more."""
        self.room.check()
        self.room.fanout.publish(frame.rgb, self._clock())
        self.fps = self._rate.tick()

    def close(self) -> None:
        """Leave the room. May be called twice."""
        self.room.close()
