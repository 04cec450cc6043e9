"""A take and an avatar in one file: `.glb`, which every 3D program plays, and `.vrma` for VRM avatars."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .channels import ARKIT, INDEX
from .data import Array
from .errors import RigError, SinkError, TakeError
from .maths.rotations import IDENTITY_WXYZ, inverse_wxyz, matrix_from_wxyz, multiply_wxyz, wxyz_from_matrix
from .rig import Rig
from .rigging.expressions import MorphDriver
from .rigging.gltf_file import GltfFile, open_gltf
from .rigging.gltf_nodes import joints_of
from .rigging.gltf_primitives import target_names
from .rigging.library import load_rig, model_file
from .rigging.presets import preset_values
from .rigging.skeleton import JAW_OPEN_RAD, MOST_TURN_RAD, NECK_SHARE, jaw_is_morphed
from .takes.gltf_writing import AnimationWriter, key_times, steady
from .takes.live_link_csv import eye_matrices
from .takes.take import Take

GENERATOR = "animator"
HIPS_HEIGHT_M = 0.9
_BODY = {
    # bone: (parent, place in the parent's frame in metres), a T-pose; VRM asks for all but the neck
    "hips": ("", (0, HIPS_HEIGHT_M, 0)), "spine": ("hips", (0, 0.13, 0)), "neck": ("spine", (0, 0.37, 0)),
    "head": ("neck", (0, 0.1, 0)),
    "leftUpperArm": ("spine", (0.17, 0.29, 0)), "leftLowerArm": ("leftUpperArm", (0.26, 0, 0)),
    "leftHand": ("leftLowerArm", (0.24, 0, 0)),
    "rightUpperArm": ("spine", (-0.17, 0.29, 0)), "rightLowerArm": ("rightUpperArm", (-0.26, 0, 0)),
    "rightHand": ("rightLowerArm", (-0.24, 0, 0)),
    "leftUpperLeg": ("hips", (0.09, -0.04, 0)), "leftLowerLeg": ("leftUpperLeg", (0, -0.4, 0)),
    "leftFoot": ("leftLowerLeg", (0, -0.4, 0)),
    "rightUpperLeg": ("hips", (-0.09, -0.04, 0)), "rightLowerLeg": ("rightUpperLeg", (0, -0.4, 0)),
    "rightFoot": ("rightLowerLeg", (0, -0.4, 0)),
}  # fmt: skip
VRMA_PRESETS = (
    "aa", "ih", "ou", "ee", "oh", "blinkLeft", "blinkRight", "happy", "angry", "sad", "surprised",
)  # fmt: skip
"""Presets that a `.vrma` may hold; its gaze is a rotation of its own."""


def save_glb_take(path: Path, take: Take, rig_name: str | Path = "human") -> None:
    """Write an avatar that acts a take: its morphs' weights, and the turns of neck, head, eyes and a jaw joint.

    The avatar's own data is kept byte for byte. Each turn is the joint's whole rotation at that key.
    raises : RigError for an avatar that is no `.glb`, SinkError if the file cannot be written"""
    model = model_file(rig_name)
    if model.suffix.lower() != ".glb":
        raise RigError(f"{model.name}: expected a .glb to write an animated copy of (for a .vrm: write a .vrma)")
    file, rig = open_gltf(model), load_rig(rig_name)
    times_s, rows = _keys(path, take)
    description = json.loads(json.dumps(file.json))
    writer = AnimationWriter(description, file.binary(), take.source or "take")
    writer.times(times_s)
    with file.reading("structure"):
        weights = morph_weights(rig, take)[rows]
        for node, columns in _morphed_nodes(file, rig):
            writer.channel(node, "weights", np.where(columns >= 0, weights[:, columns], np.float32(0)))
        for node, turns, rest in _turned_nodes(file, rig, take, description):
            _as_parts(description["nodes"][node], rest)
            writer.channel(node, "rotation", steady(turns[rows]))
    writer.save(path)


def _turned_nodes(
    file: GltfFile, rig: Rig, take: Take, description: dict[str, Any]
) -> Iterator[tuple[int, Array, Array]]:
    """(node, (N, 4) its whole rotation at each frame, (4, 4) its place at rest) of each joint that a take turns.

    An avatar that has no head joint gets a node above all, as the rig did when it was read."""
    joints, joint_of_node = joints_of(file)
    nodes = {joint: node for node, joint in joint_of_node.items()}
    made = len(rig.joints) - len(joints)  # 1: the head that the file has not
    # The rig may have been turned to face us: what it calls x is another direction in the file's own nodes.
    rig_from_file = multiply_wxyz(_global_turn(rig.joints, made), inverse_wxyz(_global_turn(joints, 0)))
    for role, turns in joint_turns(rig, take).items():
        joint = rig.roles[role] - made
        in_file = multiply_wxyz(multiply_wxyz(inverse_wxyz(rig_from_file), turns), rig_from_file)
        if joint < 0:
            rest = np.eye(4)
            rest[:3, 3] = matrix_from_wxyz(rig_from_file).T @ rig.joints[0].rest_local[:3, 3]
            yield _add_head(description, rest[:3, 3]), in_file, rest
            continue
        above, here = _global_turn(joints, joints[joint].parent), _global_turn(joints, joint)
        whole = multiply_wxyz(multiply_wxyz(inverse_wxyz(above), in_file), here)
        yield nodes[joint], whole, joints[joint].rest_local


def _add_head(description: dict[str, Any], place: Array) -> int:
    """A node at `place` above all that the scene shows."""
    nodes, scene = description["nodes"], description["scenes"][description.get("scene", 0)]
    for root in scene["nodes"]:
        node = nodes[root]
        if "matrix" in node:
            node["matrix"][12:15] = (np.array(node["matrix"][12:15]) - place).tolist()
        else:
            node["translation"] = (np.array(node.get("translation", (0, 0, 0))) - place).tolist()
    nodes.append({"name": "head", "translation": place.tolist(), "children": list(scene["nodes"])})
    scene["nodes"] = [len(nodes) - 1]
    return len(nodes) - 1


def morph_weights(rig: Rig, take: Take) -> Array:
    """(N, M) float32: the weight of each of the avatar's morphs at each frame."""
    if rig.expressions is None:
        return np.clip(take.weights @ rig.mapping.T, 0, 1)
    driver = MorphDriver(rig)
    weights = np.empty((len(take), len(rig.morph_names)), np.float32)
    for frame, motion in enumerate(take.motions()):
        weights[frame] = driver.weights(motion)
    return weights


def joint_turns(rig: Rig, take: Take) -> dict[str, Array]:
    """(N, 4) turns in the avatar's own axes of each joint that it has and that a take moves, by role."""
    head = within_human_range(take.rotations_wxyz)
    both = "neck" in rig.roles and "head" in rig.roles
    turns = {}
    if "neck" in rig.roles:
        turns["neck"] = _part(head, NECK_SHARE if both else 1.0)
    if "head" in rig.roles:
        turns["head"] = _part(head, 1 - NECK_SHARE) if both else head
    for role, eye in zip(("leftEye", "rightEye"), eye_matrices(take), strict=True):
        if role in rig.roles:
            turns[role] = wxyz_from_matrix(eye)
    if "jaw" in rig.roles and not jaw_is_morphed(rig):
        half = JAW_OPEN_RAD * take.weights[:, INDEX["jawOpen"]].astype(np.float64) / 2
        turns["jaw"] = np.stack([np.cos(half), np.sin(half), 0 * half, 0 * half], axis=1)
    return turns


def within_human_range(wxyz: Array) -> Array:
    """(N, 4) rotations, none farther than any neck turns."""
    angle = 2 * np.arccos(np.clip(np.abs(wxyz[:, 0]), 0, 1))
    return _part(wxyz, np.minimum(1.0, MOST_TURN_RAD / np.maximum(angle, 1e-9)))


def save_vrma(path: Path, take: Take, *, presets: bool = False) -> None:
    """Write a take for any VRM avatar: neck, head, gaze and the 52 channels as Perfect Sync expressions.

    presets : VRM's own expressions (vowels, blinks, moods) instead, for avatars without Perfect Sync"""
    times_s, rows = _keys(path, take)
    nodes: list[dict[str, Any]] = []
    bones = _add_skeleton(nodes)
    names, values = _expressions(take, presets)
    expressions = {}
    for name in names:
        expressions[name] = {"node": len(nodes)}
        nodes.append({"name": name})
    look = len(nodes)
    nodes.append({"name": "lookAt"})
    description = {
        "asset": {"version": "2.0", "generator": GENERATOR},
        "extensionsUsed": ["VRMC_vrm_animation"],
        "scene": 0,
        "scenes": [{"nodes": [bones["hips"], *range(len(bones), len(nodes))]}],
        "nodes": nodes,
        "extensions": {
            "VRMC_vrm_animation": {
                "specVersion": "1.0",
                "humanoid": {"humanBones": {bone: {"node": node} for bone, node in bones.items()}},
                "expressions": {"preset" if presets else "custom": expressions},
                "lookAt": {"node": look, "offsetFromHeadBone": [0.0, 0.06, 0.0]},
            }
        },
    }
    writer = AnimationWriter(description, b"", take.source or "take")
    writer.times(times_s)
    head = within_human_range(take.rotations_wxyz[rows])
    writer.channel(bones["neck"], "rotation", steady(_part(head, NECK_SHARE)))
    writer.channel(bones["head"], "rotation", steady(_part(head, 1 - NECK_SHARE)))
    for column, name in enumerate(names):
        moved = np.zeros((len(rows), 3), np.float32)
        moved[:, 0] = values[rows, column]
        writer.channel(expressions[name]["node"], "translation", moved)
    writer.channel(look, "rotation", steady(_gaze_turn(take.gaze_rad[rows].mean(1))))
    writer.save(path)


def _expressions(take: Take, presets: bool) -> tuple[list[str], Array]:
    """Names, and (N, names) values."""
    if not presets:
        return [name[0].upper() + name[1:] for name in ARKIT], take.weights
    values = np.empty((len(take), len(VRMA_PRESETS)), np.float32)
    for frame, (weights, gaze) in enumerate(zip(take.weights, take.gaze_rad, strict=True)):
        found = preset_values(weights, gaze, None)
        values[frame] = [found[name] for name in VRMA_PRESETS]
    return list(VRMA_PRESETS), values


def _add_skeleton(nodes: list[dict[str, Any]]) -> dict[str, int]:
    bones = {}
    for bone, (parent, place) in _BODY.items():
        bones[bone] = len(nodes)
        nodes.append({"name": bone, "translation": [float(part) for part in place]})
        if parent:
            nodes[bones[parent]].setdefault("children", []).append(bones[bone])
    return bones


def _gaze_turn(gaze_rad: Array) -> Array:
    """(N, 2) yaw (+ left), pitch (+ up) -> (N, 4) of Ry(yaw) @ Rx(-pitch), as VRM reads it."""
    yaw, down = gaze_rad[:, 0] / 2, -gaze_rad[:, 1] / 2
    zero = np.zeros_like(yaw)
    about_y = np.stack([np.cos(yaw), zero, np.sin(yaw), zero], axis=1)
    about_x = np.stack([np.cos(down), np.sin(down), zero, zero], axis=1)
    return multiply_wxyz(about_y, about_x)


def _keys(path: Path, take: Take) -> tuple[Array, Array]:
    if not len(take):
        raise TakeError(f"cannot write {path}: the take has no frames")
    if take.duration_s > 1e6:
        raise SinkError(f"cannot write {path}: {take.duration_s:g} s are too long for glTF's times; use --start, --end")
    return key_times(take.times_s)


def _part(wxyz: Array, share: float | Array) -> Array:
    """(N, 4) the same turns, `share` as far."""
    wxyz = np.where(wxyz[:, :1] < 0, -wxyz, wxyz)
    length = np.linalg.norm(wxyz[:, 1:], axis=1)
    half = np.arctan2(length, wxyz[:, 0])
    factor = np.where(length > 1e-12, np.sin(half * share) / np.maximum(length, 1e-12), share)
    return np.concatenate([np.cos(half * share)[:, None], wxyz[:, 1:] * factor[:, None]], axis=1)


def _morphed_nodes(file: GltfFile, rig: Rig) -> list[tuple[int, Array]]:
    """Each node whose mesh has morphs, and the row in the rig of each of its targets; -1: we drive none."""
    row_of = {name: row for row, name in enumerate(rig.morph_names)}
    found = []
    for index, node in enumerate(file.items("nodes")):
        if "mesh" not in node:
            continue
        mesh = file.item("meshes", node["mesh"])
        names = target_names(file, mesh, mesh["primitives"][0], str(node.get("name", "")))
        if names:
            found.append((index, np.array([row_of.get(name, -1) for name in names])))
    if not found:
        raise file.fail("expected morph targets to animate, got none")
    return found


def _global_turn(joints: Any, joint: int) -> Array:
    """(4,) how a node is turned at rest in the file's axes."""
    turn = IDENTITY_WXYZ
    while joint >= 0:
        turn = multiply_wxyz(wxyz_from_matrix(_rotation(joints[joint].rest_local)), turn)
        joint = joints[joint].parent
    return turn


def _rotation(matrix: Array) -> Array:
    """(3, 3) of a node's matrix without its scale."""
    return matrix[:3, :3] / np.maximum(np.linalg.norm(matrix[:3, :3], axis=0), 1e-12)


def _as_parts(node: dict[str, Any], rest_local: Array) -> None:
    """An animated node is translation, rotation and scale; one that is a matrix becomes so."""
    if "matrix" in node:
        del node["matrix"]
        node["translation"] = rest_local[:3, 3].tolist()
        node["scale"] = np.linalg.norm(rest_local[:3, :3], axis=0).tolist()
        node["rotation"] = wxyz_from_matrix(_rotation(rest_local))[[1, 2, 3, 0]].tolist()
