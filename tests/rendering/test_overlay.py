"""Lines in the camera picture: where the landmarks are, in the colours of the sides, on a copy."""

from __future__ import annotations

import numpy as np
import pytest

from animator.data import LANDMARKS, Array, Face
from animator.maths.projection import focal_px, pixels_from_camera
from animator.rendering.overlay import OUTLINE_RGB, draw_faces, resized
from animator.topology import LEFT_BROW, LEFT_EYE, LIPS_OUTER, RIGHT_BROW, RIGHT_EYE, canonical_face

SIZE_PX = (320, 240)
GREY = 128


@pytest.fixture
def picture() -> Array:
    return np.full((SIZE_PX[1], SIZE_PX[0], 3), GREY, np.uint8)


def face_at(x_cm: float, track_id: int = 0, z_cm: float = -45.0) -> Face:
    """The canonical face as a camera with 50 degrees of view sees it; its irises lie between the lids."""
    positions_cm = canonical_face().positions_cm
    irises_cm = [positions_cm[list(eye)].mean(0) for eye in (RIGHT_EYE, LEFT_EYE) for _ in range(5)]
    points_cm = np.vstack([positions_cm, irises_cm]) + [x_cm, 0, z_cm]
    landmarks = np.zeros((LANDMARKS, 3), np.float32)
    landmarks[:, :2] = pixels_from_camera(points_cm, SIZE_PX, focal_px(SIZE_PX, np.radians(50))) / SIZE_PX
    return Face(landmarks, SIZE_PX, track_id, 1.0, 0.0)


def changed(before: Array, after: Array) -> Array:
    """(N, 2) pixels, x and y, that differ."""
    return np.argwhere((before != after).any(-1))[:, ::-1]


def test_the_given_picture_stays_as_it_is(picture: Array) -> None:
    before = picture.copy()
    drawn = draw_faces(picture, [face_at(0.0)])
    assert np.array_equal(picture, before)
    assert drawn.shape == picture.shape
    assert drawn.dtype == np.uint8


def test_without_faces_nothing_is_drawn_and_it_is_still_a_copy(picture: Array) -> None:
    drawn = draw_faces(picture, [])
    assert np.array_equal(drawn, picture)
    assert not np.shares_memory(drawn, picture)


def test_lines_lie_on_the_landmarks_and_nowhere_far_from_them(picture: Array) -> None:
    face = face_at(3.0)
    drawn = draw_faces(picture, [face])
    for x, y in np.round(face.landmarks_px[:468]).astype(int):
        near = drawn[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
        assert (near != GREY).any()
    low, high = face.landmarks_px.min(0), face.landmarks_px.max(0)
    reach = changed(picture, drawn)
    assert (reach.min(0) > low - 25).all()  # the box and its number stand a little outside
    assert (reach.max(0) < high + 25).all()


def test_the_left_side_is_green_and_on_the_right_of_the_picture(picture: Array) -> None:
    face = face_at(0.0)
    drawn = draw_faces(picture, [face]).astype(int)
    for left, right in ((LEFT_EYE, RIGHT_EYE), (LEFT_BROW, RIGHT_BROW)):
        assert face.landmarks_px[list(left), 0].min() > face.landmarks_px[list(right), 0].max()
        for indices, strongest in ((left, 1), (right, 2)):
            x, y = np.round(face.landmarks_px[list(indices)]).astype(int).T
            assert drawn[y, x].mean(0).argmax() == strongest
    x, y = np.round(face.landmarks_px[list(LIPS_OUTER)]).astype(int).T
    assert drawn[y, x].mean(0).argmax() == 0
    assert OUTLINE_RGB["left eye"] == OUTLINE_RGB["left brow"]


def test_every_face_is_drawn(picture: Array) -> None:
    left, right = face_at(-10.0, 0), face_at(10.0, 1)
    both = draw_faces(picture, [left, right])
    alone = draw_faces(picture, [left])
    assert not np.array_equal(both[:, 160:], alone[:, 160:])
    assert np.array_equal(both[:, :150], alone[:, :150])


def test_a_face_partly_or_wholly_outside_the_picture_is_no_trouble(picture: Array) -> None:
    for x_cm in (-25.0, 25.0, 500.0):
        assert draw_faces(picture, [face_at(x_cm)]).shape == picture.shape


@pytest.mark.parametrize(
    ("size_px", "inner"),
    [
        ((160, 120), np.s_[:, :]),
        ((64, 30), np.s_[:, 12:52]),
        ((40, 90), np.s_[30:60, :]),
        ((640, 480), np.s_[:, :]),
    ],
)
def test_resizing_gives_the_wanted_size_the_whole_picture_and_black_around(picture: Array, size_px, inner) -> None:
    made = resized(picture, size_px)
    assert made.shape == (size_px[1], size_px[0], 3)
    assert (made[inner] == GREY).all()
    assert made.sum() == made[inner].sum()


def test_resizing_to_the_own_size_is_the_picture_itself(picture: Array) -> None:
    assert resized(picture, SIZE_PX) is picture


def test_even_the_thinnest_picture_can_be_resized() -> None:
    for shape in ((4, 2000, 3), (2000, 4, 3)):
        assert resized(np.full(shape, GREY, np.uint8), (16, 16)).max() == GREY
