"""Where things are drawn: proportions, symmetry, and nothing outside the window."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from animator.data import HeadPose
from animator.errors import SettingError
from animator.maths.rotations import matrix_from_yaw_pitch_roll, wxyz_from_matrix
from animator.rendering.framing import (
    SPACING_CM,
    VIEWS,
    WHOLE,
    Framing,
    camera_distance_cm,
    camera_from_head_matrix,
    check_view,
    fitted,
    layout,
    natural_size_px,
    place_in_row,
)

WINDOWS_PX = [(640, 480), (480, 640), (1920, 1080), (333, 100)]
PICTURES_PX = [(640, 480), (1080, 1920), (50, 50), (2000, 100)]
HALVES = [WHOLE, (0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 1.0, 1.0)]


@pytest.mark.parametrize(("window_px", "picture_px", "place"), list(product(WINDOWS_PX, PICTURES_PX, HALVES)))
def test_a_picture_keeps_its_proportions_and_fills_its_place(window_px, picture_px, place) -> None:
    x0, y0, x1, y1 = fitted(place, window_px, picture_px)
    width_px, height_px = (x1 - x0) * window_px[0], (y1 - y0) * window_px[1]
    assert width_px / height_px == pytest.approx(picture_px[0] / picture_px[1])
    assert x0 >= place[0] - 1e-9
    assert y0 >= place[1] - 1e-9
    assert x1 <= place[2] + 1e-9
    assert y1 <= place[3] + 1e-9
    assert x1 - x0 == pytest.approx(place[2] - place[0]) or y1 - y0 == pytest.approx(place[3] - place[1])
    assert (x0 + x1, y0 + y1) == pytest.approx((place[0] + place[2], place[1] + place[3]))


def test_side_by_side_the_picture_has_the_left_half_and_the_avatars_the_right() -> None:
    places = layout("side-by-side", (1280, 480), (640, 480))
    assert places.picture == pytest.approx((0.0, 0.0, 0.5, 1.0))
    assert places.avatars == (0.5, 0.0, 1.0, 1.0)


def test_a_mask_is_drawn_exactly_over_the_picture() -> None:
    places = layout("mask", (800, 600), (640, 360))
    assert places.picture == places.avatars
    assert layout("mask", (640, 480), (640, 480)).picture == pytest.approx(WHOLE)


def test_the_mesh_has_no_avatar_and_the_avatar_no_picture() -> None:
    assert layout("mesh", (640, 480), (640, 480)).avatars is None
    assert layout("avatar", (640, 480), (640, 480)).picture is None


@pytest.mark.parametrize("view", VIEWS)
def test_without_a_picture_the_avatars_have_the_whole_window(view: str) -> None:
    places = layout(view, (640, 480), None)
    assert places.picture is None
    assert places.avatars == WHOLE


def test_what_is_made_is_as_large_as_the_picture_and_twice_as_wide_side_by_side() -> None:
    assert natural_size_px("avatar", (640, 360)) == (640, 360)
    assert natural_size_px("mask", (640, 360)) == (640, 360)
    assert natural_size_px("side-by-side", (640, 360)) == (1280, 360)
    assert min(natural_size_px("avatar", None)) >= 480


@pytest.mark.parametrize("aspect", [0.5, 1.0, 4 / 3, 16 / 9])
def test_the_camera_steps_back_for_more_avatars(aspect: float) -> None:
    framing = Framing()
    distances_cm = [camera_distance_cm(framing, avatars, aspect) for avatars in range(1, 9)]
    assert all(b >= a for a, b in pairwise(distances_cm))
    assert distances_cm[-1] > distances_cm[0]
    for avatars, distance_cm in enumerate(distances_cm, start=1):
        height_cm = 2 * distance_cm * np.tan(np.radians(framing.fov_deg) / 2)
        assert height_cm >= framing.height_cm - 1e-9
        assert height_cm * aspect >= SPACING_CM * (avatars - 1)


@pytest.mark.parametrize("avatars", [1, 2, 3, 8])
def test_a_row_is_symmetric_and_begins_on_the_left(avatars: int) -> None:
    places_cm = np.array([place_in_row(number, avatars)[:3, 3] for number in range(avatars)])
    np.testing.assert_allclose(places_cm[:, 0], -places_cm[::-1, 0])
    np.testing.assert_allclose(np.diff(places_cm[:, 0]), SPACING_CM)
    assert not places_cm[:, 1:].any()


def test_a_head_pose_as_a_matrix_turns_and_then_moves() -> None:
    rotation = matrix_from_yaw_pitch_roll(np.array([0.3, -0.2, 0.1]))
    matrix = camera_from_head_matrix(HeadPose(wxyz_from_matrix(rotation), np.array([1.0, 2.0, -50.0])))
    np.testing.assert_allclose(matrix[:3, :3], rotation, atol=1e-12)
    np.testing.assert_allclose(matrix @ [0, 0, 0, 1], [1, 2, -50, 1])


@pytest.mark.parametrize("view", ["", "Avatar", "side by side", "both"])
def test_an_unknown_view_is_refused_and_the_known_ones_are_named(view: str) -> None:
    with pytest.raises(SettingError) as caught:
        check_view(view)
    assert all(known in str(caught.value) for known in VIEWS)
    assert repr(view) in str(caught.value)


@pytest.mark.parametrize("view", VIEWS)
def test_a_known_view_is_itself(view: str) -> None:
    assert check_view(view) == view
