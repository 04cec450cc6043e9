"""How the motion stream writes whole numbers in few bits: differences, likelihoods, and a range coder.

Only what differs from a state that both ends know is written. Each difference becomes yes-no questions ("is it
longer than 0 bits?", "than 1?", ..., "is it positive?"), and each answer costs the fewer bits the likelier it was.
How likely it was comes from tables learned from real performances, by what kind of number it is and by how much
its neighbours (the other eye, the channel before) have just differed.

The coder is rANS over yes-no answers (Duda 2013): 24 bits of state, 8-bit likelihoods, whole numbers only. It
writes backwards and reads forwards, and hands back after the last answer the number it began with: a check of
16 bits for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..channels import ARKIT, INDEX, mirrored_name
from ..errors import ProtocolError
from .motion_numbers import GAZE
from .motion_tables import LENGTHS, PREFIXES, SIGNS

EVEN = 128
"""A likelihood of one half: bits of which nothing is known."""
MAX_BITS = 22
"""No difference is longer than this."""
FLOOR = 1 << 16
"""The coder's state is between FLOOR and 256 * FLOOR."""

WEIGHT, TWIN, ROTATION, TRANSLATION, GAZE_ANGLE, LONE = range(6)
"""Kinds of numbers that share likelihoods. A twin is a channel whose other side came before. Weights and twins that
were 0 have likelihoods of their own (kinds 6 and 7 in the tables): most stay 0, and none can fall."""
NOTHING = 5
"""The nearness class of a number that has no neighbour before it."""


def _twin(channel: str) -> int | None:
    """The channel of the other side; an eye that looks in moves with one that looks out."""
    if not channel.endswith("Right"):
        return None
    swapped = {"eyeLookInRight": "eyeLookOutRight", "eyeLookOutRight": "eyeLookInRight"}.get(channel, channel)
    return INDEX[mirrored_name(swapped)]


def _neighbours() -> list[tuple[int, int | None, int | None]]:
    """(kind, nearer, farther) of each of the 65 numbers: which differences before it tell of its size."""
    rows: list[tuple[int, int | None, int | None]] = []
    for i, channel in enumerate(ARKIT):
        twin = _twin(channel)
        if twin is not None:
            rows.append((TWIN, twin, i - 1))
        else:
            rows.append((WEIGHT, i - 1 if i > 0 else None, i - 2 if i > 1 else None))
    rows += [(ROTATION, 52 + i - 1 if i else None, None) for i in range(4)]
    rows += [(TRANSLATION, 56 + i - 1 if i else None, None) for i in range(3)]
    rows += [(GAZE_ANGLE, near, None) for near in (None, 59, 59, 60)]
    return [*rows, (LONE, None, None), (LONE, 63, None)]


NEIGHBOURS = _neighbours()
LENGTH_LIKELIHOODS = [
    PREFIXES[at : at + LENGTHS] + PREFIXES[at + LENGTHS - 1 : at + LENGTHS] * (MAX_BITS + 1 - LENGTHS)
    for at in range(0, len(PREFIXES), LENGTHS)
]
"""The rows of PREFIXES, with the last likelihood repeated for every length that there is."""


def likelihoods(place: int, differences: Sequence[int], base: int, is_key: bool) -> tuple[int, int | None]:
    """Which rows of the tables hold for the number at `place`.

    differences : those already known, of all places before
    base        : the number in the state that the difference is from
    returns     : row of PREFIXES; row of SIGNS, or None where the difference cannot be negative"""
    kind, nearer, farther = NEIGHBOURS[place]
    nearness, sign = NOTHING, 1
    if nearer is not None:
        extent = 2 * abs(differences[nearer]) + (abs(differences[farther]) if farther is not None else 0)
        nearness = min(extent.bit_length(), NOTHING - 1)
        sign += (differences[nearer] > 0) - (differences[nearer] < 0)
    at_zero = kind <= TWIN and base == 0
    row = (8 * is_key + kind + 6 * at_zero) * 6 + nearness
    return row, None if at_zero else 3 * kind + sign


Answers = list[tuple[bool, int]]
"""(answer, likelihood of yes in 256ths) in the order of reading."""


def write_difference(answers: Answers, difference: int, rows: tuple[int, int | None]) -> None:
    """Its number of bits, one question each; its sign; its bits below the highest."""
    size = abs(difference)
    bits = size.bit_length()
    lengths, sign = LENGTH_LIKELIHOODS[rows[0]], rows[1]
    for k in range(bits):
        answers.append((True, lengths[k]))
    answers.append((False, lengths[bits]))
    if bits and sign is not None:
        answers.append((difference > 0, SIGNS[sign]))
    for k in range(bits - 2, -1, -1):
        answers.append((bool(size >> k & 1), EVEN))


def read_difference(reader: Reader, rows: tuple[int, int | None]) -> int:
    """The inverse of `write_difference`."""
    lengths, sign = LENGTH_LIKELIHOODS[rows[0]], rows[1]
    bits = 0
    while reader.answer(lengths[bits]):
        bits += 1
        if bits > MAX_BITS:
            raise ProtocolError("a motion message holds a number that is too long")
    if bits == 0:
        return 0
    positive = sign is None or reader.answer(SIGNS[sign])
    size = 1
    for _ in range(bits - 1):
        size = 2 * size + reader.answer(EVEN)
    return size if positive else -size


def write_numbers(numbers: Sequence[int], base: Sequence[int], is_key: bool) -> Answers:
    """What `read_numbers` asks. Both have 64 numbers, or 65 with a time at the end."""
    answers: Answers = []
    differences: list[int] = []
    for place, (number, known) in enumerate(zip(numbers, base, strict=True)):
        difference = number - known - shared_gaze(place, differences)
        write_difference(answers, difference, likelihoods(place, differences, known, is_key))
        differences.append(difference)
    return answers


def read_numbers(reader: Reader, base: Sequence[int], is_key: bool) -> list[int]:
    """The numbers that were written against the same `base`."""
    differences: list[int] = []
    numbers: list[int] = []
    for place, known in enumerate(base):
        difference = read_difference(reader, likelihoods(place, differences, known, is_key))
        numbers.append(known + shared_gaze(place, differences) + difference)
        differences.append(difference)
    return numbers


def shared_gaze(place: int, differences: Sequence[int]) -> int:
    """Eyes move together: the right one is written as what it differs from the left one's movement."""
    return differences[place - 2] if GAZE.start + 2 <= place < GAZE.stop else 0


def packed(answers: Answers, check: int) -> bytes:
    """The bytes of all answers, with a check of 16 bits inside."""
    state = FLOOR + check
    out = bytearray()
    for answer, likelihood in reversed(answers):
        share = likelihood if answer else 256 - likelihood
        while state >= share << 16:
            out.append(state & 255)
            state >>= 8
        state = (state // share << 8) + state % share + (0 if answer else likelihood)
    out += state.to_bytes(3, "little")
    return bytes(reversed(out))


class Reader:
    """Gives back the answers one by one; raises ProtocolError where the bytes cannot be of `packed`."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._state = int.from_bytes(data[:3], "big")
        self._next = 3
        if len(data) < 3 or self._state < FLOOR:
            raise ProtocolError("a motion message is cut short")

    def answer(self, likelihood: int) -> bool:
        """The next answer, whose likelihood of yes was `likelihood` 256ths."""
        high, low = self._state >> 8, self._state & 255
        yes = low < likelihood
        state = likelihood * high + low if yes else (256 - likelihood) * high + low - likelihood
        while state < FLOOR:
            if self._next == len(self._data):
                raise ProtocolError("a motion message is cut short")
            state = state << 8 | self._data[self._next]
            self._next += 1
        self._state = state
        return yes

    def finish(self, check: int) -> None:
        """Raise ProtocolError unless all bytes are read and the check is right."""
        if self._next != len(self._data) or self._state != FLOOR + check:
            raise ProtocolError("a motion message fails its check: it is damaged, or its key frame was another one")


def checksum(numbers: Iterable[int]) -> int:
    """16 bits that change when any number or their order does."""
    total = 1
    for number in numbers:
        total = (total * 8191 + number) % 65521
    return total
