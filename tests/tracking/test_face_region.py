"""Where to look for a face: maps that undo each other, squares that hold what they are around."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from animator.tracking.face_region import MARGIN, FaceRegion

REGIONS = st.builds(
    FaceRegion,
    st.tuples(st.floats(-500, 2000), st.floats(-500, 2000)),
    st.floats(10, 3000),
    st.floats(-np.pi, np.pi),
)


@given(REGIONS, st.integers(0, 2**32 - 1))
def test_a_landmark_lies_where_its_pixel_came_from(region: FaceRegion, seed: int) -> None:
    points = np.random.default_rng(seed).uniform(0, 1, (478, 3))
    by_pixels = region.picture_from_crop(256) @ np.column_stack([points[:, :2] * 256, np.ones(478)]).T
    assert region.landmarks_px(points)[:, :2] == pytest.approx(by_pixels.T, abs=0.01 + region.side_px * 1e-6)
    assert region.landmarks_px(points)[:, 2] == pytest.approx(points[:, 2] * region.side_px, rel=1e-5)


@given(st.floats(-np.pi, np.pi), st.floats(20, 900))
def test_a_turned_face_is_upright_in_its_square(angle: float, size_px: float) -> None:
    level = np.zeros((478, 2))
    level[33], level[263], level[152] = (-0.5, 0), (0.5, 0), (0, 1)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    region = FaceRegion.of_landmarks(level @ turn * size_px + 1000)
    back = np.linalg.inv(np.vstack([region.picture_from_crop(256), [0, 0, 1]]))
    left, right, chin = ((back @ [*(level[i] @ turn * size_px + 1000), 1])[:2] for i in (33, 263, 152))
    assert left[1] == pytest.approx(right[1], abs=1e-6 * size_px)
    assert left[0] < right[0]
    assert chin[1] > left[1]


def test_the_square_has_a_margin() -> None:
    region = FaceRegion.around(np.array([10.0, 20.0]), np.array([30.0, 60.0]), np.array([15, 30]), np.array([25, 30]))
    assert region == FaceRegion((20.0, 40.0), 40 * MARGIN, 0.0)
    assert np.subtract(*region.box[::-1]) == pytest.approx([60, 60])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nobody_looks_into_an_impossible_square(bad: float) -> None:
    assert not FaceRegion((bad, 0.0), 100.0, 0.0).is_usable
    assert not FaceRegion((0.0, 0.0), 1e9, 0.0).is_usable
    assert FaceRegion((0.0, 0.0), 100.0, 0.0).is_usable
