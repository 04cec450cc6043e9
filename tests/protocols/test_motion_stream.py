"""The motion stream: right or absent, never wrong, and small."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animator.data import Expression, Gaze, HeadPose, Motion
from animator.errors import ProtocolError, SettingError
from animator.protocols.motion_stream import KEY_EVERY, KEY_REQUEST, KEYS_KEPT, MAX_MESSAGE, Decoder, Encoder
from tests.bench.bench_motion_stream import motions_of
from tests.protocols.faces import assert_near, talking_face, wild_faces


def sent_by(encoder: Encoder, motions: list[Motion]) -> list[tuple[bytes, ...]]:
    return [encoder.encode(motion) for motion in motions]


def is_key(message: bytes) -> bool:
    return message[1] & 15 == 0


def kbit_per_s(motions: list[Motion], rate_hz: float = 30) -> float:
    encoder = Encoder()
    return (
        sum(8 * len(message) for motion in motions for message in encoder.encode(motion)) / len(motions) * rate_hz / 1e3
    )


def lossy(messages: list[bytes], loss: float, seed: int) -> list[bytes]:
    """Some lost, some doubled, all jostled by up to a few places."""
    random = np.random.default_rng(seed)
    kept = [m for m in messages if random.random() >= loss for _ in range(1 + (random.random() < 0.05))]
    places = np.arange(len(kept)) + random.uniform(0, 4, len(kept))
    return [kept[i] for i in np.argsort(places)]


@pytest.mark.parametrize("faces", [talking_face(200), wild_faces(200)], ids=["talking", "wild"])
def test_round_trip_is_within_the_stated_errors(faces: list[Motion]) -> None:
    encoder, decoder = Encoder(), Decoder()
    for motion in faces:
        *copies, own = encoder.encode(motion)
        assert [decoder.decode(copy) for copy in copies] in ([], [None])
        assert_near(decoder.decode(own), motion)
    assert not decoder.wants_key


finite = st.floats(-1e3, 1e3)


@given(
    st.lists(finite, min_size=4, max_size=4).filter(lambda q: np.linalg.norm(q) > 1e-3),
    st.lists(finite, min_size=3, max_size=3),
    st.lists(st.floats(0, 1), min_size=52, max_size=52),
    st.floats(0, 1),
    st.floats(-1e9, 1e9),
)
@settings(max_examples=100, deadline=None)
def test_any_motion_survives_as_a_key_and_as_a_delta(
    wxyz: list[float], place: list[float], weights: list[float], confidence: float, time_s: float
) -> None:
    pose = HeadPose(np.array(wxyz) / np.linalg.norm(wxyz), np.array(place))
    motion = Motion(time_s, 5, pose, Gaze.rest(), Expression(np.array(weights, np.float32)), confidence)
    encoder, decoder = Encoder(), Decoder()
    encoder.encode(replace(Motion(time_s, 4)))
    first, second = motion, replace(motion, time_s=time_s + 0.033)
    assert_near(decoder.decode(encoder.encode(first)[0]), first)
    assert_near(decoder.decode(encoder.encode(second)[-1]), second)


def test_weights_beyond_their_range_are_clipped() -> None:
    weights = np.linspace(-1, 2, 52).astype(np.float32)
    got = Decoder().decode(Encoder().encode(Motion(0, 0, expression=Expression(weights)))[0])
    assert np.abs(got.expression.weights - weights.clip(0, 1)).max() <= 0.00501


@pytest.mark.parametrize("loss", [0, 0.02, 0.1, 0.5])
def test_what_is_decoded_is_right_whatever_is_lost(loss: float) -> None:
    motions = talking_face(900, seed=1)
    by_ms = {round(motion.time_s * 1000): motion for motion in motions}
    messages = [message for group in sent_by(Encoder(), motions) for message in group]
    decoder, got = Decoder(), {}
    for message in lossy(messages, loss, seed=2):
        motion = decoder.decode(message)
        if motion is not None:
            at = round(motion.time_s * 1000)
            assert at not in got, "a copy was given out twice"
            assert_near(motion, by_ms[at])
            got[at] = motion
    assert len(got) / len(motions) >= (1 - loss) * (1 - loss**2) - 0.05


def test_a_late_joiner_waits_for_a_key_frame_and_says_so() -> None:
    messages = [group[-1] for group in sent_by(Encoder(), talking_face(40))]
    decoder = Decoder()
    assert not decoder.wants_key
    for message in messages[3:16]:
        assert decoder.decode(message) is None
        assert decoder.wants_key
    assert decoder.decode(messages[16]) is not None
    assert not decoder.wants_key
    assert all(decoder.decode(message) is not None for message in messages[17:])


def test_the_copy_of_a_lost_key_frame_repairs_it() -> None:
    groups = sent_by(Encoder(), talking_face(17))
    assert [len(group) for group in groups] == [1, 1, 2] + [1] * 14
    decoder = Decoder()
    assert decoder.decode(groups[1][0]) is None
    assert decoder.decode(groups[2][0]).time_s == 0
    assert decoder.decode(groups[2][1]) is not None


def test_a_requested_key_frame_comes_at_once() -> None:
    motions, encoder, decoder = talking_face(6), Encoder(), Decoder()
    early = [encoder.encode(motion) for motion in motions[:4]]
    assert decoder.decode(early[3][0]) is None
    assert decoder.wants_key
    assert KEY_REQUEST == b"\xa1"
    encoder.request_key()
    (key,) = encoder.encode(motions[4])
    assert is_key(key)
    assert_near(decoder.decode(key), motions[4])
    assert not decoder.wants_key
    assert not is_key(encoder.encode(motions[5])[-1])


def test_wants_key_forgets_a_performer_who_left() -> None:
    decoder = Decoder()
    delta = Encoder()
    delta.encode(talking_face(1, track_id=9)[0])
    assert decoder.decode(delta.encode(talking_face(2, track_id=9)[1])[-1]) is None
    assert decoder.wants_key
    for group in sent_by(Encoder(), talking_face(40)):
        for message in group:
            decoder.decode(message)
    assert not decoder.wants_key


def test_a_request_holds_no_motion() -> None:
    assert Decoder().decode(KEY_REQUEST) is None


def test_performers_do_not_disturb_each_other() -> None:
    casts = [talking_face(40, seed=track, track_id=track) for track in range(16)]
    encoder, decoder = Encoder(), Decoder()
    for instant in zip(*casts, strict=True):
        for motion in instant:
            assert_near(decoder.decode(encoder.encode(motion)[-1]), motion)


def test_key_numbers_wrap() -> None:
    encoder, decoder = Encoder(key_every=1), Decoder()
    for motion in talking_face(600):
        assert_near(decoder.decode(encoder.encode(motion)[0]), motion)


@pytest.mark.parametrize("start_s", [-1e9, -0.5, 2**31 / 1000 - 0.5, 2**32 / 1000 - 0.5, 1.7e9])
def test_time_passes_every_boundary(start_s: float) -> None:
    encoder, decoder = Encoder(), Decoder()
    for motion in talking_face(40):
        motion = replace(motion, time_s=start_s + motion.time_s)
        assert_near(decoder.decode(encoder.encode(motion)[-1]), motion)


def test_time_that_jumps_makes_a_key_frame() -> None:
    encoder, decoder = Encoder(), Decoder()
    for time_s in (5.0, 5.03, 1.0, 1.03, 60.0):
        motion = Motion(time_s, 0)
        message = encoder.encode(motion)[-1]
        assert is_key(message) == (time_s in (5.0, 1.0, 60.0))
        assert_near(decoder.decode(message), motion)


def test_a_new_encoder_is_not_mistaken_for_the_old_one() -> None:
    old, new = wild_faces(10, seed=3), wild_faces(10, seed=4)
    decoder, encoder = Decoder(), Encoder()
    for group in sent_by(Encoder(), old):
        decoder.decode(group[-1])
    encoder.encode(new[0])
    with pytest.raises(ProtocolError, match="check"):
        decoder.decode(encoder.encode(new[1])[-1])
    assert decoder.wants_key


def test_the_same_motion_makes_the_same_bytes() -> None:
    assert sent_by(Encoder(), talking_face(100)) == sent_by(Encoder(), talking_face(100))


def test_decoders_forget_old_key_frames() -> None:
    encoder, decoder = Encoder(key_every=2), Decoder()
    groups = sent_by(encoder, talking_face(2 * KEYS_KEPT + 4))
    for group in groups:
        if is_key(group[-1]):
            decoder.decode(group[-1])
    assert decoder.decode(groups[1][-1]) is None
    assert decoder.decode(groups[-1][-1]) is not None


@pytest.mark.parametrize(
    "motion",
    [
        Motion(0, 16),
        Motion(0, -1),
        Motion(float("nan"), 0),
        Motion(1e12, 0),
        Motion(0, 0, HeadPose(np.zeros(4), np.zeros(3))),
        Motion(0, 0, HeadPose(np.full(4, np.nan), np.zeros(3))),
        Motion(0, 0, HeadPose(np.array([1.0, 0, 0, 0]), np.array([0, np.inf, 0]))),
        Motion(0, 0, expression=Expression(np.full(52, np.nan, np.float32))),
        Motion(0, 0, confidence=float("nan")),
    ],
)
def test_what_cannot_be_carried_is_refused(motion: Motion) -> None:
    encoder = Encoder()
    with pytest.raises(ProtocolError):
        encoder.encode(motion)


def test_a_refused_motion_does_no_harm() -> None:
    encoder, decoder, motions = Encoder(), Decoder(), talking_face(3)
    decoder.decode(encoder.encode(motions[0])[0])
    with pytest.raises(ProtocolError):
        encoder.encode(replace(motions[1], confidence=float("nan")))
    assert_near(decoder.decode(encoder.encode(motions[2])[-1]), motions[2])


def test_key_every_has_a_range() -> None:
    with pytest.raises(SettingError, match="1 to 16"):
        Encoder(key_every=KEY_EVERY + 1)


MESSAGES = [message for group in sent_by(Encoder(), talking_face(40)) for message in group]


@given(st.binary(max_size=200), st.sampled_from([b"", b"\xa1", b"\xa1\x00\x00", b"\xa1\x03\x00"]))
@settings(max_examples=600, deadline=None)
def test_any_bytes_are_motion_or_a_protocol_error(data: bytes, head: bytes) -> None:
    decoder = Decoder()
    decoder.decode(MESSAGES[0])
    try:
        motion = decoder.decode(head + data)
    except ProtocolError:
        return
    assert motion is None or motion.expression.weights.shape == (52,)


@given(st.sampled_from(MESSAGES), st.data())
@settings(max_examples=600, deadline=None)
def test_damaged_messages_are_refused(message: bytes, data: st.DataObject) -> None:
    decoder = Decoder()
    for key in MESSAGES:
        if is_key(key):
            decoder.decode(key)
    damaged = bytearray(message)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    cut = bytes(damaged[: data.draw(st.integers(0, len(damaged)))])
    try:
        motion = decoder.decode(cut)
    except ProtocolError:
        return
    if motion is not None:
        assert 0 <= motion.expression.weights.min() <= motion.expression.weights.max() <= 1
        assert abs(np.linalg.norm(motion.pose.rotation_wxyz) - 1) < 1e-12


def test_one_flipped_bit_is_nearly_always_noticed() -> None:
    decoder = Decoder()
    decoder.decode(MESSAGES[0])
    message, unnoticed = MESSAGES[5], 0
    for bit in range(8, 8 * len(message)):
        damaged = bytearray(message)
        damaged[bit // 8] ^= 1 << bit % 8
        with contextlib.suppress(ProtocolError):
            unnoticed += decoder.decode(bytes(damaged)) is not None
    assert unnoticed == 0


def test_messages_fit_one_packet_at_the_worst() -> None:
    messages = [message for group in sent_by(Encoder(), wild_faces(300)) for message in group]
    assert max(map(len, messages)) < MAX_MESSAGE // 4
    with pytest.raises(ProtocolError):
        Decoder().decode(bytes([0xA1]) * (MAX_MESSAGE + 1))


def test_a_talking_face_takes_less_than_10_kbit_per_s() -> None:
    assert kbit_per_s(talking_face(900)) < 10


def test_a_face_that_holds_still_takes_next_to_nothing() -> None:
    still = talking_face(1)[0]
    encoder = Encoder()
    messages = [encoder.encode(replace(still, time_s=i / 30))[-1] for i in range(160)]
    assert max(len(message) for message in messages if not is_key(message)) <= 10
    assert kbit_per_s([replace(still, time_s=i / 30) for i in range(160)]) < 4


def test_a_real_performance_takes_less_than_10_kbit_per_s(shared: Callable[[str], Path]) -> None:
    motions = motions_of(shared("recordings/alex_rom_3.csv"))
    assert kbit_per_s(motions) < 8
    encoder, decoder = Encoder(), Decoder()
    for motion in motions:
        assert_near(decoder.decode(encoder.encode(motion)[-1]), motion)


def test_the_documented_example_is_true() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "protocols.md").read_text("utf-8")
    key, delta = (bytes.fromhex(line) for line in re.findall(r"^a1 [0-9a-f ]+$", page, re.MULTILINE))
    first = Motion(1.0, 2, expression=Expression.of(jawOpen=0.5, eyeBlinkLeft=1, eyeBlinkRight=1))
    second = replace(first, time_s=1.034, expression=Expression.of(jawOpen=0.47, eyeBlinkLeft=1, eyeBlinkRight=1))
    encoder, decoder = Encoder(), Decoder()
    assert encoder.encode(first) == (key,)
    assert encoder.encode(second) == (delta,)
    assert_near(decoder.decode(key), first)
    assert_near(decoder.decode(delta), second)
