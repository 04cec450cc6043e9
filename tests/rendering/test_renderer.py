"""Pictures drawn by real OpenGL, off screen: each thing where it belongs, left on the left."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from animator.data import Array, Expression, HeadPose, Motion
from animator.errors import RenderError, SettingError
from animator.maths.projection import focal_px, pixels_from_camera
from animator.maths.rotations import matrix_from_yaw_pitch_roll, wxyz_from_matrix
from animator.rendering import opengl as opengl_module
from animator.rendering.backdrop import Background, background_from_text
from animator.rendering.renderer import Renderer
from animator.rendering.scene import Appearance
from animator.rig import Rig
from animator.rigging.deform import Deformer
from animator.rigging.library import load_rig
from tests.conftest import ROOT

SIZE_PX = (320, 240)
FOV_DEG = 50.0
GREEN = (0, 200, 40)


@pytest.fixture(scope="module")
def human() -> Rig:
    return load_rig("human")


@pytest.fixture(scope="module")
def renderer(human: Rig) -> Iterator[Renderer]:
    made = Renderer(human, SIZE_PX, Background(), FOV_DEG)
    yield made
    made.close()


@pytest.fixture
def picture() -> Array:
    """Four colours, one in each corner: red, green above blue, yellow."""
    rgb = np.zeros((SIZE_PX[1], SIZE_PX[0], 3), np.uint8)
    rgb[:120, :160], rgb[:120, 160:] = (200, 30, 30), (30, 200, 30)
    rgb[120:, :160], rgb[120:, 160:] = (30, 30, 200), (200, 200, 30)
    return rgb


@pytest.fixture
def plain() -> Array:
    """One colour: whatever differs from it is the avatar."""
    return np.full((SIZE_PX[1], SIZE_PX[0], 3), GREEN, np.uint8)


def appearance(
    rig: Rig,
    number: int = 0,
    yaw_rad: float = 0.0,
    at_cm: tuple[float, float, float] = (0.0, 0.0, -50.0),
    *,
    head_turns: bool = True,
    **weights: float,
) -> Appearance:
    rotation = wxyz_from_matrix(matrix_from_yaw_pitch_roll(np.array([yaw_rad, 0.0, 0.0])))
    motion = Motion(0.0, number, HeadPose(rotation, np.array(at_cm)), expression=Expression.of(**weights))
    return Appearance(number, Deformer(rig).deform(motion, head_turns=head_turns), motion.pose)


def mask_at(rig: Rig, x_cm: float, y_cm: float, z_cm: float) -> Appearance:
    return appearance(rig, at_cm=(x_cm, y_cm, z_cm), head_turns=False)


def differing(one: Array, other: Array, by: int = 12) -> Array:
    """(H, W) bool: where two pictures differ visibly."""
    return np.abs(one.astype(int) - other.astype(int)).max(-1) > by


def centre_px(where: Array) -> Array:
    """(2,) mean x and y of the pixels that are set."""
    return np.argwhere(where)[:, ::-1].mean(0)


def test_a_head_stands_in_the_middle_and_not_in_the_corners(renderer: Renderer, human: Rig) -> None:
    empty, drawn = renderer.draw("avatar", None, []), renderer.draw("avatar", None, [appearance(human)])
    where = differing(empty, drawn)
    assert where[80:160, 130:190].mean() > 0.99  # the white of an eye may look like the background
    assert not where[:20, :40].any()
    assert not where[:20, -40:].any()
    assert abs(centre_px(where)[0] - SIZE_PX[0] / 2) < 3


def test_a_picture_is_an_array_of_its_own_in_the_right_form(renderer: Renderer, human: Rig) -> None:
    first = renderer.draw("avatar", None, [appearance(human)])
    kept = first.copy()
    renderer.draw("avatar", None, [])
    assert first.shape == (240, 320, 3)
    assert first.dtype == np.uint8
    assert first.flags.c_contiguous
    assert np.array_equal(first, kept)


def test_the_same_moment_twice_gives_the_same_pixels(renderer: Renderer, human: Rig, picture: Array) -> None:
    for view in ("avatar", "mask", "mesh", "side-by-side"):
        first = renderer.draw(view, picture, [appearance(human, yaw_rad=0.2, jawOpen=0.5)])
        renderer.draw("avatar", None, [])
        assert np.array_equal(first, renderer.draw(view, picture, [appearance(human, yaw_rad=0.2, jawOpen=0.5)]))


def test_a_head_that_turns_to_its_left_faces_picture_right(renderer: Renderer, human: Rig) -> None:
    still = renderer.draw("avatar", None, [appearance(human)])
    to_left = renderer.draw("avatar", None, [appearance(human, yaw_rad=0.5)])
    to_right = renderer.draw("avatar", None, [appearance(human, yaw_rad=-0.5)])
    lips_still, lips_left, lips_right = (red_lips_x(p) for p in (still, to_left, to_right))
    assert lips_right + 8 < lips_still < lips_left - 8
    assert lips_left - lips_still == pytest.approx(lips_still - lips_right, abs=8)


def red_lips_x(picture: Array) -> float:
    """Where, on average, the picture's lower middle is reddest."""
    middle = picture[120:200, 100:220].astype(float)
    redness = middle[..., 0] - 0.5 * (middle[..., 1] + middle[..., 2])
    return 100 + float(np.argwhere(redness >= np.quantile(redness, 0.98))[:, 1].mean())


@pytest.mark.parametrize(("channel", "on_the_right"), [("eyeBlinkLeft", True), ("eyeBlinkRight", False)])
def test_one_eye_that_closes_changes_its_own_side(
    renderer: Renderer, human: Rig, channel: str, on_the_right: bool
) -> None:
    still = renderer.draw("avatar", None, [appearance(human)])
    winking = renderer.draw("avatar", None, [appearance(human, **{channel: 1.0})])
    where = differing(still, winking)
    left, right = where[:, :160].sum(), where[:, 160:].sum()
    near, far = (right, left) if on_the_right else (left, right)
    assert near > 40
    assert near > 10 * far


def test_a_picture_alone_is_shown_to_the_pixel(renderer: Renderer, human: Rig, picture: Array) -> None:
    picture[3, 7] = (1, 2, 3)
    assert np.array_equal(renderer.draw("mesh", picture, [appearance(human)]), picture)


def test_a_mask_leaves_the_rest_of_the_picture_alone(
    renderer: Renderer, human: Rig, plain: Array, picture: Array
) -> None:
    drawn = renderer.draw("mask", plain, [mask_at(human, 0, 0, -60)])
    where = differing(plain, drawn, by=0)
    assert where[110:130, 150:170].all()
    assert not where[:, :60].any()
    assert not where[:, -60:].any()
    assert not where[:20].any()
    drawn = renderer.draw("mask", picture, [mask_at(human, 0, 0, -60)])
    for corner in (np.s_[:20, :60], np.s_[:20, -60:], np.s_[-20:, :60], np.s_[-20:, -60:]):
        assert np.array_equal(drawn[corner], picture[corner])


def test_a_mask_without_a_performer_is_the_picture(renderer: Renderer, plain: Array) -> None:
    assert np.array_equal(renderer.draw("mask", plain, []), plain)


@pytest.mark.parametrize("at_cm", [(0, 0, -70), (12, 0, -80), (-12, 8, -80), (5, -9, -60), (0, 0, -120)])
def test_a_mask_lies_where_the_camera_sees_the_head(renderer: Renderer, human: Rig, plain: Array, at_cm) -> None:
    drawn = renderer.draw("mask", plain, [mask_at(human, *at_cm)])
    focal = focal_px(SIZE_PX, np.radians(FOV_DEG))
    shown = np.concatenate(
        [
            human.positions[part.first_vertex : part.first_vertex + part.vertex_count]
            for part in human.parts
            if part.name not in human.hidden_in_mask
        ]
    )
    face_from_rig = np.linalg.inv(human.rig_from_face)
    points_cm = shown @ face_from_rig[:3, :3].T + face_from_rig[:3, 3] + at_cm
    expected = pixels_from_camera(points_cm, SIZE_PX, focal)
    found = np.argwhere(differing(plain, drawn))[:, ::-1]
    np.testing.assert_allclose(found.min(0), expected.min(0), atol=2.5)
    np.testing.assert_allclose(found.max(0), expected.max(0), atol=2.5)


def test_a_mask_grows_as_its_performer_comes_nearer(renderer: Renderer, human: Rig, plain: Array) -> None:
    sizes = [differing(plain, renderer.draw("mask", plain, [mask_at(human, 0, 0, z)])).sum() for z in (-160, -80)]
    assert sizes[1] == pytest.approx(4 * sizes[0], rel=0.2)


def test_side_by_side_the_picture_is_on_the_left(human: Rig, picture: Array) -> None:
    wide = Renderer(human, (640, 240), Background(), FOV_DEG)
    empty = wide.draw("side-by-side", picture, [])
    drawn = wide.draw("side-by-side", picture, [appearance(human)])
    wide.close()
    assert np.array_equal(drawn[:, :320], picture)
    where = differing(empty, drawn)
    assert abs(centre_px(where)[0] - 480) < 3


def test_a_picture_of_other_proportions_is_fitted_with_background_around(renderer: Renderer, picture: Array) -> None:
    tall = np.full((240, 120, 3), GREEN, np.uint8)
    drawn = renderer.draw("mesh", tall, [])
    assert np.array_equal(drawn[:, 105:215], np.broadcast_to(np.array(GREEN, np.uint8), (240, 110, 3)))
    assert np.array_equal(drawn[:, :95], renderer.draw("avatar", None, [])[:, :95])


def test_two_performers_are_two_heads_and_one_that_leaves_is_gone(renderer: Renderer, human: Rig) -> None:
    empty = renderer.draw("avatar", None, [])
    alone = renderer.draw("avatar", None, [appearance(human)])
    two = differing(empty, renderer.draw("avatar", None, [appearance(human), appearance(human, 1)]))
    at_the_eyes = two[110]
    assert np.flatnonzero(np.diff(at_the_eyes.astype(int)) == 1).size == 2
    assert abs(two[:110, :160].sum() - two[:110, 160:].sum()) < 0.1 * two[:110].sum()
    assert np.array_equal(renderer.draw("avatar", None, [appearance(human)]), alone)
    assert np.array_equal(renderer.draw("avatar", None, []), empty)


def test_an_open_jaw_changes_the_mouth_and_not_the_brow(renderer: Renderer, human: Rig) -> None:
    still = renderer.draw("avatar", None, [appearance(human)])
    where = differing(still, renderer.draw("avatar", None, [appearance(human, jawOpen=1.0)]))
    assert where[140:190, 140:180].mean() > 0.2
    assert where[:110].sum() < 0.02 * where.sum()


def test_another_rig_is_drawn_from_then_on(human: Rig) -> None:
    head = Renderer(human, SIZE_PX)
    before = head.draw("avatar", None, [appearance(human)])
    face = next(part for part in human.parts if part.name == "face")
    bald = type(human)(**{name: getattr(human, name) for name in human.__slots__} | {"name": "bald", "parts": (face,)})
    head.scene.use_rig(bald)
    only_face = head.draw("avatar", None, [appearance(bald)])
    head.scene.use_rig(human)
    after = head.draw("avatar", None, [appearance(human)])
    head.close()
    assert differing(before, only_face).sum() > 500
    assert np.array_equal(after, before)


@pytest.mark.parametrize(
    ("text", "top", "bottom"),
    [
        ("#ff0000", (1, 0, 0), (1, 0, 0)),
        ("white", (1, 1, 1), (1, 1, 1)),
        ("black,#0000ff", (0, 0, 0), (0, 0, 1)),
        (" white , black ", (1, 1, 1), (0, 0, 0)),
    ],
)
def test_a_background_may_be_one_colour_or_two(text: str, top, bottom) -> None:
    made = background_from_text(text)
    assert made.top_rgb == pytest.approx(top)
    assert made.bottom_rgb == pytest.approx(bottom)
    assert made.picture_rgb is None


def test_no_background_named_is_the_usual_fade() -> None:
    assert background_from_text(None) == Background()


def test_backgrounds_are_drawn_behind_the_avatar(human: Rig, tmp_path: Path, picture: Array) -> None:
    fade = Renderer(human, (64, 48), background_from_text("red,blue"))
    rows = fade.draw("avatar", None, [])[:, 0].astype(int)
    fade.close()
    assert rows[0, 0] > 240
    assert rows[0, 2] < 15
    assert rows[-1, 0] < 15
    assert rows[-1, 2] > 240
    cv2.imwrite(str(tmp_path / "a.png"), picture[..., ::-1])
    still = background_from_text(str(tmp_path / "a.png"))
    behind = Renderer(human, SIZE_PX, still)
    drawn = behind.draw("avatar", None, [])
    behind.close()
    assert np.array_equal(drawn, picture)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".webp", ".jpg"])
def test_pictures_of_every_usual_kind_can_be_backgrounds(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"grey{suffix}"
    cv2.imwrite(str(path), np.full((48, 64), 77, np.uint8))
    made = background_from_text(str(path)).picture_rgb
    assert made.shape == (48, 64, 3)
    assert np.abs(made.astype(int) - 77).max() <= 2


@pytest.mark.parametrize(("channels", "dtype"), [(3, np.uint16), (4, np.uint8)])
def test_deep_and_see_through_pictures_become_plain_ones(tmp_path: Path, channels: int, dtype: type) -> None:
    grey = np.full((48, 64, channels), 100 * 257 if dtype is np.uint16 else 100, dtype)
    cv2.imwrite(str(tmp_path / "a.png"), grey)
    made = background_from_text(str(tmp_path / "a.png")).picture_rgb
    assert made.shape == (48, 64, 3)
    assert made.dtype == np.uint8
    assert (made == 100).all()


@pytest.mark.parametrize("text", ["nonsense", "#12345g", "red,", "red,nonsense", "red,green,blue", "nowhere.png", ""])
def test_a_background_that_is_nothing_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match=r"background: wanted #rrggbb"):
        background_from_text(text)


def test_a_file_that_is_no_picture_is_refused_as_background(tmp_path: Path) -> None:
    for name, content in (("notes.txt", b"hello, not a picture\n"), ("noise.png", b"\x89PNG\r"), ("empty.png", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SettingError, match="is not a picture that can be read") as caught:
            background_from_text(str(tmp_path / name))
        assert "\n" not in str(caught.value)


def test_without_opengl_there_is_one_clear_error(human: Rig, monkeypatch) -> None:
    monkeypatch.setattr(opengl_module, "_problem", lambda _window, _off_screen: opengl_module.NO_OPENGL)
    with pytest.raises(RenderError, match=r"there is no OpenGL to draw with: install libEGL .* doctor"):
        Renderer(human, SIZE_PX)


@pytest.mark.skipif(sys.platform != "linux", reason="only glvnd's loader can be told to find nothing")
@pytest.mark.parametrize("view", ["off screen", "on screen"])
def test_a_machine_without_drivers_or_display_is_told_so_instead_of_crashing(view: str) -> None:
    script = (
        "from animator.rendering.opengl import open_plotter\n"
        "from animator.errors import RenderError\n"
        "try:\n"
        f"    open_plotter((64, 48), off_screen={view == 'off screen'})\n"
        "except RenderError as error:\n"
        "    print(error)\n"
    )
    environment = dict(os.environ) | {"PYTHONPATH": str(ROOT), "DISPLAY": ":987"}
    if view == "off screen":
        environment["__EGL_VENDOR_LIBRARY_FILENAMES"] = str(ROOT / "nowhere.json")
        del environment["DISPLAY"]
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""
    assert ("no OpenGL" if view == "off screen" else "':987' does not answer") in done.stdout
