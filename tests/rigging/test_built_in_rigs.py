"""What every built-in avatar promises, whatever it looks like."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from animator.channels import ARKIT, INDEX, mirrored_name
from animator.resources import rigs_folder
from animator.rig import Rig
from animator.rigging.deform import Deformer
from animator.rigging.library import known_rigs, load_rig, rig_description
from tools.make_mask_rig import made as mask_made
from tools.make_robot_rig import made as robot_made

from .conftest import motion

MEGABYTES, TRIANGLES = 3.0, 20_000
MILLIMETRE = 1e-3
_VALIDATE = """
const validator = require("gltf-validator"), fs = require("fs");
validator.validateBytes(new Uint8Array(fs.readFileSync(process.argv[1]))).then(
  (report) => console.log(JSON.stringify(report.issues)));
"""


@pytest.fixture(scope="module", params=known_rigs())
def rig(request: pytest.FixtureRequest) -> Rig:
    return load_rig(request.param)


def test_there_are_three() -> None:
    assert set(known_rigs()) >= {"human", "mask", "robot"}


def test_every_channel_has_a_morph_of_its_own(rig: Rig) -> None:
    assert set(rig.morph_names) == set(ARKIT)
    flat = rig.morphs.reshape(len(ARKIT), -1).astype(float)
    assert np.abs(flat).max(1).min() > MILLIMETRE
    unit = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    alike = unit @ unit.T - np.eye(len(ARKIT))
    assert alike.max() < 0.97
    for row, name in enumerate(rig.morph_names):
        assert rig.mapping[row, INDEX[name]] == 1


def test_left_mirrors_right(rig: Rig) -> None:
    for name in ARKIT:
        own, other = (rig.morphs[rig.morph_names.index(n)] for n in (name, mirrored_name(name)))
        assert np.linalg.norm(own) == pytest.approx(np.linalg.norm(other), rel=0.06)
        assert abs(own[:, 0].sum() + other[:, 0].sum()) < 0.08 * np.abs(own).sum() + 1e-3


def test_head_neck_and_eyes_turn(rig: Rig) -> None:
    assert {"head", "neck", "leftEye", "rightEye"} <= set(rig.roles)
    deformer = Deformer(rig)
    rest = deformer.deform(motion()).positions.copy()
    turned = deformer.deform(motion((0.4, 0, 0))).positions.copy()
    assert np.abs(turned - rest).max() > 20 * MILLIMETRE
    looked = deformer.deform(motion(gaze_rad=((0.4, 0), (0.4, 0)))).positions - rest
    assert np.abs(looked).max() > 4 * MILLIMETRE


def test_it_has_textures_a_picture_a_maker_and_a_licence(rig: Rig) -> None:
    assert any(part.material.texture_rgba is not None for part in rig.parts)
    said = rig_description(rig.name)
    assert all(said[key] for key in ("title", "about", "maker", "source", "licence"))
    assert (rigs_folder() / rig.name / "picture.png").stat().st_size > 10_000


def test_it_is_light(rig: Rig) -> None:
    assert sum(len(part.triangles) for part in rig.parts) < TRIANGLES
    assert (rigs_folder() / rig.name / f"{rig.name}.glb").stat().st_size < MEGABYTES * 1e6


def test_its_normals_are_of_unit_length_and_no_number_is_missing(rig: Rig) -> None:
    mesh = Deformer(rig).deform(motion(jawOpen=0.5, mouthSmileLeft=0.7))
    assert np.isfinite(mesh.positions).all()
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-3)


@pytest.mark.parametrize("make", [mask_made, robot_made])
def test_making_it_twice_gives_the_same_bytes(make) -> None:
    assert make()[1] == make()[1]


@pytest.mark.parametrize("name", known_rigs())
def test_the_file_is_valid_gltf(name: str, tmp_path: Path) -> None:
    path = rigs_folder() / name / f"{name}.glb"
    (length,) = struct.unpack_from("<I", path.read_bytes(), 12)
    assert json.loads(path.read_bytes()[20 : 20 + length])["asset"]["version"] == "2.0"
    modules = Path(__file__).resolve().parents[2] / "web" / "node_modules"
    if shutil.which("node") is None or not (modules / "gltf-validator").is_dir():
        pytest.skip("the Khronos validator (npm install gltf-validator in web/) is not here")
    done = subprocess.run(
        ["node", "-e", _VALIDATE, str(path)], cwd=modules.parent, capture_output=True, text=True, check=True
    )
    issues = json.loads(done.stdout)
    assert issues["numErrors"] == 0, issues["messages"][:5]
