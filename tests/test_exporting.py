"""Takes as `.glb` and `.vrma`: read back by three.js, three-vrm, the Khronos validator and by ourselves."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from animator.channels import ARKIT, INDEX
from animator.cli import main
from animator.errors import AnimatorError, RigError, TakeError
from animator.exporting import joint_turns, save_glb_take, save_vrma
from animator.maths.rotations import matrix_from_wxyz, multiply_wxyz, wxyz_from_axis_angle
from animator.rigging.library import load_rig, model_file
from animator.rigging.skeleton import Skeleton
from animator.takes import Take, compared, sliced, take_from_arrays
from animator.takes.live_link_csv import eye_matrices, load_csv
from animator.takes.npz import load_takes

ROOT = Path(__file__).resolve().parents[1]
MODULES = Path(os.environ.get("ANIMATOR_NODE_MODULES", ROOT / "web" / "node_modules"))
VALIDATE = """
import validator from "gltf-validator"; import fs from "node:fs";
const report = await validator.validateBytes(new Uint8Array(fs.readFileSync(process.argv[2])));
console.log(JSON.stringify(report.issues));
"""
READ_VRMA = """
import fs from "node:fs";
import { GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";
import { VRMAnimationLoaderPlugin } from "@pixiv/three-vrm-animation";
globalThis.self = globalThis;
const loader = new GLTFLoader();
loader.register((parser) => new VRMAnimationLoaderPlugin(parser));
const b = fs.readFileSync(process.argv[2]);
const gltf = await loader.parseAsync(b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength), "");
const made = gltf.userData.vrmAnimations[0];
const values = (map) => Object.fromEntries([...map].map(([name, track]) => [name, Array.from(track.values)]));
console.log(JSON.stringify({
  duration: made.duration, hips: made.restHipsPosition.toArray(),
  rotations: values(made.humanoidTracks.rotation), look: Array.from(made.lookAtTrack.values),
  custom: values(made.expressionTracks.custom), preset: values(made.expressionTracks.preset),
}));
"""


def node(tmp_path: Path, package: str, script: str, *arguments: object) -> dict:
    """What a script of Node's printed as JSON."""
    program = shutil.which("node")
    if program is None or not (MODULES / package).is_dir():
        pytest.skip(f"needs Node.js and the npm package {package}")
    if not (tmp_path / "node_modules").exists():
        (tmp_path / "node_modules").symlink_to(MODULES)
    (tmp_path / "script.mjs").write_text(script, "utf-8")
    command = [program, "script.mjs", *map(str, arguments)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return json.loads(done.stdout.decode().splitlines()[-1])


@pytest.fixture(params=["performance", "alex_rom_3"])
def take(request: pytest.FixtureRequest, shared) -> Take:
    """All of the bundled performance, and of a real recording, whose head was given turns that it has not."""
    if request.param == "performance":
        return load_takes(ROOT / "assets" / "performance.npz")[0]
    found = load_csv(shared("recordings/alex_rom_3.csv"))
    turns = [wxyz_from_axis_angle([np.sin(i / 40), 1, 0.3], 0.9 * np.sin(i / 25)) for i in range(len(found))]
    return replace(found, rotations_wxyz=np.array(turns))


def degrees_between(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    chord = np.minimum(np.linalg.norm(one - two, axis=1), np.linalg.norm(one + two, axis=1))
    return np.degrees(4 * np.arcsin(chord / 2))


def test_three_js_plays_the_same_numbers(take: Take, tmp_path: Path) -> None:
    path = tmp_path / "a.glb"
    save_glb_take(path, take)
    times_s = (take.times_s - take.times_s[0]).astype(np.float32).astype(np.float64)
    times_s.tofile(tmp_path / "times")
    script = (ROOT / "tests" / "three_take.mjs").read_text("utf-8")
    said = node(tmp_path, "three", script, path, tmp_path / "times", tmp_path / "out", ",".join(ARKIT))
    assert said["duration"] == pytest.approx(times_s[-1], abs=1e-3)
    assert said["apart"] == 0  # every mesh that has a channel's morph has it at one value
    assert min(said["holders"]) > 0
    found = np.fromfile(tmp_path / "out").reshape(len(take), -1)
    np.testing.assert_allclose(found[:, :52], take.weights, rtol=0, atol=1e-4)
    head, left, right = (found[:, 52 + 4 * i : 56 + 4 * i] for i in range(3))
    assert degrees_between(head, take.rotations_wxyz).max() <= 0.01
    for eye, want in zip((left, right), eye_matrices(take), strict=True):
        apart = np.abs(matrix_from_wxyz(eye) - want).max()
        assert np.degrees(apart) <= 0.01


@pytest.mark.parametrize("rig", ["human", "robot", "mask"])
def test_the_validator_finds_no_error(rig: str, tmp_path: Path) -> None:
    save_glb_take(tmp_path / "a.glb", load_takes(ROOT / "assets" / "performance.npz")[0], rig)
    issues = node(tmp_path, "gltf-validator", VALIDATE, tmp_path / "a.glb")
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues["messages"][:5]


@pytest.mark.parametrize("presets", [False, True])
def test_the_validator_finds_no_error_in_a_vrma(presets: bool, tmp_path: Path) -> None:
    save_vrma(tmp_path / "a.vrma", load_takes(ROOT / "assets" / "performance.npz")[0], presets=presets)
    issues = node(tmp_path, "gltf-validator", VALIDATE, tmp_path / "a.vrma")
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues["messages"][:5]


def test_three_vrm_reads_a_vrma(take: Take, tmp_path: Path) -> None:
    save_vrma(tmp_path / "a.vrma", take)
    said = node(tmp_path, "@pixiv/three-vrm-animation", READ_VRMA, tmp_path / "a.vrma")
    assert said["hips"][1] == pytest.approx(0.9)
    assert set(said["custom"]) == {name[0].upper() + name[1:] for name in ARKIT}
    assert not said["preset"]
    for name, channel in INDEX.items():
        np.testing.assert_allclose(said["custom"][name[0].upper() + name[1:]], take.weights[:, channel], atol=1e-6)
    neck, head = (np.array(said["rotations"][bone]).reshape(-1, 4)[:, [3, 0, 1, 2]] for bone in ("neck", "head"))
    assert degrees_between(multiply_wxyz(neck, head), take.rotations_wxyz).max() <= 0.01


def test_presets_of_a_vrma_keep_their_sides(tmp_path: Path) -> None:
    weights = np.zeros((3, 52))
    weights[1, INDEX["eyeBlinkLeft"]] = 1
    wink = take_from_arrays({"times_s": np.arange(3) / 30, "weights": weights}, 30.0)
    save_vrma(tmp_path / "a.vrma", wink, presets=True)
    animated = keys_of(tmp_path / "a.vrma")
    assert animated["blinkLeft"][:, 0].tolist() == [0, 1, 0]
    assert not animated["blinkRight"].any()


def keys_of(path: Path) -> dict[str, np.ndarray]:
    """The keys of each channel of the first animation, by its node's name and, of weights, its path."""
    data = path.read_bytes()
    magic, version, whole, length = struct.unpack_from("<4sIII", data)
    assert (magic, version, whole) == (b"glTF", 2, len(data))
    said, at = json.loads(data[20 : 20 + length]), 28 + length
    widths = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}
    found = {}
    for channel in said["animations"][0]["channels"]:
        accessor = said["accessors"][said["animations"][0]["samplers"][channel["sampler"]]["output"]]
        start = at + said["bufferViews"][accessor["bufferView"]]["byteOffset"]
        count = accessor["count"] * widths[accessor["type"]]
        values = np.frombuffer(data, "<f4", count, start).reshape(-1, widths[accessor["type"]])
        target = channel["target"]
        name = said["nodes"][target["node"]]["name"]
        if target["path"] == "weights":
            mesh = said["meshes"][said["nodes"][target["node"]]["mesh"]]
            names = mesh["extras"]["targetNames"]
            for number, morph in enumerate(names):
                found[f"{name}.{morph}"] = values.reshape(-1, len(names))[:, number]
        else:
            found[name] = values
    return found


@pytest.mark.parametrize("rig", ["human", "robot", "mask"])
def test_a_left_wink_closes_the_left_eye(rig: str, tmp_path: Path) -> None:
    weights = np.zeros((3, 52))
    weights[1, INDEX["eyeBlinkLeft"]] = 1
    save_glb_take(tmp_path / "a.glb", take_from_arrays({"times_s": np.arange(3) / 30, "weights": weights}, 30.0), rig)
    moved = {name for name, values in keys_of(tmp_path / "a.glb").items() if "." in name and values.any()}
    assert moved
    assert all("eyeBlinkLeft" in name for name in moved)
    loaded = load_rig(tmp_path / "a.glb")
    wink = next(row for row, name in enumerate(loaded.morph_names) if "eyeBlinkLeft" in name)
    strongest = np.linalg.norm(loaded.morphs[wink], axis=1).argmax()
    assert loaded.positions[strongest, 0] > 0  # glTF's left is +x


def test_the_avatars_own_data_is_kept(tmp_path: Path) -> None:
    save_glb_take(tmp_path / "a.glb", load_takes(ROOT / "assets" / "performance.npz")[0])
    ours, theirs = load_rig(tmp_path / "a.glb"), load_rig(model_file("human"))
    for name in ("positions", "morphs", "uvs", "skin_joints", "skin_weights", "mapping"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name))
    assert ours.morph_names == theirs.morph_names


def test_turns_are_those_of_the_window() -> None:
    rig, (take,) = load_rig("human"), load_takes(ROOT / "assets" / "performance.npz")
    turns, skeleton = joint_turns(rig, take), Skeleton(rig)
    parents = {"neck": "chest", "head": "neck", "leftEye": "head", "rightEye": "head"}
    for frame in range(0, len(take), 20):
        posed = skeleton.pose(take.motion(frame), True)[:, :, :3]
        for role, parent in parents.items():
            above, here = (posed[1 + skeleton.moving.index(name)] for name in (parent, role))
            np.testing.assert_allclose(matrix_from_wxyz(turns[role][frame]), above.T @ here, atol=2e-6)  # slerp rounds


def test_an_avatar_without_a_head_joint_turns_as_a_whole(tmp_path: Path) -> None:
    data = model_file("mask").read_bytes()
    length = struct.unpack_from("<I", data, 12)[0]
    said = json.loads(data[20 : 20 + length])
    said.pop("skins")
    said["nodes"] = [
        {"name": f"piece {n}", "mesh": node["mesh"]} for n, node in enumerate(said["nodes"]) if "mesh" in node
    ]
    said["scenes"][0]["nodes"] = list(range(len(said["nodes"])))
    for mesh in said["meshes"]:
        for name in ("JOINTS_0", "WEIGHTS_0"):
            mesh["primitives"][0]["attributes"].pop(name, None)
    (take,) = load_takes(ROOT / "assets" / "performance.npz")
    save_glb_take(tmp_path / "a.glb", take, written(tmp_path / "pieces.glb", said, data[20 + length :]))
    head = keys_of(tmp_path / "a.glb")["head"][:, [3, 0, 1, 2]].astype(float)
    assert degrees_between(head, take.rotations_wxyz).max() <= 0.01
    pieces, ours = load_rig(tmp_path / "pieces.glb"), load_rig(tmp_path / "a.glb")
    np.testing.assert_allclose(ours.positions, pieces.positions, atol=1e-6)
    assert ours.joints[0].name == "head"
    assert all(joint.parent == 0 for joint in ours.joints[1:])


def written(path: Path, said: dict, rest: bytes) -> Path:
    """A .glb of a changed description and the rest of another's bytes."""
    text = json.dumps(said).encode()
    text += b" " * (-len(text) % 4)
    path.write_bytes(struct.pack("<4sIII4s", b"glTF", 2, 20 + len(text) + len(rest), len(text), b"JSON") + text + rest)
    return path


def turned_file(tmp_path: Path, wxyz: np.ndarray) -> Path:
    """The mask whose joints lie at rest as another maker might have left them."""
    data = model_file("mask").read_bytes()
    length = struct.unpack_from("<I", data, 12)[0]
    said = json.loads(data[20 : 20 + length])
    head = next(index for index, n in enumerate(said["nodes"]) if n.get("name") == "head")
    said["nodes"][head]["rotation"] = [float(part) for part in wxyz[[1, 2, 3, 0]]]
    return written(tmp_path / "turned.glb", said, data[20 + length :])


def test_joints_that_rest_turned_are_turned_about_the_faces_axes(tmp_path: Path) -> None:
    rest = wxyz_from_axis_angle([0.2, 1, 0.4], 0.7)
    save_glb_take(tmp_path / "a.glb", load_takes(ROOT / "assets" / "performance.npz")[0], turned_file(tmp_path, rest))
    keys = keys_of(tmp_path / "a.glb")
    (take,) = load_takes(ROOT / "assets" / "performance.npz")
    neck, head = (keys[name][:, [3, 0, 1, 2]].astype(float) for name in ("neck", "head"))
    want = multiply_wxyz(take.rotations_wxyz, rest)
    assert degrees_between(multiply_wxyz(neck, head), want).max() <= 0.01


def test_what_cannot_be_animated_is_said(tmp_path: Path) -> None:
    (take,) = load_takes(ROOT / "assets" / "performance.npz")
    for rig in ("nobody", tmp_path / "a.vrm", tmp_path / "a.gltf"):
        with pytest.raises(AnimatorError):
            save_glb_take(tmp_path / "a.glb", take, rig)
    (tmp_path / "a.vrm").write_bytes(model_file("human").read_bytes())
    with pytest.raises(RigError, match=r"write a \.vrma"):
        save_glb_take(tmp_path / "a.glb", take, tmp_path / "a.vrm")
    empty = take_from_arrays({"times_s": np.zeros(0), "weights": np.zeros((0, 52))}, 30.0)
    for save in (save_glb_take, save_vrma):
        with pytest.raises(TakeError, match="no frames"):
            save(tmp_path / "a.glb", empty)


def test_a_glb_from_the_command_line(tmp_path: Path, capsys) -> None:
    source = str(ROOT / "assets" / "performance.npz")
    options = ["--start", "2", "--end", "4", "--fps", "24", "--rig", "robot"]
    assert main(["convert", source, str(tmp_path / "a.glb"), *options]) == 0
    assert "(48 frames, 2.00 s)" in capsys.readouterr().out
    assert len(keys_of(tmp_path / "a.glb")["head"]) == 48
    assert compared(sliced(load_takes(source)[0], 2, 4), load_takes(source)[0]).frames == 60
