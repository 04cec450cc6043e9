"""Our human as a VRM 1.0: read back by ourselves, by three-vrm and by the Khronos validator.

The last two need npm packages (three, @pixiv/three-vrm, gltf-validator) in web/node_modules, or in the folder
that ANIMATOR_NODE_MODULES names."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from animator.channels import ARKIT
from animator.cli import main
from animator.errors import AnimatorError
from animator.rig import Rig
from animator.rigging.deform import Deformer
from animator.rigging.library import load_rig
from animator.rigging.reach import reach_of
from animator.rigging.skeleton import joint_globals
from animator.rigging.vrm_export import HEAD_HEIGHT_M, export_vrm

from .conftest import motion

ROOT = Path(__file__).resolve().parents[2]
MODULES = Path(os.environ.get("ANIMATOR_NODE_MODULES", ROOT / "web" / "node_modules"))
VALIDATE = """
import validator from "gltf-validator"; import fs from "node:fs";
const report = await validator.validateBytes(new Uint8Array(fs.readFileSync(process.argv[2])));
console.log(JSON.stringify(report.issues));
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vrm") / "human.vrm"
    assert main(["rigs", "export", "--vrm", str(path)]) == 0
    return path


def node(tmp_path: Path, package: str, script: str, *arguments: str) -> dict:
    """What a script of Node's printed as JSON."""
    program = shutil.which("node")
    if program is None or not (MODULES / package).is_dir():
        pytest.skip(f"needs Node.js and the npm package {package}")
    (tmp_path / "node_modules").symlink_to(MODULES)
    (tmp_path / "script.mjs").write_text(script, "utf-8")
    done = subprocess.run(
        [program, "script.mjs", *arguments], cwd=tmp_path, capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return json.loads(done.stdout.decode().splitlines()[-1])


def test_all_channels_come_back_as_perfect_sync(exported: Path) -> None:
    reaches = reach_of(load_rig(exported))
    assert [reach.how for reach in reaches if not reach.channel.startswith("eyeLook")] == ["Perfect Sync"] * 44
    assert all(reach.targets for reach in reaches)


def test_it_moves_as_the_human_does(exported: Path, human: Rig) -> None:
    rig = load_rig(exported)
    assert rig.joints[rig.roles["head"]].name == human.joints[human.roles["head"]].name
    height = joint_globals(rig.joints)[rig.roles["head"], 1, 3]
    assert height == pytest.approx(HEAD_HEIGHT_M, abs=1e-6)
    posed = motion((0.3, 0.1, 0), ((0.2, 0.1), (0.2, 0.1)), jawOpen=0.6, mouthSmileLeft=0.5, eyeBlinkRight=1.0)
    ours, theirs = Deformer(human).deform(posed).positions, Deformer(rig).deform(posed).positions
    np.testing.assert_allclose(theirs - theirs[0], ours - ours[0], atol=2e-5)


def test_three_vrm_reads_it(exported: Path, tmp_path: Path) -> None:
    script = Path(__file__).with_name("three_vrm.mjs").read_text("utf-8")
    said = node(tmp_path, "@pixiv/three-vrm", script, str(exported), "JawOpen", "EyeBlinkLeft", "blink", "aa")
    assert said["version"] == "1"
    assert {name[0].upper() + name[1:] for name in ARKIT} | {"aa", "blink", "happy", "lookUp"} <= {*said["expressions"]}
    assert said["head"][1] == pytest.approx(HEAD_HEIGHT_M, abs=1e-4)
    assert said["leftEye"][0] > 0.02
    assert 0 < said["leftFoot"][1] < 0.2
    assert said["lookAt"]
    assert {morph for morph, _ in said["moved"]["JawOpen"]} == {"jawOpen"}
    assert len(said["moved"]["JawOpen"]) > 1  # lips, teeth and tongue are meshes of their own
    assert {morph for morph, _ in said["moved"]["blink"]} == {"eyeBlinkLeft", "eyeBlinkRight"}
    assert {weight for _, weight in said["moved"]["aa"]} == {0.7}


def test_the_khronos_validator_finds_no_error(exported: Path, tmp_path: Path) -> None:
    issues = node(tmp_path, "gltf-validator", VALIDATE, str(exported))
    assert issues["numErrors"] == 0, issues["messages"][:5]


@pytest.mark.parametrize(("rig", "out"), [("nobody", "x.vrm"), ("human", "x.glb"), ("human", "folder")])
def test_what_cannot_be_exported_is_told(tmp_path: Path, rig: str, out: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(AnimatorError):
        export_vrm(rig, tmp_path / out)
    assert not list(tmp_path.rglob("*.part"))
