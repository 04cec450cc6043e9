from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from animator.maths.rigid import fit_rigid, fit_similarity
from animator.maths.rotations import matrix_from_yaw_pitch_roll


def moved(seed: int, scale: float):
    rng = np.random.default_rng(seed)
    source, weights = rng.normal(size=(12, 3)), rng.random(12) + 0.1
    rotation, translation = matrix_from_yaw_pitch_roll(rng.uniform(-3, 3, 3)), rng.normal(size=3) * 5
    return source, scale * source @ rotation.T + translation, weights, rotation, translation


@settings(max_examples=30)
@given(st.integers(0, 1000), st.floats(0.1, 10))
def test_known_similarity_is_found(seed, scale):
    source, target, weights, rotation, translation = moved(seed, scale)
    found_scale, found_rotation, found_translation = fit_similarity(source, target, weights)
    np.testing.assert_allclose(found_scale, scale, rtol=1e-9)
    np.testing.assert_allclose(found_rotation, rotation, atol=1e-9)
    np.testing.assert_allclose(found_translation, translation, atol=1e-8)


def test_known_rigid_motion_is_found():
    source, target, weights, rotation, translation = moved(4, 1.0)
    found_rotation, found_translation = fit_rigid(source, target, weights)
    np.testing.assert_allclose(found_rotation, rotation, atol=1e-9)
    np.testing.assert_allclose(found_translation, translation, atol=1e-9)


def test_a_mirror_image_gives_a_rotation_all_the_same():
    source = np.random.default_rng(0).normal(size=(10, 3))
    _, rotation, _ = fit_similarity(source, source * [-1, 1, 1], np.ones(10))
    np.testing.assert_allclose(np.linalg.det(rotation), 1, atol=1e-9)


def test_weight_zero_is_not_there():
    source, target, weights, rotation, _ = moved(2, 1.5)
    target = target.copy()
    target[0] += 100
    weights[0] = 0
    np.testing.assert_allclose(fit_similarity(source, target, weights)[1], rotation, atol=1e-9)
