"""Faces made of numbers: one that talks, and ones where anything may be anywhere."""

from __future__ import annotations

import numpy as np

from animator.channels import INDEX
from animator.data import Array, Expression, Gaze, HeadPose, Motion
from animator.maths.rotations import matrix_from_yaw_pitch_roll, wxyz_from_matrix

SPEECH = {
    "jawOpen": (0.2, 0.15), "mouthClose": (0.05, 0.05), "mouthFunnel": (0.1, 0.1), "mouthPucker": (0.1, 0.12),
    "mouthSmileLeft": (0.15, 0.1), "mouthSmileRight": (0.15, 0.1), "mouthStretchLeft": (0.05, 0.05),
    "mouthStretchRight": (0.05, 0.05), "mouthLowerDownLeft": (0.15, 0.12), "mouthLowerDownRight": (0.15, 0.12),
    "mouthUpperUpLeft": (0.08, 0.06), "mouthUpperUpRight": (0.08, 0.06), "mouthShrugUpper": (0.05, 0.04),
    "mouthPressLeft": (0.05, 0.05), "mouthPressRight": (0.05, 0.05), "mouthRollLower": (0.05, 0.05),
}  # fmt: skip
"""Mean and deviation of what moves at the pace of syllables."""
SLOW = ("browInnerUp", "browOuterUpLeft", "browOuterUpRight", "browDownLeft", "browDownRight", "cheekSquintLeft")


def wander(random: np.random.Generator, frames: int, deviation: float, pace_hz: float) -> Array:
    """(frames,) noise below about `pace_hz` at 30 Hz, through two first-order low-passes."""
    share = 1 - np.exp(-2 * np.pi * pace_hz / 30)
    values = random.normal(size=frames + 60)
    for _ in range(2):
        for i in range(1, len(values)):
            values[i] = values[i - 1] + share * (values[i] - values[i - 1])
    return deviation * values[60:] / values.std()


def talking_face(frames: int, seed: int = 0, track_id: int = 0, noise: float = 0.003) -> list[Motion]:
    """Speech at about 4 Hz, blinks, brows, a swaying head, jumping eyes, and the noise that trackers have."""
    random = np.random.default_rng(seed)
    weights = np.zeros((frames, 52))
    for name, (mean, deviation) in SPEECH.items():
        weights[:, INDEX[name]] = mean + wander(random, frames, deviation, 4)
    for name in SLOW:
        weights[:, INDEX[name]] = 0.05 + wander(random, frames, 0.08, 0.7)
    for start in range(20, frames, 95):
        closed = np.array([0.3, 0.8, 1, 0.9, 0.5, 0.2])[: frames - start]
        for name in ("eyeBlinkLeft", "eyeBlinkRight"):
            weights[start : start + 6, INDEX[name]] = closed
    weights = np.where(weights > 0, weights + noise * random.normal(size=weights.shape), 0).clip(0, 1)
    angles = np.stack([wander(random, frames, deviation, 0.7) for deviation in (0.12, 0.07, 0.04)], 1)
    wxyz = wxyz_from_matrix(matrix_from_yaw_pitch_roll(angles))
    place = np.stack([wander(random, frames, 0.8, 0.5) for _ in range(3)], 1) + (0, 0, -55)
    looks = np.repeat(random.normal(0, 0.1, (frames // 20 + 1, 1, 2)), 20, 0)[:frames] + np.zeros((1, 2, 1))
    looks = looks + 0.002 * random.normal(size=looks.shape)
    return [
        Motion(
            i / 30,
            track_id,
            HeadPose(wxyz[i], place[i]),
            Gaze(looks[i]),
            Expression(weights[i].astype(np.float32)),
            1.0,
        )
        for i in range(frames)
    ]


def wild_faces(frames: int, seed: int = 0, track_id: int = 0) -> list[Motion]:
    """Every number anywhere in its range, at uneven times."""
    random = np.random.default_rng(seed)
    times_s = np.cumsum(random.uniform(0, 0.1, frames))
    faces = []
    for time_s in times_s.tolist():
        wxyz = random.normal(size=4)
        faces.append(
            Motion(
                time_s,
                track_id,
                HeadPose(wxyz / np.linalg.norm(wxyz), random.normal(0, 300, 3)),
                Gaze(random.uniform(-np.pi, np.pi, (2, 2))),
                Expression(random.uniform(0, 1, 52).astype(np.float32) * (random.random(52) < 0.7)),
                float(random.uniform(0, 1)),
            )
        )
    return faces


def turn_deg(left: Motion, right: Motion) -> float:
    """The angle between two head orientations."""
    dot = abs(float(left.pose.rotation_wxyz @ right.pose.rotation_wxyz))
    return float(np.degrees(2 * np.arccos(min(dot, 1.0))))


def assert_near(got: Motion, sent: Motion) -> None:
    """Within what the format promises."""
    assert got.track_id == sent.track_id
    assert abs(got.time_s - sent.time_s) <= 0.00051
    assert np.abs(got.expression.weights.astype(float) - sent.expression.weights).max() <= 0.005 + 1e-6
    assert abs(np.linalg.norm(got.pose.rotation_wxyz) - 1) < 1e-12
    assert turn_deg(got, sent) <= 0.3
    assert np.linalg.norm(got.pose.translation_cm - sent.pose.translation_cm) <= 0.05
    assert np.degrees(np.abs(got.gaze.angles_rad - sent.gaze.angles_rad)).max() <= 0.21
    assert abs(got.confidence - sent.confidence) <= 0.051
    assert (got.confidence == 0) == (sent.confidence == 0)
