from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from animator.maths.projection import camera_from_pixels, focal_px, pixels_from_camera

SIZE_PX = (640, 480)
FOCAL_PX = focal_px(SIZE_PX, np.radians(50))


def test_field_of_view_is_vertical():
    top = np.array([0, 10 * np.tan(np.radians(25)), -10.0])
    np.testing.assert_allclose(pixels_from_camera(top, SIZE_PX, FOCAL_PX), [320, 0], atol=1e-9)


def test_axes():
    right_and_up = pixels_from_camera(np.array([1.0, 1.0, -20.0]), SIZE_PX, FOCAL_PX)
    assert right_and_up[0] > 320
    assert right_and_up[1] < 240


def test_behind_the_camera_is_nan():
    assert np.isnan(pixels_from_camera(np.array([[0.0, 0, 5], [0, 0, 0]]), SIZE_PX, FOCAL_PX)).all()


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(1, 200))
def test_round_trip(x, y, depth):
    point = np.array([x, y, -depth])
    pixels = pixels_from_camera(point, SIZE_PX, FOCAL_PX)
    np.testing.assert_allclose(camera_from_pixels(pixels, np.array(depth), SIZE_PX, FOCAL_PX), point, atol=1e-8)
