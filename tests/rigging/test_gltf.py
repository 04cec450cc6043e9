"""Reading glTF: what is right is read exactly, what is broken is refused in one line."""

from __future__ import annotations

import importlib.util
import json
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animator.channels import ARKIT
from animator.data import Motion
from animator.errors import RigError
from animator.resources import rigs_folder
from animator.rigging.deform import Deformer
from animator.rigging.gltf import load_gltf, rig_from_glb_bytes

HUMAN = rigs_folder() / "human" / "human.glb"


def glb(description: dict[str, Any], binary: bytes) -> bytes:
    text = json.dumps(description).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    head = struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(binary))
    return b"".join([
        head, struct.pack("<I4s", len(text), b"JSON"), text, struct.pack("<I4s", len(binary), b"BIN\0"), binary,
    ])  # fmt: skip


def triangle() -> tuple[dict[str, Any], bytes]:
    """A triangle on a node moved to x = 2, with one sparse morph that lifts its last corner by 0.5."""
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], "<f4")
    binary = points.tobytes() + np.uint16([0, 1, 2, 0]).tobytes() + np.uint16([2, 0]).tobytes()
    binary += np.array([0, 0.5, 0], "<f4").tobytes()
    views = [(0, 36), (36, 8), (44, 4), (48, 12)]
    description = {
        "asset": {"version": "2.0"},
        "buffers": [{"byteLength": len(binary)}],
        "bufferViews": [{"buffer": 0, "byteOffset": a, "byteLength": n} for a, n in views],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5123, "count": 3, "type": "SCALAR"},
            {"componentType": 5126, "count": 3, "type": "VEC3", "sparse": {
                "count": 1, "indices": {"bufferView": 2, "componentType": 5123}, "values": {"bufferView": 3}}},
        ],
        "meshes": [{"extras": {"targetNames": ["jawOpen"]}, "primitives": [
            {"attributes": {"POSITION": 0}, "indices": 1, "targets": [{"POSITION": 2}]}]}],
        "nodes": [{"name": "thing", "mesh": 0, "translation": [2, 0, 0]}],
    }  # fmt: skip
    return description, binary


def test_a_triangle_is_read_with_its_node_and_morph() -> None:
    rig = rig_from_glb_bytes(glb(*triangle()))
    np.testing.assert_array_equal(rig.positions, [[2, 0, 0], [3, 0, 0], [2, 1, 0]])
    np.testing.assert_array_equal(rig.morphs, [[[0, 0, 0], [0, 0, 0], [0, 0.5, 0]]])
    assert rig.morph_names == ("jawOpen",)
    assert rig.mapping[0, ARKIT.index("jawOpen")] == 1
    assert "head" in rig.roles


def test_one_name_on_two_meshes_is_one_morph() -> None:
    description, binary = triangle()
    description["meshes"].append(description["meshes"][0])
    description["nodes"].append({"name": "other", "mesh": 1})
    rig = rig_from_glb_bytes(glb(description, binary))
    assert rig.morph_names == ("jawOpen",)
    assert (rig.morphs[0, :, 1] == 0.5).sum() == 2


def test_a_joint_is_preferred_to_a_mesh_of_the_same_name() -> None:
    description, binary = triangle()
    description["nodes"] = [{"name": "head"}, {"name": "head", "children": [2]}, {"name": "x", "mesh": 0}]
    rig = rig_from_glb_bytes(glb(description, binary))
    assert rig.joints[rig.roles["head"]].parent == -1
    assert rig.roles["head"] == rig.joints[-1].parent


def test_normalised_integers_and_strides_are_read() -> None:
    description, binary = triangle()
    start = len(binary)
    binary += np.int16([32767, 0, 0, 9, 0, -32767, 0, 9, 0, 0, 16384, 9]).tobytes()
    description["buffers"][0]["byteLength"] = len(binary)
    description["bufferViews"].append({"buffer": 0, "byteOffset": start, "byteLength": 24, "byteStride": 8})
    description["accessors"][0] = {
        "bufferView": 4, "componentType": 5122, "count": 3, "type": "VEC3", "normalized": True,
    }  # fmt: skip
    rig = rig_from_glb_bytes(glb(description, binary))
    np.testing.assert_allclose(rig.positions - [2, 0, 0], [[1, 0, 0], [0, -1, 0], [0, 0, 0.5]], atol=1e-4)


def broken(change: Callable[[dict[str, Any]], None]) -> bytes:
    description, binary = triangle()
    change(description)
    return glb(description, binary)


BROKEN: dict[str, Callable[[dict[str, Any]], None]] = {
    "no asset": lambda d: d.pop("asset"),
    "another version": lambda d: d["asset"].update(version="1.0"),
    "too many elements": lambda d: d["accessors"][0].update(count=4),
    "absurd count": lambda d: d["accessors"][2].update(count=10**12),
    "negative count": lambda d: d["accessors"][0].update(count=-1),
    "text for a count": lambda d: d["accessors"][0].update(count="three"),
    "unknown component type": lambda d: d["accessors"][0].update(componentType=1234),
    "wrong width": lambda d: d["accessors"][0].update(type="VEC2"),
    "view beyond the buffer": lambda d: d["bufferViews"][0].update(byteOffset=10_000),
    "view longer than the buffer": lambda d: d["bufferViews"][3].update(byteLength=10_000),
    "buffer longer than the file": lambda d: d["buffers"][0].update(byteLength=10_000),
    "index of no vertex": lambda d: d["accessors"][1].update(bufferView=0, byteOffset=12),
    "sparse index beyond": lambda d: d["accessors"][2].update(count=1),
    "missing accessor": lambda d: d["meshes"][0]["primitives"][0]["attributes"].update(POSITION=17),
    "no positions": lambda d: d["meshes"][0]["primitives"][0]["attributes"].clear(),
    "list for an object": lambda d: d.update(meshes=[[]]),
    "object for a list": lambda d: d.update(nodes={}),
    "missing mesh": lambda d: d["nodes"][0].update(mesh=9),
    "node in a ring": lambda d: d["nodes"][0].update(children=[0]),
    "missing child": lambda d: d["nodes"][0].update(children=[5]),
    "not a number": lambda d: d["nodes"][0].update(translation=[0, float("nan"), 0]),
    "short matrix": lambda d: d["nodes"][0].update(matrix=[1, 2, 3]),
    "missing skin": lambda d: d["nodes"][0].update(skin=3),
    "unknown extension": lambda d: d.update(extensionsRequired=["KHR_texture_basisu"]),
    "a file elsewhere": lambda d: d["buffers"].__setitem__(0, {"byteLength": 60, "uri": "../../etc/passwd"}),
    "no meshes": lambda d: (d.pop("meshes"), d["nodes"][0].pop("mesh")),
}  # fmt: skip


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_files_are_refused_in_one_line(fault: str) -> None:
    with pytest.raises(RigError) as caught:
        rig_from_glb_bytes(broken(BROKEN[fault]), "broken.glb")
    assert "\n" not in str(caught.value)
    assert "broken.glb" in str(caught.value)


@pytest.mark.parametrize("length", [0, 3, 11, 19, 20, 200, 5000, 400_000])
def test_a_cut_off_file_is_refused(length: int) -> None:
    with pytest.raises(RigError):
        rig_from_glb_bytes(HUMAN.read_bytes()[:length])


@pytest.mark.parametrize("at", range(20))
def test_a_damaged_header_is_refused(at: int) -> None:
    data = bytearray(HUMAN.read_bytes())
    data[at] ^= 0x81
    with pytest.raises(RigError):
        rig_from_glb_bytes(bytes(data))


def test_damage_anywhere_never_ends_in_another_error() -> None:
    description, binary = triangle()
    sound = glb(description, binary)
    dice = np.random.default_rng(0)
    for _ in range(400):
        data = bytearray(sound)
        for at in dice.integers(12, len(data), 3):
            data[at] = dice.integers(0, 256)
        with suppress(RigError):
            Deformer(rig_from_glb_bytes(bytes(data))).deform(Motion(0.0, 0))


def test_damaged_pictures_are_refused() -> None:
    data = bytearray(HUMAN.read_bytes())
    while (at := data.find(b"\xff\xd8\xff")) >= 0:  # the mark that begins a JPEG
        data[at : at + 3] = b"\0\0\0"
    with pytest.raises(RigError, match="PNG, JPEG or WebP"):
        rig_from_glb_bytes(bytes(data))


@pytest.mark.parametrize("name", ["facecap", "brunette-t", "phiz_face_1220v"])
def test_avatars_of_others_are_read(shared: Callable[[str], Path], name: str) -> None:
    rig = load_gltf(shared(f"avatars/glb/{name}.glb"))
    assert rig.mapping.any(0).sum() >= 51
    deformer = Deformer(rig)
    size = np.ptp(rig.positions, axis=0).max()
    np.testing.assert_allclose(deformer.deform(Motion(0.0, 0)).positions, rig.positions, atol=1e-5 * size)


without_draco = pytest.mark.skipif(
    importlib.util.find_spec("DracoPy") is not None, reason="DracoPy is here: what is packed in it can be read"
)


@pytest.mark.parametrize(
    "name",
    [
        "assimp_BoxWithInfinites.glb",
        "assimp_MissingBin/BoxTextured.gltf",
        "assimp_SchemaFailures/sceneWrongType.gltf",
        pytest.param("saturday06_broken_draco.vrm", marks=without_draco),
        "saturday06_broken_extensions_required.vrm",
        "usdvrm_malformed_glb_json.vrm",
        "usdvrm_nonfinite_transform.vrm",
    ],
)
def test_malformed_files_of_others_are_refused(shared: Callable[[str], Path], name: str) -> None:
    with pytest.raises(RigError):
        load_gltf(shared(f"avatars/malformed/{name}"))
