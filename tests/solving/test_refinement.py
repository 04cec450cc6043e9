from __future__ import annotations

import numpy as np

from animator.channels import INDEX, MIRRORED
from animator.maths.rotations import matrix_from_yaw_pitch_roll
from animator.solving.expression import ExpressionSolver
from animator.solving.refinement import FULL_FROM, Refiner, settled


def refined(model, landmarks_cm, angles_rad, neutral_cm):
    expression, refiner = ExpressionSolver(model), Refiner(model)
    change = (landmarks_cm - neutral_cm).ravel()
    measured = expression.measure(change)
    weights = expression.solve_measured(measured)
    rotation = matrix_from_yaw_pitch_roll(angles_rad)
    return refiner.refine(refiner.features(change, measured, weights, rotation, neutral_cm))


def some_face(model, seed=0):
    """Head-frame landmarks and neutral of somebody who is doing something."""
    rng = np.random.default_rng(seed)
    neutral_cm = model.neutral_cm + np.tensordot(rng.normal(size=len(model.identity_cm)), model.identity_cm, 1)
    weights = np.where(rng.random(52) < 0.15, rng.random(52), 0)
    return neutral_cm + np.tensordot(weights, model.response_cm, 1), neutral_cm


def in_a_mirror(model, landmarks_cm):
    return landmarks_cm[model.mirror] * [-1, 1, 1]


def test_left_and_right_are_treated_alike(model):
    landmarks_cm, neutral_cm = some_face(model)
    weights, gaze_rad = refined(model, landmarks_cm, [0.3, 0.1, -0.2], neutral_cm)
    mirrored, mirrored_rad = refined(
        model, in_a_mirror(model, landmarks_cm), [-0.3, 0.1, 0.2], in_a_mirror(model, neutral_cm)
    )
    np.testing.assert_allclose(mirrored, weights[list(MIRRORED)], atol=0.01)
    np.testing.assert_allclose(mirrored_rad, gaze_rad * [-1, 1], atol=0.01)


def test_mirroring_the_inputs_twice_changes_nothing(model):
    refiner = Refiner(model)
    features = np.random.default_rng(0).normal(size=len(refiner.mirror_order))
    once = features[refiner.mirror_order] * refiner.mirror_sign
    np.testing.assert_array_equal(once[refiner.mirror_order] * refiner.mirror_sign, features)


def test_a_neutral_face_stays_neutral(model):
    weights, gaze_rad = refined(model, model.neutral_cm, [0, 0, 0], model.neutral_cm.astype(np.float64))
    assert weights.max() < 0.05
    assert np.abs(gaze_rad).max() < 0.05


def test_whatever_comes_stays_in_bounds(model):
    rng = np.random.default_rng(0)
    for scale in (0.1, 10.0, 1e4):
        noise = scale * rng.normal(size=(478, 3))
        weights, gaze_rad = refined(model, model.neutral_cm + noise, [1, 1, 1], model.neutral_cm + noise[::-1])
        assert 0 <= weights.min() <= weights.max() <= 1
        assert np.isfinite(gaze_rad).all()
        assert weights[INDEX["tongueOut"]] == 0


def test_settling_is_monotonic_and_leaves_clear_weights_alone():
    weights = np.linspace(0, 1, 1001)
    calm = settled(weights)
    assert (np.diff(calm) >= 0).all()
    assert calm[0] == 0
    np.testing.assert_array_equal(calm[weights >= FULL_FROM], weights[weights >= FULL_FROM])
