"""Learn `assets/face_model.npz` from performances whose truth is known.

    python -m tools.learn_face_model PLACE… [--out FILE] [--hold-out N] [--settling MODEL]

A PLACE is a file that `tools.lessons` describes, or a folder of such files. `--hold-out 5` leaves every fifth
take of each file out, so that settings can be judged on takes that were not learned from. A file that is named
twice counts twice. All random numbers have fixed seeds: the same input gives the same figures on the same machine.
"""

from __future__ import annotations

import argparse
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from animator.channels import ARKIT, MIRRORED
from animator.data import LANDMARKS, Array
from animator.resources import asset_path
from animator.solving.face_model import OUTPUTS, FaceModel, load_face_model
from animator.solving.pose import unproject_at_depth_one
from animator.topology import canonical_face

from .face_model_file import save_face_model, stored_precision
from .learn_network import learn_network
from .lessons import FLAT, Lesson, files_in, read_lesson, take_means
from .rotation_vectors import matrix_from_vectors, nearest_rotation, vector_from_matrix

ASSUMED_FOV_RAD = np.radians(50.0)
DEPTH_SCALE = 1.1
"""Best of 0.6, 0.8 ... 1.4 on held-out takes."""
TURN_RIDGE, RESPONSE_RIDGE = 10.0, 30.0
WHOLE_HEAD_WEIGHT = 5.0
"""Weight of a person's mean rotation error against the error within a take, when the turn map is learned."""
PEOPLE_DIRECTIONS = 40
NOISE_FLOOR_CM2 = 2e-4
"""Added to the noise variance of every coordinate: no direction is trusted beyond 0.14 mm."""
RIGID_SOFTENING_CM2 = 0.01
"""Added to each landmark's variance, so that no few landmarks carry the pose alone."""
MIRROR_VECTOR = np.array([1.0, -1.0, -1.0])
"""What a mirror across x does to a rotation vector."""
UNSETTLED = (0.075, 0.155, 1.2)
"""Of every channel as long as `tools.learn_settling` has not looked at them one by one."""
BATCH = 4096


def blank_model() -> FaceModel:
    """A model that knows the canonical face and nothing else."""
    canonical = canonical_face().positions_cm.astype(np.float64)
    squared = ((canonical[None] * [-1, 1, 1] - canonical[:, None]) ** 2).sum(-1)
    irises = np.full((LANDMARKS - len(canonical), 3), canonical.mean(0))
    blank = {field.name: np.zeros(0) for field in fields(FaceModel)}
    return FaceModel(
        **blank
        | {
            "canonical_cm": np.concatenate([canonical, irises]),
            "response_cm": np.zeros((len(ARKIT), LANDMARKS, 3)),
            "mirror": np.r_[squared.argmin(1), len(canonical) : LANDMARKS],
            "rigid_weights": np.r_[np.ones(len(canonical)), np.zeros(len(irises))],
            "depth_scale": np.array(DEPTH_SCALE),
            "turn_map": np.zeros((3, FLAT)),
            "neutral_cm": np.zeros((LANDMARKS, 3)),
            "last_bias": np.zeros(OUTPUTS),
            "settling": np.tile(UNSETTLED, (len(ARKIT), 1)),
        }
    )


def fit_heads(model: FaceModel, lesson: Lesson) -> tuple[Array, Array]:
    """Rotations (N, 3, 3) and head-frame landmarks (N, 478, 3) float32 of every frame: what `HeadFitter` does,
    many at a time."""
    rotations, landmarks_cm = np.empty((len(lesson.take), 3, 3)), np.empty(lesson.landmarks_norm.shape, np.float32)
    weights = model.rigid_weights / model.rigid_weights.sum()
    centre_cm = weights @ model.canonical_cm
    centred = model.canonical_cm - centre_cm
    for first in range(0, len(lesson.take), BATCH):
        rows = slice(first, first + BATCH)
        shape = np.empty((len(lesson.take[rows]), LANDMARKS, 3))
        for size in np.unique(lesson.sizes_px[rows], axis=0):
            same = (lesson.sizes_px[rows] == size).all(1)
            shape[same] = unproject_at_depth_one(
                lesson.landmarks_norm[rows][same], tuple(size), ASSUMED_FOV_RAD, float(model.depth_scale)
            )
        shape -= (weights @ shape)[:, None]
        u, singular, vt = np.linalg.svd(np.swapaxes(shape * weights[:, None], 1, 2) @ centred)
        sign = np.sign(np.linalg.det(u @ vt))
        u[:, :, 2] *= sign[:, None]
        singular[:, 2] *= sign
        shape /= (singular.sum(1) / (weights @ (centred**2).sum(1)))[:, None, None]
        rotation = u @ vt
        in_head = (shape @ rotation + centre_cm - model.neutral_cm).reshape(len(shape), FLAT)
        rotation = rotation @ matrix_from_vectors(in_head @ model.turn_map.T)
        rotations[rows], landmarks_cm[rows] = rotation, shape @ rotation + centre_cm
    return rotations, landmarks_cm


def mirrored(model: FaceModel, flat: Array) -> Array:
    """(n, 1434) landmark differences as a mirror shows them."""
    return (flat.reshape(-1, LANDMARKS, 3)[:, model.mirror] * np.array([-1, 1, 1], flat.dtype)).reshape(flat.shape)


def symmetric(model: FaceModel, neutral_cm: Array) -> Array:
    """A face (478, 3) made its own mirror image."""
    return 0.5 * (neutral_cm + neutral_cm[model.mirror] * [-1, 1, 1])


def ridge(inputs: Array, targets: Array, strength: float) -> Array:
    """(inputs, targets) least-squares map with `strength` added to the diagonal."""
    gram = (inputs.T @ inputs).astype(np.float64)
    gram[np.diag_indices_from(gram)] += strength
    return np.linalg.solve(gram, (inputs.T @ targets).astype(np.float64))


def learn_rigid_weights(model: FaceModel, lesson: Lesson) -> FaceModel:
    """Weigh each landmark by how still it keeps in the head; also the irises' mean place and the mirror."""
    some = Lesson(*(getattr(lesson, name)[::3] for name in Lesson.__slots__))
    for _ in range(3):
        _, landmarks_cm = fit_heads(model, some)
        means = take_means(some, landmarks_cm)
        variance = ((landmarks_cm - means[some.take]) ** 2).sum(2).mean(0)
        rigid = np.where(model.rigid_weights > 0, 1 / (variance + RIGID_SOFTENING_CM2), 0)
        model = replace(model, rigid_weights=(rigid + rigid[model.mirror]) / (rigid + rigid[model.mirror]).sum())
    skin = len(canonical_face().positions_cm)
    irises = means.mean(0)[skin:]
    mirror = model.mirror.copy()
    mirror[skin:] = skin + (((irises * [-1, 1, 1])[:, None] - irises[None]) ** 2).sum(-1).argmin(1)
    canonical_cm = model.canonical_cm.copy()
    canonical_cm[skin:] = irises
    model = replace(model, mirror=mirror)
    canonical_cm = symmetric(model, canonical_cm)
    return replace(model, canonical_cm=canonical_cm, neutral_cm=canonical_cm)


def learn_turn_map(model: FaceModel, lesson: Lesson) -> FaceModel:
    """What the rigid fit misses of the true rotation, as a linear function of the head-frame landmarks.

    Within a take the truth is exact; between people it is a matter of definition, so it counts less."""
    rotations, landmarks_cm = fit_heads(model, lesson)
    missed = np.swapaxes(rotations, 1, 2) @ lesson.rotations
    take_missed = nearest_rotation(take_means(lesson, missed))
    overall = nearest_rotation(take_missed.mean(0))
    means = take_means(lesson, landmarks_cm)
    neutral_cm = symmetric(model, means.mean(0))
    inputs = (landmarks_cm - means[lesson.take].astype(np.float32)).reshape(-1, FLAT)
    targets = vector_from_matrix(missed @ np.swapaxes(take_missed, 1, 2)[lesson.take])
    people = (means - neutral_cm).reshape(-1, FLAT) * np.sqrt(WHOLE_HEAD_WEIGHT)
    people_targets = vector_from_matrix(take_missed @ overall.T) * np.sqrt(WHOLE_HEAD_WEIGHT)
    inputs = np.concatenate([inputs, people.astype(np.float32)])
    turn_map = ridge(inputs, np.concatenate([targets, people_targets]).astype(np.float32), TURN_RIDGE).T
    # A head and its mirror image are equally likely.
    turn_map = 0.5 * (turn_map + mirrored(model, turn_map) * MIRROR_VECTOR[:, None])
    return replace(model, turn_map=turn_map, neutral_cm=neutral_cm)


def learn_response(model: FaceModel, lesson: Lesson, landmarks_cm: Array) -> FaceModel:
    """The mean response to each channel, and the people."""
    means = take_means(lesson, landmarks_cm)
    change = (landmarks_cm - means[lesson.take].astype(np.float32)).reshape(-1, FLAT)
    seen = np.abs(lesson.weights).max(0) > 0
    response = np.zeros((len(ARKIT), FLAT))
    response[seen] = ridge(lesson.weights[:, seen], change, RESPONSE_RIDGE)
    response = 0.5 * (response + mirrored(model, response)[list(MIRRORED)])
    model = replace(
        model, response_cm=response.reshape(len(ARKIT), LANDMARKS, 3), neutral_cm=symmetric(model, means.mean(0))
    )
    flat = model.response_cm.reshape(len(ARKIT), FLAT)
    noise = spread(model, change - lesson.weights @ flat.astype(np.float32))
    noise[np.diag_indices_from(noise)] += NOISE_FLOOR_CM2
    often = (lesson.weights**2).mean(0)
    expression = flat.T * (0.5 * (often + often[list(MIRRORED)])) @ flat
    return learn_people(model, means, noise + expression)


def spread(model: FaceModel, change: Array) -> Array:
    """(1434, 1434) covariance of changes (N, 1434) and their mirror images."""
    seen = (change.T @ change).astype(np.float64) / len(change)
    return 0.5 * (seen + mirrored(model, mirrored(model, seen).T))


def learn_people(model: FaceModel, means: Array, everything_else: Array) -> FaceModel:
    """Principal differences between people, and how to measure them whatever the face does meanwhile.

    everything_else : (1434, 1434) covariance of expressions and of the tracker's noise"""
    people = (means - model.neutral_cm).reshape(-1, FLAT)
    variance, directions = np.linalg.eigh(spread(model, people))
    order = np.argsort(-variance)[:PEOPLE_DIRECTIONS]
    identity = directions.T[order] * np.sqrt(variance[order])[:, None]
    # Each direction is symmetric or antisymmetric but for rounding; make it exactly so.
    image = mirrored(model, identity)
    identity = 0.5 * (identity + np.sign((identity * image).sum(1))[:, None] * image)
    identity_map = np.linalg.solve(everything_else, identity.T).T
    return replace(model, identity_cm=identity.reshape(-1, LANDMARKS, 3), identity_map=identity_map)


def learn(lesson: Lesson) -> FaceModel:
    """The whole course."""
    model = learn_turn_map(learn_rigid_weights(blank_model(), lesson), lesson)
    rotations, landmarks_cm = fit_heads(model, lesson)
    model = learn_response(model, lesson, landmarks_cm)
    # The network must see what it will see in use: a model in the precision in which it is stored.
    return learn_network(stored_precision(model), lesson, rotations, landmarks_cm)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("places", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, default=asset_path("face_model.npz"))
    parser.add_argument("--hold-out", type=int, default=0)
    parser.add_argument("--settling", type=Path, help="take what `tools.learn_settling` found from this model")
    options = parser.parse_args()
    lesson = read_lesson(files_in(options.places), options.hold_out)
    print(f"learning from {len(lesson.take)} frames of {lesson.take[-1] + 1} takes", flush=True)
    settling = {"settling": load_face_model(options.settling).settling} if options.settling else {}
    save_face_model(options.out, replace(learn(lesson), **settling))
    print(f"wrote {options.out}, {options.out.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
