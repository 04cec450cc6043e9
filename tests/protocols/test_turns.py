"""Rotations on plain floats, beside those of scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from animator.protocols import turns


def some_turns(count: int = 200) -> list[Rotation]:
    return list(Rotation.random(count, random_state=np.random.default_rng(0)))


def wxyz(turn: Rotation) -> turns.Wxyz:
    x, y, z, w = turn.as_quat().tolist()
    return w, x, y, z


def same(got: turns.Wxyz, want: Rotation) -> bool:
    return abs(np.dot(got, wxyz(want))) == pytest.approx(1, abs=1e-9)


def test_matrices_and_products() -> None:
    for one, other in zip(some_turns(), reversed(some_turns()), strict=True):
        np.testing.assert_allclose(turns.matrix_from_wxyz(wxyz(one)), one.as_matrix().ravel(), atol=1e-12)
        assert same(turns.product(wxyz(one), wxyz(other)), one * other)


@pytest.mark.parametrize(("axes", "there", "back"), [
    ("ZYX", turns.zyx_from_matrix, turns.wxyz_from_zyx), ("YXZ", turns.yxz_from_matrix, turns.wxyz_from_yxz),
])  # fmt: skip
def test_angles_are_those_of_their_order_and_come_back(axes: str, there, back) -> None:
    for turn in some_turns():
        angles = there(tuple(turn.as_matrix().ravel().tolist()))
        want = dict(zip(axes, turn.as_euler(axes), strict=True))
        np.testing.assert_allclose(angles, [want["X"], want["Y"], want["Z"]], atol=1e-9)
        assert same(back(*angles), turn)


@pytest.mark.parametrize("share", [0.0, 0.4, 0.6, 1.0])
def test_a_share_of_a_turn_is_about_the_same_axis_by_the_short_way(share: float) -> None:
    for turn in some_turns():
        for sign in (1, -1):
            got = turns.share_of(tuple(sign * part for part in wxyz(turn)), share)
            assert same(got, Rotation.from_rotvec(share * turn.as_rotvec()))
    assert turns.share_of(turns.IDENTITY, share) == turns.IDENTITY


def test_looks_come_back_and_torsion_is_passed_over() -> None:
    for yaw, pitch in np.random.default_rng(1).uniform(-1, 1, (50, 2)).tolist():
        assert turns.look_of(turns.eye_matrix(yaw, pitch)) == pytest.approx((yaw, pitch), abs=1e-12)
        made = turns.matrix_from_wxyz(turns.eye_wxyz(yaw, pitch))
        np.testing.assert_allclose(made, turns.eye_matrix(yaw, pitch), atol=1e-12)
        twisted = turns.matrix_from_wxyz(turns.product(turns.eye_wxyz(yaw, pitch), turns.about(2, 0.3)))
        assert turns.look_of(twisted) == pytest.approx((yaw, pitch), abs=1e-9)


def test_a_quaternion_without_length_is_none() -> None:
    assert turns.unit((0.0, 0.0, 0.0, 0.0)) is None
    assert turns.unit((0.0, 2.0, 0.0, 0.0)) == (0, 1, 0, 0)
