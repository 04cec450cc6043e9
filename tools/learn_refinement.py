"""The second half of `learn_face_model`: the small network that corrects the linear answer.

Plain NumPy: one hidden layer of tanh beside a direct linear path that begins as "the linear answer is
right". Trained with Adam on a Huber loss from fixed seeds; several networks are averaged by laying their
hidden layers side by side.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from animator.channels import ARKIT, MIRRORED, UNSEEN
from animator.data import Array
from animator.solving.expression import ExpressionSolver
from animator.solving.face_model import FaceModel
from animator.solving.identity import RunningNeutral
from animator.solving.refinement import GAZE_UNIT_RAD, INPUT_LIMIT, Refiner
from tests.bench.scores import NEUTRAL_FRAMES

SHAPES = 60
NETWORKS, HIDDEN, EPOCHS, BATCH = 3, 128, 16, 512
RATE, DECAY, DROPPED, INPUT_NOISE, HUBER = 2e-3, 0.01, 0.3, 0.15, 0.1
LINEAR_SCALE = 0.25
"""Scale of the linear answer among the inputs."""
FPS = 30.0
N = len(ARKIT)


def shape_directions(model: FaceModel, change: Array) -> Array:
    """(SHAPES, 1434) principal directions of `change` (n, 1434), each with variance 1 along it; symmetric
    and antisymmetric ones are found apart, so that each has a parity."""
    image = (change.reshape(-1, 478, 3)[:, model.mirror] * np.float32([-1, 1, 1])).reshape(change.shape)
    found = []
    for half in (0.5 * (change + image), 0.5 * (change - image)):
        variance, directions = np.linalg.eigh((half.T @ half).astype(np.float64) / len(half))
        found.extend(zip(variance[-SHAPES:], directions.T[-SHAPES:], strict=True))
    found.sort(key=lambda pair: -pair[0])
    return np.stack([direction / np.sqrt(variance) for variance, direction in found[:SHAPES]])


def network_inputs(model: FaceModel, rotations: Array, landmarks_cm: Array, take: Array) -> tuple[Array, Array]:
    """What the network would see in live use with a calibrated neutral, and with a running one; each (n, I)."""
    refiner, expression, running = Refiner(model), ExpressionSolver(model), RunningNeutral(model)
    calibrated, auto = [], []
    for i in range(len(take)):
        if i == 0 or take[i] != take[i - 1]:
            first = i
            running.reset()
            neutral_cm = landmarks_cm[i : i + NEUTRAL_FRAMES].mean(0).astype(np.float64)
        running.add(landmarks_cm[i], (i - first) / FPS)
        for found_cm, rows in ((neutral_cm, calibrated), (running.neutral_cm, auto)):
            change = (landmarks_cm[i] - found_cm).ravel()
            measured = expression.measure(change)
            weights = expression.solve_measured(measured)
            rows.append(refiner.features(change, measured, weights, rotations[i], found_cm).astype(np.float32))
    return np.stack(calibrated), np.stack(auto)


def train(inputs: Array, targets: Array, emphasis: Array, seed: int) -> list[Array]:
    """One network: input (I, H), hidden bias, hidden (H, O), direct (I, O), bias; all float32.

    emphasis : (O,) how much each output's error counts"""
    random = np.random.default_rng(seed)
    n_in, n_out = inputs.shape[1], targets.shape[1]
    direct = np.zeros((n_in, n_out), np.float32)
    direct[n_in - N + np.arange(N), np.arange(N)] = LINEAR_SCALE  # begin with the linear answer itself
    parameters = [
        (random.normal(size=(n_in, HIDDEN)) / np.sqrt(n_in)).astype(np.float32),
        np.zeros(HIDDEN, np.float32),
        (random.normal(size=(HIDDEN, n_out)) * 0.01).astype(np.float32),
        direct,
        np.zeros(n_out, np.float32),
    ]
    first = [np.zeros_like(p) for p in parameters]
    second = [np.zeros_like(p) for p in parameters]
    batches, step = len(inputs) // BATCH, 0
    for _ in range(EPOCHS):
        order = random.permutation(len(inputs))
        for b in range(batches):
            step += 1
            rows = order[b * BATCH : (b + 1) * BATCH]
            noise = INPUT_NOISE * random.standard_normal((BATCH, n_in), dtype=np.float32)
            kept = (random.random((BATCH, HIDDEN), dtype=np.float32) > DROPPED) / np.float32(1 - DROPPED)
            gradients = backward(parameters, inputs[rows] + noise, targets[rows], kept, emphasis)
            rate = RATE * 0.5 * (1 + np.cos(np.pi * step / (batches * EPOCHS))) * min(1, step / 200)
            for i, (p, g) in enumerate(zip(parameters, gradients, strict=True)):
                first[i] += 0.1 * (g - first[i])
                second[i] += 0.001 * (g * g - second[i])
                adam = first[i] / (1 - 0.9**step) / (np.sqrt(second[i] / (1 - 0.999**step)) + 1e-8)
                p -= np.float32(rate * (0.3 if i >= 3 else 1.0)) * (adam + (DECAY * p if i in (0, 2) else 0))
    return parameters


def backward(parameters: list[Array], inputs: Array, targets: Array, kept: Array, emphasis: Array) -> list[Array]:
    """Gradients of the mean loss over a batch, in the order of the parameters."""
    first, first_bias, hidden, direct, bias = parameters
    active = np.tanh(inputs @ first + first_bias)
    shown = active * kept
    miss = shown @ hidden + inputs @ direct + bias - targets
    # Weights are clipped to 0 afterwards, so being below 0 where the truth is 0 is no mistake.
    miss[:, :N] = np.where((targets[:, :N] <= 0) & (miss[:, :N] < 0), 0, miss[:, :N])
    slope = np.clip(miss, -HUBER, HUBER) * (emphasis / (HUBER * len(inputs)))
    back = (slope @ hidden.T) * kept * (1 - active * active)
    return [inputs.T @ back, back.sum(0), shown.T @ slope, inputs.T @ slope, slope.sum(0)]


def learn_refinement(
    model: FaceModel, rotations: Array, landmarks_cm: Array, take: Array, weights: Array, gaze_rad: Array
) -> FaceModel:
    """Add the network to a model that already knows the linear response."""
    means = np.stack([landmarks_cm[take == t][:NEUTRAL_FRAMES].mean(0) for t in np.unique(take)])
    change = landmarks_cm - means[np.searchsorted(np.unique(take), take)]
    model = replace(model, refine_map=shape_directions(model, change.reshape(len(change), -1)))
    inputs = np.concatenate(network_inputs(model, rotations, landmarks_cm, take))
    refiner = Refiner(model)
    inputs = np.concatenate([inputs, inputs[:, refiner.mirror_order] * refiner.mirror_sign.astype(np.float32)])
    targets = np.concatenate([weights, gaze_rad / GAZE_UNIT_RAD], 1).astype(np.float32)
    image = np.concatenate([weights[:, MIRRORED], gaze_rad * [-1, 1] / GAZE_UNIT_RAD], 1).astype(np.float32)
    targets = np.concatenate([targets, targets, image, image])
    # The unseen channels' inputs never vary; the linear answer keeps the unit of a weight.
    scale = np.maximum(inputs.std(0), 0.02)
    scale[-N:] = LINEAR_SCALE
    inputs = np.clip(inputs / scale, -INPUT_LIMIT, INPUT_LIMIT).astype(np.float32)
    # Rare channels count about as much as frequent ones.
    emphasis = np.r_[0.15 / (weights.std(0) + 0.05), 1, 1].astype(np.float32)
    return replace(model, refine_scale=scale, **average(inputs, targets, emphasis))


def average(inputs: Array, targets: Array, emphasis: Array) -> dict[str, Array]:
    """Several networks laid side by side as one, by the names of the model's fields."""
    networks = [train(inputs, targets, emphasis, seed) for seed in range(NETWORKS)]
    first, first_bias, hidden, direct, bias = zip(*networks, strict=True)
    joined = {
        "refine_input": np.concatenate(first, 1),
        "refine_hidden_bias": np.concatenate(first_bias),
        "refine_hidden": np.concatenate(hidden) / NETWORKS,
        "refine_direct": np.mean(direct, 0),
        "refine_bias": np.mean(bias, 0),
    }
    unseen = [ARKIT.index(name) for name in UNSEEN]
    for name in ("refine_hidden", "refine_direct", "refine_bias"):
        joined[name][..., unseen] = 0
    return joined
