"""Normal maps, metal and roughness, occlusion and glow of glTF materials: what is read, and where it lies."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from animator.data import Array
from animator.errors import RigError
from animator.rendering.looks import moved_uvs
from animator.rig import Maps, Overlay, Rig
from animator.rigging.gltf import rig_from_glb_bytes

from .building import Builder

UVS = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], np.float32)
OTHERS = np.array([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.4, 0.6]], np.float32)
FIELDS = ("normal", "surface", "occlusion", "glow")


def picture(red: int, green: int, blue: int) -> bytes:
    return cv2.imencode(".png", np.full((4, 4, 3), (blue, green, red), np.uint8))[1].tobytes()


def builder_of(surface: dict[str, Any] | None = None, images: int = 4, **material: Any) -> Builder:
    """A square with pictures 0, 1, ... of red 10, 20, ... and two sets of texture coordinates."""
    builder = Builder()
    builder.json["images"] = [{"bufferView": builder.view(picture(10 * (k + 1), 128, 255))} for k in range(images)]
    builder.json["textures"] = [{"source": k} for k in range(images)]
    builder.json["materials"] = [{"pbrMetallicRoughness": surface or {}, **material}]
    attributes = {"TEXCOORD_0": builder.accessor(UVS), "TEXCOORD_1": builder.accessor(OTHERS),
                  "TEXCOORD_2": builder.accessor(OTHERS)}  # fmt: skip
    builder.node(mesh=builder.mesh(attributes=attributes, material=0))
    return builder


def rig_of(builder: Builder) -> Rig:
    return rig_from_glb_bytes(builder.glb(), "made.glb")


def maps_of(builder: Builder) -> Maps:
    maps = rig_of(builder).parts[0].material.maps
    assert maps is not None
    return maps


def moved(**how: Any) -> dict[str, Any]:
    return {"extensions": {"KHR_texture_transform": how}}


def read_at(rig: Rig, overlay: Overlay) -> Array:
    """(V, 2) the coordinates at which a map is read."""
    uvs = rig.uvs if overlay.uv_set == 0 else rig.map_uvs
    place = np.array(overlay.place).reshape(2, 3)
    return uvs @ place[:, :2].T + place[:, 2]


def test_each_picture_goes_where_it_belongs() -> None:
    maps = maps_of(builder_of(
        {"metallicRoughnessTexture": {"index": 1}}, normalTexture={"index": 0, "scale": 0.5},
        occlusionTexture={"index": 2, "strength": 0.25}, emissiveTexture={"index": 3}, emissiveFactor=[1, 1, 1],
    ))  # fmt: skip
    assert [getattr(maps, field).pixels[0, 0, 0] for field in FIELDS] == [10, 20, 30, 40]
    assert (maps.normal_scale, maps.occlusion_strength) == (0.5, 0.25)


def test_one_picture_of_occlusion_roughness_and_metal_is_one() -> None:
    maps = maps_of(builder_of({"metallicRoughnessTexture": {"index": 1}}, occlusionTexture={"index": 1}))
    assert maps.occlusion is maps.surface


@pytest.mark.parametrize("extension", ["KHR_materials_unlit", "VRMC_materials_mtoon"])
def test_without_maps_and_where_light_means_nothing_to_them_there_are_none(extension: str) -> None:
    assert rig_of(builder_of()).parts[0].material.maps is None
    flat = builder_of(extensions={extension: {}}, normalTexture={"index": 0})
    assert rig_of(flat).parts[0].material.maps is None


@pytest.mark.parametrize("base", [{}, moved(scale=[2, 0.5], offset=[0.3, -0.1]), moved(rotation=0.7, scale=[3, 2])])
@pytest.mark.parametrize("own", [{}, moved(scale=[0.5, 2], offset=[0.1, 0.2], rotation=-1.2)])
def test_maps_lie_where_the_file_says_whatever_the_colour_does(base: dict[str, Any], own: dict[str, Any]) -> None:
    rig = rig_of(builder_of({"baseColorTexture": {"index": 1, **base}}, normalTexture={"index": 0, **own}))
    alone = rig_of(builder_of({"baseColorTexture": {"index": 1, **own}}))
    overlay = rig.parts[0].material.maps.normal
    assert overlay.uv_set == 0
    np.testing.assert_allclose(read_at(rig, overlay), alone.uvs, atol=1e-5)


def test_other_coordinates_and_a_colour_without_a_way_back_take_a_second_set() -> None:
    rig = rig_of(builder_of({"baseColorTexture": {"index": 1}}, occlusionTexture={"index": 0, "texCoord": 1}))
    np.testing.assert_allclose(read_at(rig, rig.parts[0].material.maps.occlusion), OTHERS, atol=1e-6)
    flat = {"index": 1, **moved(scale=[0, 1])}
    rig = rig_of(builder_of({"baseColorTexture": flat}, normalTexture={"index": 0}))
    np.testing.assert_allclose(read_at(rig, rig.parts[0].material.maps.normal), UVS, atol=1e-6)


def test_a_third_set_is_left_out_and_told() -> None:
    rig = rig_of(builder_of(normalTexture={"index": 0, "texCoord": 1}, occlusionTexture={"index": 1, "texCoord": 2}))
    assert rig.parts[0].material.maps.occlusion is None
    assert any("occlusion" in note and "third" in note for note in rig.notes)


@pytest.mark.parametrize("fault", ["damaged", "basis", "nowhere", "far"])
def test_a_map_that_cannot_be_read_is_left_out_and_told(fault: str) -> None:
    builder = builder_of(normalTexture={"index": 0})
    if fault == "damaged":
        builder.json["images"][0]["bufferView"] = builder.view(b"no picture at all")
    elif fault == "basis":
        builder.json["textures"][0] = {"extensions": {"KHR_texture_basisu": {"source": 0}}}
    elif fault == "far":
        builder.json["materials"][0]["normalTexture"] |= moved(offset=[1e9, 0])
    else:
        builder.json["materials"][0]["normalTexture"]["index"] = 99
    rig = rig_of(builder)
    assert rig.parts[0].material.maps is None
    assert any("normal map" in note for note in rig.notes)


@pytest.mark.parametrize("texture", [{"index": 0, "scale": "much"}, {"index": 0, **moved(scale=[1])},
                                     {"index": 0, **moved(rotation=float("1e999"))}, [0]])  # fmt: skip
def test_a_senseless_map_is_one_line(texture: Any) -> None:
    with pytest.raises(RigError, match=r"made\.glb"):
        rig_of(builder_of(normalTexture=texture))


def test_glow_is_kept_where_a_picture_says_where_it_shines_and_else_not() -> None:
    whole = rig_of(builder_of(emissiveFactor=[0, 1, 0], emissiveTexture={"index": 0}))
    assert whole.parts[0].material.emissive_rgb == pytest.approx((0, 1, 0))
    builder = builder_of(emissiveFactor=[0, 1, 0], emissiveTexture={"index": 0})
    builder.json["images"][0]["bufferView"] = builder.view(b"no picture at all")
    assert rig_of(builder).parts[0].material.emissive_rgb == (0, 0, 0)


@pytest.mark.parametrize("angle", [0.0, 0.6, np.pi / 2])
def test_a_turned_texture_moves_as_if_it_were_read_so(angle: float) -> None:
    def rig(**how: Any) -> Rig:
        return rig_of(builder_of({"baseColorTexture": {"index": 0, **moved(rotation=angle, **how)}}))

    rest, wanted = rig(scale=[2, 0.5], offset=[0.1, 0.2]), rig(scale=[1, 3], offset=[-0.3, 0.4])
    material = rest.parts[0].material
    assert material.uv_rotation_rad == pytest.approx(angle)
    now = wanted.parts[0].material.uv_transform
    np.testing.assert_allclose(moved_uvs(rest.uvs, material.uv_transform, now, material.uv_rotation_rad), wanted.uvs,
                               atol=1e-5)  # fmt: skip
