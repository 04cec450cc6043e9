"""Received packets in order, over a line that loses some: asked for until they come, and given up in good time.

aiortc asks for a missing packet when it is noticed and whenever another goes missing, remembers the last 128 to
ask for, and otherwise waits until 512 newer ones have come. So a packet whose repetition is lost too, or a break
of more than 128 packets, froze the picture: for more than 12 s after 9 s without a line at 27 packets a second.
"""

from __future__ import annotations

from collections.abc import Callable

from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtcrtpreceiver import NackGenerator
from aiortc.rtp import RTP_HISTORY_SIZE, RtpPacket
from aiortc.utils import uint16_add

from ..timing import Clock, monotonic_s

ASK_AGAIN_S = 0.2
"""What is missing is asked for this often; lines take a third of it and less for the way there and back."""
GIVE_UP_S = 1.0
"""A packet that has not come by then is not waited for: a new key frame is there sooner."""
CAPACITY = 512
"""Packets; aiortc's own figure for video, which the largest key frame must fit into."""
LATE = 2 * RTP_HISTORY_SIZE
"""Packets so far behind were sent again after they had been given up; further behind, a sender counts anew."""


class PersistentNacks(NackGenerator):
    """aiortc's list of missing packets, which says more often that it is time to ask for them."""

    def __init__(self, clock: Clock = monotonic_s) -> None:
        super().__init__()
        self._clock, self._asked_s = clock, float("-inf")

    def add(self, packet: RtpPacket) -> bool:
        """Take notice of a packet; tells whether to ask for `missing` now."""
        more_missing = super().add(packet)
        now_s = self._clock()
        ask = bool(self.missing) and (more_missing or now_s - self._asked_s >= ASK_AGAIN_S)
        if ask:
            self._asked_s = now_s
        return ask


class GapBuffer(JitterBuffer):
    """aiortc's buffer of video packets, which waits for a missing one only as long as it may still come.

    on_loss : called when pictures were given up: those that follow can be decoded from the next key frame on"""

    def __init__(self, on_loss: Callable[[], None], clock: Clock = monotonic_s) -> None:
        super().__init__(CAPACITY, is_video=True)
        self._on_loss, self._clock = on_loss, clock
        self._newest: int | None = None
        self._cut_off: int | None = None  # the time of a picture that must not be passed on
        self._gap: int | None = None
        self._gap_s = 0.0

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """Take a packet; tells whether to ask for a key frame, and gives the next whole picture if there is one."""
        number, lost = packet.sequence_number, False
        if self._origin is not None:
            if 0 < uint16_add(self._origin, -number) <= LATE:
                return False, None
            if lost := uint16_add(number, -self._origin) >= CAPACITY:
                self.remove(CAPACITY)
                self._origin, self._newest, self._cut_off = number, number, packet.timestamp
        if self._newest is None or uint16_add(number, -self._newest) < CAPACITY:
            self._newest = number
        _, picture = super().add(packet)
        if picture is None and (gap := self._hopeless_gap()) is not None:
            self._skip(gap)
            lost, picture = True, self._remove_frame(number)
        if lost:
            self._on_loss()
        return lost, None if picture is None or picture.timestamp == self._cut_off else picture

    def _hopeless_gap(self) -> int | None:
        """Where the first missing packet would be, counted from the oldest, if it will not come any more."""
        behind = self._held()
        gap = next((index for index in range(behind) if self._at(index) is None), None)
        if gap is None:
            self._gap = None
            return None
        number = uint16_add(self._origin, gap)
        if number != self._gap:
            self._gap, self._gap_s = number, self._clock()
        nobody_asks = behind - gap > RTP_HISTORY_SIZE
        return gap if nobody_asks or self._clock() - self._gap_s > GIVE_UP_S else None

    def _skip(self, gap: int) -> None:
        """Forget all up to the gap, and the gap; the beginning of the picture that follows may be in it."""
        end = next(index for index in range(gap, self._held() + 1) if self._at(index) is not None)
        self._cut_off = self._at(end).timestamp
        self.remove(end)
        self._gap = None

    def _held(self) -> int:
        """How far the newest packet is ahead of the oldest that is waited for."""
        ahead = uint16_add(self._newest, -self._origin)
        return ahead if ahead < self._capacity else 0

    def _at(self, index: int) -> RtpPacket | None:
        return self._packets[(self._origin + index) % self._capacity]
