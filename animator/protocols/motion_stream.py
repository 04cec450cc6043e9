"""The motion stream: faces at 30 Hz through a channel that loses, repeats and reorders messages.

    encoder, decoder = Encoder(), Decoder()
    for message in encoder.encode(motion):      # usually one; now and then two
        channel.send(message)
    motion = decoder.decode(message)            # or None: a copy, a request, or its key frame is not here
    if decoder.wants_key:
        channel.send(KEY_REQUEST)               # whose receiver calls encoder.request_key()

A key frame stands alone; it comes every 16 frames and is sent twice, two frames apart. Every other frame is a delta
against the newest key frame and against nothing else, so that a lost delta harms no other. A decoder gives what
was sent or nothing: each message carries 16 bits of check over the numbers that it stands for. The bytes are
described in docs/protocols.md; `server/page/motion_stream.js` is the same in JavaScript.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..data import Motion
from ..errors import ProtocolError, SettingError
from .motion_coding import Reader, checksum, packed, read_numbers, write_numbers
from .motion_numbers import REST, motion_from_numbers, numbers_from_motion, time_ms

VERSION = 0xA1
"""First byte of every message: motion stream, version 1."""
KEY_REQUEST = bytes([VERSION])
"""The message that asks the sender for a key frame of every performer."""
MAX_MESSAGE = 1100
"""Bytes; none comes near it. Longer ones are refused unread."""
TRACKS = 16
KEY_EVERY = 16
"""Frames from key frame to key frame: the number of a frame after its key has 4 bits."""
COPY_BEFORE = 2
"""A key frame is sent again with this delta: later is slower to repair one loss, sooner repairs fewer bursts."""
MAX_ELAPSED_MS = 2000
"""A key frame older than this is replaced."""
PATIENCE = 32
"""Messages after which a performer whose key frame is lacking counts as gone."""
KEYS_KEPT = 4
"""Key frames that a decoder holds for each performer: late deltas may name older ones."""


@dataclass(slots=True)
class _Sent:
    """The newest key frame of one performer, as the encoder remembers it."""

    key_id: int
    at_ms: int
    numbers: list[int]
    frames: int = 0
    """Deltas sent since."""
    message: bytes = b""
    requested: bool = False


@dataclass(slots=True)
class _Key:
    """A key frame that arrived."""

    at_ms: int
    numbers: list[int]
    seen: int = 0
    """Bit n: delta n has been decoded."""


class Encoder:
    """Motion to messages, for up to 16 performers."""

    def __init__(self, key_every: int = KEY_EVERY) -> None:
        if not 1 <= key_every <= KEY_EVERY:
            raise SettingError(f"key_every: expected 1 to {KEY_EVERY} frames, got {key_every}")
        self._key_every = key_every
        self._sent: dict[int, _Sent] = {}

    def request_key(self) -> None:
        """Make the next frame of every performer a key frame."""
        for sent in self._sent.values():
            sent.requested = True

    def encode(self, motion: Motion) -> tuple[bytes, ...]:
        """The messages to send now: the frame's own is the last; a key frame's copy goes before some.

        Raises ProtocolError for a track beyond 15 and for values that are not finite."""
        if not 0 <= motion.track_id < TRACKS:
            raise ProtocolError(f"track_id: a motion stream carries 0 to {TRACKS - 1}, got {motion.track_id}")
        at_ms, sent = time_ms(motion), self._sent.get(motion.track_id)
        if (
            sent is None
            or sent.requested
            or sent.frames + 1 >= self._key_every
            or not 0 <= at_ms - sent.at_ms <= MAX_ELAPSED_MS
        ):
            return (self._key(motion, at_ms, 0 if sent is None else (sent.key_id + 1) % 256),)
        numbers = numbers_from_motion(motion, near=sent.numbers)
        sent.frames += 1
        delta = _delta_message(motion.track_id, sent, numbers, at_ms - sent.at_ms)
        return (sent.message, delta) if sent.frames == COPY_BEFORE else (delta,)

    def _key(self, motion: Motion, at_ms: int, key_id: int) -> bytes:
        numbers = numbers_from_motion(motion)
        head = bytes([VERSION, motion.track_id << 4, key_id]) + at_ms.to_bytes(6, "big", signed=True)
        message = head + packed(write_numbers(numbers, REST, True), _check(head, at_ms, numbers))
        self._sent[motion.track_id] = _Sent(key_id, at_ms, numbers, message=message)
        return message


def _delta_message(track_id: int, key: _Sent, numbers: list[int], elapsed_ms: int) -> bytes:
    head = bytes([VERSION, track_id << 4 | key.frames, key.key_id])
    answers = write_numbers([*numbers, elapsed_ms], [*key.numbers, _usual_ms(key.frames)], False)
    return head + packed(answers, _check(head, key.at_ms + elapsed_ms, numbers))


def _usual_ms(frames: int) -> int:
    """How long so many frames take at 30 Hz."""
    return (100 * frames + 1) // 3


def _check(head: bytes, at_ms: int, numbers: list[int]) -> int:
    return checksum([head[1], head[2], at_ms >> 24, at_ms & 0xFFFFFF, *numbers])


class Decoder:
    """Messages to motion. Holds at most 64 key frames, whatever comes."""

    def __init__(self) -> None:
        self._keys: dict[int, dict[int, _Key]] = {}
        self._messages = 0
        self._lacked_at: dict[int, int] = {}

    @property
    def wants_key(self) -> bool:
        """A delta came whose key frame did not. Send KEY_REQUEST, at most every few frames, until this is over.

        It is over when that performer is decoded again, or is not heard of for 32 messages."""
        return any(self._messages - at < PATIENCE for at in self._lacked_at.values())

    def decode(self, message: bytes) -> Motion | None:
        """The motion of a message, at its own time: messages may come in any order.

        None for a copy of what came before, for a key request, and for a delta whose key frame is not here.
        Raises ProtocolError for everything that no encoder writes."""
        if message == KEY_REQUEST:
            return None
        if not 6 <= len(message) <= MAX_MESSAGE or message[0] != VERSION:
            raise ProtocolError(f"not a message of motion stream version 1: {len(message)} bytes, {message[:4].hex()}")
        self._messages += 1
        track_id, frames = message[1] >> 4, message[1] & 15
        keys = self._keys.setdefault(track_id, {})
        return self._delta(message, keys, track_id, frames) if frames else self._key(message, keys, track_id)

    def _key(self, message: bytes, keys: dict[int, _Key], track_id: int) -> Motion | None:
        at_ms = int.from_bytes(message[3:9], "big", signed=True)
        reader = Reader(message[9:])
        numbers = read_numbers(reader, REST, True)
        reader.finish(_check(message, at_ms, numbers))
        motion = motion_from_numbers(numbers, at_ms, track_id)
        self._lacked_at.pop(track_id, None)
        held = keys.pop(message[2], None)
        again = held is not None and (held.at_ms, held.numbers) == (at_ms, numbers)
        keys[message[2]] = held if again else _Key(at_ms, numbers)
        while len(keys) > KEYS_KEPT:
            del keys[next(iter(keys))]
        return None if again else motion

    def _delta(self, message: bytes, keys: dict[int, _Key], track_id: int, frames: int) -> Motion | None:
        self._lacked_at[track_id] = self._messages  # until the numbers have passed their check
        key = keys.get(message[2])
        if key is None:
            return None
        reader = Reader(message[3:])
        *numbers, elapsed_ms = read_numbers(reader, [*key.numbers, _usual_ms(frames)], False)
        at_ms = key.at_ms + elapsed_ms
        reader.finish(_check(message, at_ms, numbers))
        motion = motion_from_numbers(numbers, at_ms, track_id)
        self._lacked_at.pop(track_id, None)
        if key.seen >> frames & 1:
            return None
        key.seen |= 1 << frames
        return motion
