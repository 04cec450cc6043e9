"""VMC, checked with python-osc's own reader and writer: bundles, names, axes, presets, what receivers must bear."""

from __future__ import annotations

import numpy as np
import pytest
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from animator.channels import ARKIT
from animator.data import Expression, Gaze, HeadPose, Motion
from animator.errors import ProtocolError
from animator.maths.rotations import multiply_wxyz, wxyz_from_axis_angle
from animator.protocols.reading import Heard
from animator.protocols.vmc import APPLY_PATIENCE_S, NAMINGS, VmcReader, VmcWriter
from animator.protocols.vmc_names import PERFECT_SYNC, VRM0, VRM1

from .faces import talking_face


def message(address: str, *arguments: object) -> bytes:
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument, {float: "f", int: "i", str: "s"}[type(argument)])
    return builder.build().dgram


def told(messages: list[bytes]) -> list[tuple[str, list]]:
    """Every (address, arguments), read by python-osc."""
    return [(m.address, m.params) for bundle in messages for m in OscBundle(bundle)]


def bones(messages: list[bytes]) -> dict[str, list[float]]:
    return {p[0]: p[1:] for address, p in told(messages) if address == "/VMC/Ext/Bone/Pos"}


def values(messages: list[bytes]) -> dict[str, float]:
    return dict(p for address, p in told(messages) if address == "/VMC/Ext/Blend/Val")


def read(reader: VmcReader, *messages: bytes, now_s: float = 0.0) -> list[Heard]:
    return [heard for m in messages for heard in reader.read(m, now_s)]


def test_bundles_are_short_and_in_the_protocols_order() -> None:
    messages = VmcWriter().write([Motion(1.0, 0, expression=Expression.of(jawOpen=0.5))], 1.0)
    assert max(map(len, messages)) <= 1400
    addresses = [address for address, _ in told(messages)]
    assert addresses[:2] == ["/VMC/Ext/OK", "/VMC/Ext/T"]
    assert addresses[2:6] == ["/VMC/Ext/Bone/Pos"] * 4
    assert addresses[6:] == ["/VMC/Ext/Blend/Val"] * 52 + ["/VMC/Ext/Blend/Apply"]
    assert told(messages)[0][1] == [1, 3, 0, 1]
    assert tuple(values(messages)) == PERFECT_SYNC
    assert values(messages)["JawOpen"] == 0.5
    assert len(VmcWriter(bundle_bytes=65507).write([Motion(0, 0)], 0.0)) == 1


def test_time_and_tracking_are_told() -> None:
    writer = VmcWriter()
    writer.write([Motion(5.0, 0)], 5.0)
    said = dict(told(writer.write([Motion(6.5, 0, confidence=0.0)], 6.5)))
    assert said["/VMC/Ext/T"] == [1.5]
    assert said["/VMC/Ext/OK"] == [1, 3, 0, 0]
    assert dict(told(writer.write([], 7.0)))["/VMC/Ext/OK"] == [1, 3, 0, 0]


@pytest.mark.parametrize(
    ("axis", "unity_axis", "sign"),
    [((0, 1, 0), 1, -1), ((1, 0, 0), 0, 1), ((0, 0, 1), 2, -1)],
    ids=["to its left is - about y", "down is + about x", "to its right shoulder is - about z"],
)
def test_bones_are_in_unitys_axes_and_neck_and_head_share_the_turn(axis: tuple, unity_axis: int, sign: int) -> None:
    pose = HeadPose(wxyz_from_axis_angle(np.array(axis), 0.5), np.zeros(3))
    found = bones(VmcWriter().write([Motion(0.0, 0, pose)], 0.0))
    for name, share in (("Neck", 0.4), ("Head", 0.6)):
        xyzw = np.zeros(4)
        xyzw[unity_axis], xyzw[3] = sign * np.sin(share * 0.25), np.cos(share * 0.25)
        np.testing.assert_allclose(found[name][3:], xyzw, atol=1e-6)
    assert found["LeftEye"][3:] == found["RightEye"][3:] == [0, 0, 0, 1]
    assert found["LeftEye"][0] < 0 < found["RightEye"][0]  # Unity's +x is the avatar's right


def test_eyes_turn_on_their_own_side() -> None:
    gaze = Gaze(np.array([[0.3, 0.0], [0.0, 0.2]]))
    found = bones(VmcWriter(places="zero").write([Motion(0.0, 0, gaze=gaze)], 0.0))
    np.testing.assert_allclose(found["LeftEye"], [0, 0, 0, 0, -np.sin(0.15), 0, np.cos(0.15)], atol=1e-6)
    np.testing.assert_allclose(found["RightEye"], [0, 0, 0, -np.sin(0.1), 0, 0, np.cos(0.1)], atol=1e-6)


def test_names_can_be_those_of_vrm() -> None:
    motion = Motion(0.0, 0, expression=Expression.of(eyeBlinkLeft=0.85, jawOpen=0.5, mouthSmileLeft=1.0))
    for naming, names in (("vrm0", VRM0), ("vrm1", VRM1)):
        found = values(VmcWriter(naming).write([motion], 0.0))
        assert tuple(found) == names
        assert found[names[0]] == 1.0
        assert found[names[1]] == 0.0
        assert found[names[2]] == pytest.approx(0.65)
    assert set(values(VmcWriter("both", emotions=True).write([motion], 0.0))) > {*PERFECT_SYNC, *VRM0, "Joy"}
    assert "happy" in values(VmcWriter("vrm1", emotions=True).write([motion], 0.0))
    assert bones(VmcWriter(bones=False).write([motion], 0.0)) == {}


@pytest.mark.parametrize("naming", NAMINGS)
def test_presets_stay_within_0_and_1_and_vowels_within_1_in_all(naming: str) -> None:
    writer, random = VmcWriter(naming, emotions=True), np.random.default_rng(0)
    for _ in range(200):
        weights = random.random(52).astype(np.float32) * (random.random(52) < 0.5)
        found = values(writer.write([Motion(0.0, 0, expression=Expression(weights))], 0.0))
        assert all(0 <= value <= 1 for value in found.values())
        assert sum(found.get(n, 0) for n in ("A", "I", "U", "E", "O", "aa", "ih", "ou", "ee", "oh")) <= 1 + 1e-6


@pytest.mark.parametrize("channel", ["eyeBlinkLeft", "eyeBlinkRight", "jawOpen", "mouthPucker"])
@pytest.mark.parametrize("naming", ["vrm0", "vrm1"])
def test_what_a_preset_alone_tells_comes_back(naming: str, channel: str) -> None:
    sent = Motion(0.0, 0, expression=Expression.of(**{channel: 0.6}))
    (heard,) = read(VmcReader(), *VmcWriter(naming).write([sent], 0.0))
    np.testing.assert_allclose(heard.motion.expression.weights, sent.expression.weights, atol=1e-6)


def test_bundled_nested_and_single_messages_say_the_same() -> None:
    parts = [message("/VMC/Ext/OK", 1), message("/VMC/Ext/Blend/Val", "jawopen", 0.5), message("/VMC/Ext/Blend/Apply")]
    (single,) = read(VmcReader(), *parts)
    inner = OscBundleBuilder(0)
    for part in parts[1:]:
        inner.add_content(OscMessage(part))
    outer = OscBundleBuilder(0)
    outer.add_content(inner.build())
    (nested,) = read(VmcReader(), outer.build().dgram)
    assert single.motion.expression["jawOpen"] == nested.motion.expression["jawOpen"] == 0.5


def test_values_and_bones_stay_until_they_are_told_anew() -> None:
    reader = VmcReader()
    apply = message("/VMC/Ext/Blend/Apply")
    read(reader, message("/VMC/Ext/Blend/Val", "JawOpen", 0.5), apply)
    (second,) = read(reader, message("/VMC/Ext/Blend/Val", "EyeBlinkLeft", 1.0), apply)
    assert second.motion.expression["jawOpen"] == 0.5
    assert second.motion.expression["eyeBlinkLeft"] == 1.0


def test_a_whole_spine_turns_the_head() -> None:
    turn = [0.0, float(np.sin(0.05)), 0.0, float(np.cos(0.05))]
    spine = [message("/VMC/Ext/Bone/Pos", name, 0.0, 0.0, 0.0, *turn) for name in ("Spine", "Chest", "Neck", "Head")]
    (heard,) = read(VmcReader(), *spine, message("/VMC/Ext/Bone/Pos", "LeftHand", 0.0, 0.0, 0.0, *turn),
                    message("/VMC/Ext/Blend/Apply"))  # fmt: skip
    np.testing.assert_allclose(heard.motion.pose.rotation_wxyz, wxyz_from_axis_angle([0, 1, 0], -0.4), atol=1e-6)


def test_arkit_names_win_over_presets_of_the_same_sender() -> None:
    vals = [message("/VMC/Ext/Blend/Val", name, 1.0) for name in ("A", "Blink", "Joy")]
    apply = message("/VMC/Ext/Blend/Apply")
    (presets,) = read(VmcReader(), *vals, apply)
    assert presets.motion.expression["jawOpen"] > 0.7
    assert presets.motion.expression["mouthSmileLeft"] == 1.0
    (both,) = read(VmcReader(), *vals, message("/VMC/Ext/Blend/Val", "JawOpen", 0.25), apply)
    assert both.motion.expression["jawOpen"] == 0.25
    assert both.motion.expression["mouthSmileLeft"] == 0.0


def test_values_that_nobody_applies_are_taken_after_a_while() -> None:
    reader = VmcReader()
    assert read(reader, message("/VMC/Ext/Blend/Val", "JawOpen", 0.5), now_s=1.0) == []
    assert reader.overdue(1.0 + 0.5 * APPLY_PATIENCE_S) == []
    (heard,) = reader.overdue(1.01 + APPLY_PATIENCE_S)
    assert heard.motion.expression["jawOpen"] == 0.5
    assert reader.overdue(9.0) == []


@pytest.mark.parametrize(("ok", "confidence"), [((1,), 1), ((0,), 0), ((1, 3, 0, 0), 0), ((1, 3, 0, 1), 1)])
def test_tracking_status_is_confidence(ok: tuple, confidence: float) -> None:
    (heard,) = read(VmcReader(), message("/VMC/Ext/OK", *ok), message("/VMC/Ext/Blend/Apply"))
    assert heard.motion.confidence == confidence


def test_time_is_the_senders_where_it_tells_it() -> None:
    reader, apply = VmcReader(), message("/VMC/Ext/Blend/Apply")
    assert read(reader, apply, now_s=70.0)[0].motion.time_s == 70.0
    assert read(reader, message("/VMC/Ext/T", 5.0), apply, now_s=71.0)[0].motion.time_s == 5.0
    assert read(reader, apply, now_s=71.25)[0].motion.time_s == 5.25


@pytest.mark.parametrize(
    "odd",
    [
        message("/VMC/Ext/Blend/Val", "JawOpen"), message("/VMC/Ext/Blend/Val", 1.0, "JawOpen"),
        message("/VMC/Ext/Blend/Val", "JawOpen", 1), message("/VMC/Ext/Blend/Val", "JawOpen", float("nan")),
        message("/VMC/Ext/Bone/Pos", "Head", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0), message("/other", "x"),
        message("/VMC/Ext/Blend/Val", "Unknown", 1.0), message("/VMC/Ext/T", float("inf")),
        message("/VMC/Ext/Bone/Pos", "Head", 0.0, 0.0, 0.0, float("nan"), 0.0, 0.0, 1.0),
    ],
)  # fmt: skip
def test_odd_messages_are_passed_over_and_the_rest_is_heard(odd: bytes) -> None:
    (heard,) = read(VmcReader(), odd, message("/VMC/Ext/Blend/Val", "MouthClose", 0.5), message("/VMC/Ext/Blend/Apply"))
    assert heard.motion.expression.weights.sum() == 0.5
    assert np.array_equal(heard.motion.pose.rotation_wxyz, [1, 0, 0, 0])


def test_surplus_arguments_are_passed_over() -> None:
    (heard,) = read(
        VmcReader(), message("/VMC/Ext/Blend/Val", "JawOpen", 0.5, "more", 7), message("/VMC/Ext/Blend/Apply", 1)
    )
    assert heard.motion.expression["jawOpen"] == 0.5


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"abcd", "wanted a message"), (b"/abc\0", "by fours"), (b"#bundle\0" + bytes(8) + b"\0\0\1\0", "256 bytes"),
        (b"#bundle\0" + bytes(8) + b"\xff\xff\xff\xfc", "-4 bytes"), (b"", "4 to"),
    ],
)  # fmt: skip
def test_what_is_no_osc_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ProtocolError, match=reason):
        VmcReader().read(data, 0.0)


def test_bundles_within_bundles_have_an_end() -> None:
    nested = message("/VMC/Ext/Blend/Apply")
    for _ in range(3):
        nested = b"#bundle\0" + bytes(8) + len(nested).to_bytes(4, "big") + nested
    assert len(VmcReader().read(nested, 0.0)) == 1
    with pytest.raises(ProtocolError, match="deep"):
        VmcReader().read(b"#bundle\0" + bytes(8) + len(nested).to_bytes(4, "big") + nested, 0.0)


def test_turns_compose_back_to_the_head() -> None:
    for motion in talking_face(20):
        found = bones(VmcWriter().write([motion], 0.0))
        neck, head = (np.array([q[6], q[3], -q[4], -q[5]]) for q in (found["Neck"], found["Head"]))
        assert abs(multiply_wxyz(neck, head) @ motion.pose.rotation_wxyz) > 1 - 1e-6


def test_all_52_names_are_the_channels_in_pascal_case() -> None:
    assert [name.lower() for name in PERFECT_SYNC] == [name.lower() for name in ARKIT]
    assert all(name[0].isupper() for name in PERFECT_SYNC)
