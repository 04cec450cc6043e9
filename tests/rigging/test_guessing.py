"""Names in the wild: which channel or preset they mean, and that nothing is driven twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from animator.channels import ARKIT, INDEX
from animator.rig import Rig
from animator.rigging.expressions import MorphDriver
from animator.rigging.gltf import rig_from_glb_bytes
from animator.rigging.mapping import with_table
from animator.rigging.reach import reach_of, write_table

from .building import Builder, up
from .conftest import motion


def rig_with(*names: str) -> Rig:
    builder = Builder()
    builder.node(mesh=builder.mesh(targets={name: up(0.1) for name in names}))
    return rig_from_glb_bytes(builder.glb())


def weights(rig: Rig, gaze_rad: tuple = ((0, 0), (0, 0)), **channels: float) -> dict[str, float]:
    made = MorphDriver(rig).weights(motion((0, 0, 0), gaze_rad, **channels))
    return {name: round(float(weight), 3) for name, weight in zip(rig.morph_names, made, strict=True) if weight}


@pytest.mark.parametrize(
    ("name", "channel"),
    [("mouth-open", "jawOpen"), ("Blink_L", "eyeBlinkLeft"), ("Fcl_EYE_Close_R", "eyeBlinkRight"),
     ("vrc.v_aa", "jawOpen"), ("viseme_O", "mouthFunnel"), ("あ", "jawOpen"), ("browInnerUp_L", "browInnerUp"),
     ("Eye_Blink.L", "eyeBlinkLeft"), ("left_blink", "eyeBlinkLeft"), ("leftEyeBlink", "eyeBlinkLeft"),
     ("ウィンク右", "eyeBlinkRight"), ("blendShape2.MouthPucker", "mouthPucker")],
)  # fmt: skip
def test_one_name_alone_follows_its_channel(name: str, channel: str) -> None:
    assert name in weights(rig_with(name), **{channel: 1.0})


def test_arkit_names_leave_visemes_and_moods_alone() -> None:
    rig = rig_with(*ARKIT, "viseme_aa", "Joy", "Blink", "mouthOpen", "mouthSmile")
    assert weights(rig, jawOpen=1, mouthSmileLeft=1, mouthSmileRight=1, eyeBlinkLeft=1) == {
        "jawOpen": 1, "mouthSmileLeft": 1, "mouthSmileRight": 1, "eyeBlinkLeft": 1,
    }  # fmt: skip


def test_sided_blinks_come_before_the_common_one() -> None:
    rig = rig_with("blink", "blink_left", "blink_right")
    assert weights(rig, eyeBlinkLeft=0.85) == {"blink_left": 1}


def test_finer_morphs_come_before_moods() -> None:
    rig = rig_with("Fcl_BRW_Angry", "Fcl_ALL_Angry", "Fcl_MTH_Fun", "Fcl_ALL_Joy")
    made = weights(rig, browDownLeft=1, browDownRight=1, noseSneerLeft=1, noseSneerRight=1, mouthSmileLeft=1,
                   mouthSmileRight=1)  # fmt: skip
    assert made == {"Fcl_BRW_Angry": 1, "Fcl_MTH_Fun": 1}


def test_look_morphs_follow_the_gaze() -> None:
    rig = rig_with("LookLeft", "LookRight", "LookUp", "LookDown")
    assert weights(rig, ((np.radians(15), 0),) * 2) == {"LookLeft": 0.5}
    assert weights(rig, ((0, np.radians(-30)),) * 2) == {"LookDown": 1}


def test_guesses_are_noted() -> None:
    notes = "\n".join(rig_with("mouth-open", "Joy", "jawLeft").notes)
    assert "mouth-open follows jawOpen" in notes
    assert "Joy is the preset happy" in notes
    assert "jawLeft" not in notes


def test_reach_tells_what_moves_what() -> None:
    reaches = {reach.channel: reach for reach in reach_of(rig_with("mouth-open", "eyeBlinkLeft", "v_oh"))}
    assert reaches["jawOpen"].targets == ("mouth-open",)
    assert reaches["jawOpen"].how == "guess"
    assert reaches["eyeBlinkLeft"].how == "name"
    assert reaches["mouthFunnel"].how == "preset"
    assert reaches["cheekPuff"].targets == ()


def test_a_table_overrides_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    rig = rig_with("Smirk", "eyeBlinkLeft", "v_oh")
    table = tmp_path / "mapping.csv"
    table.write_text("morph,channel,gain\nSmirk,mouthLeft,0.5\nv_oh,mouthPucker,1\n", "utf-8")
    rig = with_table(rig, table)
    assert weights(rig, mouthLeft=1, eyeBlinkLeft=1) == {"Smirk": 0.5, "eyeBlinkLeft": 1}
    assert weights(rig, mouthPucker=0.5) == {"v_oh": 0.5}
    assert weights(rig, mouthFunnel=1, jawOpen=1) == {}


def test_the_written_table_changes_nothing(tmp_path: Path) -> None:
    rig = rig_with("mouth-open", "smile, wide", "browUp", "v_oh")
    write_table(rig, tmp_path / "mapping.csv")
    again = with_table(rig, tmp_path / "mapping.csv")
    np.testing.assert_allclose(again.mapping, rig.mapping, atol=1e-4)
    assert again.expressions.presets == rig.expressions.presets
    assert again.mapping[0, INDEX["jawOpen"]] == 1
