from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from animator.maths import rotations as r

angle = st.floats(-3.1, 3.1)
vector = st.tuples(angle, angle, angle).map(np.array)
unit = st.tuples(*[st.floats(-1, 1)] * 4).map(np.array).filter(lambda q: np.linalg.norm(q) > 0.1).map(
    lambda q: q / np.linalg.norm(q)
)


def same_rotation(one, other):
    return abs(abs(one @ other) - 1) < 1e-9


@given(unit)
def test_matrix_round_trip(wxyz):
    matrix = r.matrix_from_wxyz(wxyz)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) > 0
    back = r.wxyz_from_matrix(matrix)
    assert back[0] >= 0
    assert same_rotation(back, wxyz)


@given(unit, unit)
def test_multiplication_is_that_of_matrices(one, other):
    np.testing.assert_allclose(
        r.matrix_from_wxyz(r.multiply_wxyz(one, other)),
        r.matrix_from_wxyz(one) @ r.matrix_from_wxyz(other),
        atol=1e-12,
    )


@given(unit)
def test_inverse_undoes(wxyz):
    assert same_rotation(r.multiply_wxyz(wxyz, r.inverse_wxyz(wxyz)), r.IDENTITY_WXYZ)


def test_whole_arrays_at_once():
    wxyz = np.random.default_rng(0).normal(size=(5, 7, 4))
    wxyz /= np.linalg.norm(wxyz, axis=-1, keepdims=True)
    back = r.wxyz_from_matrix(r.matrix_from_wxyz(wxyz))
    np.testing.assert_allclose(np.abs((back * wxyz).sum(-1)), 1, atol=1e-12)


@given(vector)
def test_rotation_vector_agrees_with_axis_and_angle(vector_rad):
    length = np.linalg.norm(vector_rad)
    wxyz = r.wxyz_from_axis_angle(vector_rad, length) if length > 1e-6 else r.IDENTITY_WXYZ
    np.testing.assert_allclose(r.matrix_from_vector(vector_rad), r.matrix_from_wxyz(wxyz), atol=2e-6)


def test_no_rotation_vector_is_no_rotation():
    np.testing.assert_array_equal(r.matrix_from_vector(np.zeros(3)), np.eye(3))


@given(st.floats(-3.1, 3.1), st.floats(-1.5, 1.5), st.floats(-3.1, 3.1))
def test_yaw_pitch_roll_round_trip(yaw, pitch, roll):
    matrix = r.matrix_from_yaw_pitch_roll([yaw, pitch, roll])
    np.testing.assert_allclose(r.yaw_pitch_roll_from_matrix(matrix), [yaw, pitch, roll], atol=1e-7)


def test_angles_go_the_way_their_names_say():
    facing = np.array([0, 0, 1.0])
    assert (r.matrix_from_yaw_pitch_roll([0.3, 0, 0]) @ facing)[0] > 0.2  # to the subject's left
    assert (r.matrix_from_yaw_pitch_roll([0, 0.3, 0]) @ facing)[1] > 0.2  # up
    # The crown tips towards the subject's right shoulder.
    assert (r.matrix_from_yaw_pitch_roll([0, 0, 0.3]) @ [0, 1, 0])[0] < -0.2


@given(unit, unit)
def test_slerp_begins_and_ends_where_it_should(start, end):
    assert same_rotation(r.slerp_wxyz(start, end, 0.0), start)
    assert same_rotation(r.slerp_wxyz(start, end, 1.0), end)


def test_slerp_is_even():
    end = r.wxyz_from_axis_angle([0, 0, 2], 1.2)
    quarter = r.slerp_wxyz(r.IDENTITY_WXYZ, end, 0.25)
    assert same_rotation(quarter, r.wxyz_from_axis_angle([0, 0, 1], 0.3))
    assert same_rotation(r.slerp_wxyz(r.IDENTITY_WXYZ, -end, 0.25), quarter)


def test_the_shortest_turn_between_two_directions() -> None:
    rng = np.random.default_rng(8)
    for start, end in rng.normal(size=(20, 2, 3)):
        turn = r.matrix_from_wxyz(r.wxyz_between(start, end))
        np.testing.assert_allclose(turn @ start / np.linalg.norm(start), end / np.linalg.norm(end), atol=1e-12)
        axis = np.cross(start, end)
        np.testing.assert_allclose(turn @ axis, axis, atol=1e-12)
    half_turn = r.matrix_from_wxyz(r.wxyz_between(np.array([0, 0, 1.0]), np.array([0, 0, -1.0])))
    np.testing.assert_allclose(half_turn @ [0, 0, 1], [0, 0, -1], atol=1e-12)
