from __future__ import annotations

import numpy as np

from animator.data import Expression, Face, Frame, Gaze, HeadPose, Motion
from animator.maths.mirror import mirrored_face, mirrored_frame, mirrored_motion
from animator.maths.rotations import matrix_from_wxyz, wxyz_from_axis_angle


def some_motion() -> Motion:
    rng = np.random.default_rng(5)
    return Motion(
        1.5,
        2,
        HeadPose(wxyz_from_axis_angle(rng.normal(size=3), 0.7), rng.normal(size=3)),
        Gaze(rng.normal(size=(2, 2))),
        Expression(rng.random(52).astype(np.float32)),
        0.8,
    )


def test_twice_mirrored_is_as_before() -> None:
    motion = some_motion()
    again = mirrored_motion(mirrored_motion(motion))
    np.testing.assert_allclose(again.pose.rotation_wxyz, motion.pose.rotation_wxyz)
    np.testing.assert_allclose(again.pose.translation_cm, motion.pose.translation_cm)
    np.testing.assert_allclose(again.gaze.angles_rad, motion.gaze.angles_rad)
    np.testing.assert_array_equal(again.expression.weights, motion.expression.weights)


def test_the_rotation_is_the_reflected_one() -> None:
    motion = some_motion()
    reflection = np.diag([-1.0, 1.0, 1.0])
    expected = reflection @ matrix_from_wxyz(motion.pose.rotation_wxyz) @ reflection
    np.testing.assert_allclose(matrix_from_wxyz(mirrored_motion(motion).pose.rotation_wxyz), expected, atol=1e-12)


def test_a_wink_changes_sides() -> None:
    wink = Motion(0.0, 0, expression=Expression.of(eyeBlinkLeft=1.0, jawOpen=0.5))
    assert mirrored_motion(wink).expression["eyeBlinkRight"] == 1.0
    assert mirrored_motion(wink).expression["eyeBlinkLeft"] == 0.0
    assert mirrored_motion(wink).expression["jawOpen"] == 0.5


def test_pictures_and_landmarks_agree() -> None:
    rgb = np.zeros((10, 20, 3), np.uint8)
    rgb[4, 2] = 255
    landmarks = np.zeros((478, 3), np.float32)
    landmarks[0] = ((2 + 0.5) / 20, (4 + 0.5) / 10, 0.1)
    frame = mirrored_frame(Frame(rgb, 0.0, 0))
    face = mirrored_face(Face(landmarks, (20, 10), 0, 1.0, 0.0))
    x, y = (face.landmarks_norm[0, :2] * (20, 10)).astype(int)
    assert frame.rgb[y, x, 0] == 255
    assert frame.rgb.flags.c_contiguous
