"""The benchmark's own arithmetic, where a slip would flatter the solver."""

from __future__ import annotations

import numpy as np
import pytest

from animator.channels import INDEX
from animator.maths.rotations import matrix_from_yaw_pitch_roll

from . import conftest  # noqa: F401  (puts the repository's root on the path)

scores = pytest.importorskip("tests.bench.scores")


def test_correlation_skips_still_channels_and_punishes_still_answers():
    truth = np.zeros((50, 52))
    truth[:, 0] = np.sin(np.arange(50))
    truth[:, 1] = np.cos(np.arange(50))
    solved = np.zeros_like(truth)
    solved[:, 0] = 0.5 * truth[:, 0] + 0.2
    assert scores.correlation(solved, truth) == pytest.approx(0.5)


def test_rest_and_active_errors_are_means_over_channels():
    truth, solved = np.zeros((4, 52)), np.zeros((4, 52))
    truth[:2, 3] = 0.5
    solved[2:, 3] = 0.2
    assert scores.error_where(solved, truth, truth > 0.1) == pytest.approx(0.5)
    assert scores.error_where(solved, truth, truth < 0.02) == pytest.approx(0.2 / 51)


def test_blinks_count_each_eye():
    truth, solved = np.zeros((10, 52)), np.zeros((10, 52))
    truth[2:5, INDEX["eyeBlinkLeft"]] = 1
    solved[2:5, [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]] = 1
    assert scores.blink_f1(solved, truth) == pytest.approx(2 / 3)


def test_a_constant_offset_of_the_head_is_no_error():
    angles = np.random.default_rng(0).normal(size=(40, 3)) * 0.3
    truth = matrix_from_yaw_pitch_roll(angles)
    offset = matrix_from_yaw_pitch_roll([0.1, -0.2, 0.05])
    np.testing.assert_allclose(scores.rotation_errors_deg(truth @ offset, truth, [40]), 0, atol=1e-5)
    late = truth.copy()
    late[20:] = truth[20:] @ matrix_from_yaw_pitch_roll([np.radians(2), 0, 0])
    np.testing.assert_allclose(scores.rotation_errors_deg(late, truth, [40])[20:], 2, atol=1e-5)
