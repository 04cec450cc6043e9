"""What a receiver does about packets that do not come."""

from __future__ import annotations

import pytest
from aiortc.rtp import RTP_HISTORY_SIZE, RtpPacket
from hypothesis import given, settings
from hypothesis import strategies as st

from animator.webrtc.gaps import ASK_AGAIN_S, CAPACITY, GIVE_UP_S, LATE, GapBuffer, PersistentNacks

PER_PICTURE = 3


class Receiver:
    """A buffer that is given packets by their number; three make a picture."""

    def __init__(self, first: int = 65_000) -> None:
        self.now_s, self.losses, self.pictures, self.key_wanted = 0.0, 0, [], 0
        self._first = first
        self.buffer = GapBuffer(self._lose, lambda: self.now_s)

    def _lose(self) -> None:
        self.losses += 1

    def take(self, *numbers: int) -> Receiver:
        for number in numbers:
            picture = number // PER_PICTURE
            packet = RtpPacket(sequence_number=(self._first + number) % 2**16, timestamp=picture)
            packet._data = number.to_bytes(4, "big")
            key_wanted, frame = self.buffer.add(packet)
            self.key_wanted += key_wanted
            if frame is not None:
                self.pictures.append(frame.timestamp)
                assert len(frame.data) == 4 * PER_PICTURE, "a picture with a part missing"
        return self


def test_all_that_comes_in_order_is_passed_on() -> None:
    receiver = Receiver().take(*range(3000))
    assert receiver.pictures == list(range(999))  # the last ends when the next begins
    assert receiver.losses == receiver.key_wanted == 0


def test_a_packet_that_comes_in_time_was_never_missing() -> None:
    receiver = Receiver().take(*range(7), *range(8, 20))
    receiver.now_s = GIVE_UP_S
    receiver.take(20, 7, *range(21, 40))
    assert receiver.pictures == list(range(13))
    assert receiver.losses == 0


def test_a_packet_that_does_not_come_is_given_up() -> None:
    receiver = Receiver().take(*range(7), *range(8, 20))
    receiver.now_s = GIVE_UP_S + 0.01
    receiver.take(*range(20, 60))
    assert receiver.pictures == [0, 1, *range(3, 19)]
    assert receiver.losses == receiver.key_wanted == 1


def test_each_gap_has_its_own_time() -> None:
    receiver = Receiver().take(*range(7), *range(8, 19), *range(20, 30))
    receiver.now_s = 0.9 * GIVE_UP_S
    receiver.take(7)
    receiver.now_s = 1.8 * GIVE_UP_S
    receiver.take(30)
    assert receiver.losses == 0
    receiver.take(19, *range(31, 60))
    assert receiver.pictures == list(range(19))


@pytest.mark.parametrize("missing", [RTP_HISTORY_SIZE + 2, 400, CAPACITY - 1, CAPACITY, 3 * CAPACITY, 20_000])
def test_a_break_longer_than_is_asked_for_is_given_up_at_once(missing: int) -> None:
    receiver = Receiver().take(*range(30))
    receiver.take(*range(30 + missing, 30 + missing + 30))
    assert receiver.losses == receiver.key_wanted == 1
    assert len(receiver.pictures) >= 9 + 8


def test_what_was_given_up_and_comes_after_all_does_no_harm() -> None:
    missing = 200
    receiver = Receiver().take(*range(30)).take(*range(30 + missing, 300))
    late = range(30 + missing - RTP_HISTORY_SIZE, 30 + missing)
    receiver.take(*late, *range(300, 330))
    assert receiver.losses == 1
    assert receiver.pictures[-1] == 108


def test_a_sender_that_counts_anew_is_followed() -> None:
    receiver = Receiver().take(*range(LATE + 101, LATE + 131)).take(*range(30))
    assert receiver.losses == 1
    assert receiver.pictures[-1] == 8


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 600), st.integers(0, 600), st.floats(0, 2)), max_size=12))
def test_it_never_stands_still(breaks: list[tuple[int, int, float]]) -> None:
    receiver, number = Receiver(), 0
    for come, missing, pause_s in breaks:
        receiver.take(*range(number, number + come))
        number += come + missing
        receiver.now_s += pause_s
    receiver.take(*range(number, number + 30))
    receiver.now_s += GIVE_UP_S + 0.01
    end = number + 30 + 3 * CAPACITY  # one picture a packet at most: what waited comes out too
    receiver.take(*range(number + 30, end))
    assert receiver.pictures[-1] == (end - 1) // PER_PICTURE - 1
    assert receiver.pictures == sorted(set(receiver.pictures))


def test_what_is_missing_is_asked_for_until_it_comes() -> None:
    now_s = 0.0
    nacks = PersistentNacks(lambda: now_s)

    def add(number: int) -> bool:
        return nacks.add(RtpPacket(sequence_number=number % 2**16))

    assert not add(65_535)
    assert add(65_537)
    assert nacks.missing == {0}
    assert not add(65_538)
    now_s = ASK_AGAIN_S
    assert add(65_539)
    assert not add(65_540)
    assert not add(65_536)
    now_s = 9.0
    assert not add(65_541)
