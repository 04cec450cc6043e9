"""Light for each pixel: what mirrors shows the sky, what is matt looks as where vertices are lit, maps turn and dim."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from animator.channels import ARKIT
from animator.data import Array
from animator.rendering import scene
from animator.rendering.framing import Framing, camera_distance_cm
from animator.rendering.lights import PORTRAIT, VertexLight
from animator.rendering.pixel_light import needs_pixels
from animator.rendering.sky import sky_rgb
from animator.rig import Joint, Maps, Material, Overlay, Part, Rig, Toon
from animator.rigging.library import known_rigs, load_rig

from .test_looks import avatar, colour_1, middles
from .test_materials import BLUE, SIZE_PX, UVS, drawn, half_clear, sheets

RADIUS_CM = 13.0
FLAT = (128, 128, 255)
WHITE = Material("white")


def plain(rgb: tuple[int, int, int], **more: object) -> Overlay:
    """One colour everywhere."""
    return Overlay(np.full((8, 8, 3), rgb, np.uint8), **more)


def halves(left: tuple[int, int, int], right: tuple[int, int, int], **more: object) -> Overlay:
    """One colour on the picture's left, another on its right."""
    picture = np.empty((8, 8, 3), np.uint8)
    picture[:, :4], picture[:, 4:] = left, right
    return Overlay(picture, **more)


def ball(material: Material, steps: int = 60) -> Rig:
    """A fine sphere in the middle of the picture; u runs to the right in front, v down."""
    theta, phi = np.meshgrid(np.linspace(0, np.pi, steps), np.linspace(-np.pi, np.pi, 2 * steps), indexing="ij")
    away = np.stack([np.sin(theta) * np.sin(phi), np.cos(theta), np.sin(theta) * np.cos(phi)], -1).reshape(-1, 3)
    centre = np.array(Framing().centre_cm)
    uvs = np.stack([phi / (2 * np.pi) + 0.5, theta / np.pi], -1).reshape(-1, 2)
    corner = (np.arange(steps - 1)[:, None] * 2 * steps + np.arange(2 * steps - 1)).ravel()
    below = corner + 2 * steps
    triangles = np.concatenate([np.stack([corner, below, below + 1], 1), np.stack([corner, below + 1, corner + 1], 1)])
    count = len(away)
    return Rig(
        name="ball", positions=(RADIUS_CM * away + centre).astype(np.float32), uvs=uvs.astype(np.float32),
        parts=(Part("ball", 0, count, triangles.astype(np.int32), material),), morph_names=(),
        morphs=np.zeros((0, count, 3), np.float32), mapping=np.zeros((0, len(ARKIT)), np.float32),
        joints=(Joint("head", -1, np.eye(4)),), roles={"head": 0}, skin_joints=np.zeros((count, 4), np.int32),
        skin_weights=np.tile(np.float32([1, 0, 0, 0]), (count, 1)), rig_from_face=np.eye(4),
    )  # fmt: skip


def rays() -> tuple[Array, Array, Array]:
    """For each pixel whether it is well inside the sphere (H, W), its normal, and where a mirror looks from it."""
    width, height = SIZE_PX
    framing = Framing()
    distance = camera_distance_cm(framing, 1, width / height)
    half = np.tan(np.radians(framing.fov_deg) / 2)
    x, y = np.meshgrid((np.arange(width) + 0.5) / width * 2 - 1, 1 - (np.arange(height) + 0.5) / height * 2)
    sight = np.stack([x * half * width / height, y * half, -np.ones_like(x)], -1)
    sight /= np.linalg.norm(sight, axis=-1, keepdims=True)
    nearest = -distance * sight[..., 2]
    inside = RADIUS_CM**2 - (distance**2 - nearest**2)
    normal = (np.array([0, 0, distance]) + sight * (nearest - np.sqrt(np.maximum(inside, 0)))[..., None]) / RADIUS_CM
    mirrored = sight - 2 * (sight * normal).sum(-1, keepdims=True) * normal
    return (inside > 0) & (normal[..., 2] > 0.35), normal, mirrored


def away_from_lamps(mirrored: Array) -> Array:
    """(H, W) bool: pixels in which a mirror shows no lamp."""
    lamps = np.array([place for place, _, _ in PORTRAIT], float)
    lamps /= np.linalg.norm(lamps, axis=1, keepdims=True)
    return (mirrored @ lamps.T).max(-1) < 0.3


@pytest.fixture(params=["software", "card"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to light; a card's without the contact shadows, which darken what is next to something."""
    if request.param == "card":
        monkeypatch.setattr(scene, "is_software", lambda _window: False)
        monkeypatch.setattr(scene, "add_contact_shadows", lambda _renderer: None)
    return request.param


def test_a_mirror_shows_the_sky(way: str) -> None:
    inside, _, mirrored = rays()
    seen = inside & away_from_lamps(mirrored)
    assert seen.sum() > 200
    made = drawn(ball(Material("m", metallic=1.0, roughness=0.0)))[seen]
    wanted = 255 * np.sqrt(sky_rgb(mirrored[seen]))
    assert np.abs(made - wanted).mean() < 4
    assert np.quantile(np.abs(made - wanted), 0.95) < 12


def test_gold_mirrors_a_golden_sky_and_a_rough_one_blurs_it(way: str) -> None:
    inside, _, mirrored = rays()
    seen = inside & away_from_lamps(mirrored)
    gold = (1.0, 0.76, 0.33, 1.0)
    sharp, blurred, chalk = (
        drawn(ball(Material("m", gold, metallic=1.0, roughness=rough)))[seen] for rough in (0.0, 0.6, 1.0)
    )
    assert (sharp[:, 0] >= sharp[:, 2]).mean() > 0.95
    assert (sharp.std(0) > 1.3 * blurred.std(0)).all()
    matt = drawn(ball(Material("m", gold)))[seen]
    assert np.abs(chalk - matt).mean() < 4  # metal that is wholly rough is no darker than paint


def test_lamps_are_seen_in_what_is_smooth(way: str) -> None:
    inside, normal, _ = rays()
    made = drawn(ball(Material("m", (0.2, 0.05, 0.05, 1.0), roughness=0.02)))
    bright = inside & (made.min(-1) > 200)
    assert bright.any()
    assert normal[bright][:, 0].max() > 0.2  # the key stands on the right and above
    assert normal[bright & (normal[..., 0] > 0)][:, 1].min() > 0.1
    dull = drawn(ball(Material("m", (0.2, 0.05, 0.05, 1.0), roughness=1.0)))
    assert dull[inside].max() < 80


@pytest.mark.parametrize("metallic", [0.0, 1.0])
def test_a_flat_normal_map_changes_nothing(way: str, metallic: float) -> None:
    inside, _, _ = rays()
    material = Material("m", (0.8, 0.5, 0.4, 1.0), metallic=metallic, roughness=0.9 + 0.1 * (1 - metallic))
    without = drawn(ball(material))[inside]
    flat = drawn(ball(replace(material, maps=Maps(normal=plain(FLAT)))))[inside]
    assert np.abs(without - flat).max() <= 3


@pytest.mark.parametrize("scale", [0.0, 1.0, 1.5])
@pytest.mark.parametrize("rgb", [(190, 128, 235), (66, 128, 235), (128, 190, 235), (128, 66, 235), (30, 200, 190)])
def test_a_bent_surface_is_lit_as_one_that_faces_that_way(way: str, rgb: tuple[int, int, int], scale: float) -> None:
    grey = Material("m", (0.5, 0.5, 0.5, 1.0), roughness=1.0)
    away = (np.array(rgb) * 2 / 255 - 1) * [scale, scale, 1]
    away = np.tile(np.float32(away / np.linalg.norm(away)), (4, 1))
    wanted = VertexLight(sheets(grey)).shine_on(away, np.eye(3))[0, :3].astype(int)
    made = drawn(sheets(replace(grey, maps=Maps(normal=plain(rgb), normal_scale=scale))))[32, 32]
    np.testing.assert_allclose(made, wanted, atol=2)


def test_left_stays_left_under_a_mirrored_uv(way: str) -> None:
    grey = Material("m", (0.5, 0.5, 0.5, 1.0))
    rightwards = replace(grey, maps=Maps(normal=plain((200, 128, 230))))
    mirrored = UVS * [-1, 1] + [1, 0]
    straight, turned = (drawn(sheets(rightwards, uvs=uvs.astype(np.float32)))[32, 32, 0] for uvs in (UVS, mirrored))
    assert straight > turned + 15  # the key stands on the right
    leftwards = replace(grey, maps=Maps(normal=plain((56, 128, 230))))
    assert abs(drawn(sheets(leftwards, uvs=mirrored.astype(np.float32)))[32, 32, 0] - straight) <= 2


def test_a_turned_map_turns_its_bends(way: str) -> None:
    """A picture laid on its side: what bends along its own u, which now runs down, bends down."""
    grey = Material("m", (0.5, 0.5, 0.5, 1.0), roughness=1.0)
    on_its_side = (0.0, 1.0, 0.0, -1.0, 0.0, 1.0)  # u = v, v = 1 - u
    turned, down, up = (
        drawn(sheets(replace(grey, maps=Maps(normal=overlay))))[32, 32, 0]
        for overlay in (plain((200, 128, 230), place=on_its_side), plain((128, 56, 230)), plain((128, 200, 230)))
    )
    assert turned == pytest.approx(down, abs=2)
    assert turned < up - 20


def test_maps_of_metal_and_roughness_say_where(way: str) -> None:
    chrome = Material("m", metallic=1.0, roughness=1.0, maps=Maps(surface=halves((0, 0, 255), (0, 255, 255))))
    made = drawn(sheets(chrome))
    mirror = 255 * np.sqrt(sky_rgb(np.array([[0, 0, 1.0]])))[0]
    np.testing.assert_allclose(made[32, 24], mirror, atol=25)
    paint = drawn(sheets(Material("m", maps=Maps(surface=plain((0, 255, 0))))))
    np.testing.assert_allclose(made[32, 40], paint[32, 40], atol=4)  # all rough: as paint, wherever metal is


def test_occlusion_dims_the_sky_alone(way: str) -> None:
    def middle(strength: float, red: int) -> float:
        maps = Maps(occlusion=plain((red, 0, 0)), occlusion_strength=strength)
        return drawn(sheets(replace(WHITE, maps=maps)))[32, 32].mean()

    open_sky, hidden = middle(1.0, 255), middle(1.0, 0)
    assert open_sky - 60 < hidden < open_sky - 3
    assert middle(0.0, 0) == pytest.approx(open_sky, abs=1)
    assert hidden < middle(0.5, 0) < open_sky


def test_a_map_of_glow_says_where_it_shines(way: str) -> None:
    glow = Maps(glow=halves((0, 0, 0), (255, 255, 255)))
    made = drawn(sheets(Material("m", (0.0, 0.0, 0.0, 1.0), emissive_rgb=(0.0, 0.8, 0.0), maps=glow)))
    assert made[32, 20].max() < 40
    assert made[32, 44, 1] > 190


def test_expressions_make_glow_on_both_ways(way: str) -> None:
    rig = avatar(1, colour_1("emissionColor", 0, 1, 0, 1))
    lit = replace(rig, parts=tuple(replace(part, material=replace(part.material, unlit=False,
                                                                  base_color_rgba=(0.2, 0.0, 0.0, 1.0)))
                                   for part in rig.parts))  # fmt: skip
    rest, whole, again = middles(lit, 0.0, 1.0, 0.0)
    assert rest[1] < 60
    assert whole[1] > 230
    np.testing.assert_allclose(again, rest, atol=2)


def test_maps_may_lie_on_other_coordinates_than_the_colour(way: str) -> None:
    said = Maps(glow=halves((0, 0, 0), (255, 255, 255), uv_set=1))
    dark = Material("m", (0.0, 0.0, 0.0, 1.0), emissive_rgb=(0.0, 0.8, 0.0), maps=said)
    upright = UVS[:, ::-1].copy()  # u runs down the picture
    made = drawn(sheets(dark, map_uvs=upright.astype(np.float32)))
    assert made[20, 32, 1] < 40
    assert made[44, 32, 1] > 190


@pytest.mark.parametrize(("mode", "left", "right"), [("mask", 0, 255), ("blend", 0, 128), ("opaque", 255, 255)])
def test_cut_outs_and_soft_edges_stay_with_maps(way: str, mode: str, left: int, right: int) -> None:
    clear = half_clear(100 if mode == "mask" else 0, 160 if mode == "mask" else 128)
    material = Material("m", texture_rgba=clear, alpha_mode=mode, maps=Maps(normal=plain(FLAT)))
    made = drawn(sheets(material))
    solid = drawn(sheets(Material("m", (1.0, 0.0, 0.0, 1.0), maps=Maps(normal=plain(FLAT)))))[32, 32]
    for at, alpha in ((20, left), (44, right)):
        wanted = (alpha * solid + (255 - alpha) * 255 * np.array(BLUE.top_rgb)) / 255
        np.testing.assert_allclose(made[32, at], wanted, atol=8)


def test_without_texture_coordinates_a_normal_map_is_no_hole(way: str) -> None:
    bumpy = replace(WHITE, maps=Maps(normal=plain((200, 90, 220))))
    made = drawn(sheets(bumpy, uvs=np.zeros((4, 2), np.float32)))
    np.testing.assert_allclose(made[32, 32], drawn(sheets(WHITE))[32, 32], atol=6)


def test_only_what_looks_wrong_otherwise_is_lit_pixel_by_pixel_in_software() -> None:
    assert not needs_pixels(Material("m", roughness=0.5))
    assert not needs_pixels(Material("m", metallic=1.0, roughness=1.0))
    assert needs_pixels(Material("m", metallic=1.0, roughness=0.3))
    assert needs_pixels(Material("m", roughness=0.0))
    bumpy = Material("m", maps=Maps(normal=plain(FLAT)))
    assert needs_pixels(bumpy)
    assert not needs_pixels(replace(bumpy, unlit=True))
    assert not needs_pixels(replace(bumpy, toon=Toon((0, 0, 0))))
    glassy = {
        name: {part.name for part in load_rig(name).parts if needs_pixels(part.material)} for name in known_rigs()
    }
    assert glassy == {"human": set(), "mask": set(), "robot": {"glass", "leftEyeBall", "rightEyeBall"}}
