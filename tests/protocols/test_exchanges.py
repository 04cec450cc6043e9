"""One suite over every protocol: what goes in comes out, and what strangers send does no harm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from animator.channels import ARKIT
from animator.data import Expression, Gaze, HeadPose, Motion
from animator.errors import ProtocolError
from animator.maths.mirror import mirrored_motion
from animator.protocols.reading import Heard
from animator.takes.live_link_csv import load_csv

from .exchange import EXCHANGES, READERS, Exchange
from .faces import talking_face, wild_faces

each_exchange = pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: exchange.name)


def looking_ahead(motions: list[Motion]) -> list[Motion]:
    """As they are, seen, with eyes that turn no farther than eyes do."""
    return [replace(m, confidence=1.0, gaze=Gaze(np.clip(m.gaze.angles_rad, -0.9, 0.9)), track_id=0) for m in motions]


@each_exchange
@pytest.mark.parametrize("make", [talking_face, wild_faces])
def test_motion_comes_through_within_the_protocols_steps(exchange: Exchange, make: Callable) -> None:
    motions = looking_ahead(make(120))
    for got, sent in zip(exchange.over(motions), motions, strict=True):
        exchange.assert_near(got, sent)


@each_exchange
def test_a_real_performance_comes_through(exchange: Exchange, shared: Callable[[str], Path]) -> None:
    motions = list(load_csv(shared("recordings/alex_rom_3.csv")).motions())
    assert len(motions) > 4000
    for got, sent in zip(exchange.over(motions), motions, strict=True):
        exchange.assert_near(got, sent)


@each_exchange
@pytest.mark.parametrize("name", ARKIT)
def test_every_channel_has_its_own_place(exchange: Exchange, name: str) -> None:
    (got,) = exchange.over([Motion(0.0, 0, expression=Expression.of(**{name: 1.0}))])
    assert {channel: float(w) for channel, w in zip(ARKIT, got.expression.weights, strict=True) if w} == {name: 1.0}


@each_exchange
def test_a_mirrored_performer_is_mirrored_at_the_other_end(exchange: Exchange) -> None:
    motions = looking_ahead(wild_faces(20, seed=3))
    there = exchange.over([mirrored_motion(motion) for motion in motions])
    for got, sent in zip(there, motions, strict=True):
        exchange.assert_near(mirrored_motion(got), sent)


@each_exchange
def test_times_keep_their_distances_where_the_protocol_has_a_clock(exchange: Exchange) -> None:
    motions = talking_face(60)
    got = np.array([motion.time_s for motion in exchange.over(motions)])
    np.testing.assert_allclose(got - got[0], np.arange(60) / 30, atol=2e-6)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e30])
@pytest.mark.parametrize("place", ["weight", "rotation", "gaze"])
def test_numbers_that_are_none_never_come_through(name: str, value: float, place: str) -> None:
    exchange = next(e for e in EXCHANGES if e.name == name)
    motion = Motion(0.0, 0)
    weights, turn, gaze = np.zeros(52, np.float32), np.array([1.0, 0, 0, 0]), np.zeros((2, 2))
    with np.errstate(all="ignore"):
        if place == "weight":
            weights[5] = value
        elif place == "rotation":
            turn[2] = value
        else:
            gaze[1, 0] = value
        motion = replace(motion, expression=Expression(weights), pose=HeadPose(turn, np.zeros(3)), gaze=Gaze(gaze))
        try:
            messages = exchange.make_writer().write([motion], 0.0)
        except (ValueError, OverflowError):  # not even a message can be made of it
            return
    assert_harmless(exchange.make_reader().read, messages)


def assert_harmless(read: Callable[[bytes, float], list[Heard]], messages: list[bytes]) -> None:
    """Refused as ProtocolError, or motion as good as any."""
    for message in messages:
        try:
            found = read(message, 1.0)
        except ProtocolError:
            continue
        for heard in found:
            assert_sound(heard.motion)


def assert_sound(motion: Motion) -> None:
    assert np.isfinite(motion.time_s)
    assert motion.expression.weights.shape == (52,)
    assert motion.expression.weights.dtype == np.float32
    assert 0 <= motion.expression.weights.min() <= motion.expression.weights.max() <= 1
    assert abs(np.linalg.norm(motion.pose.rotation_wxyz) - 1) < 1e-9
    assert np.abs(motion.pose.translation_cm).max() <= 10_000
    assert np.abs(motion.gaze.angles_rad).max() <= 7
    assert 0 <= motion.confidence <= 1


def true_messages() -> list[bytes]:
    motions = looking_ahead(talking_face(3)) + looking_ahead(wild_faces(2))
    return [m for e in EXCHANGES for w in [e.make_writer()] for motion in motions for m in w.write([motion], 0.0)]


TRUE_MESSAGES = true_messages()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A true message, cut, repeated, overwritten, with bits flipped and bytes put in."""
    message = bytearray(draw(st.sampled_from(TRUE_MESSAGES)))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, max(0, len(message) - 1)))
        match draw(st.integers(0, 5)):
            case 0:
                del message[place:]
            case 1:
                message[place : place + 4] = draw(st.binary(min_size=4, max_size=4))
            case 2 if message:
                message[place] ^= 1 << draw(st.integers(0, 7))
            case 3:
                message[place:place] = draw(st.binary(max_size=12))
            case 4:
                message += message[place:]
            case _:
                del message[place : place + draw(st.integers(1, 9))]
    return bytes(message[:70_000])


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))
@given(messages=st.lists(st.one_of(damaged(), st.binary(max_size=1500)), min_size=1, max_size=4))
def test_whatever_is_sent_is_refused_or_sound(name: str, messages: list[bytes]) -> None:
    reader = READERS[name]()
    assert_harmless(reader.read, messages)
    for heard in reader.overdue(10.0):
        assert_sound(heard.motion)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    "message",
    [
        b"", b"\0", b"x" * 70_000, b"/" * 65_500, b"#bundle\0" * 8000, b"[" * 60_000, b'{"a":' * 10_000,
        b"|" * 8000, b"-" * 8000, b"&" * 8000, b"#" * 8000, b"\xff" * 4000, b"9" * 60_000, b"/VMC/Ext/T\0\0,f\0\0",
        b"\x06\x7f\xff\xff\xff" + bytes(300), b"\x06\xff\xff\xff\xff" + bytes(300),
        b'{"animator":1,"time_s":1' + b"0" * 400 + b',"performers":[]}',
        b'{"animator":1,"time_s":NaN,"performers":[]}',
        b'{"animator":1,"time_s":0,"performers":[{"weights":{"jawOpen":1e999}}]}',
        b'{"animator":1,"time_s":0,"performers":[{"weights":{"jawOpen":' + b"9" * 4000 + b"}}]}",
        b'{"animator":1,"time_s":0,"performers":[{"weights":{},"gaze_rad":[[1],[2]]}]}',
        b'{"animator":1,"time_s":true,"performers":[]}',
    ],
    ids=lambda message: repr(message[:24]),
)  # fmt: skip
def test_known_tricks_are_refused(name: str, message: bytes) -> None:
    try:
        assert READERS[name]().read(message, 0.0) == []  # VMC passes over messages of other kinds, as it must
    except ProtocolError:
        return
    assert name == "vmc"
