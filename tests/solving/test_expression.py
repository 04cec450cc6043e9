from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import lsq_linear

from animator.channels import INDEX, MIRRORED
from animator.solving.expression import ExpressionSolver, solve_box


def box_problem(seed: int, n: int = 20):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(n + 5, n))
    target = rng.normal(size=n + 5) * 3
    return root, target, rng


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_box_solution_agrees_with_scipy(seed):
    root, target, rng = box_problem(seed)
    lower, upper = np.zeros(20), np.ones(20)
    ours = solve_box(root.T @ root, root.T @ target, rng.random(20), lower, upper)
    theirs = lsq_linear(root, target, (0, 1), tol=1e-12).x
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_start_changes_the_time_but_not_the_answer():
    root, target, rng = box_problem(7)
    problem = root.T @ root, root.T @ target
    cold = solve_box(*problem, np.zeros(20), np.zeros(20), np.ones(20))
    warm = solve_box(*problem, rng.random(20), np.zeros(20), np.ones(20))
    np.testing.assert_allclose(cold, warm, atol=1e-6)


def test_equal_bounds_hold_a_variable():
    root, target, _ = box_problem(3)
    lower, upper = np.zeros(20), np.ones(20)
    lower[4] = upper[4] = 0.25
    assert solve_box(root.T @ root, root.T @ target, np.zeros(20), lower, upper)[4] == 0.25


def test_weights_behind_the_landmarks_are_recovered(model):
    solver = ExpressionSolver(
        replace(model, channel_rate=np.zeros(52), channel_precision=np.full(52, 1e-6, np.float32))
    )
    weights = np.zeros(52)
    for name, weight in {"jawOpen": 0.6, "mouthSmileLeft": 0.5, "eyeBlinkRight": 0.9, "browInnerUp": 0.3}.items():
        weights[INDEX[name]] = weight
    landmarks_cm = model.neutral_cm + np.tensordot(weights, model.response_cm, 1)
    np.testing.assert_allclose(solver.solve(landmarks_cm, model.neutral_cm), weights, atol=5e-3)


def test_priors_only_shrink_clear_expressions(model):
    weights = np.zeros(52)
    weights[[INDEX["jawOpen"], INDEX["eyeBlinkLeft"]]] = 0.8
    landmarks_cm = model.neutral_cm + np.tensordot(weights, model.response_cm, 1)
    solved = ExpressionSolver(model).solve(landmarks_cm, model.neutral_cm)
    np.testing.assert_allclose(solved, weights, atol=0.15)


def test_neutral_is_all_zero(model):
    solver = ExpressionSolver(model)
    assert not solver.solve(model.neutral_cm, model.neutral_cm).any()


def test_mirrored_landmarks_give_mirrored_weights(model):
    rng = np.random.default_rng(0)
    solver = ExpressionSolver(model)
    weights = np.where(rng.random(52) < 0.15, rng.random(52), 0)
    landmarks_cm = model.neutral_cm + np.tensordot(weights, model.response_cm, 1)
    mirrored_cm = landmarks_cm[model.mirror] * [-1, 1, 1]
    one = solver.solve(landmarks_cm, model.neutral_cm)
    other = solver.solve(mirrored_cm, model.neutral_cm[model.mirror] * np.float32([-1, 1, 1]))
    np.testing.assert_allclose(other, one[list(MIRRORED)], atol=2e-3)


@pytest.mark.parametrize("scale", [0.0, 1.0, 50.0])
def test_weights_stay_in_bounds_whatever_comes(model, scale):
    rng = np.random.default_rng(1)
    solved = ExpressionSolver(model).solve(model.neutral_cm + scale * rng.normal(size=(478, 3)), model.neutral_cm)
    assert solved.min() >= 0
    assert solved.max() <= 1
    assert solved[INDEX["tongueOut"]] == 0
