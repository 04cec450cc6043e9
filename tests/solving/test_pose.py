from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animator.maths.rotations import matrix_from_wxyz, matrix_from_yaw_pitch_roll, yaw_pitch_roll_from_matrix
from animator.solving.face_model import face_model
from animator.solving.pose import HeadFitter

from .conftest import FOV_RAD, SIZE_PX, landmarks_from_head

FITTER = HeadFitter(face_model())
NEUTRAL_CM = face_model().neutral_cm.astype(np.float64)


def fitted(landmarks_norm, size_px=SIZE_PX):
    return FITTER.fit(landmarks_norm, size_px, FOV_RAD)


def pose_of(landmarks_norm, size_px=SIZE_PX):
    return FITTER.pose(fitted(landmarks_norm, size_px), np.zeros(3))


def degrees_apart(one, other):
    return np.degrees(np.arccos(np.clip((np.trace(one.T @ other) - 1) / 2, -1, 1)))


@settings(max_examples=40, deadline=None)
@given(
    st.floats(-0.9, 0.9), st.floats(-0.6, 0.6), st.floats(-0.6, 0.6),
    st.floats(-10, 10), st.floats(-8, 8), st.floats(30, 120),
)  # fmt: skip
def test_known_pose_is_recovered(yaw, pitch, roll, x_cm, y_cm, distance_cm):
    rotation = matrix_from_yaw_pitch_roll([yaw, pitch, roll])
    translation_cm = np.array([x_cm, y_cm, -distance_cm])
    head = fitted(landmarks_from_head(NEUTRAL_CM, rotation, translation_cm))
    pose = FITTER.pose(head, np.zeros(3))
    assert degrees_apart(matrix_from_wxyz(pose.rotation_wxyz), rotation) < 0.5
    np.testing.assert_allclose(pose.translation_cm, translation_cm, atol=0.02 * distance_cm)
    assert np.abs(head.landmarks_cm - NEUTRAL_CM).max() < 0.3


def test_turning_to_the_subjects_left_is_positive_yaw():
    left = matrix_from_yaw_pitch_roll([0.4, 0.0, 0.0])
    landmarks = landmarks_from_head(NEUTRAL_CM, left, np.array([0, 0, -50.0]))
    assert landmarks[1, 0] > landmarks[[234, 454], 0].mean()  # the nose points to the picture's right
    yaw, _, _ = yaw_pitch_roll_from_matrix(fitted(landmarks).rotation)
    assert yaw == pytest.approx(0.4, abs=0.02)


def test_mirrored_picture_negates_yaw_roll_and_x(model):
    rotation = matrix_from_yaw_pitch_roll([0.3, -0.2, 0.1])
    landmarks = landmarks_from_head(NEUTRAL_CM, rotation, np.array([4.0, 3.0, -60.0]))
    mirrored = landmarks[model.mirror] * np.float32([-1, 1, 1]) + np.float32([1, 0, 0])
    one, other = pose_of(landmarks), pose_of(mirrored)
    np.testing.assert_allclose(other.rotation_wxyz, one.rotation_wxyz * [1, 1, -1, -1], atol=1e-5)
    np.testing.assert_allclose(other.translation_cm, one.translation_cm * [-1, 1, 1], atol=1e-3)


def test_picture_size_does_not_matter():
    landmarks = landmarks_from_head(NEUTRAL_CM, np.eye(3), np.array([2.0, 1.0, -50.0]))
    one, other = fitted(landmarks), fitted(landmarks, (1920, 1440))
    np.testing.assert_allclose(other.centre_cm, one.centre_cm, atol=1e-9)
    np.testing.assert_allclose(other.landmarks_cm, one.landmarks_cm, atol=1e-9)


def test_half_the_size_is_twice_the_distance():
    near = landmarks_from_head(NEUTRAL_CM, np.eye(3), np.array([0, 0, -60.0]))
    far = landmarks_from_head(NEUTRAL_CM, np.eye(3), np.array([0, 0, -120.0]))
    assert pose_of(far).translation_cm[2] == pytest.approx(2 * pose_of(near).translation_cm[2], rel=0.01)


def test_turning_a_fitted_head_turns_it_about_the_heads_own_axes():
    rotation = matrix_from_yaw_pitch_roll([0.4, 0.2, -0.1])
    head = fitted(landmarks_from_head(NEUTRAL_CM, rotation, np.array([3.0, 1.0, -50.0])))
    turned = matrix_from_wxyz(FITTER.pose(head, np.array([0.0, 0.1, 0.0])).rotation_wxyz)
    np.testing.assert_allclose(turned, head.rotation @ matrix_from_yaw_pitch_roll([0.1, 0.0, 0.0]), atol=1e-9)
