"""An avatar of ours as a VRM 1.0 that every VTuber program can drive: 52 Perfect Sync expressions and the presets.

The model's own GLB is kept byte for byte; nodes of a body are put above its joints, as VRM asks for one.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from ..channels import ARKIT, INDEX
from ..data import Array
from ..errors import RigError, SinkError
from ..rig import Rig
from ..takes.files import check_writable, written_beside
from .gltf_file import GltfFile, open_gltf
from .gltf_primitives import target_names
from .library import load_rig, model_file, rig_description
from .naming import CHANNEL_BY_SPELLING, plain
from .skeleton import joint_globals

HEAD_HEIGHT_M = 1.5
"""Where a VRM's head joint stands: its feet are on the ground."""
_BODY = {
    # bone: parent, place in metres for a head at HEAD_HEIGHT_M; arms hang on the model's own chest if it has one
    "hips": ("", (0, 0.92, 0)), "spine": ("hips", (0, 1.05, 0)),
    "leftUpperArm": ("chest", (0.17, 1.34, 0)), "leftLowerArm": ("leftUpperArm", (0.43, 1.34, 0)),
    "leftHand": ("leftLowerArm", (0.67, 1.34, 0)),
    "rightUpperArm": ("chest", (-0.17, 1.34, 0)), "rightLowerArm": ("rightUpperArm", (-0.43, 1.34, 0)),
    "rightHand": ("rightLowerArm", (-0.67, 1.34, 0)),
    "leftUpperLeg": ("hips", (0.09, 0.88, 0)), "leftLowerLeg": ("leftUpperLeg", (0.09, 0.48, 0)),
    "leftFoot": ("leftLowerLeg", (0.09, 0.08, 0)),
    "rightUpperLeg": ("hips", (-0.09, 0.88, 0)), "rightLowerLeg": ("rightUpperLeg", (-0.09, 0.48, 0)),
    "rightFoot": ("rightLowerLeg", (-0.09, 0.08, 0)),
}  # fmt: skip
PRESETS: dict[str, dict[str, float]] = {
    "aa": {"jawOpen": 0.7}, "ih": {"jawOpen": 0.15, "mouthStretchLeft": 0.6, "mouthStretchRight": 0.6},
    "ou": {"jawOpen": 0.1, "mouthPucker": 0.8}, "ee": {"jawOpen": 0.2, "mouthSmileLeft": 0.5, "mouthSmileRight": 0.5},
    "oh": {"jawOpen": 0.35, "mouthFunnel": 0.8},
    "blink": {"eyeBlinkLeft": 1, "eyeBlinkRight": 1}, "blinkLeft": {"eyeBlinkLeft": 1},
    "blinkRight": {"eyeBlinkRight": 1},
    "happy": {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8, "cheekSquintLeft": 0.5, "cheekSquintRight": 0.5,
              "eyeSquintLeft": 0.3, "eyeSquintRight": 0.3},
    "angry": {"browDownLeft": 1, "browDownRight": 1, "noseSneerLeft": 0.5, "noseSneerRight": 0.5,
              "mouthFrownLeft": 0.3, "mouthFrownRight": 0.3},
    "sad": {"browInnerUp": 1, "mouthFrownLeft": 0.8, "mouthFrownRight": 0.8},
    "relaxed": {"mouthSmileLeft": 0.3, "mouthSmileRight": 0.3, "eyeSquintLeft": 0.2, "eyeSquintRight": 0.2},
    "surprised": {"browInnerUp": 0.8, "browOuterUpLeft": 0.8, "browOuterUpRight": 0.8, "eyeWideLeft": 0.8,
                  "eyeWideRight": 0.8, "jawOpen": 0.3},
    "lookUp": {"eyeLookUpLeft": 1, "eyeLookUpRight": 1}, "lookDown": {"eyeLookDownLeft": 1, "eyeLookDownRight": 1},
    "lookLeft": {"eyeLookOutLeft": 1, "eyeLookInRight": 1}, "lookRight": {"eyeLookInLeft": 1, "eyeLookOutRight": 1},
    "neutral": {},
}  # fmt: skip
"""VRM's presets out of channels."""


def export_vrm(name_or_path: str | Path, out: Path) -> int:
    """Write an avatar as VRM 1.0; returns how many of the 52 channels it has.

    Raises RigError for one that is a VRM already or lacks a head joint, SinkError if `out` cannot be written."""
    path = model_file(name_or_path)
    if path.suffix.lower() == ".vrm" or not path.suffix.lower() == ".glb":
        raise RigError(f"{path.name}: expected a .glb to make a VRM of")
    if out.suffix.lower() != ".vrm":
        raise SinkError(f"cannot write {out}: expected a name that ends in .vrm")
    check_writable(out)
    file = open_gltf(path)
    rig = load_rig(name_or_path)
    with file.reading("structure"):
        if "head" not in rig.roles:
            raise file.fail("expected a joint for the head")
        bones = _own_bones(file, rig)
        if "head" not in bones:
            raise file.fail("expected a joint for the head, got a mesh without skeleton")
        rest = {role: joint_globals(rig.joints)[joint] for role, joint in rig.roles.items()}
        description = json.loads(json.dumps(file.json))
        _add_body(description, bones, rest)
        binds = _channel_binds(file)
        description.setdefault("extensions", {})["VRMC_vrm"] = _extension(name_or_path, bones, binds)
        description["extensionsUsed"] = sorted({*description.get("extensionsUsed", ()), "VRMC_vrm"})
    _write(out, description, file.binary())
    return len(binds)


def _own_bones(file: GltfFile, rig: Rig) -> dict[str, int]:
    """Role -> node; a mesh is often called like a joint, and is none."""
    nodes = file.items("nodes")
    bones = {}
    for role, joint in rig.roles.items():
        named = [index for index, node in enumerate(nodes) if node.get("name") == rig.joints[joint].name]
        if named:
            bones[role] = min(named, key=lambda index: "mesh" in nodes[index])
    return bones


def _add_body(description: dict[str, Any], bones: dict[str, int], rest: dict[str, Array]) -> None:
    """Put the model's roots on a spine, and lift all so that the feet of the new body are on the ground.

    bones : role -> node, completed here; rest : role -> (4, 4) where it is now"""
    nodes = description["nodes"]
    scene = description["scenes"][description.get("scene", 0)]
    lift = np.array([0.0, HEAD_HEIGHT_M - rest["head"][1, 3], 0.0])
    skinned = [root for root in scene["nodes"] if "skin" in nodes[root]]  # they stand where their joints do
    moved = [root for root in scene["nodes"] if root not in skinned]
    frames: dict[str, Array] = {"": np.eye(4)}
    if "chest" in bones:
        frames["chest"] = rest["chest"].copy()
        frames["chest"][:3, 3] += lift
    for bone, (parent, place) in _BODY.items():
        above = "spine" if parent == "chest" and "chest" not in bones else parent
        local = np.linalg.inv(frames[above]) @ [*place, 1.0]
        frames[bone] = frames[above] @ _moved(local[:3])
        bones[bone] = len(nodes)
        nodes.append({"name": bone, "translation": np.round(local[:3], 6).tolist()})
        if above:
            nodes[bones[above]].setdefault("children", []).append(bones[bone])
    for root in moved:
        _shift(nodes[root], lift - frames["spine"][:3, 3])
        nodes[bones["spine"]].setdefault("children", []).append(root)
    scene["nodes"] = [bones["hips"], *skinned]


def _moved(place: Array) -> Array:
    matrix = np.eye(4)
    matrix[:3, 3] = place
    return matrix


def _shift(node: dict[str, Any], by: Array) -> None:
    """Move a node in its parent's frame."""
    if "matrix" in node:
        node["matrix"][12:15] = (np.array(node["matrix"][12:15]) + by).tolist()
    else:
        node["translation"] = np.round(np.array(node.get("translation", (0, 0, 0))) + by, 7).tolist()


def _channel_binds(file: GltfFile) -> dict[str, list[dict[str, Any]]]:
    """Channel -> the morphs that show it, on every mesh."""
    binds: dict[str, list[dict[str, Any]]] = {}
    for index, node in enumerate(file.items("nodes")):
        if "mesh" not in node:
            continue
        mesh = file.item("meshes", node["mesh"])
        for number, morph in enumerate(target_names(file, mesh, mesh["primitives"][0], "")):
            channel = CHANNEL_BY_SPELLING.get(plain(morph))
            if channel is not None:
                bind = {"node": index, "index": number, "weight": 1.0}
                binds.setdefault(ARKIT[channel], []).append(bind)
    if not binds:
        raise file.fail("expected morph targets with ARKit's names, got none")
    return dict(sorted(binds.items(), key=lambda item: INDEX[item[0]]))


def _extension(name_or_path: str | Path, bones: dict[str, int], binds: dict[str, list[dict[str, Any]]]) -> dict:
    """VRMC_vrm."""
    try:
        said = rig_description(name_or_path)
    except RigError:
        said = {}
    meta = {
        "name": str(said.get("title", Path(name_or_path).stem)), "version": "1.0",
        "authors": [str(said.get("maker", "unknown"))], "licenseUrl": "https://vrm.dev/licenses/1.0/",
        "avatarPermission": "everyone" if said.get("licence") in ("MIT", "CC0-1.0") else "onlyAuthor",
    }  # fmt: skip
    if said.get("licence"):
        meta["thirdPartyLicenses"] = str(said["licence"])
    if said.get("licence") in ("MIT", "CC0-1.0"):
        meta |= {"commercialUsage": "corporation", "allowRedistribution": True,
                 "modification": "allowModificationRedistribution", "creditNotation": "required"}  # fmt: skip
    custom = {channel[0].upper() + channel[1:]: {"morphTargetBinds": entries} for channel, entries in binds.items()}
    presets = {name: _preset(weights, binds) for name, weights in PRESETS.items()}
    by_bone = "leftEye" in bones and "rightEye" in bones
    wide = {"inputMaxValue": 90.0, "outputScale": 90.0 if by_bone else 1.0}
    return {
        "specVersion": "1.0",
        "meta": meta,
        "humanoid": {"humanBones": {bone: {"node": node} for bone, node in bones.items()}},
        "expressions": {"preset": presets, "custom": custom},
        "lookAt": {"type": "bone" if by_bone else "expression", "offsetFromHeadBone": [0.0, 0.06, 0.0]}
        | {f"rangeMap{side}": wide for side in ("HorizontalInner", "HorizontalOuter", "VerticalDown", "VerticalUp")},
    }


def _preset(weights: dict[str, float], binds: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """A preset out of its channels' morphs."""
    joined = [{**bind, "weight": float(weight)} for channel, weight in weights.items()
              for bind in binds.get(channel, ())]  # fmt: skip
    return {"morphTargetBinds": joined} if joined else {"isBinary": False}


def _write(out: Path, description: dict[str, Any], binary: bytes) -> None:
    """A GLB, written beside the file and then renamed."""
    text = json.dumps(description, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    data = b"".join([
        struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(binary)),
        struct.pack("<I4s", len(text), b"JSON"), text, struct.pack("<I4s", len(binary), b"BIN\0"), binary,
    ])  # fmt: skip
    with written_beside(out) as beside:
        beside.write_bytes(data)
