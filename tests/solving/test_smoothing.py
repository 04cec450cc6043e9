from __future__ import annotations

import numpy as np
import pytest

from animator.data import Gaze, HeadPose
from animator.maths.rotations import wxyz_from_axis_angle
from animator.solving.smoothing import Smoother

from .conftest import FPS


def smoothed_weights(signal, smoothing=0.5):
    smoother = Smoother(smoothing)
    return np.array(
        [
            smoother.step(HeadPose.rest(), Gaze.rest(), np.full(52, value), i / FPS)[2].weights[0]
            for i, value in enumerate(signal)
        ]
    )


def test_off_changes_nothing():
    signal = np.random.default_rng(0).random(50)
    np.testing.assert_allclose(smoothed_weights(signal, 0.0), signal, atol=1e-6)


@pytest.mark.parametrize(("smoothing", "at_most"), [(0.25, 0.8), (0.5, 0.6), (1.0, 0.4)])
def test_noise_at_rest_is_calmed(smoothing, at_most):
    signal = 0.3 + 0.01 * np.random.default_rng(0).normal(size=300)
    assert smoothed_weights(signal, smoothing)[60:].std() < at_most * signal[60:].std()


@pytest.mark.parametrize("frames", [4, 5, 8])
def test_a_blink_survives(frames):
    blink = np.sin(np.linspace(0, np.pi, frames + 2))
    shown = smoothed_weights(np.concatenate([np.zeros(20), blink, np.zeros(20)]))
    assert shown.max() > 0.85 * blink.max()
    assert abs(int(shown.argmax()) - (20 + int(blink.argmax()))) <= 1


def test_the_long_way_round_is_never_taken():
    smoother, truth = Smoother(0.5), [wxyz_from_axis_angle([0, 1, 0], 0.02 * i) for i in range(200)]
    for i, wxyz in enumerate(truth):
        flipped = wxyz if i % 2 else -wxyz
        pose, _, _ = smoother.step(HeadPose(flipped, np.zeros(3)), Gaze.rest(), np.zeros(52), i / FPS)
        assert abs(pose.rotation_wxyz @ wxyz) > 0.999
        assert np.linalg.norm(pose.rotation_wxyz) == pytest.approx(1)


def test_earlier_results_are_not_overwritten():
    smoother = Smoother(0.5)
    one = smoother.step(HeadPose.rest(), Gaze.rest(), np.zeros(52), 0.0)
    smoother.step(HeadPose(np.array([0.0, 1, 0, 0]), np.ones(3)), Gaze(np.ones((2, 2))), np.ones(52), 0.1)
    assert one[0].translation_cm[2] == -50
    assert not one[1].angles_rad.any()
    assert not one[2].weights.any()
