"""VRM 0.x and 1.0: the same avatar in either version acts the same; rules of expressions, gaze and posture."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from animator.channels import ARKIT
from animator.errors import RigError
from animator.rig import Rig
from animator.rigging.deform import Deformer
from animator.rigging.expressions import MorphDriver
from animator.rigging.gltf import rig_from_glb_bytes
from animator.rigging.skeleton import joint_globals

from .building import Builder, person, up
from .conftest import motion

MORPHS = {f"m{k}": up(0.1 * (k + 1)) for k in range(4)}
TURN_ABOUT = np.array([-1, 1, -1])


def rig_of(builder: Builder) -> Rig:
    return rig_from_glb_bytes(builder.glb(), "made.vrm")


def vrm1(expressions: dict[str, Any], /, **more: Any) -> Rig:
    builder = Builder()
    bones = person(builder)
    face = builder.node(mesh=builder.mesh(targets=MORPHS), translation=[0, 1.7, 0.05])
    for entry in expressions.values():
        entry["morphTargetBinds"] = [{"node": face, "index": i, "weight": w} for i, w in entry.pop("binds")]
    presets = {name: entry for name, entry in expressions.items() if name[0].islower()}
    custom = {name: entry for name, entry in expressions.items() if name[0].isupper()}
    builder.json["extensions"] = {"VRMC_vrm": {
        "specVersion": "1.0", "meta": {"name": "Made", "authors": ["A", "B"], "licenseUrl": "https://example.org/l"},
        "humanoid": {"humanBones": {bone: {"node": node} for bone, node in bones.items()}},
        "expressions": {"preset": presets, "custom": custom}, **more,
    }}  # fmt: skip
    return rig_of(builder)


def vrm0(groups: list[dict[str, Any]], /, **more: Any) -> Rig:
    builder = Builder()
    bones = person(builder)
    mesh = builder.mesh(targets=MORPHS)
    builder.node(mesh=mesh, translation=[0, 1.7, -0.05])
    for group in groups:
        group["binds"] = [{"mesh": mesh, "index": i, "weight": 100 * w} for i, w in group["binds"]]
    builder.json["extensions"] = {"VRM": {
        "meta": {"title": "Made", "author": "A", "licenseName": "CC0"},
        "humanoid": {"humanBones": [{"bone": bone, "node": node} for bone, node in bones.items()]},
        "blendShapeMaster": {"blendShapeGroups": groups}, **more,
    }}  # fmt: skip
    return rig_of(builder)


def weights(rig: Rig, gaze_rad: tuple = ((0, 0), (0, 0)), **channels: float) -> list[float]:
    return np.round(MorphDriver(rig).weights(motion((0, 0, 0), gaze_rad, **channels)).astype(float), 3).tolist()


def test_perfect_sync_in_either_version_and_any_spelling() -> None:
    new = vrm1({"JawOpen": {"binds": [(0, 1.0), (1, 0.5)]}})
    old = vrm0([{"name": "jawOpen", "presetName": "unknown", "binds": [(0, 1.0), (1, 0.5)]}])
    for rig in (new, old):
        assert weights(rig, jawOpen=0.8) == [0.8, 0.4, 0, 0]


def test_perfect_sync_makes_presets_superfluous() -> None:
    rig = vrm1({"JawOpen": {"binds": [(0, 1.0)]}, "aa": {"binds": [(1, 1.0)]}, "oh": {"binds": [(2, 1.0)]}})
    assert weights(rig, jawOpen=1.0) == [1, 0, 0, 0]
    assert weights(rig, mouthFunnel=1.0)[2] > 0


def test_presets_of_both_versions() -> None:
    new = vrm1({"aa": {"binds": [(0, 1.0)]}, "blinkLeft": {"binds": [(1, 1.0)]}, "happy": {"binds": [(2, 0.5)]}})
    old = vrm0([{"name": "A", "presetName": "a", "binds": [(0, 1.0)]},
                {"name": "x", "presetName": "blink_l", "binds": [(1, 1.0)]},
                {"name": "Joy", "presetName": "joy", "binds": [(2, 0.5)]}])  # fmt: skip
    for rig in (new, old):
        assert weights(rig, jawOpen=1.0)[0] == 1
        assert weights(rig, eyeBlinkLeft=0.85)[1] == 1
        assert weights(rig, eyeBlinkRight=1.0)[1] == 0
        assert weights(rig, mouthSmileLeft=1, mouthSmileRight=1, cheekSquintLeft=1, cheekSquintRight=1)[2] == 0.5
        assert weights(rig, mouthSmileLeft=0.2, mouthSmileRight=0.2)[2] == 0  # a faint smile is no joy


def test_one_blink_for_both_eyes_follows_their_mean() -> None:
    rig = vrm1({"blink": {"binds": [(0, 1.0)]}})
    assert weights(rig, eyeBlinkLeft=0.85)[0] == 0.5
    assert weights(rig, eyeBlinkLeft=0.85, eyeBlinkRight=0.85)[0] == 1


def test_vowels_share_one_mouth() -> None:
    rig = vrm1({v: {"binds": [(k, 1.0)]} for k, v in enumerate(("aa", "ou", "oh", "ih"))})
    dice = np.random.default_rng(0)
    for _ in range(50):
        assert sum(weights(rig, **dict(zip(ARKIT, dice.random(52), strict=True)))) <= 1.003


def test_binary_expressions_are_on_or_off() -> None:
    rig = vrm1({"JawOpen": {"binds": [(0, 1.0)], "isBinary": True}})
    assert weights(rig, jawOpen=0.5)[0] == 0
    assert weights(rig, jawOpen=0.51)[0] == 1


@pytest.mark.parametrize(("rule", "left_of_blink"), [("none", 0.8), ("block", 0.0), ("blend", 0.4)])
def test_overrides_hold_back_their_group(rule: str, left_of_blink: float) -> None:
    rig = vrm1({"MouthSmileLeft": {"binds": [(0, 1.0)], "overrideBlink": rule},
                "blinkLeft": {"binds": [(1, 1.0)]}, "aa": {"binds": [(2, 1.0)]}})  # fmt: skip
    made = weights(rig, mouthSmileLeft=0.5, eyeBlinkLeft=0.68, jawOpen=0.5)
    assert made[1] == pytest.approx(left_of_blink)
    assert made[2] == pytest.approx(0.65)
    assert weights(rig, eyeBlinkLeft=0.68)[1] == pytest.approx(0.8)


def test_an_expression_does_not_hold_back_its_own_group() -> None:
    rig = vrm1({"blinkLeft": {"binds": [(0, 1.0)], "overrideBlink": "block"}, "blinkRight": {"binds": [(1, 1.0)]}})
    assert weights(rig, eyeBlinkLeft=0.85)[0] == 1


def test_a_held_back_binary_expression_is_off() -> None:
    rig = vrm1({"MouthSmileLeft": {"binds": [(0, 1.0)], "overrideBlink": "blend"},
                "blinkLeft": {"binds": [(1, 1.0)], "isBinary": True}})  # fmt: skip
    assert weights(rig, mouthSmileLeft=0.1, eyeBlinkLeft=1.0)[1] == 0


RANGES = {"rangeMapHorizontalInner": {"inputMaxValue": 20.0, "outputScale": 10.0},
          "rangeMapHorizontalOuter": {"inputMaxValue": 40.0, "outputScale": 30.0},
          "rangeMapVerticalDown": {"inputMaxValue": 90.0, "outputScale": 45.0},
          "rangeMapVerticalUp": {"inputMaxValue": 10.0, "outputScale": 5.0}}  # fmt: skip


@pytest.mark.parametrize(("yaw_deg", "left_deg", "right_deg"), [(20, 15, 10), (-20, -10, -15), (60, 30, 10)])
def test_bones_look_through_their_range_maps(yaw_deg: float, left_deg: float, right_deg: float) -> None:
    rig = vrm1({}, lookAt={"type": "bone", **RANGES})
    assert {"leftEye", "rightEye"} <= rig.roles.keys()
    deformer = Deformer(rig)
    gaze = ((np.radians(yaw_deg), 0), (np.radians(yaw_deg), 0))
    deformer.deform(motion((0, 0, 0), gaze))
    turns = deformer._skeleton.turns
    for role, wanted in (("leftEye", left_deg), ("rightEye", right_deg)):
        turn = turns[deformer._skeleton.moving.index(role) + 1]
        assert np.degrees(np.arctan2(turn[0, 2], turn[2, 2])) == pytest.approx(wanted, abs=1e-6)


def test_expressions_look_through_their_range_maps() -> None:
    maps = {key: {"inputMaxValue": 40.0, "outputScale": 0.8} for key in RANGES}
    rig = vrm1({look: {"binds": [(k, 1.0)]} for k, look in enumerate(("lookLeft", "lookRight", "lookUp", "lookDown"))},
               lookAt={"type": "expression", **maps})  # fmt: skip
    assert "leftEye" not in rig.roles
    left_up = ((np.radians(20), np.radians(10)),) * 2
    assert weights(rig, left_up) == [0.4, 0, 0.2, 0]
    right_down = ((np.radians(-80), np.radians(-40)),) * 2
    assert weights(rig, right_down) == [0, 0.8, 0, 0.8]


def test_version_0_is_turned_about_to_face_us() -> None:
    rig = vrm0([{"name": "A", "presetName": "a", "binds": [(0, 1.0)]}])
    np.testing.assert_allclose(rig.positions.mean(0), [0, 1.7, 0.05], atol=1e-6)
    assert rig.positions[0, 0] == pytest.approx(1)  # the file's -x is the avatar's left
    np.testing.assert_allclose(vrm1({}).positions.mean(0), [0, 1.7, 0.05], atol=1e-6)


def test_arms_are_lowered_and_hang_at_their_sides() -> None:
    for rig in (vrm1({}), vrm0([])):
        places = {joint.name: place for joint, place in zip(rig.joints, joint_globals(rig.joints)[:, :3, 3],
                                                            strict=True)}  # fmt: skip
        for side in ("left", "right"):
            upper, lower = places[side + "UpperArm"], places[side + "LowerArm"]
            assert np.linalg.norm(lower - upper) == pytest.approx(0.3)
            assert lower[1] < upper[1] - 0.25
            assert abs(lower[0]) > abs(upper[0])


def test_meta_is_shown() -> None:
    assert dict(vrm1({}).about) == {"format": "VRM 1.0", "name": "Made", "author": "A, B",
                                    "licence": "https://example.org/l"}  # fmt: skip
    assert dict(vrm0([]).about)["licence"] == "CC0"


def test_the_chest_breathes_and_the_hips_stand() -> None:
    rig = vrm1({})
    assert rig.joints[rig.roles["chest"]].name == "chest"
    deformer = Deformer(rig)
    deformer.deform(replace(motion(), time_s=1.05))
    turns = deformer._skeleton.turns
    assert 0 < np.abs(turns[deformer._skeleton.moving.index("chest") + 1][:, :3] - np.eye(3)).max() < 0.02
    np.testing.assert_array_equal(turns[0][:, :3], np.eye(3))


def test_no_head_turns_further_than_a_neck_allows() -> None:
    deformer = Deformer(vrm1({}))
    deformer.deform(motion((np.radians(170), 0, 0)))
    turn = deformer._skeleton.turns[deformer._skeleton.moving.index("head") + 1]
    assert np.degrees(np.arctan2(turn[0, 2], turn[2, 2])) == pytest.approx(80, abs=1e-6)


@pytest.mark.parametrize(
    ("fault", "change"),
    [
        ("meta", {"meta": "text"}),
        ("index", {"humanoid": {"humanBones": {"head": {"node": 999}}}}),
        ("target", {"expressions": {"preset": {"aa": {"morphTargetBinds": [{"node": 11, "index": 9}]}}}}),
        ("VRMC_vrm", {"expressions": {"preset": {"aa": {"overrideBlink": "sometimes"}}}}),
        ("version", {"specVersion": "7"}),
        ("VRMC_vrm", {"lookAt": {"rangeMapVerticalUp": {"inputMaxValue": "far"}}}),
    ],
)
def test_broken_extensions_are_refused_in_one_line(fault: str, change: dict[str, Any]) -> None:
    with pytest.raises(RigError, match=fault) as caught:
        vrm1({}, **change)
    assert "\n" not in str(caught.value)


def test_a_bone_may_be_named_once() -> None:
    bones = [{"bone": "hips", "node": 0}, {"bone": "hips", "node": 1}]
    with pytest.raises(RigError, match="once"):
        vrm0([], humanoid={"humanBones": bones})
