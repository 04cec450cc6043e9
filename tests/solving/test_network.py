from __future__ import annotations

import numpy as np
import pytest

from animator.channels import INDEX, MIRRORED
from animator.maths.rotations import matrix_from_yaw_pitch_roll
from animator.solving.network import (
    EYE_SHAPES,
    LONGEST_S,
    EyesSeen,
    FaceNetwork,
    Folding,
    eye_motion,
    no_past,
    settled,
)  # fmt: skip

from .conftest import FPS


def read(model, landmarks_cm, angles_rad, neutral_cm, past=None, time_s=0.0):
    network = FaceNetwork(model)
    past = no_past() if past is None else past
    return network.read(landmarks_cm, matrix_from_yaw_pitch_roll(angles_rad), network.person(neutral_cm), past, time_s)


def some_face(model, seed=0):
    """Head-frame landmarks and neutral of somebody who is doing something."""
    rng = np.random.default_rng(seed)
    neutral_cm = model.neutral_cm + np.tensordot(rng.normal(size=len(model.identity_cm)), model.identity_cm, 1)
    weights = np.where(rng.random(52) < 0.15, rng.random(52), 0)
    return neutral_cm + np.tensordot(weights, model.response_cm, 1), neutral_cm


def in_a_mirror(model, landmarks_cm):
    return landmarks_cm[model.mirror] * [-1, 1, 1]


def test_folding_splits_a_face_from_its_mirror_image(model):
    change = np.random.default_rng(0).normal(size=(478, 3))
    fold = Folding(model.mirror)
    kept, turned = fold(change)
    kept_in_mirror, turned_in_mirror = fold(in_a_mirror(model, change))
    np.testing.assert_allclose(kept_in_mirror, kept, atol=1e-5)
    np.testing.assert_allclose(turned_in_mirror, -turned, atol=1e-5)
    many = fold(np.stack([change, 2 * change]))
    np.testing.assert_array_equal(many[0][0], kept)


def test_left_and_right_are_treated_alike(model):
    landmarks_cm, neutral_cm = some_face(model)
    one = read(model, landmarks_cm, [0.3, 0.1, -0.2], neutral_cm)
    other = read(model, in_a_mirror(model, landmarks_cm), [-0.3, 0.1, 0.2], in_a_mirror(model, neutral_cm))
    np.testing.assert_allclose(other.weights, one.weights[list(MIRRORED)], atol=2e-3)
    np.testing.assert_allclose(other.gaze_rad, one.gaze_rad * [-1, 1], atol=2e-3)
    np.testing.assert_allclose(other.turn_rad, one.turn_rad * [1, -1, -1], atol=2e-3)


def test_a_neutral_face_stays_neutral(model):
    reading = read(model, model.neutral_cm, [0, 0, 0], model.neutral_cm.astype(np.float64))
    assert reading.weights.max() < 0.05
    assert np.abs(reading.gaze_rad).max() < 0.05
    assert np.abs(reading.turn_rad).max() < 0.03


def test_whatever_comes_stays_in_bounds(model):
    rng = np.random.default_rng(0)
    for scale in (0.1, 10.0, 1e4):
        noise = scale * rng.normal(size=(478, 3))
        reading = read(model, model.neutral_cm + noise, [1, 1, 1], model.neutral_cm + noise[::-1])
        assert 0 <= reading.weights.min() <= reading.weights.max() <= 1
        assert np.isfinite(reading.gaze_rad).all()
        assert np.abs(reading.turn_rad).max() < 1
        assert reading.weights[INDEX["tongueOut"]] == 0


def test_motion_of_the_eyes_does_not_depend_on_the_frame_rate():
    def eyes_at(time_s):
        return EyesSeen(time_s, np.full((2, EYE_SHAPES), 3 * time_s, np.float32))

    at_30, at_25 = (eye_motion(eyes_at(1.0), eyes_at(1.0 - 1 / fps), 1) for fps in (30, 25))
    np.testing.assert_allclose(at_30, at_25, rtol=1e-4)
    np.testing.assert_allclose(eye_motion(eyes_at(1.0), eyes_at(1.0 - 2 / 30), 2), 2 * at_30, rtol=1e-4)


@pytest.mark.parametrize("elapsed_s", [0.0, -1.0, LONGEST_S + 0.01, 1e9])
def test_eyes_of_another_time_tell_nothing(elapsed_s):
    now, before = EyesSeen(5.0, np.ones((2, EYE_SHAPES))), EyesSeen(5.0 - elapsed_s, np.zeros((2, EYE_SHAPES)))
    assert not np.any(eye_motion(now, before, 1))


def test_a_new_neutral_is_no_motion_of_the_eyes(model):
    landmarks_cm, neutral_cm = some_face(model)
    network, past = FaceNetwork(model), no_past()
    for i, person in enumerate((network.person(neutral_cm), network.person(model.neutral_cm.astype(np.float64)))):
        kept, turned = network.inputs(landmarks_cm, np.eye(3), person, past, i / FPS)
    assert np.abs(kept[-2 * EYE_SHAPES :]).max() < 1e-3
    assert np.abs(turned[-2 * EYE_SHAPES :]).max() < 1e-3


def test_settling_is_monotonic_and_keeps_clear_weights_in_proportion(model):
    weights = np.repeat(np.linspace(0, 1, 1001)[:, None], 52, 1)
    calm = settled(weights, model.settling)
    assert (np.diff(calm, axis=0) >= 0).all()
    assert not calm[0].any()
    _, full_from, gain = model.settling.T
    np.testing.assert_allclose(np.where(weights >= full_from, calm - np.minimum(gain * weights, 1), 0), 0, atol=1e-6)


def test_a_channel_and_its_mirror_image_settle_alike(model):
    np.testing.assert_array_equal(model.settling, model.settling[list(MIRRORED)])


def test_a_face_that_lies_column_by_column_folds_like_any_other(model):
    change, fold = np.random.default_rng(1).normal(size=(478, 3)), Folding(model.mirror)
    for one, other in zip(fold.of_one(np.asfortranarray(change)), fold(change), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_person_made_of_the_models_people_is_seen_without_the_face(model):
    network, identity = FaceNetwork(model), np.random.default_rng(2).normal(size=len(model.identity_cm))
    face = network.person(model.neutral_cm + np.tensordot(identity, model.identity_cm.astype(np.float64), 1))
    known = network.person_of(identity)
    for one, other in zip((*known.rest, *known.who), (*face.rest, *face.who), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-3)
