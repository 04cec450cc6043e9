"""Live Link Face to the byte: real packets, an independent decoder, no-face packets, the time code."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from animator.channels import ARKIT, INDEX
from animator.data import Expression, Gaze, HeadPose, Motion
from animator.errors import ProtocolError
from animator.maths.rotations import matrix_from_yaw_pitch_roll, wxyz_from_matrix
from animator.protocols.live_link import (
    RATE,
    VALUES,
    LiveLinkReader,
    LiveLinkWriter,
    Packet,
    decode,
    encode,
    motion_from_packet,
    values_from_motion,
)

from .faces import talking_face

PACKET = Packet("A" * 36, "Ada's phone", 5375735, 0.25, RATE, tuple(0.01 * i for i in range(VALUES)))


def turned(yaw: float, pitch: float, roll: float) -> Motion:
    return Motion(0.0, 0, HeadPose(wxyz_from_matrix(matrix_from_yaw_pitch_roll([yaw, pitch, roll])), np.zeros(3)))


def captured(path: Path) -> Iterator[bytes]:
    """The packets of a capture: a byte, their number, then each with its length before it."""
    data = gzip.decompress(path.read_bytes())
    count, place = int.from_bytes(data[1:5], "big"), 5
    for _ in range(count):
        length = int.from_bytes(data[place : place + 4], "big")
        yield data[place + 4 : place + 4 + length]
        place += 4 + length
    assert place == len(data)


def test_every_packet_of_a_capture_is_made_again_to_the_byte(shared: Callable[[str], Path]) -> None:
    packets = list(captured(shared("recordings/dao.gesichter")))
    assert len(packets) == 180
    for data in packets:
        packet = decode(data)
        assert encode(packet) == data
        motion = motion_from_packet(packet)
        np.testing.assert_array_equal(motion.expression.weights, np.clip(packet.values[:52], 0, 1).astype(np.float32))
    assert packet.subject == "LLV Default Device"


def test_its_eyes_look_where_the_eyelook_channels_say(shared: Callable[[str], Path]) -> None:
    """The capture holds both: signs and sides of gaze agree with the channels."""
    motions = [motion_from_packet(decode(data)) for data in captured(shared("recordings/dao.gesichter"))]
    weights = np.array([m.expression.weights for m in motions])
    gaze = np.array([m.gaze.angles_rad for m in motions])
    for eye, side, outward in ((0, "Left", 1), (1, "Right", -1)):
        turned_out = weights[:, INDEX[f"eyeLookOut{side}"]] - weights[:, INDEX[f"eyeLookIn{side}"]]
        up = weights[:, INDEX[f"eyeLookUp{side}"]] - weights[:, INDEX[f"eyeLookDown{side}"]]
        assert np.corrcoef(outward * gaze[:, eye, 0], turned_out)[0, 1] > 0.6
        assert np.corrcoef(gaze[:, eye, 1], up)[0, 1] > 0.6


def test_the_bytes_are_those_of_the_format() -> None:
    want = b"\x06" + struct.pack(">i", 36) + b"A" * 36 + struct.pack(">i", 11) + b"Ada's phone"
    want += struct.pack(">ifii", 5375735, 0.25, 60, 1) + bytes([61]) + struct.pack(">61f", *PACKET.values)
    assert encode(PACKET) == want
    assert len(want) == 270 + 36 + 11
    assert encode(replace(PACKET, values=None)) == want[: 25 + 36 + 11]


def test_an_independent_decoder_reads_the_same() -> None:
    other = pytest.importorskip("pylivelinkface", reason="the independent decoder is not here: pip install '.[test]'")
    writer = LiveLinkWriter("animator", 3600.0)
    names = [shape.name for shape in other.FaceBlendShape]
    assert [name.lower() for name in names[:52]] == [name.lower() for name in ARKIT]
    for motion in talking_face(30):
        (message,) = writer.write([motion], motion.time_s)
        found, face = other.PyLiveLinkFace.decode(message)
        assert found
        assert face.name == "animator"
        assert face._frames == int(60 * (3600 + motion.time_s) + 1e-6)
        for shape in other.FaceBlendShape:
            assert face.get_blendshape(shape) == pytest.approx(values_from_motion(motion)[shape.value], abs=1e-6)
    (message,) = writer.write([replace(motion, confidence=0.0)], 2.0)
    assert other.PyLiveLinkFace.decode(message)[0] is False


def test_an_independent_encoder_is_understood() -> None:
    other = pytest.importorskip("pylivelinkface", reason="the independent decoder is not here: pip install '.[test]'")
    face = other.PyLiveLinkFace("theirs", "0123456789-0123456789-0123456789-012", fps=30)
    face.set_blendshape(other.FaceBlendShape.JawOpen, 0.5, no_filter=True)
    face.set_blendshape(other.FaceBlendShape.HeadYaw, 0.25, no_filter=True)
    packet = decode(face.encode())
    assert (packet.subject, packet.device_id) == ("theirs", "0123456789-0123456789-0123456789-012")
    assert packet.rate == (30, 0)  # its slip: a denominator of 0 must not be divided by
    assert packet.time_s > 0
    motion = motion_from_packet(packet)
    assert motion.expression["jawOpen"] == 0.5
    assert 2 * motion.pose.rotation_wxyz[2] == pytest.approx(-0.25, abs=1e-2)


@pytest.mark.parametrize(
    ("motion", "place", "sign"),
    [
        (turned(-0.2, 0, 0), 52, 1), (turned(0, -0.2, 0), 53, 1), (turned(0, 0, -0.2), 54, 1),
        (Motion(0.0, 0, gaze=Gaze(np.array([[-0.2, 0], [0, 0]]))), 55, 1),
        (Motion(0.0, 0, gaze=Gaze(np.array([[0, -0.2], [0, 0]]))), 56, 1),
        (Motion(0.0, 0, gaze=Gaze(np.array([[0, 0], [-0.2, 0]]))), 58, 1),
        (Motion(0.0, 0, gaze=Gaze(np.array([[0, 0], [0, -0.2]]))), 59, 1),
    ],
    ids=["head right", "head down", "head to the left shoulder", "left eye right", "down", "right eye right", "down"],
)  # fmt: skip
def test_angles_have_their_own_place_and_sign(motion: Motion, place: int, sign: int) -> None:
    values = np.array(values_from_motion(motion))
    assert values[place] == pytest.approx(sign * 0.2)
    assert np.abs(np.delete(values, place)).max() < 1e-9


def test_flips_turn_the_sign_both_ways() -> None:
    motion = turned(0.3, 0.2, 0.1)
    plain, flipped = values_from_motion(motion), values_from_motion(motion, {"yaw", "roll"})
    assert flipped[52:55] == (-plain[52], plain[53], -plain[54])
    back = motion_from_packet(replace(PACKET, values=flipped), {"yaw", "roll"})
    np.testing.assert_allclose(back.pose.rotation_wxyz, motion.pose.rotation_wxyz, atol=1e-12)
    assert values_from_motion(motion, head=False)[52:55] == (0, 0, 0)


def test_the_time_code_begins_at_the_time_of_day_and_counts_sixtieths() -> None:
    writer = LiveLinkWriter("animator", 12 * 3600.0)
    codes = [decode(writer.write([Motion(5 + i / 240, 0)], 5 + i / 240)[0]) for i in range(9)]
    assert [code.frame - 12 * 3600 * 60 for code in codes] == [0, 0, 0, 0, 1, 1, 1, 1, 2]
    assert [round(code.subframe, 5) for code in codes[:4]] == [0, 0.25, 0.5, 0.75]
    late = LiveLinkWriter("animator", 24 * 3600 - 1.0)
    late.write([Motion(0, 0)], 0.0)
    assert decode(late.write([Motion(2, 0)], 2.0)[0]).time_s == pytest.approx(24 * 3600 + 1)


def test_performers_are_subjects_and_those_who_go_are_told_without_a_face() -> None:
    writer = LiveLinkWriter("animator", 0.0)
    both = [decode(m) for m in writer.write([Motion(0, 0), Motion(0, 1)], 0.0)]
    assert [packet.subject for packet in both] == ["animator", "animator 2"]
    assert len({packet.device_id for packet in both}) == 2
    assert all(len(packet.device_id) == 36 for packet in both)
    gone = [decode(m) for m in writer.write([Motion(1, 0)], 1.0)]
    assert [packet.values is None for packet in gone] == [False, True]
    unseen = Motion(2, 0, expression=Expression.of(jawOpen=0.5), confidence=0.0)
    assert decode(writer.write([unseen], 2.0)[0]).values is None
    kept = LiveLinkWriter("animator", 0.0, no_face=False)
    assert decode(kept.write([unseen], 2.0)[0]).values[INDEX["jawOpen"]] == 0.5
    assert len(writer.write([Motion(3, number) for number in range(40)], 3.0)) == 8


def test_no_face_is_confidence_0() -> None:
    (heard,) = LiveLinkReader().read(encode(replace(PACKET, values=None)), 0.0)
    assert heard.motion.confidence == 0
    assert (heard.key, heard.label) == (PACKET.device_id, PACKET.subject)


def test_what_stands_behind_a_packet_is_passed_over() -> None:
    assert decode(encode(PACKET) + b"more") == decode(encode(PACKET))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b[:0], "got nothing"), (lambda b: b"\x05" + b[1:], "version 5"), (lambda b: b[:24], "24 bytes"),
        (lambda b: b[:1] + b"\0\0\1\1" + b[5:], "257 bytes"), (lambda b: b[:1] + b"\xff" * 4 + b[5:], "-1 bytes"),
        (lambda b: b[:5] + b"\xff" + b[6:], "not UTF-8"), (lambda b: b[:-1], "61 values"),
        (lambda b: b[: -245] + b"\x3e" + b[-244:], "61 values, got 62"), (lambda b: b[: 60], "time code"),
        (lambda b: b[:-257] + struct.pack(">f", float("nan")) + b[-253:], "sub-frame"),
        (lambda b: b + bytes(1000), "bytes"),
    ],
)  # fmt: skip
def test_other_bytes_are_refused_and_the_reason_is_told(change: Callable[[bytes], bytes], message: str) -> None:
    with pytest.raises(ProtocolError, match=message):
        decode(change(encode(PACKET)))


def test_what_a_packet_cannot_hold_is_refused() -> None:
    for packet in (
        replace(PACKET, values=(1.0,)), replace(PACKET, subject="x" * 300), replace(PACKET, frame=2**40),
        replace(PACKET, values=(1e300,) * 61), replace(PACKET, subject="\ud800"),
    ):  # fmt: skip
        with pytest.raises(ProtocolError):
            encode(packet)
    with pytest.raises(ProtocolError, match="1 to 62 bytes"):
        LiveLinkWriter("", 0.0)
