"""Expressions of a VRM that change colours and textures, looked at: pictures of generated avatars."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from animator.data import Array
from animator.errors import RigError
from animator.rendering.backdrop import Background
from animator.rendering.looks import moved_uvs
from animator.rendering.renderer import Renderer
from animator.rendering.scene import Appearance
from animator.rig import Rig
from animator.rigging.deform import Deformer
from animator.rigging.gltf import rig_from_glb_bytes

from ..rigging.building import Builder, person
from ..rigging.conftest import motion

SIZE_PX = (64, 64)
HALVES = np.zeros((8, 16, 4), np.uint8)
HALVES[:, :8], HALVES[:, 8:] = (255, 0, 0, 255), (0, 0, 255, 255)
"""Red on the left, blue on the right."""
RED, BLUE, GREEN, WHITE = (255, 0, 0), (0, 0, 255), (0, 255, 0), (255, 255, 255)


def avatar(version: int, expression: dict[str, Any], *, textured: bool = False, **material: Any) -> Rig:
    """A flat unlit face, white or the left of `HALVES`, whose only expression is `aa`."""
    builder = Builder()
    bones = person(builder)
    u = 0.25 if textured else 0.5
    uv = np.float32([[0, 1], [2 * u, 1], [2 * u, 0], [0, 0]]) * [0.9, 1] + [0.02, 0]
    surface: dict[str, Any] = {}
    if textured:
        ok, data = cv2.imencode(".png", cv2.cvtColor(HALVES, cv2.COLOR_RGBA2BGRA))
        assert ok
        builder.json["images"] = [{"bufferView": builder.view(data.tobytes()), "mimeType": "image/png"}]
        builder.json["textures"] = [{"source": 0}]
        surface["baseColorTexture"] = {"index": 0}
    builder.json["materials"] = [
        {"name": "other"},
        {"name": "skin", "doubleSided": True, "extensions": {"KHR_materials_unlit": {}}, **material,
         "pbrMetallicRoughness": surface | material.get("pbrMetallicRoughness", {})},
    ]  # fmt: skip
    mesh = builder.mesh(attributes={"TEXCOORD_0": builder.accessor(uv.astype(np.float32))}, material=1)
    builder.node(mesh=mesh, translation=[0, 1.7, 0.05 if version else -0.05])
    humans: Any = {bone: {"node": node} for bone, node in bones.items()}
    if version == 1:
        said = {"specVersion": "1.0", "meta": {}, "humanoid": {"humanBones": humans},
                "expressions": {"preset": {"aa": expression}}}  # fmt: skip
        builder.json["extensions"] = {"VRMC_vrm": said}
    else:
        humans = [{"bone": bone, "node": node} for bone, node in bones.items()]
        groups = [{"presetName": "a", "name": "A", **expression}]
        builder.json["extensions"] = {"VRM": {"meta": {}, "humanoid": {"humanBones": humans},
                                              "blendShapeMaster": {"blendShapeGroups": groups}}}  # fmt: skip
    return rig_from_glb_bytes(builder.glb(), "made.vrm")


def middles(rig: Rig, *jaws: float) -> list[Array]:
    """The colour in the middle of the picture while the jaw is so far open, one after the other."""
    renderer = Renderer(rig, SIZE_PX, Background((0, 0, 0), (0, 0, 0)), smooth_edges=False)
    deformer = Deformer(rig)
    shown = []
    for jaw in jaws:
        acted = motion(jawOpen=jaw)
        picture = renderer.draw("avatar", None, [Appearance(0, deformer.deform(acted), acted.pose)])
        shown.append(picture[30:34, 30:34].reshape(-1, 3).astype(int).mean(0))
    renderer.close()
    return shown


def colour_1(kind: str, *rgba: float) -> dict[str, Any]:
    return {"materialColorBinds": [{"material": 1, "type": kind, "targetValue": list(rgba)}]}


def value_0(name: str, *values: float) -> dict[str, Any]:
    return {"binds": [], "materialValues": [{"materialName": "skin", "propertyName": name, "targetValue": [*values]}]}


@pytest.mark.parametrize(
    ("version", "expression"), [(1, colour_1("color", 0, 1, 0, 1)), (0, value_0("_Color", 0, 1, 0, 1))]
)
def test_a_colour_comes_and_goes(version: int, expression: dict[str, Any]) -> None:
    rest, half, whole, again = middles(avatar(version, expression), 0.0, 0.4, 1.0, 0.0)
    np.testing.assert_allclose(rest, WHITE, atol=2)
    np.testing.assert_allclose(whole, GREEN, atol=2)
    np.testing.assert_allclose(again, WHITE, atol=2)
    assert 100 < half[0] < 250
    assert half[0] == pytest.approx(half[2], abs=2)


@pytest.mark.parametrize(
    ("version", "expression"),
    [
        (1, {"textureTransformBinds": [{"material": 1, "scale": [1, 1], "offset": [0.5, 0]}]}),
        (0, value_0("_MainTex_ST", 1, 1, 0.5, 0)),
        (0, value_0("_MainTex_ST_S", 1, 7, 0.5, 9)),
    ],
)
def test_a_texture_moves_and_comes_back(version: int, expression: dict[str, Any]) -> None:
    rest, whole, again = middles(avatar(version, expression, textured=True), 0.0, 1.0, 0.0)
    np.testing.assert_allclose(rest, RED, atol=2)
    np.testing.assert_allclose(whole, BLUE, atol=2)
    np.testing.assert_allclose(again, RED, atol=2)


def test_what_was_not_there_appears() -> None:
    clear = {"alphaMode": "BLEND", "pbrMetallicRoughness": {"baseColorFactor": [1, 0, 0, 0]}}
    rest, whole = middles(avatar(1, colour_1("color", 1, 0, 0, 1), **clear), 0.0, 1.0)
    assert rest.max() < 3
    np.testing.assert_allclose(whole, RED, atol=2)


@pytest.mark.parametrize("kind", ["emissionColor", "shadeColor"])
def test_lit_surfaces_glow_and_change_their_shade(kind: str) -> None:
    toon = {"VRMC_materials_mtoon": {"specVersion": "1.0", "shadeColorFactor": [0, 0, 0],
                                     "shadingShiftFactor": -1.0}}  # fmt: skip
    lit = {"extensions": toon} if kind == "shadeColor" else {
        "extensions": {}, "pbrMetallicRoughness": {"baseColorFactor": [0, 0, 0, 1]}}  # fmt: skip
    rest, whole = middles(avatar(1, colour_1(kind, 0, 1, 0, 1), **lit), 0.0, 1.0)
    assert rest[1] < 30
    assert whole[1] > 220
    assert whole[0] < 30


def test_every_part_of_a_material_changes_and_no_other() -> None:
    rig = avatar(1, colour_1("color", 0, 1, 0, 1))
    assert [look.parts for look in rig.expressions.looks] == [(0,)]
    other = {"materialColorBinds": [{"material": 0, "type": "color", "targetValue": [0, 1, 0, 1]}]}
    rest, whole = middles(avatar(1, other), 0.0, 1.0)
    np.testing.assert_allclose(rest, whole)


def test_a_place_is_told_relative_to_the_materials_own() -> None:
    uvs = np.array([[0.5, 0.5], [1.0, 2.0]])
    held = uvs * [2, 3] + [0.1, 0.2]
    np.testing.assert_allclose(moved_uvs(held, (2, 3, 0.1, 0.2), (1, 1, 0, 0)), uvs, atol=1e-6)
    np.testing.assert_allclose(moved_uvs(held, (2, 3, 0.1, 0.2), (2, 3, 0.1, 0.2)), held, atol=1e-6)


@pytest.mark.parametrize(
    "expression",
    [
        colour_1("color", 0, 1),
        colour_1("color", float("nan"), 1, 0, 1),
        {"materialColorBinds": [{"material": 9, "type": "color", "targetValue": [0, 1, 0, 1]}]},
        {"textureTransformBinds": [{"material": 1, "scale": [1], "offset": [0.5, 0]}]},
        {"materialColorBinds": 201 * colour_1("color", 0, 1, 0, 1)["materialColorBinds"]},
    ],
)
def test_broken_binds_are_refused_in_one_line(expression: dict[str, Any]) -> None:
    with pytest.raises(RigError) as caught:
        avatar(1, expression)
    assert "\n" not in str(caught.value)


def test_a_rig_whose_expressions_rest_looks_as_it_was_made() -> None:
    rig = avatar(1, colour_1("color", 0, 1, 0, 1))
    (plain,) = middles(replace(rig, expressions=None), 1.0)
    (rest,) = middles(rig, 0.0)
    np.testing.assert_allclose(plain, rest)
