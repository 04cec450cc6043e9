"""Avatars over what is behind them, edges smoothed, and pictures that are see-through."""

from __future__ import annotations

import numpy as np
import pytest

from animator.data import Array, Motion
from animator.rendering import opengl, scene
from animator.rendering.backdrop import Background, background_from_text
from animator.rendering.compositing import Behind, Compositor, blurred, edge_pixels, straight_alpha
from animator.rendering.edges import smooth_edges
from animator.rendering.renderer import Renderer
from animator.rendering.scene import Appearance
from animator.rig import Rig
from animator.rigging.deform import Deformer
from animator.rigging.library import load_rig

SIZE_PX = (160, 120)


@pytest.fixture(scope="module")
def robot() -> Rig:
    return load_rig("robot")


@pytest.fixture
def grey() -> Array:
    return np.full((60, 80, 3), 100, np.uint8)


def at_rest(rig: Rig) -> list[Appearance]:
    motion = Motion(0.0, 0)
    return [Appearance(0, Deformer(rig).deform(motion), motion.pose)]


def composed(rgba: Array, behind: Array, *, smooth: bool) -> Array:
    return Compositor((behind.shape[1], behind.shape[0])).compose(rgba, behind, smooth=smooth)


def test_nothing_over_a_picture_leaves_it_as_it_is(grey: Array) -> None:
    empty = np.zeros((60, 80, 4), np.uint8)
    assert np.array_equal(composed(empty, grey.copy(), smooth=True), grey)


def test_what_covers_wholly_is_seen_and_nothing_else_changes(grey: Array) -> None:
    rgba = np.zeros((60, 80, 4), np.uint8)
    rgba[20:40, 30:50] = (10, 200, 30, 255)
    made = composed(rgba, grey.copy(), smooth=False)
    assert (made[20:40, 30:50] == (10, 200, 30)).all()
    outside = np.ones((60, 80), bool)
    outside[20:40, 30:50] = False
    assert (made[outside] == 100).all()


def test_what_covers_half_lets_half_through(grey: Array) -> None:
    rgba = np.zeros((60, 80, 4), np.uint8)
    rgba[20:40, 30:50] = (100, 0, 0, 128)  # multiplied by alpha already
    made = composed(rgba, grey.copy(), smooth=False)
    np.testing.assert_allclose(made[30, 40], (150, 50, 50), atol=1)
    assert (made[:20] == 100).all()


def test_colours_for_a_file_are_not_darkened_by_their_alpha() -> None:
    rgba = np.array([[[100, 50, 0, 128], [7, 8, 9, 255], [0, 0, 0, 0]]], np.uint8)
    made = straight_alpha(rgba)
    np.testing.assert_allclose(made[0, 0], (199, 100, 0, 128), atol=1)
    assert (made[0, 1] == (7, 8, 9, 255)).all()
    assert (made[0, 2] == 0).all()


@pytest.mark.parametrize("slope", [0.0, 0.15, 0.5, 1.0, 3.0])
def test_a_smoothed_edge_is_nearer_to_the_true_one_than_its_stairs(slope: float) -> None:
    def covered(scale: int) -> Array:
        y, x = (np.mgrid[0 : 100 * scale, 0 : 100 * scale] + 0.5) / scale
        return ((y - 50) > slope * (x - 50) + 0.3).astype(float)

    true = covered(8).reshape(100, 8, 100, 8).mean((1, 3)) * 200 + 20
    stairs = (covered(1) * 200 + 20).round().astype(np.uint8)
    smooth = np.repeat(stairs[..., None], 3, 2)
    smooth_edges(smooth, stairs, edge_pixels(stairs, np.full_like(stairs, 255)))
    inside = np.s_[14:-14, 14:-14]
    before = np.abs(stairs - true)[inside].sum()
    after = np.abs(smooth[..., 0] - true)[inside].sum()
    assert after <= before + 1e-9 if slope == 0.0 else after < 0.75 * before
    assert (smooth[:30, 70:] == 20).all()  # flat places stay flat


def test_edges_of_the_picture_behind_stay_sharp_away_from_the_avatar(grey: Array) -> None:
    grey[:, 10:] = 200
    grey[::7, :20] = 30
    rgba = np.zeros((60, 80, 4), np.uint8)
    rgba[20:40, 40:60] = (10, 20, 30, 255)
    made = composed(rgba, grey.copy(), smooth=True)
    assert np.array_equal(made[:, :36], grey[:, :36])


def test_a_blurred_picture_fills_its_place_and_keeps_its_light() -> None:
    dice = np.random.default_rng(0)
    picture = dice.integers(0, 256, (120, 160, 3), np.uint8)
    soft = np.zeros((200, 180, 3), np.uint8)[:, 45:135]
    assert blurred(picture, soft) is soft
    assert abs(soft.mean() - picture.mean()) < 4
    assert soft.std() < 0.25 * picture.std()


def test_a_blurred_camera_stands_behind_avatars_and_colours_where_there_is_none() -> None:
    behind = Behind(background_from_text("blur"), SIZE_PX)
    camera = np.full((120, 160, 3), (10, 180, 60), np.uint8)
    whole = (0.0, 0.0, 1.0, 1.0)
    assert (behind.picture(camera, None, avatars_over=whole) == (10, 180, 60)).all()
    plain = Behind(Background(), SIZE_PX).picture(None, None, avatars_over=whole)
    assert np.array_equal(behind.picture(None, None, avatars_over=whole), plain)


def test_green_is_the_green_of_green_screens() -> None:
    made = Behind(background_from_text("green"), SIZE_PX).picture(None, None, avatars_over=None)
    assert (made == (0, 255, 0)).all()


def test_an_avatar_alone_is_see_through_around_it(robot: Rig) -> None:
    renderer = Renderer(robot, SIZE_PX)
    rgba, on_green = renderer.draw_alone(at_rest(robot)), renderer.draw("avatar", None, at_rest(robot))
    renderer.close()
    assert rgba.shape == (120, 160, 4)
    assert (rgba[:10, :30] == 0).all()
    assert (rgba[50:70, 70:90, 3] == 255).all()
    assert ((rgba[..., 3] > 0) & (rgba[..., 3] < 255)).any()  # its edges are soft
    inside = np.s_[50:70, 70:90]
    assert np.abs(rgba[inside][..., :3].astype(int) - on_green[inside]).mean() < 4


class FakeWindow:
    """A window whose OpenGL says of itself what it is told to."""

    def __init__(self, capabilities: str) -> None:
        self._capabilities = capabilities

    def ReportCapabilities(self) -> str:  # noqa: N802 (VTK's name)
        return self._capabilities


@pytest.mark.parametrize(
    ("capabilities", "in_software"),
    [
        ("OpenGL vendor string:  Mesa\nOpenGL renderer string:  llvmpipe (LLVM 17.0.6, 256 bits)\n", True),
        ("OpenGL vendor string:  VMware, Inc.\nOpenGL renderer string:  softpipe\n", True),
        ("OpenGL vendor string:  Google\nOpenGL renderer string:  ANGLE (SwiftShader Device)\n", True),
        ("OpenGL vendor string:  Microsoft\nOpenGL renderer string:  GDI Generic Software\n", True),
        ("OpenGL vendor string:  NVIDIA Corporation\nOpenGL renderer string:  GeForce RTX 3060/PCIe/SSE2\n", False),
        ("OpenGL vendor string:  AMD\nOpenGL renderer string:  AMD Radeon RX 6600 (radeonsi, navi23)\n", False),
        ("OpenGL vendor string:  Intel\nOpenGL renderer string:  Mesa Intel(R) UHD Graphics 620 (KBL GT2)\n", False),
        ("OpenGL vendor string:  Apple\nOpenGL renderer string:  Apple M2\n", False),
    ],
)
def test_what_computes_opengl_is_known_by_its_name(capabilities: str, in_software: bool) -> None:
    assert opengl.is_software(FakeWindow(capabilities)) == in_software


def test_a_graphics_card_gets_samples_and_contact_shadows_and_software_does_not(robot: Rig, monkeypatch) -> None:
    def drawn() -> tuple[int, bool, Array]:
        renderer = Renderer(robot, SIZE_PX, smooth_edges=False)
        picture = renderer.draw("avatar", None, at_rest(robot))
        samples = renderer.scene.plotter.render_window.GetMultiSamples()
        shadows = bool(renderer.scene.plotter.renderer.GetUseSSAO())
        renderer.close()
        return samples, shadows, picture

    in_software = drawn()
    for module in (opengl, scene):
        monkeypatch.setattr(module, "is_software", lambda _window: False)
    on_card = drawn()
    assert in_software[:2] == (0, False)
    assert on_card[:2] == (opengl.SAMPLES, True)
    same_place = (np.abs(in_software[2].astype(int) - on_card[2]).max(-1) < 90).mean()
    assert same_place > 0.97  # the same avatar in other light
