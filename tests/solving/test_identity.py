from __future__ import annotations

import itertools

import numpy as np
import pytest

from animator.channels import INDEX
from animator.maths.rotations import matrix_from_yaw_pitch_roll
from animator.solving.identity import HALF_TOLD_RAD, Calibration, RunningNeutral, told_share

from .conftest import FPS


def person(model, seed=0):
    """(478, 3) the neutral of somebody from the identity model."""
    alpha = np.random.default_rng(seed).normal(size=len(model.identity_cm))
    return model.neutral_cm + np.tensordot(alpha, model.identity_cm, 1)


def miss_cm(found, truth):
    return np.sqrt(((found - truth) ** 2).sum(1).mean())


def test_running_estimate_starts_at_the_mean(model):
    np.testing.assert_array_equal(RunningNeutral(model).neutral_cm, model.neutral_cm.astype(np.float64))


def test_running_estimate_finds_a_still_person(model):
    truth, running = person(model), RunningNeutral(model)
    for i in range(60):
        running.add(truth, i / FPS)
    assert miss_cm(running.neutral_cm, truth) < 0.5 * miss_cm(model.neutral_cm, truth)


def test_running_estimate_gets_over_a_smile_at_the_start(model):
    truth, running = person(model, 3), RunningNeutral(model)
    smile = np.zeros(52)
    smile[[INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"], INDEX["jawOpen"]]] = 0.8
    smiling = truth + np.tensordot(smile, model.response_cm, 1)
    for i in range(15):
        running.add(smiling, i / FPS)
    after_smile = miss_cm(running.neutral_cm, truth)
    # A naive neutral would be off by the whole smile.
    assert after_smile < 0.8 * miss_cm(smiling, truth)
    for i in range(15, 300):
        running.add(truth, i / FPS)
    assert miss_cm(running.neutral_cm, truth) < 0.6 * after_smile


def test_running_estimate_does_not_depend_on_the_frame_rate(model):
    truth, slow, quick = person(model), RunningNeutral(model), RunningNeutral(model)
    for i in range(60):
        slow.add(truth, i / 30)
    for i in range(120):
        quick.add(truth, i / 60)
    np.testing.assert_allclose(slow.neutral_cm, quick.neutral_cm, atol=0.02)


def test_calibration_shrugs_off_a_blink(model):
    truth, calibration = person(model), Calibration(model, 1.0)
    blink = np.zeros(52)
    blink[[INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]] = 1
    for i in range(30):
        shown = truth + (np.tensordot(blink, model.response_cm, 1) if 10 <= i < 16 else 0)
        assert not calibration.is_over(i / FPS)
        calibration.add(shown, i / FPS)
    assert calibration.is_over(1.0)
    assert miss_cm(calibration.result_cm(), truth) < 0.03


def test_running_estimate_is_the_most_likely_person(model):
    landmarks_cm, running = person(model, 5) + 0.05, RunningNeutral(model)
    running.add(landmarks_cm, 0.0)
    identity = model.identity_cm.astype(np.float64).reshape(len(model.identity_cm), -1)
    evidence, information = (
        model.identity_map.astype(np.float64) @ a for a in ((landmarks_cm - model.neutral_cm).ravel(), identity.T)
    )
    likeliest = np.linalg.solve(0.5 * (information + information.T) + np.eye(len(identity)), evidence)
    np.testing.assert_allclose(running.identity, likeliest, atol=1e-6)
    np.testing.assert_allclose(running.neutral_cm.ravel(), model.neutral_cm.ravel() + likeliest @ identity, atol=1e-6)


def test_running_estimate_is_renewed_more_seldom_when_it_is_known(model):
    truth, running, known = person(model), RunningNeutral(model), []
    for i in range(8 * int(FPS)):
        running.add(truth, i / FPS)
        known.append(running.neutral_cm)
    changes = [one is not other for one, other in itertools.pairwise(known)]
    at_first, at_last = int(0.4 * FPS), 2 * int(FPS)
    assert all(changes[:at_first])
    assert 2 <= sum(changes[-at_last:]) <= 5


def turned(yaw_rad, pitch_rad=0.0):
    return matrix_from_yaw_pitch_roll(np.array([yaw_rad, pitch_rad, 0.0]))


def test_a_turned_head_tells_the_less_the_farther_either_way_up_and_down():
    aside = np.radians(np.arange(0, 90, 5))
    told = np.array([told_share(turned(angle)) for angle in aside])
    assert told[0] == 1
    assert (np.diff(told) < 0).all()
    np.testing.assert_allclose(told, [told_share(turned(-angle)) for angle in aside])
    np.testing.assert_allclose(told, [told_share(turned(0, angle)) for angle in aside])
    assert told_share(turned(HALF_TOLD_RAD)) == pytest.approx(0.5)


def test_what_tells_nothing_changes_nothing(model):
    running = RunningNeutral(model)
    running.add(person(model), 0.0, 0.0)
    np.testing.assert_array_equal(running.neutral_cm, model.neutral_cm.astype(np.float64))
