"""Motion both ways between one client and its room, by the data channel `motion`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from ..errors import ProtocolError
from ..protocols.motion_stream import KEY_REQUEST, TRACKS, Decoder, Encoder
from ..timing import monotonic_s
from ..webrtc.data_channels import Budget
from .performer import Performer, motions_of_all

MOTION_EVERY_S = 1 / 30
BAD_MOTION_PER_S = 5.0
KEY_REQUESTS_PER_S = 5.0


class MotionLink:
    """Decodes what the client sends, encodes what it wants to have.

    performers : whose motion is sent
    send       : takes a message for the client
    bad        : takes a sentence about a message that was no good"""

    def __init__(
        self,
        performers: Callable[[], list[Performer]],
        send: Callable[[bytes], object],
        bad: Callable[[str], None],
    ) -> None:
        self._performers, self._send, self._bad = performers, send, bad
        self._decoder = Decoder()
        self._bad_motion = Budget(BAD_MOTION_PER_S, BAD_MOTION_PER_S, monotonic_s)
        self._key_requests = Budget(KEY_REQUESTS_PER_S, 1, monotonic_s)
        self._wanted = False
        self._encoders: dict[int, Encoder] = {}
        self._numbers: dict[int, int] = {}
        self._sent_s: dict[int, float] = {}

    def want(self, on: bool) -> None:
        """Whether the client wants the room's motion; it gets key frames first."""
        self._wanted = on
        self._encoders.clear()

    def receive(self, payload: bytes, listener: Performer | None) -> None:
        """Take one message; motion goes to `listener`, if there is one."""
        if payload == KEY_REQUEST:
            for encoder in self._encoders.values():
                encoder.request_key()
            return
        if listener is None:
            return
        try:
            motion = self._decoder.decode(payload)
        except ProtocolError as error:
            if self._bad_motion.spend():
                self._bad(str(error))
            return
        if self._decoder.wants_key and self._key_requests.spend():
            self._send(KEY_REQUEST)
        if motion is not None:
            listener.hear(motion)

    async def run(self) -> None:
        """Send the newest motion of everybody in the room, 30 times a second, to a client that wants it."""
        while True:
            await asyncio.sleep(MOTION_EVERY_S)
            if self._wanted:
                self.send_newest()

    def send_newest(self) -> None:
        """Send what has moved on since the last time."""
        motions = motions_of_all(self._performers())
        number_tracks(self._numbers, [motion.track_id for motion in motions])
        for motion in motions:
            number = self._numbers.get(motion.track_id)
            if number is None or self._sent_s.get(number) == motion.time_s:
                continue
            self._sent_s[number] = motion.time_s
            encoder = self._encoders.setdefault(number, Encoder())
            for message in encoder.encode(replace(motion, track_id=number)):
                self._send(message)


def number_tracks(numbers: dict[int, int], tracks: list[int]) -> None:
    """Keep `numbers`, track -> number in the motion stream, up to date: it has 16, a room may have more tracks.

    Who has a number keeps it; who has gone gives it back; who finds none has to wait."""
    for gone in numbers.keys() - set(tracks):
        del numbers[gone]
    for track in tracks:
        free = next((number for number in range(TRACKS) if number not in numbers.values()), None)
        if track not in numbers and free is not None:
            numbers[track] = free
