"""Files that somebody or something has spoilt: whatever is changed, an avatar comes out or a RigError does."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animator.data import Expression, Motion
from animator.errors import RigError
from animator.rigging.deform import Deformer
from animator.rigging.gltf import rig_from_glb_bytes

from .building import Builder, person, up

VALUES = (None, -1, 0, 1, 7, 10**9, 10**18, 1e308, float("nan"), float("inf"), "x", [], {}, [[]], True, 1.5,
          "../../etc/passwd", "data:,", [0, 0, 0], {"node": 0})  # fmt: skip


def own_file() -> bytes:
    """A VRM that uses a little of everything."""
    builder = Builder()
    bones = person(builder)
    face = builder.node(mesh=builder.mesh(targets={"jawOpen": up(), "Blink": up(0.5)}), translation=[0, 1.7, 0])
    weights = {"JOINTS_0": builder.accessor(np.zeros((4, 4), np.uint8)),
               "WEIGHTS_0": builder.accessor(np.tile(np.float32([1, 0, 0, 0]), (4, 1)))}  # fmt: skip
    builder.json["skins"] = [{"joints": [bones["head"]]}]
    builder.node(mesh=builder.mesh(attributes=weights), skin=0)
    builder.json["materials"] = [{"alphaMode": "MASK", "pbrMetallicRoughness": {"baseColorFactor": [1, 0, 0, 1]}}]
    builder.json["meshes"][0]["primitives"][0]["material"] = 0
    expression = {"morphTargetBinds": [{"node": face, "index": 0, "weight": 1.0}], "isBinary": False}
    builder.json["extensions"] = {"VRMC_vrm": {
        "specVersion": "1.0", "meta": {"name": "x"}, "lookAt": {"type": "bone", "rangeMapVerticalUp": {}},
        "humanoid": {"humanBones": {bone: {"node": node} for bone, node in bones.items()}},
        "expressions": {"preset": {"aa": expression}, "custom": {"JawOpen": dict(expression)}},
    }}  # fmt: skip
    return builder.glb()


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every entry of nested lists and objects, as (container, key)."""
    keys = value if isinstance(value, dict) else range(min(len(value), 200)) if isinstance(value, list) else ()
    return [place for key in keys for place in ((value, key), *places(value[key]))]


def with_changed_text(data: bytes, dice: np.random.Generator) -> bytes:
    """The same file with up to three entries of its JSON changed or gone."""
    length = struct.unpack_from("<I", data, 12)[0]
    description = json.loads(data[20 : 20 + length])
    for _ in range(int(dice.integers(1, 4))):
        container, key = (spots := places(description))[int(dice.integers(len(spots)))]
        if isinstance(container, dict) and dice.random() < 0.2:
            container.pop(key)
        else:
            container[key] = VALUES[int(dice.integers(len(VALUES)))]
    text = json.dumps(description).encode()
    text += b" " * (-len(text) % 4)
    rest = data[20 + length :]
    return (
        struct.pack("<4sII", b"glTF", 2, 20 + len(text) + len(rest))
        + struct.pack("<I4s", len(text), b"JSON")
        + (text + rest)
    )


def with_changed_bytes(data: bytes, dice: np.random.Generator) -> bytes:
    """The same file with up to thirty other bytes."""
    spoilt = bytearray(data)
    for at in dice.integers(12, len(data), int(dice.integers(1, 30))):
        spoilt[at] = int(dice.integers(256))
    return bytes(spoilt)


def survive(data: bytes) -> bool:
    """Load and move it, or be told in one line why not."""
    try:
        rig = rig_from_glb_bytes(data, "spoilt.vrm")
    except RigError as error:
        told = str(error)
        rig = None
    if rig is None:
        assert "\n" not in told
        assert len(told) < 400
        return False
    assert np.isfinite(rig.rig_from_face).all()
    mesh = Deformer(rig).deform(Motion(0.5, 0, expression=Expression(np.ones(52, np.float32))))
    assert np.isfinite(mesh.positions).all()
    return True


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("change", [with_changed_text, with_changed_bytes])
def test_our_own_file_spoilt(change: Callable[[bytes, np.random.Generator], bytes], seed: int) -> None:
    dice, data = np.random.default_rng(seed), own_file()
    assert survive(data)
    outcomes = [survive(change(data, dice)) for _ in range(50)]
    assert not all(outcomes)


@pytest.mark.parametrize(
    "name",
    ["vrm0/Godette_vrm_v4.vrm", "vrm0/unavi_robot.vrm", "vrm1/saturday06_debug_robot.vrm", "glb/facecap.glb",
     "vrm1/VRMC_vrm_expressions_isBinary_Overridden.vrm", "khronos/RiggedSimple.glb"],
)  # fmt: skip
def test_avatars_of_others_spoilt(shared: Callable[[str], Path], name: str) -> None:
    dice, data = np.random.default_rng(0), shared(f"avatars/{name}").read_bytes()
    for number in range(24):
        survive((with_changed_bytes if number % 4 == 0 else with_changed_text)(data, dice))


def test_many_morphs_that_are_not_there_take_no_memory() -> None:
    """A kilobyte that claims thousands of morphs of a million vertices."""
    builder = Builder()
    mesh = builder.mesh()
    builder.json["accessors"].append({"componentType": 5126, "count": 900_000, "type": "VEC3"})
    claimed = len(builder.json["accessors"]) - 1
    builder.json["meshes"][mesh]["primitives"][0] |= {
        "attributes": {"POSITION": claimed}, "targets": [{"POSITION": claimed}] * 5000,
    }  # fmt: skip
    builder.node(mesh=mesh)
    with pytest.raises(RigError, match="more than can be held"):
        rig_from_glb_bytes(builder.glb())
