"""iFacialMocap's text: the vendor's own sample, both versions, both apps, requests."""

from __future__ import annotations

import numpy as np
import pytest

from animator.channels import ARKIT
from animator.data import Expression, HeadPose, Motion
from animator.errors import ProtocolError
from animator.maths.rotations import matrix_from_yaw_pitch_roll, wxyz_from_matrix
from animator.protocols.ifacialmocap import IFacialMocapWriter, decode, encode, request, requested_version

SAMPLE = (
    b"mouthSmile_R-0|eyeLookDown_L-17|eyeLookDown_R-17|eyeLookIn_R-6|eyeLookIn_L-4|mouthLeft-1|"
    b"=head#-21.488958,-6.038993,-6.6019735,-0.030653415,-0.10287084,-0.6584072|"
    b"rightEye#6.0297494,2.4403017,0.25649446|leftEye#6.034903,-1.6660284,-0.17520553|"
)
"""Of the vendor's page for developers, shortened."""


def test_the_vendors_sample_is_understood() -> None:
    motion = decode(SAMPLE, 3.0)
    assert motion.time_s == 3.0
    assert motion.expression["mouthLeft"] == pytest.approx(0.01)
    assert motion.expression["eyeLookDownLeft"] == pytest.approx(0.17)
    assert float(motion.expression.weights.sum()) == pytest.approx(0.45)
    np.testing.assert_allclose(motion.pose.translation_cm, [-3.0653415, -10.287084, -65.84072], atol=1e-6)
    left, right = np.degrees(motion.gaze.angles_rad)
    np.testing.assert_allclose([left[1], right[1]], [-6.03, -6.03], atol=0.02)  # both look down
    assert left[0] < 0 < right[0]  # and towards the nose, as eyeLookIn says


def test_its_eyes_are_made_again_with_their_torsion() -> None:
    """The sample's third angles follow from its others only where the order of turns is the right one."""
    made = encode(decode(SAMPLE, 0.0)).decode().split("|")
    for name, want in (
        ("rightEye", (6.0297494, 2.4403017, 0.25649446)),
        ("leftEye", (6.034903, -1.6660284, -0.17520553)),
    ):
        (token,) = [token for token in made if token.startswith(name)]
        np.testing.assert_allclose([float(n) for n in token.partition("#")[2].split(",")], want, atol=2e-6)


def test_the_text_is_that_of_the_format() -> None:
    motion = Motion(0.0, 0, expression=Expression.of(eyeBlinkLeft=0.5, mouthLeft=1.0, browInnerUp=0.004))
    v1, v2 = (encode(motion, version).decode() for version in ("v1", "v2"))
    tokens = v1.split("|")
    assert len(tokens) == 52 + 3 + 1
    assert tokens[-1] == ""
    assert {"eyeBlink_L-50", "eyeBlink_R-0", "mouthLeft-100", "browInnerUp-0"} <= set(tokens)
    assert tokens[52] == "=head#0.000000,0.000000,0.000000,0.000000,0.000000,-0.500000"
    assert {"eyeBlink_L&50", "mouthLeft&100"} <= set(v2.split("|"))
    assert encode(motion, "v2", status=True).startswith(b"trackingStatus&1|")
    assert len(v1) < 1200


@pytest.mark.parametrize(
    ("angles", "want"),
    [((0.2, 0, 0), (0, 1, 0)), ((0, -0.2, 0), (1, 0, 0)), ((0, 0, 0.2), (0, 0, 1))],
    ids=["to its left", "down", "to its right shoulder"],
)
def test_head_angles_have_their_place_and_sign(angles: tuple, want: tuple) -> None:
    pose = HeadPose(wxyz_from_matrix(matrix_from_yaw_pitch_roll(angles)), np.array([10.0, 20.0, -60.0]))
    head = encode(Motion(0.0, 0, pose)).decode().partition("=head#")[2].partition("|")[0]
    numbers = [float(number) for number in head.split(",")]
    np.testing.assert_allclose(numbers, [*(np.degrees(0.2) * np.array(want)), 0.1, 0.2, -0.6], atol=1e-6)
    flipped = encode(Motion(0.0, 0, pose), flips={"yaw", "pitch", "roll"})
    np.testing.assert_allclose(
        decode(flipped, 0.0, {"yaw", "pitch", "roll"}).pose.rotation_wxyz, pose.rotation_wxyz, atol=1e-8
    )
    np.testing.assert_allclose(decode(flipped, 0.0).pose.rotation_wxyz[1:], -pose.rotation_wxyz[1:], atol=1e-8)


def test_facemotion3d_its_names_and_its_extras_are_understood() -> None:
    text = (
        "trackingStatus&1|"
        + "".join(f"{name}&30|" for name in ARKIT)
        + "FM_SAD&12|jawOpen&-5|=head#1,2,3|___iFacialMocap"
    )
    motion = decode(text.encode(), 0.0)
    assert motion.expression["eyeBlinkLeft"] == pytest.approx(0.3)
    assert motion.expression["jawOpen"] == 0.0  # the later one, below 0 and so put to 0
    np.testing.assert_allclose(motion.pose.translation_cm, [0, 0, -50])
    assert decode(b"trackingStatus&0|jawOpen&50|", 0.0).confidence == 0


def test_names_with_hyphens_and_negative_numbers() -> None:
    motion = decode(b"my-shape-30|jawOpen-40|mouthClose--20|", 0.0)
    assert motion.expression["jawOpen"] == pytest.approx(0.4)
    assert motion.expression["mouthClose"] == 0.0


def test_gaze_follows_the_channels_where_there_are_no_eyes() -> None:
    motion = decode(b"eyeLookOut_L-100|eyeLookIn_R-100|eyeLookUp_L-40|", 0.0)
    np.testing.assert_allclose(np.degrees(motion.gaze.angles_rad), [[30, 10], [30, 0]], atol=1e-5)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"FMV3" + bytes(40), "binary version 3"), (b"hello|world", "none of the 52"), (b"jawOpen-x|", "no number"),
        (b"jawOpen-nan|", "within"), (b"jawOpen-1e9|", "within"), (b"jawOpen-5|=head#1,2|", "2 numbers"),
        (b"jawOpen-5|=head#1,2,inf|", "within"), (b"jawOpen-5|=head#1,2,3,4,5,120|", "position"),
        (b"jawOpen-1|" * 600, "512 parts"), (b"x" * 9000, "8192 bytes"), (b"jawOpen-5|=head#0,0,1000|", "within"),
    ],
)  # fmt: skip
def test_other_text_is_refused_and_the_reason_is_told(message: bytes, reason: str) -> None:
    with pytest.raises(ProtocolError, match=reason):
        decode(message, 0.0)


def test_requests_are_the_vendors() -> None:
    assert request() == b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719"
    assert request("v2") == request() + b"|sendDataVersion=v2"
    assert request(app="facemotion3d") == b"FACEMOTION3D_OtherStreaming"
    assert request(tcp=True) == b"iFacialMocap_UDPTCP_sahuasouryya9218sauhuiayeta91555dy3719"
    assert request("v2", tcp=True) == request(tcp=True) + b"|sendDataVersion=v2"
    assert request(app="facemotion3d", tcp=True) == b"FACEMOTION3D_OtherStreaming|protocol=tcp"
    assert [requested_version(m) for m in (request(), request("v2"), b"hello")] == ["v1", "v2", None]


def test_one_performer_is_sent_the_one_who_is_seen() -> None:
    writer = IFacialMocapWriter()
    one, other = Motion(0.0, 1, expression=Expression.of(jawOpen=1)), Motion(0.0, 2)
    assert writer.write([], 0.0) == []
    assert b"jawOpen-100" in writer.write([other, one], 0.0)[0]  # the first seat
    unseen = Motion(0.0, 1, confidence=0.0)
    assert b"jawOpen-0" in writer.write([unseen, other], 0.1)[0]
    assert b"jawOpen-0" in writer.write([one, other], 0.2)[0]  # and stays with whom it has
