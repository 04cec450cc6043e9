"""The second half of `learn_face_model`: the network of `animator.solving.network`.

Needs JAX (`pip install -e '.[tools]'`), on the processor. Adam on a Huber loss, from fixed seeds; dropped units, noisy
inputs and faces blended of two people keep the network from learning people by heart. Several networks are averaged by
laying them side by side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from animator.channels import ARKIT, INDEX, MIRRORED
from animator.data import Array
from animator.maths.rotations import yaw_pitch_roll_from_matrix
from animator.solving.face_model import OUTPUTS, FaceModel
from animator.solving.identity import RunningNeutral
from animator.solving.network import (
    ANGLE_UNIT_RAD,
    EYE_SHAPES,
    GAZE_UNIT_RAD,
    INPUT_LIMIT,
    LAGS,
    MOTION_UNIT_S,
    TURN_UNIT_RAD,
    Folding,
)  # fmt: skip
from animator.topology import LEFT_BROW, LEFT_EYE, LIPS_INNER, LIPS_OUTER, RIGHT_BROW, RIGHT_EYE

from .lessons import Lesson, take_means
from .rotation_vectors import nearest_rotation, vector_from_matrix

REGIONS = {
    "eyes": ((*LEFT_EYE, *RIGHT_EYE, *range(468, 478)), 0.9),
    "brows": ((*LEFT_BROW, *RIGHT_BROW), 0.6),
    "mouth": ((*LIPS_OUTER, *LIPS_INNER), 0.9),
}
"""Landmarks, and how far around them a region reaches, cm."""
SHAPES = {"eyes": (EYE_SHAPES, EYE_SHAPES), "whole": (60, 50), "brows": (15, 15), "mouth": (40, 40)}
"""Directions of change that the network looks at: kept and turned by a mirror. The eyes come first."""
PEOPLE = {"whole": (24, 8), "eyes": (8, 0), "mouth": (8, 0)}
"""The same of the differences between neutral faces."""
RESPONSE_RIDGE, NOISE_FLOOR_CM2 = 30.0, 8e-4
"""Of the directions in which single channels stand out: the changes are folded, so variances are four times those of
one landmark."""
NETWORKS, UNITS, EPOCHS, BATCH = 2, (256, 160), 13, 512
RATE, DECAY, DROPPED, INPUT_NOISE, HUBER = 2e-3, 0.01, 0.33, 0.1, 0.1
# Correlation on held-out takes of `train`, `train_nat`, `train_wide`: .614, .807, .497; with 192 and 128 units, a fifth
# of them dropped and nobody blended .612, .802, .474. One network of 512 and 256 units: .594, .785, .445.
BLEND = 0.3
"""Every sample is blended with another one, by shares of a beta distribution with both parameters so; landmarks and
weights alike are nearly linear in each other. Most are all but left alone."""
ACTIVE_ABOVE, ACTIVE_EXTRA = 0.1, 1.25
"""An active channel counts more: the network shall not hide behind silence. What it says too much of channels at rest
is taken off afterwards (`tools.learn_settling`)."""
AUTO_SHARE = 0.35
"""How much of the lessons is seen with a neutral that is still being found."""
FPS = 30.0
N = len(ARKIT)

ORDER = np.r_[MIRRORED, N : N + 5]
SIGN = np.r_[np.ones(N), -1, 1, 1, -1, -1]
"""What a mirror does to the outputs."""


@dataclass(frozen=True, slots=True)
class Pupil:
    """What the network learns from: n samples."""

    kept: Array
    """(V, n, I) float32 inputs that a mirror keeps, for each way of knowing the neutral."""
    turned: Array
    """(V, n, J) float32 inputs that a mirror negates."""
    targets: Array
    """(n, 57) float32."""
    emphasis: Array
    """(57,) float32: how much each output's error counts."""


def directions(model: FaceModel, folded: tuple[Array, Array], counts: dict[str, tuple[int, int]]) -> list[Array]:
    """Principal directions of folded changes, (k, F) for either half, each scaled to variance 1; those of a region
    see its landmarks alone."""
    one = np.flatnonzero(np.arange(len(model.mirror)) <= model.mirror)
    found: list[list[Array]] = [[], []]
    for name, wanted in counts.items():
        near = np.ones(len(model.mirror), bool)
        if name != "whole":
            points, reach_cm = REGIONS[name]
            away = model.canonical_cm[:, None] - model.canonical_cm[list(points)][None]
            near = np.linalg.norm(away, axis=2).min(1) < reach_cm
        columns = np.flatnonzero(np.repeat((near | near[model.mirror])[one], 3))
        for half, count, rows in zip(folded, wanted, found, strict=True):
            seen = half[:, columns]
            variance, axes = np.linalg.eigh((seen.T @ seen).astype(np.float64) / len(seen))
            whole = np.zeros((count, half.shape[1]))
            whole[:, columns] = (axes[:, ::-1][:, :count] / np.sqrt(variance[::-1][:count])).T
            rows.append(whole)
    return [np.concatenate(rows) for rows in found]


def channel_directions(half: Array, weights: Array) -> Array:
    """(k, F): for each combination of channels in `weights` (n, k) the direction of change in which it stands out
    most from the tracker's noise, scaled to variance 1; principal directions alone miss what moves little.

    half : (n, F) folded changes"""
    inner = weights.T @ weights
    inner[np.diag_indices_from(inner)] += RESPONSE_RIDGE
    response = np.linalg.solve(inner, weights.T @ half)
    left_over = half - (weights @ response).astype(np.float32)
    noise = (left_over.T @ left_over).astype(np.float64) / len(half)
    noise[np.diag_indices_from(noise)] += NOISE_FLOOR_CM2
    measure = np.linalg.solve(noise, response.T).T
    spread = np.einsum("ij,ij->i", measure @ ((half.T @ half).astype(np.float64) / len(half)), measure)
    return measure / np.sqrt(spread)[:, None]


def running_neutrals(model: FaceModel, landmarks_cm: Array, lesson: Lesson, from_start: bool) -> Array:
    """(N, 478, 3) float32: the neutral that would be found while running, frame by frame; from the first frame of
    each take, or from where it is neutral no more."""
    running, found = RunningNeutral(model), np.empty_like(landmarks_cm)
    before = -1
    for i, take in enumerate(lesson.take):
        if take != before:
            running.reset()
            before, first = take, i
        if from_start or not lesson.neutral[i]:
            running.add(landmarks_cm[i], (i - first) / FPS)
        found[i] = running.neutral_cm
    return found


def lagged(values: Array, take: Array, lag: int) -> Array:
    """Each row's predecessor `lag` rows before, or the row itself where the take is too young."""
    before = np.maximum(np.arange(len(take)) - lag, 0)
    before = np.where(take[before] == take, before, np.arange(len(take)))
    return values[before]


def inputs(model: FaceModel, lesson: Lesson, rotations: Array, landmarks_cm: Array, neutral: Array, of: Array):
    """What the network would see: (N, I) kept and (N, J) turned, float32.

    neutral : (M, 478, 3), `of` (N,) tells which is whose"""
    fold = Folding(model.mirror)
    angles = (yaw_pitch_roll_from_matrix(rotations) / ANGLE_UNIT_RAD).astype(np.float32)
    people = fold(neutral - model.neutral_cm)
    out = []
    for half, (shape, person, turns) in enumerate(
        (
            (model.shape_kept, model.person_kept, angles[:, [1]]),
            (model.shape_turned, model.person_turned, angles[:, [0, 2]]),
        )
    ):
        shape, person = shape.astype(np.float32), person.astype(np.float32)
        now = np.concatenate(
            [
                fold(landmarks_cm[rows] - model.neutral_cm)[half] @ shape.T
                for rows in np.array_split(np.arange(len(of)), 20)
            ]
        )
        eyes = now[:, :EYE_SHAPES]
        motion = [(eyes - lagged(eyes, lesson.take, lag + 1)) * np.float32(MOTION_UNIT_S * FPS) for lag in range(LAGS)]
        rest, who = people[half] @ shape.T, np.clip(people[half] @ person.T, -INPUT_LIMIT, INPUT_LIMIT)
        seen = np.concatenate([now - rest[of], turns, who[of], *motion], 1)
        out.append(np.clip(seen, -INPUT_LIMIT, INPUT_LIMIT))
    return out


def turns_missed(lesson: Lesson, rotations: Array) -> Array:
    """(N, 3) rotation vectors, head frame: what the rigid fit missed, beyond what it misses of that person."""
    missed = np.swapaxes(rotations, 1, 2) @ lesson.rotations
    own = nearest_rotation(take_means(lesson, missed))
    return vector_from_matrix(missed @ np.swapaxes(own, 1, 2)[lesson.take])


def halves() -> tuple[Array, Array]:
    """(a, 57) and (b, 57): how the free outputs that a mirror keeps, and those it turns, make the outputs."""
    kept, turned = [], []
    for i, (j, sign) in enumerate(zip(ORDER, SIGN, strict=True)):
        row = np.zeros(OUTPUTS, np.float32)
        if i == INDEX["tongueOut"] or j < i:
            continue
        row[i] = 1
        if i == j:
            (kept if sign > 0 else turned).append(row)
            continue
        other = row.copy()
        row[j], other[j] = 1, -1
        kept.append(row)
        turned.append(other)
    return np.stack(kept), np.stack(turned)


KEPT_OUT, TURNED_OUT = halves()


def new_network(seed: int, kept: int, turned: int) -> list[dict[str, Array]]:
    """Random first layers, and outputs that begin near 0."""
    random, layers = np.random.default_rng(seed), []
    for units in (*UNITS, 0):
        spread = 1 / np.sqrt(kept + turned) if units else 0.02
        a, b = (units, units) if units else (len(KEPT_OUT), len(TURNED_OUT))
        layers.append(
            {
                "kept": (random.normal(size=(kept, a)) * spread).astype(np.float32),
                "turned": (random.normal(size=(turned, b)) * spread).astype(np.float32),
                "bias": np.zeros(a, np.float32),
            }
        )
        kept = turned = units
    return layers


def forward(layers: list[dict[str, Array]], kept: Array, turned: Array, key: Array) -> Array:
    """Outputs (n, 57) while learning, some units dropped."""
    for layer in layers[:-1]:
        a, b = kept @ layer["kept"] + layer["bias"], turned @ layer["turned"]
        one, other = jax.nn.silu(a + b), jax.nn.silu(a - b)
        key, now = jax.random.split(key)
        stay = (jax.random.uniform(now, one.shape) > DROPPED) / (1 - DROPPED)
        kept, turned = 0.5 * (one + other) * stay, 0.5 * (one - other) * stay
    last = layers[-1]
    return (kept @ last["kept"] + last["bias"]) @ KEPT_OUT + (turned @ last["turned"]) @ TURNED_OUT


def loss(layers, kept: Array, turned: Array, targets: Array, emphasis: Array, key: Array) -> Array:
    """The mean over a batch."""
    noise, other, drop = jax.random.split(key, 3)
    kept = kept + INPUT_NOISE * jax.random.normal(noise, kept.shape)
    turned = turned + INPUT_NOISE * jax.random.normal(other, turned.shape)
    miss = forward(layers, kept, turned, drop) - targets
    weights = targets[:, :N]
    # Weights are clipped to 0..1 afterwards, so being beyond an end where the truth is at it is no mistake.
    beyond = ((weights <= 0) & (miss[:, :N] < 0)) | ((weights >= 1) & (miss[:, :N] > 0))
    miss = jnp.concatenate([jnp.where(beyond, 0, miss[:, :N]), miss[:, N:]], 1)
    size = jnp.abs(miss)
    huber = jnp.where(size < HUBER, 0.5 * size * size / HUBER, size - 0.5 * HUBER)
    active = jnp.concatenate([1 + ACTIVE_EXTRA * (weights > ACTIVE_ABOVE), jnp.ones((len(miss), 5))], 1)
    return (huber * active * emphasis).sum(1).mean()


def blended(one: tuple[Array, ...], other: tuple[Array, ...], key: Array) -> list[Array]:
    """Inputs and targets of one batch, each with a smaller share of the other's."""
    share = jax.random.beta(key, BLEND, BLEND, (len(one[0]), 1))
    share = jnp.minimum(share, 1 - share)
    return [(1 - share) * a + share * b for a, b in zip(one, other, strict=True)]


@partial(jax.jit, static_argnames="steps")
def learn_step(state, step, one, other, emphasis, key, steps: int):
    """One step of Adam; `state` is layers and both moments."""
    layers, first, second = state
    key, now = jax.random.split(key)
    batch = (*blended(one, other, now), emphasis)
    gradient = jax.grad(loss)(layers, *batch, key)
    rate = RATE * 0.5 * (1 + jnp.cos(jnp.pi * step / steps)) * jnp.minimum(1, step / 200)
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradient)
    layers = jax.tree.map(
        lambda p, m, v: p - rate * (m / (1 - 0.9**step) / (jnp.sqrt(v / (1 - 0.999**step)) + 1e-8) + DECAY * p),
        layers, first, second,
    )  # fmt: skip
    return layers, first, second


def train(pupil: Pupil, seed: int) -> list[dict[str, Array]]:
    """One network."""
    random, key = np.random.default_rng(seed), jax.random.PRNGKey(seed)
    layers = new_network(seed, pupil.kept.shape[2], pupil.turned.shape[2])
    still = jax.tree.map(np.zeros_like, layers)
    state, batches, step = (layers, still, still), len(pupil.targets) // BATCH, 0
    ways = [1 - AUTO_SHARE] + [AUTO_SHARE / (len(pupil.kept) - 1)] * (len(pupil.kept) - 1)
    for _ in range(EPOCHS):
        order, others = (random.permutation(len(pupil.targets)) for _ in range(2))
        way = random.choice(len(ways), len(order), p=ways)

        def lessons(rows: Array, way: Array = way) -> tuple[Array, ...]:
            return pupil.kept[way[rows], rows], pupil.turned[way[rows], rows], pupil.targets[rows]

        for b in range(batches):
            step += 1
            some = slice(b * BATCH, (b + 1) * BATCH)
            key, now = jax.random.split(key)
            one, other = lessons(order[some]), lessons(others[some])
            state = learn_step(state, float(step), one, other, pupil.emphasis, now, batches * EPOCHS)
    return jax.tree.map(np.asarray, state[0])


def learn_network(model: FaceModel, lesson: Lesson, rotations: Array, landmarks_cm: Array) -> FaceModel:
    """Add the network to a model that already knows pose and people."""
    means = take_means(lesson, landmarks_cm).astype(np.float32)
    fold = Folding(model.mirror)
    change = fold(landmarks_cm - means[lesson.take])
    shape = directions(model, tuple(half[::4] for half in change), SHAPES)
    for i, combined in enumerate((KEPT_OUT, TURNED_OUT)):
        weights = lesson.weights.astype(np.float64) @ combined[:, :N].T
        weights = weights[:, weights.std(0) > 0]
        shape[i] = np.concatenate([shape[i], channel_directions(change[i], weights)])
    person = directions(model, fold(means - model.neutral_cm), PEOPLE)
    half = [array.astype(np.float16) for array in (*shape, *person)]
    model = replace(model, shape_kept=half[0], shape_turned=half[1], person_kept=half[2], person_turned=half[3])
    ways = [inputs(model, lesson, rotations, landmarks_cm, means, lesson.take)]
    for from_start in (True, False):
        neutrals = running_neutrals(model, landmarks_cm, lesson, from_start)
        ways.append(inputs(model, lesson, rotations, landmarks_cm, neutrals, np.arange(len(neutrals))))
    kept, turned = (np.stack(arrays) for arrays in zip(*ways, strict=True))
    missed = turns_missed(lesson, rotations) / TURN_UNIT_RAD
    targets = np.concatenate([lesson.weights, lesson.gaze_rad / GAZE_UNIT_RAD, missed], 1).astype(np.float32)
    # Rare channels count about as much as frequent ones.
    emphasis = np.r_[0.15 / (lesson.weights.std(0) + 0.05), 1, 1, 1, 1, 1].astype(np.float32)
    return replace(model, **side_by_side([train(Pupil(kept, turned, targets, emphasis), s) for s in range(NETWORKS)]))


def side_by_side(networks: list[list[dict[str, Array]]]) -> dict[str, Array]:
    """Several networks as one that answers with their mean, by the names of the model's fields."""
    first, second, last = zip(*networks, strict=True)
    return {
        "first_kept": np.concatenate([layer["kept"].T for layer in first]),
        "first_turned": np.concatenate([layer["turned"].T for layer in first]),
        "first_bias": np.concatenate([layer["bias"] for layer in first]),
        "second_kept": np.stack([layer["kept"].T for layer in second]),
        "second_turned": np.stack([layer["turned"].T for layer in second]),
        "second_bias": np.stack([layer["bias"][:, None] for layer in second]),
        "last_kept": np.concatenate([(layer["kept"] @ KEPT_OUT).T for layer in last], 1) / len(networks),
        "last_turned": np.concatenate([(layer["turned"] @ TURNED_OUT).T for layer in last], 1) / len(networks),
        "last_bias": np.mean([layer["bias"] @ KEPT_OUT for layer in last], 0),
    }
