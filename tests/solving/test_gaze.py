from __future__ import annotations

import numpy as np

from animator.channels import INDEX
from animator.solving.gaze import LIMIT_RAD, LOOK_CHANNELS, GazeSolver, look_weights, visible_share


def looking(**weights):
    values = dict(zip(LOOK_CHANNELS.tolist(), weights.pop("of"), strict=True))
    names = ("eyeLookOutLeft", "eyeLookInRight", "eyeLookInLeft", "eyeLookUpLeft")
    return {name: values[INDEX[name]] for name in names}


def test_straight_ahead_at_neutral(model):
    assert not GazeSolver(model).solve(model.neutral_cm, model.neutral_cm).any()


def test_irises_to_the_subjects_left_are_positive_yaw(model):
    moved = model.neutral_cm.astype(float)
    moved[468:, 0] += 0.2
    yaw, pitch = GazeSolver(model).solve(moved, model.neutral_cm)[0]
    assert yaw > 0.05
    assert abs(pitch) < 0.2 * yaw


def test_irises_up_are_positive_pitch(model):
    moved = model.neutral_cm.astype(float)
    moved[468:, 1] += 0.2
    assert GazeSolver(model).solve(moved, model.neutral_cm)[1, 1] > 0.01


def test_mirror_negates_yaw(model):
    rng = np.random.default_rng(0)
    moved = model.neutral_cm + 0.1 * rng.normal(size=(478, 3))
    solver = GazeSolver(model)
    one = solver.solve(moved, model.neutral_cm)
    other = solver.solve(moved[model.mirror] * [-1, 1, 1], model.neutral_cm[model.mirror] * np.float32([-1, 1, 1]))
    np.testing.assert_allclose(other, one * [-1, 1], atol=1e-4)


def test_no_eye_turns_too_far(model):
    moved = model.neutral_cm + np.random.default_rng(1).normal(size=(478, 3)) * 20
    assert (np.abs(GazeSolver(model).solve(moved, model.neutral_cm)) <= LIMIT_RAD).all()


def test_looking_left_is_out_for_the_left_eye_and_in_for_the_right():
    to_the_left = look_weights(np.tile(np.radians([15.0, 12.5]), (2, 1)))
    assert looking(of=to_the_left) == {
        "eyeLookOutLeft": 0.5, "eyeLookInRight": 0.5, "eyeLookInLeft": 0.0, "eyeLookUpLeft": 0.5,
    }  # fmt: skip


def test_shut_eyes_tell_nothing():
    assert visible_share(np.array([0.0, 0.0])) == 1
    assert visible_share(np.array([1.0, 1.0])) == 0
    assert visible_share(np.array([1.0, 0.0])) == 1  # a wink leaves one eye to see
