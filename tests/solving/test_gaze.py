from __future__ import annotations

import numpy as np

from animator.channels import INDEX
from animator.solving.gaze import LIMIT_RAD, LOOK_CHANNELS, both_eyes, look_weights, settled_gaze, visible_share


def looking(**weights):
    values = dict(zip(LOOK_CHANNELS.tolist(), weights.pop("of"), strict=True))
    names = ("eyeLookOutLeft", "eyeLookInRight", "eyeLookInLeft", "eyeLookUpLeft")
    return {name: values[INDEX[name]] for name in names}


def test_no_eye_turns_too_far():
    assert (np.abs(both_eyes(np.array([9.0, -9.0]))) <= LIMIT_RAD).all()


def test_looking_left_is_out_for_the_left_eye_and_in_for_the_right():
    to_the_left = look_weights(np.tile(np.radians([15.0, 12.5]), (2, 1)))
    assert looking(of=to_the_left) == {
        "eyeLookOutLeft": 0.5, "eyeLookInRight": 0.5, "eyeLookInLeft": 0.0, "eyeLookUpLeft": 0.5,
    }  # fmt: skip


def test_shut_eyes_tell_nothing():
    assert visible_share(np.array([0.0, 0.0])) == 1
    assert visible_share(np.array([1.0, 1.0])) == 0
    assert visible_share(np.array([1.0, 0.0])) == 1  # a wink leaves one eye to see


def test_eyes_that_seem_nearly_straight_are_and_others_go_on_from_there_without_a_jump() -> None:
    angles = np.radians(np.linspace(-40, 40, 1601))
    read = np.array([settled_gaze(np.array([a, a])) for a in angles])
    np.testing.assert_allclose(read, -read[::-1], atol=1e-12)
    assert (read[np.abs(angles) < np.radians(1)] == 0).all()
    steps = np.diff(read, axis=0)
    assert (steps >= 0).all()
    assert steps.max() < 6 * (angles[1] - angles[0])
