"""How parts of an avatar are drawn: cut-outs, soft edges, two tones, vertex colours, glow, both sides."""

from __future__ import annotations

import numpy as np
import pytest

from animator.channels import ARKIT
from animator.data import Array, Motion
from animator.rendering.backdrop import Background
from animator.rendering.lights import VertexLight, two_tones
from animator.rendering.materials import layers_of
from animator.rendering.renderer import Renderer
from animator.rendering.scene import Appearance
from animator.rig import Joint, Material, Part, Rig, Toon
from animator.rigging.deform import Deformer

SIZE_PX = (64, 64)
CORNERS = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], np.float32)
TRIANGLES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
UVS = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], np.float32)
BLUE = Background((0.0, 0.0, 1.0), (0.0, 0.0, 1.0))


def sheets(*materials: Material, depths: tuple[float, ...] = (), normal_z: float = 1.0, **more: object) -> Rig:
    """Squares of 40 cm before the camera, one for each material, at depths in cm."""
    count = len(materials)
    depths = depths or tuple(-float(k) for k in range(count))
    positions = np.concatenate([CORNERS * 20 + [0, 0, z] for z in depths]).astype(np.float32)
    parts = tuple(Part(f"sheet {k}", 4 * k, 4, TRIANGLES, m) for k, m in enumerate(materials))
    values: dict[str, object] = {
        "name": "sheets", "positions": positions, "uvs": np.tile(UVS, (count, 1)), "parts": parts, "morph_names": (),
        "morphs": np.zeros((0, 4 * count, 3), np.float32), "mapping": np.zeros((0, len(ARKIT)), np.float32),
        "joints": (Joint("head", -1, np.eye(4)),), "roles": {"head": 0},
        "skin_joints": np.zeros((4 * count, 4), np.int32),
        "skin_weights": np.tile(np.float32([1, 0, 0, 0]), (4 * count, 1)), "rig_from_face": np.eye(4),
    }  # fmt: skip
    return Rig(**{**values, **more})


def drawn(rig: Rig) -> Array:
    """(64, 64, 3) int."""
    renderer = Renderer(rig, SIZE_PX, BLUE, smooth_edges=False)
    try:
        motion = Motion(0.0, 0)
        return renderer.draw("avatar", None, [Appearance(0, Deformer(rig).deform(motion), motion.pose)]).astype(int)
    finally:
        renderer.close()


def half_clear(alpha_left: int, alpha_right: int) -> Array:
    """(8, 8, 4) a red picture, its left and its right half of other alpha."""
    picture = np.zeros((8, 8, 4), np.uint8)
    picture[..., 0] = 255
    picture[:, :4, 3], picture[:, 4:, 3] = alpha_left, alpha_right
    return picture


LEFT, RIGHT = (32, 20), (32, 44)


def test_an_opaque_material_ignores_alpha() -> None:
    made = drawn(sheets(Material("m", texture_rgba=half_clear(0, 255), unlit=True)))
    assert made[LEFT][0] > 240
    assert made[RIGHT][0] > 240


def test_a_cut_out_shows_all_or_nothing() -> None:
    made = drawn(sheets(Material("m", texture_rgba=half_clear(100, 160), alpha_mode="mask", unlit=True)))
    np.testing.assert_allclose(made[LEFT], (0, 0, 255), atol=2)
    np.testing.assert_allclose(made[RIGHT], (255, 0, 0), atol=2)


def test_a_blended_material_lets_the_background_through() -> None:
    made = drawn(sheets(Material("m", texture_rgba=half_clear(0, 128), alpha_mode="blend", unlit=True)))
    np.testing.assert_allclose(made[LEFT], (0, 0, 255), atol=2)
    np.testing.assert_allclose(made[RIGHT], (128, 0, 127), atol=6)


def test_what_is_solid_in_a_soft_picture_hides_what_is_behind_it() -> None:
    soft = Material("hair", texture_rgba=half_clear(255, 128), alpha_mode="blend", unlit=True)
    behind = Material("back", (0.0, 1.0, 0.0, 0.5), alpha_mode="blend", unlit=True)
    made = drawn(sheets(soft, behind, depths=(5.0, -5.0)))  # the nearer one comes first, against all order
    np.testing.assert_allclose(made[LEFT], (255, 0, 0), atol=3)


def test_blended_materials_are_drawn_in_their_order() -> None:
    def half(name: str, rgb: tuple[float, float, float], order: int) -> Material:
        return Material(name, (*rgb, 0.5), alpha_mode="blend", unlit=True, draw_order=order)

    red_last = drawn(sheets(half("r", (1, 0, 0), 1), half("g", (0, 1, 0), 0), depths=(0.0, 0.0)))
    green_last = drawn(sheets(half("r", (1, 0, 0), 0), half("g", (0, 1, 0), 1), depths=(0.0, 0.0)))
    assert red_last[32, 32, 0] > red_last[32, 32, 1]
    assert green_last[32, 32, 1] > green_last[32, 32, 0]


@pytest.mark.parametrize(("double_sided", "seen"), [(False, False), (True, True)])
def test_backs_are_seen_on_both_sided_materials_only(double_sided: bool, seen: bool) -> None:
    rig = sheets(Material("m", (1.0, 0.0, 0.0, 1.0), double_sided=double_sided, unlit=True))
    part = Part("back", 0, 4, np.ascontiguousarray(TRIANGLES[:, ::-1]), rig.parts[0].material)
    made = drawn(sheets(rig.parts[0].material, parts=(part,)))
    assert (made[32, 32, 0] > 200) == seen


@pytest.mark.parametrize("unlit", [True, False])
def test_vertex_colours_tint(unlit: bool) -> None:
    colours = np.tile(np.float32([0, 1, 0]), (4, 1))
    made = drawn(sheets(Material("m", unlit=unlit), vertex_rgb=colours))
    assert made[32, 32, 1] > 150
    assert made[32, 32, 0] < 40


def test_a_texture_that_does_not_repeat_goes_on_with_its_edge() -> None:
    uvs = UVS * 3 - 1
    repeating = drawn(sheets(Material("m", texture_rgba=half_clear(255, 255), unlit=True), uvs=uvs))
    picture = half_clear(255, 255)
    picture[:, 4:, :3] = (0, 255, 0)
    clamped = drawn(sheets(Material("m", texture_rgba=picture, repeats=False, unlit=True), uvs=uvs))
    assert repeating[32, 32, 0] > 200
    assert (clamped[32, 8:20, 0] > 200).all()
    assert (clamped[32, 44:56, 1] > 200).all()


def test_layers() -> None:
    assert [layer.see_through for layer in layers_of(Material("m"))] == [False]
    glass = Material("m", (1, 1, 1, 0.3), texture_rgba=half_clear(255, 255), alpha_mode="blend")
    assert [layer.see_through for layer in layers_of(glass)] == [True]
    hair = Material("m", texture_rgba=half_clear(255, 0), alpha_mode="blend")
    assert [layer.see_through for layer in layers_of(hair)] == [False, True]
    shadow = Material("m", texture_rgba=half_clear(40, 0), alpha_mode="blend")
    assert [layer.see_through for layer in layers_of(shadow)] == [True]


def test_two_tones_follow_mtoon() -> None:
    toon = Toon((0.5, 0.25, 0.0), toony=0.75, shift=0.0)
    lit = two_tones(toon, np.array([[1.0], [0.25], [0.0], [-0.25], [-1.0]]))
    np.testing.assert_allclose(lit[[0, 1]], 1)
    np.testing.assert_allclose(lit[2], [0.75, 0.625, 0.5])
    np.testing.assert_allclose(lit[[3, 4]], [[0.5, 0.25, 0.0]] * 2)
    assert two_tones(Toon((0, 0, 0), 0.75, 0.5), np.array([[-0.2]]))[0, 0] == 1  # a shift lights more


def test_a_toon_is_flat_on_either_side_of_its_edge() -> None:
    rig = sheets(Material("m", toon=Toon((0.4, 0.4, 0.4))))
    light = VertexLight(rig)
    towards = np.tile(np.float32([0, 0, 1]), (4, 1))
    assert (light.shine_on(towards, np.eye(3)) == 255).all()
    np.testing.assert_allclose(light.shine_on(-towards, np.eye(3)), np.tile([102, 102, 102, 255], (4, 1)), atol=1)


def test_glow_needs_no_light() -> None:
    dark = Material("m", (0.0, 0.0, 0.0, 1.0), emissive_rgb=(0.0, 0.5, 0.0))
    rgba = VertexLight(sheets(dark)).shine_on(np.tile(np.float32([0, 0, -1]), (4, 1)), np.eye(3))
    np.testing.assert_allclose(rgba, np.tile([0, 127, 0, 255], (4, 1)), atol=1)
