"""Open Sound Control (OSC 1.0): bundles whose numbers are filled in, and strangers' datagrams taken apart."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from math import isfinite

import numpy as np
from pythonosc.osc_message_builder import OscMessageBuilder

from ..errors import ProtocolError

LONGEST = 65507
"""Bytes of a datagram."""
_BUNDLE = b"#bundle\0"
_IMMEDIATELY = _BUNDLE + struct.pack(">Q", 1)
_DEEPEST, _MOST_MESSAGES = 3, 1024
_FLOAT, _INT = struct.Struct(">f"), struct.Struct(">i")
_FLOAT_TAG, _STRING = ord("f"), ord("s")


def osc_message(address: str, *arguments: tuple[str, object]) -> bytes:
    """One message of (type tag, value) each."""
    builder = OscMessageBuilder(address)
    for kind, value in arguments:
        builder.add_arg(value, kind)
    return builder.build().dgram


def bundled(messages: list[tuple[bytes, int]], most: int) -> Iterator[list[tuple[bytes, int]]]:
    """Messages with their counts, in order, by bundles of at most so many bytes."""
    part, length = [], len(_IMMEDIATELY)
    for message in messages:
        if part and length + 4 + len(message[0]) > most:
            yield part
            part, length = [], len(_IMMEDIATELY)
        part.append(message)
        length += 4 + len(message[0])
    yield part


class Layout:
    """One bundle's bytes and the places of its numbers, all of which lie at multiples of four.

    messages : each with how many numbers at its end are to be filled in; -1 stands for the tracking status
    first    : the number of the frame's numbers that were in the bundles before"""

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
        """The bundle with its share of the frame's numbers."""
        self._floats[self._places] = numbers[self.first : self.end]
        if self._status is not None:
            self._ints[self._status] = tracked
        return bytes(self._bytes)


def elements(data: bytes) -> Iterator[bytes]:
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


def arguments_of(element: bytes, address_length: int, wanted: bytes) -> list | None:
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
