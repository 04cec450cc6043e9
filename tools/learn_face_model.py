"""Learn `assets/face_model.npz` from performances whose truth is known.

    python -m tools.learn_face_model FOLDER [--out FILE] [--hold-out N]

FOLDER holds train.npz, train_nat.npz and train_wide.npz (landmarks as MediaPipe's Face Landmarker saw
them, with the true channels, rotation and gaze). `--hold-out 5` leaves every fifth take out, so that
settings can be judged on takes that were not learned from. Everything is a closed form: the same input
gives the same file.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from animator.channels import ARKIT, INDEX, MIRRORED
from animator.data import LANDMARKS, Array
from animator.maths.rotations import matrix_from_wxyz, wxyz_from_matrix
from animator.resources import asset_path
from animator.solving.face_model import FaceModel
from animator.solving.pose import HeadFitter
from animator.topology import LEFT_EYE, RIGHT_EYE, canonical_face
from tests.bench.scores import NEUTRAL_FRAMES, load_eval_set

from .learn_refinement import learn_refinement

SETS = ("train", "train_nat", "train_wide")
ASSUMED_FOV_RAD = np.radians(50.0)
DEPTH_SCALE = 1.1
"""Best of 0.6, 0.8 ... 1.4 on held-out takes."""
TURN_RIDGE, RESPONSE_RIDGE, GAZE_RIDGE = 10.0, 30.0, 3.0
WHOLE_HEAD_WEIGHT = 5.0
"""Weight of a person's mean rotation error against the error within a take, when the turn map is learned."""
PEOPLE_DIRECTIONS = 40
NOISE_FLOOR_CM2 = 2e-4
"""Added to the noise variance of every coordinate: no direction is trusted beyond 0.14 mm."""
RATE_PER_SIGMA, PRECISION = 1.0, 3.0
"""Rate of a channel's exponential prior, in units of its own signal-to-noise ratio; and its precision."""
RIGID_SOFTENING_CM2 = 0.01
"""Added to each landmark's variance, so that no few landmarks carry the pose alone."""
FLAT = LANDMARKS * 3
OUTPUTS = len(ARKIT) + 2
"""Of the refinement: the channels, yaw and pitch."""
MIRROR_VECTOR = np.array([1.0, -1.0, -1.0])
"""What a mirror across x does to a rotation vector."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """All frames to learn from, one take after another."""

    landmarks_norm: Array
    """(N, 478, 3) float32."""
    sizes_px: Array
    """(N, 2)."""
    weights: Array
    """(N, 52) truth."""
    rotations: Array
    """(N, 3, 3) truth."""
    gaze_rad: Array
    """(N, 2) truth."""
    take: Array
    """(N,) int, counts through all files."""
    frame: Array
    """(N,) int, place in the take."""


def read_lesson(folder: Path, hold_out: int) -> Lesson:
    """Read all sets; frames without a face, and every `hold_out`-th take if not 0, are left out."""
    parts, first_take = [], 0
    for name in SETS:
        stored = load_eval_set(folder / f"{name}.npz")
        keep = stored.tracked & ((stored.take % hold_out != 0) if hold_out else True)
        whole = (
            stored.landmarks_norm, stored.sizes_px[stored.take], stored.weights, stored.rotations,
            stored.gaze_rad, stored.take + first_take, stored.frame,
        )  # fmt: skip
        parts.append([array[keep] for array in whole])
        first_take += len(stored.lengths)
    return Lesson(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def blank_model() -> FaceModel:
    """A model that knows the canonical face and nothing else."""
    canonical = canonical_face().positions_cm.astype(np.float64)
    squared = ((canonical[None] * [-1, 1, 1] - canonical[:, None]) ** 2).sum(-1)
    irises = np.full((LANDMARKS - len(canonical), 3), canonical.mean(0))
    rigid = np.r_[np.ones(len(canonical)), np.zeros(len(irises))]
    return FaceModel(
        canonical_cm=np.concatenate([canonical, irises]),
        response_cm=np.zeros((len(ARKIT), LANDMARKS, 3)),
        mirror=np.r_[squared.argmin(1), len(canonical) : LANDMARKS],
        rigid_weights=rigid,
        depth_scale=np.array(DEPTH_SCALE),
        turn_map=np.zeros((3, FLAT)),
        neutral_cm=np.zeros((LANDMARKS, 3)),
        identity_cm=np.zeros((0, LANDMARKS, 3)),
        identity_map=np.zeros((0, FLAT)),
        measure_map=np.zeros((len(ARKIT), FLAT)),
        channel_rate=np.zeros(len(ARKIT)),
        channel_precision=np.zeros(len(ARKIT)),
        gaze_map=np.zeros((2, FLAT)),
        refine_map=np.zeros((0, FLAT)),
        refine_scale=np.zeros(0),
        refine_input=np.zeros((0, 0)),
        refine_hidden_bias=np.zeros(0),
        refine_hidden=np.zeros((0, OUTPUTS)),
        refine_direct=np.zeros((0, OUTPUTS)),
        refine_bias=np.zeros(OUTPUTS),
    )


def fit_heads(model: FaceModel, lesson: Lesson) -> tuple[Array, Array]:
    """Rotations (N, 3, 3) and head-frame landmarks (N, 478, 3) float32 of every frame."""
    fitter = HeadFitter(model)
    wxyz = np.empty((len(lesson.take), 4))
    landmarks_cm = np.empty(lesson.landmarks_norm.shape, np.float32)
    for i, (landmarks, size) in enumerate(zip(lesson.landmarks_norm, lesson.sizes_px, strict=True)):
        head = fitter.fit(landmarks, tuple(size), ASSUMED_FOV_RAD)
        wxyz[i], landmarks_cm[i] = head.pose.rotation_wxyz, head.landmarks_cm
    return matrix_from_wxyz(wxyz), landmarks_cm


def take_means(lesson: Lesson, values: Array) -> Array:
    """(T, ...): each take's mean over its neutral frames; takes that are not there are left out."""
    neutral = lesson.frame < NEUTRAL_FRAMES
    takes = np.unique(lesson.take)
    return np.stack([values[neutral & (lesson.take == take)].mean(0) for take in takes])


def per_frame(lesson: Lesson, per_take: Array) -> Array:
    """Repeat a value per take for each of its frames."""
    return per_take[np.searchsorted(np.unique(lesson.take), lesson.take)]


def mirrored(model: FaceModel, flat: Array) -> Array:
    """(n, 1434) landmark differences as a mirror shows them."""
    return (flat.reshape(-1, LANDMARKS, 3)[:, model.mirror] * np.array([-1, 1, 1], flat.dtype)).reshape(flat.shape)


def nearest_rotation(matrix: Array) -> Array:
    """The rotation nearest to each matrix; (..., 3, 3)."""
    u, _, vt = np.linalg.svd(matrix)
    return u @ vt


def vector_from_matrix(matrix: Array) -> Array:
    """Rotation vectors (..., 3), axis times angle, of rotations (..., 3, 3)."""
    wxyz = wxyz_from_matrix(matrix)
    length = np.linalg.norm(wxyz[..., 1:], axis=-1, keepdims=True)
    per_length = 2 * np.arctan2(length, wxyz[..., :1]) / np.maximum(length, 1e-12)
    return wxyz[..., 1:] * np.where(length > 1e-12, per_length, 2.0)


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
        variance = ((landmarks_cm - per_frame(some, means)) ** 2).sum(2).mean(0)
        rigid = np.where(model.rigid_weights > 0, 1 / (variance + RIGID_SOFTENING_CM2), 0)
        model = replace(model, rigid_weights=(rigid + rigid[model.mirror]) / (rigid + rigid[model.mirror]).sum())
    skin = len(canonical_face().positions_cm)
    irises = means.mean(0)[skin:].astype(np.float64)
    mirror = model.mirror.copy()
    mirror[skin:] = skin + (((irises * [-1, 1, 1])[:, None] - irises[None]) ** 2).sum(-1).argmin(1)
    canonical_cm = model.canonical_cm.copy()
    canonical_cm[skin:] = irises
    canonical_cm = 0.5 * (canonical_cm + canonical_cm[mirror] * [-1, 1, 1])
    return replace(model, canonical_cm=canonical_cm, mirror=mirror, neutral_cm=canonical_cm)


def learn_turn_map(model: FaceModel, lesson: Lesson) -> FaceModel:
    """What the rigid fit misses of the true rotation, as a linear function of the head-frame landmarks.

    Within a take the truth is exact; between people it is a matter of definition, so it counts less."""
    rotations, landmarks_cm = fit_heads(model, lesson)
    missed = np.swapaxes(rotations, 1, 2) @ lesson.rotations
    take_missed = nearest_rotation(take_means(lesson, missed))
    overall = nearest_rotation(take_missed.mean(0))
    means = take_means(lesson, landmarks_cm)
    neutral_cm = means.mean(0)
    neutral_cm = 0.5 * (neutral_cm + neutral_cm[model.mirror] * [-1, 1, 1])
    inputs = (landmarks_cm - per_frame(lesson, means)).reshape(-1, FLAT)
    targets = vector_from_matrix(missed @ np.swapaxes(per_frame(lesson, take_missed), 1, 2))
    people = (means - neutral_cm).reshape(-1, FLAT) * np.sqrt(WHOLE_HEAD_WEIGHT)
    people_targets = vector_from_matrix(take_missed @ overall.T) * np.sqrt(WHOLE_HEAD_WEIGHT)
    inputs, targets = np.concatenate([inputs, people]), np.concatenate([targets, people_targets])
    both = np.concatenate([inputs, mirrored(model, inputs)])
    turn_map = ridge(both, np.concatenate([targets, targets * MIRROR_VECTOR]), TURN_RIDGE).T
    # Exactly symmetric, not just to rounding.
    turn_map = 0.5 * (turn_map + mirrored(model, turn_map) * MIRROR_VECTOR[:, None])
    return replace(model, turn_map=turn_map, neutral_cm=neutral_cm)


def learn_response(model: FaceModel, lesson: Lesson, landmarks_cm: Array) -> FaceModel:
    """The linear response, the noise it leaves over, the priors, and the people."""
    means = take_means(lesson, landmarks_cm)
    change = (landmarks_cm - per_frame(lesson, means)).reshape(-1, FLAT)
    change = np.concatenate([change, mirrored(model, change)])
    weights = np.concatenate([lesson.weights, lesson.weights[:, MIRRORED]])
    seen = np.abs(weights).max(0) > 0
    response = np.zeros((len(ARKIT), FLAT))
    response[seen] = ridge(weights[:, seen], change, RESPONSE_RIDGE)
    response = 0.5 * (response + mirrored(model, response)[list(MIRRORED)])
    left_over = change - weights @ response.astype(np.float32)
    noise = (left_over.T @ left_over).astype(np.float64) / len(left_over)
    noise[np.diag_indices_from(noise)] += NOISE_FLOOR_CM2
    measure = np.linalg.solve(noise, response.T).T
    information = np.einsum("cf,cf->c", measure, response)
    model = replace(
        model,
        response_cm=response.reshape(len(ARKIT), LANDMARKS, 3),
        measure_map=measure,
        channel_rate=RATE_PER_SIGMA * np.sqrt(information),
        channel_precision=np.full(len(ARKIT), PRECISION),
    )
    neutral_cm = means.mean(0)
    neutral_cm = 0.5 * (neutral_cm + neutral_cm[model.mirror] * [-1, 1, 1])
    return learn_people(replace(model, neutral_cm=neutral_cm), means, noise, weights)


def learn_people(model: FaceModel, means: Array, noise: Array, weights: Array) -> FaceModel:
    """Principal differences between people, and how to measure them whatever the face does meanwhile."""
    people = (means - model.neutral_cm).reshape(-1, FLAT)
    people = np.concatenate([people, mirrored(model, people)])
    _, singular, directions = np.linalg.svd(people, full_matrices=False)
    identity = directions[:PEOPLE_DIRECTIONS] * singular[:PEOPLE_DIRECTIONS, None] / np.sqrt(len(people))
    # Each direction is symmetric or antisymmetric but for rounding; make it exactly so.
    image = mirrored(model, identity)
    identity = 0.5 * (identity + np.sign((identity * image).sum(1))[:, None] * image)
    response = model.response_cm.reshape(len(ARKIT), FLAT)
    expression = response.T * (weights**2).mean(0) @ response
    identity_map = np.linalg.solve(noise + expression, identity.T).T
    return replace(model, identity_cm=identity.reshape(-1, LANDMARKS, 3), identity_map=identity_map)


def learn_gaze_map(model: FaceModel, lesson: Lesson, landmarks_cm: Array) -> FaceModel:
    """Gaze as a linear function of the irises and lids, on frames where the eyes are open."""
    means = take_means(lesson, landmarks_cm)
    skin = len(canonical_face().positions_cm)
    region = np.r_[list(LEFT_EYE), list(RIGHT_EYE), skin:LANDMARKS]
    blinks = lesson.weights[:, [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]].max(1)
    open_eyes = blinks < 0.3
    change = (landmarks_cm - per_frame(lesson, means))[open_eyes]
    both = np.concatenate([change, change[:, model.mirror] * np.float32([-1, 1, 1])])[:, region]
    gaze = np.concatenate([lesson.gaze_rad[open_eyes], lesson.gaze_rad[open_eyes] * [-1, 1]])
    learned = ridge(both.reshape(len(both), -1), gaze, GAZE_RIDGE).T
    gaze_map = np.zeros((2, LANDMARKS, 3))
    gaze_map[:, region] = learned.reshape(2, -1, 3)
    gaze_map = gaze_map.reshape(2, FLAT)
    return replace(model, gaze_map=0.5 * (gaze_map + mirrored(model, gaze_map) * [[-1], [1]]))


def learn(lesson: Lesson) -> FaceModel:
    """The whole course."""
    model = learn_turn_map(learn_rigid_weights(blank_model(), lesson), lesson)
    rotations, landmarks_cm = fit_heads(model, lesson)
    model = learn_gaze_map(learn_response(model, lesson, landmarks_cm), lesson, landmarks_cm)
    # The network must see what it will see in use: a model in the precision in which it is stored.
    return learn_refinement(
        stored_precision(model), rotations, landmarks_cm, lesson.take, lesson.weights, lesson.gaze_rad
    )


def stored_precision(model: FaceModel) -> FaceModel:
    """The model as it is after saving and loading: half precision wherever a relative error of 1 in 2000 is
    below the noise."""
    half = {name for name in FaceModel.__slots__ if name.startswith(("response", "measure", "identity", "refine"))}
    half -= {"refine_scale", "refine_bias"}
    rounded = {
        name: getattr(model, name).astype(np.int32 if name == "mirror" else np.float16 if name in half else np.float32)
        for name in FaceModel.__slots__
    }
    return FaceModel(**rounded)


def save_face_model(path: Path, model: FaceModel) -> None:
    """Write the model."""
    model = stored_precision(model)
    np.savez_compressed(path, **{name: getattr(model, name) for name in FaceModel.__slots__})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=asset_path("face_model.npz"))
    parser.add_argument("--hold-out", type=int, default=0)
    options = parser.parse_args()
    lesson = read_lesson(options.folder, options.hold_out)
    print(f"learning from {len(lesson.take)} frames of {len(np.unique(lesson.take))} takes")
    save_face_model(options.out, learn(lesson))
    print(f"wrote {options.out}, {options.out.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
