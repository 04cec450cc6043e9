"""What glTF 2.0 allows is read as it is meant: laws that hold whatever way a file stores its numbers."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from animator.errors import RigError
from animator.rig import Rig
from animator.rigging.deform import Deformer
from animator.rigging.gltf import load_gltf, rig_from_glb_bytes

from .building import CORNERS, QUAD, Builder, up
from .conftest import motion


def rig_of(builder: Builder) -> Rig:
    return rig_from_glb_bytes(builder.glb(), "made.glb")


def one_mesh(**primitive: Any) -> Builder:
    builder = Builder()
    builder.node(mesh=builder.mesh(**primitive))
    return builder


@pytest.mark.parametrize("with_base", [False, True])
def test_sparse_is_dense(with_base: bool) -> None:
    moves = up(0.5, (1, 3))
    dense, sparse = Builder(), Builder()
    dense.node(mesh=dense.mesh(targets={"jawOpen": moves}))
    mesh = sparse.mesh(targets={"jawOpen": moves})
    base = np.full_like(moves, 0.25) if with_base else None
    sparse.json["meshes"][mesh]["primitives"][0]["targets"] = [{"POSITION": sparse.sparse(moves, base)}]
    sparse.node(mesh=mesh)
    np.testing.assert_array_equal(rig_of(dense).morphs, rig_of(sparse).morphs)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16])
def test_quantised_positions_are_within_a_quantum(dtype: type) -> None:
    dice = np.random.default_rng(0)
    wanted = dice.uniform(0, 1, (4, 3)).astype(np.float32)
    most = np.iinfo(dtype).max
    stored = np.round(wanted * most).astype(dtype)
    padded = np.zeros((4, 4), dtype)
    padded[:, :3] = stored
    builder = Builder()
    view = builder.view(padded.tobytes(), byteStride=4 * stored.itemsize)
    mesh = builder.mesh()
    entry = builder.json["meshes"][mesh]["primitives"][0]
    entry["attributes"]["POSITION"] = builder.described(stored, bufferView=view, normalized=True)
    builder.json["extensionsRequired"] = ["KHR_mesh_quantization"]
    builder.node(mesh=mesh, scale=[2, 2, 2])
    np.testing.assert_allclose(rig_of(builder).positions, 2 * wanted, atol=2 * 0.51 / most)


def test_strips_and_fans_are_triangles() -> None:
    strip, fan = one_mesh(mode=5), one_mesh(mode=6)
    strip.json["meshes"][0]["primitives"][0]["indices"] = strip.accessor(np.array([0, 1, 3, 2], np.uint16))
    fan.json["meshes"][0]["primitives"][0]["indices"] = fan.accessor(np.array([0, 1, 2, 3], np.uint16))
    for builder in (strip, fan):
        rig = rig_of(builder)
        a, b, c = (rig.positions[rig.parts[0].triangles[:, k]] for k in range(3))
        faces = np.cross(b - a, c - a)
        np.testing.assert_allclose(faces[:, 2].sum(), 8, atol=1e-6)  # twice the area, all of it facing +z
        assert (faces[:, 2] > 0).all()


def test_points_and_lines_are_left_out_with_a_note() -> None:
    builder = one_mesh()
    builder.node(mesh=builder.mesh(mode=0))
    rig = rig_of(builder)
    assert len(rig.parts) == 1
    assert any("points or lines" in note for note in rig.notes)
    with pytest.raises(RigError, match="mesh of triangles"):
        rig_of(one_mesh(mode=1))


def test_one_weight_reaches_all_meshes() -> None:
    builder = Builder()
    for name in ("face", "teeth", "lashes"):
        builder.node(name=name, mesh=builder.mesh(targets={"jawOpen": up(0.5)}))
    deformer = Deformer(rig_of(builder))
    moved = deformer.deform(motion(jawOpen=1.0)).positions - deformer.rig.positions
    assert (moved[:, 1] > 0.4).sum() == 6


def test_left_stays_left() -> None:
    builder = one_mesh(targets={"eyeBlink_L": up(0.5, (1, 2)), "eyeBlink_R": up(0.5, (0, 3))})
    deformer = Deformer(rig_of(builder))
    moved = deformer.deform(motion(eyeBlinkLeft=1.0)).positions[:, 1] - deformer.rig.positions[:, 1]
    assert (moved[deformer.rig.positions[:, 0] > 0] > 0.4).all()
    assert (np.abs(moved[deformer.rig.positions[:, 0] < 0]) < 1e-6).all()


def test_a_skin_ignores_its_node_and_takes_eight_joints() -> None:
    builder = Builder()
    joints = [builder.node(name=f"bone{k}", translation=[k, 0, 0]) for k in range(6)]
    first = np.tile(np.uint8([0, 1, 2, 3]), (4, 1))
    second = np.tile(np.uint8([4, 5, 0, 0]), (4, 1))
    shares = np.tile(np.float32([0.1, 0.1, 0.1, 0.1]), (4, 1)), np.tile(np.float32([0.3, 0.3, 0, 0]), (4, 1))
    attributes = {"JOINTS_0": builder.accessor(first), "WEIGHTS_0": builder.accessor(shares[0]),
                  "JOINTS_1": builder.accessor(second), "WEIGHTS_1": builder.accessor(shares[1])}  # fmt: skip
    builder.json["skins"] = [{"joints": joints}]
    builder.node(mesh=builder.mesh(attributes=attributes), skin=0, translation=[100, 0, 0])
    rig = rig_of(builder)
    np.testing.assert_allclose(rig.skin_weights.sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(rig.positions[0, 0], -1 + (0.3 * 4 + 0.3 * 5 + 0.1 * (0 + 1)) / 0.8, atol=1e-5)


def test_only_the_wanted_scene_is_shown() -> None:
    builder = one_mesh()
    hidden = builder.node(name="hidden", mesh=builder.mesh())
    builder.json["scenes"] = [{"nodes": [0, hidden]}, {"nodes": [0]}]
    builder.json["scene"] = 1
    assert len(rig_of(builder).parts) == 1


def test_a_shared_vertex_buffer_is_not_held_twice() -> None:
    builder = one_mesh()
    mesh = builder.json["meshes"][0]
    other = dict(mesh["primitives"][0], indices=builder.accessor(np.array([0, 2, 3], np.uint16)))
    mesh["primitives"][0]["indices"] = builder.accessor(np.array([0, 1, 2], np.uint16))
    mesh["primitives"].append(other)
    rig = rig_of(builder)
    assert [part.vertex_count for part in rig.parts] == [3, 3]


def test_default_weights_shape_what_no_channel_drives() -> None:
    builder = one_mesh(targets={"fat": up(1.0)})
    builder.json["meshes"][0]["weights"] = [0.5]
    np.testing.assert_allclose(rig_of(builder).positions[2, 1], 1.5)
    driven = one_mesh(targets={"jawOpen": up(1.0)})
    driven.json["meshes"][0]["weights"] = [0.5]
    np.testing.assert_allclose(rig_of(driven).positions[2, 1], 1.0)


def test_triangles_that_wind_against_all_normals_are_turned_over() -> None:
    builder = Builder()
    normals = builder.accessor(np.tile(np.float32([0, 0, 1]), (4, 1)))
    indices = builder.accessor(CORNERS[::-1].copy())
    builder.node(mesh=builder.mesh(attributes={"NORMAL": normals}, indices=indices))
    rig = rig_of(builder)
    a, b, c = (rig.positions[rig.parts[0].triangles[:, k]] for k in range(3))
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()


def test_hard_edges_are_kept_and_soft_ones_smoothed() -> None:
    hard = Builder()
    sides = [np.roll(QUAD * [1, 1, 0] + [0, 0, 1], k, axis=1) for k in range(3)]
    points = np.concatenate(sides).astype(np.float32)
    own = np.repeat(np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]], np.float32), 4, axis=0)
    corners = np.concatenate([CORNERS + 4 * k for k in range(3)]).astype(np.uint16)
    normals = hard.accessor(own)
    hard.node(mesh=hard.mesh(points, attributes={"NORMAL": normals}, indices=hard.accessor(corners)))
    np.testing.assert_allclose(Deformer(rig_of(hard)).deform(motion()).normals, own, atol=1e-5)


def picture(rgba: tuple[int, int, int, int], suffix: str = ".png", side: int = 8) -> bytes:
    made = np.empty((side, side, 4), np.uint8)
    made[:] = (rgba[2], rgba[1], rgba[0], rgba[3])
    return cv2.imencode(suffix, made)[1].tobytes()


def textured(data: bytes, texture: dict[str, Any] | None = None, **info: Any) -> Builder:
    builder = Builder()
    uvs = builder.accessor(np.array([[0, 1], [1, 1], [1, 0], [0, 0]], np.float32))
    second = builder.accessor(np.full((4, 2), 0.5, np.float32))
    builder.json["images"] = [{"bufferView": builder.view(data)}]
    builder.json["textures"] = [{"source": 0} if texture is None else texture]
    builder.json["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0, **info}}}]
    builder.node(mesh=builder.mesh(attributes={"TEXCOORD_0": uvs, "TEXCOORD_1": second}, material=0))
    return builder


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_pictures_are_decoded(suffix: str) -> None:
    builder = textured(picture((200, 100, 50, 255), suffix))
    colour = rig_of(builder).parts[0].material.texture_rgba[4, 4].astype(int)
    np.testing.assert_allclose(colour, (200, 100, 50, 255), atol=12)


def test_webp_comes_before_its_fallback_and_basis_is_refused_by_name() -> None:
    builder = textured(picture((0, 255, 0, 255)), {"source": 0, "extensions": {"EXT_texture_webp": {"source": 1}}})
    builder.json["images"].append({"bufferView": builder.view(picture((255, 0, 0, 255), ".webp"))})
    assert rig_of(builder).parts[0].material.texture_rgba[4, 4, 0] > 200
    with pytest.raises(RigError, match="KHR_texture_basisu"):
        rig_of(textured(b"", {"extensions": {"KHR_texture_basisu": {"source": 0}}}))


def test_the_second_uvs_and_a_texture_transform() -> None:
    data = picture((1, 2, 3, 255))
    assert (rig_of(textured(data, texCoord=1)).uvs == 0.5).all()
    moved = {"offset": [0.25, 0.5], "rotation": np.pi / 2, "scale": [2, 1]}
    uvs = rig_of(textured(data, extensions={"KHR_texture_transform": moved})).uvs
    np.testing.assert_allclose(uvs[1], [1.25, -1.5], atol=1e-6)  # (1, 1) -> (2, 1) -> (1, -2) -> moved


def test_large_pictures_are_shrunk() -> None:
    rig = rig_of(textured(picture((9, 9, 9, 255), side=2500)))
    assert rig.parts[0].material.texture_rgba.shape == (2048, 2048, 4)


def test_a_picture_that_claims_to_be_huge_is_refused_before_it_is_unpacked() -> None:
    data = bytearray(picture((1, 2, 3, 255)))
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    with pytest.raises(RigError, match="megapixels"):
        rig_of(textured(bytes(data)))


def test_vertex_colours_become_srgb() -> None:
    builder = Builder()
    colours = builder.accessor(np.tile(np.uint8([255, 55, 0, 255]), (4, 1)), normalized=True)
    builder.node(mesh=builder.mesh(attributes={"COLOR_0": colours}))
    np.testing.assert_allclose(rig_of(builder).vertex_rgb[0], [1, 0.502, 0], atol=0.01)


@pytest.mark.parametrize(
    ("key", "names", "refused"),
    [("extensionsRequired", ["ACME_hologram"], True), ("extensionsUsed", ["ACME_hologram"], False)],
)
def test_unknown_extensions(key: str, names: list[str], refused: bool) -> None:
    builder = one_mesh()
    builder.json[key] = names
    if refused:
        with pytest.raises(RigError, match="ACME_hologram"):
            rig_of(builder)
    else:
        assert any("ACME_hologram" in note for note in rig_of(builder).notes)


@pytest.mark.parametrize("way", ["embedded", "external"])
def test_buffers_of_a_gltf(tmp_path: Path, way: str) -> None:
    builder = one_mesh(targets={"jawOpen": up()})
    data = bytes(builder.binary)
    (tmp_path / "data one.bin").write_bytes(data)
    uri = "data%20one.bin" if way == "external" else "data:;base64," + base64.b64encode(data).decode()
    path = tmp_path / "thing.gltf"
    path.write_text(json.dumps(builder.json | {"buffers": [{"byteLength": len(data), "uri": uri}]}), "utf-8")
    np.testing.assert_array_equal(load_gltf(path).positions, rig_of(builder).positions)


@pytest.mark.parametrize(
    "uri", ["../secret.bin", "/etc/passwd", "http://127.0.0.1/x.bin", "file:///etc/passwd", "..%2Fsecret.bin", "a\0b",
            "link.bin", "ring.bin", "."],
)  # fmt: skip
def test_an_avatar_reads_nothing_outside_its_folder(tmp_path: Path, uri: str) -> None:
    (tmp_path / "secret.bin").write_bytes(bytes(4096))
    folder = tmp_path / "avatar"
    folder.mkdir()
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    (folder / "ring.bin").symlink_to(folder / "ring.bin")
    builder = one_mesh()
    (folder / "a.gltf").write_text(json.dumps(builder.json | {"buffers": [{"byteLength": 48, "uri": uri}]}), "utf-8")
    with pytest.raises(RigError, match="not a file beside it"):
        load_gltf(folder / "a.gltf")


def test_deep_and_ringed_files_are_refused() -> None:
    with pytest.raises(RigError):
        rig_from_glb_bytes(b"[" * 200_000, "deep.gltf")
    builder = one_mesh()
    builder.json["nodes"] += [{"children": [2]}, {"children": [1]}]
    with pytest.raises(RigError, match=r"ring|parent"):
        rig_of(builder)


def test_a_long_chain_of_nodes_is_no_recursion() -> None:
    builder = one_mesh()
    for k in range(5000):
        builder.json["nodes"][k]["children"] = [builder.node()]
    assert len(rig_of(builder).joints) > 5000
