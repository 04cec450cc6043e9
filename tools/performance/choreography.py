"""What she does in ten seconds: the score, and its exact truth frame by frame.

Every gesture is a row of the score: when it starts, how long it rises, holds and falls, and how far. The
first 20 frames are still and neutral so that a solver can calibrate; the end is neutral, so it loops.
"""

from __future__ import annotations

import numpy as np

from animator.channels import ARKIT, INDEX
from animator.data import Array
from animator.maths.rotations import matrix_from_wxyz, matrix_from_yaw_pitch_roll, wxyz_from_matrix

FPS = 30.0
FRAMES = 300
NEUTRAL_FRAMES = 20
LOOK_YAW_RAD, LOOK_PITCH_RAD = np.deg2rad(30.0), np.deg2rad(25.0)
"""Gaze angles at which the eyeLook channels reach 1."""
NECK_CM = np.array([0.0, -6.0, -6.0])
"""The head turns about this point of the head frame."""

Gesture = tuple[float, float, float, float, float]
"""start_s, rise_s, hold_s, fall_s, size."""

WEIGHTS: dict[str, tuple[Gesture, ...]] = {
    "eyeBlinkLeft": ((0.70, 0.09, 0.05, 0.13, 1), (2.08, 0.12, 0.32, 0.14, 1), (4.30, 0.10, 0.05, 0.14, 1),
                     (6.55, 0.10, 0.05, 0.15, 1), (8.85, 0.10, 0.04, 0.14, 1)),
    "eyeBlinkRight": ((0.70, 0.09, 0.05, 0.13, 1), (2.68, 0.12, 0.32, 0.14, 1), (4.30, 0.10, 0.05, 0.14, 1),
                      (6.55, 0.10, 0.05, 0.15, 1), (8.85, 0.10, 0.04, 0.14, 1)),
    "cheekSquintLeft": ((2.08, 0.12, 0.32, 0.14, 0.4), (3.30, 0.3, 0.55, 0.35, 0.4)),
    "cheekSquintRight": ((2.68, 0.12, 0.32, 0.14, 0.4), (3.30, 0.3, 0.55, 0.35, 0.4)),
    "mouthSmileLeft": ((2.08, 0.14, 0.30, 0.16, 0.35), (3.30, 0.3, 0.55, 0.35, 0.9),
                       (7.9, 0.25, 0.35, 0.3, 0.5)),
    "mouthSmileRight": ((2.68, 0.14, 0.30, 0.16, 0.35), (3.30, 0.3, 0.55, 0.35, 0.9),
                       (7.9, 0.25, 0.35, 0.3, 0.5)),
    "mouthUpperUpLeft": ((3.30, 0.3, 0.55, 0.35, 0.5),),
    "mouthUpperUpRight": ((3.30, 0.3, 0.55, 0.35, 0.5),),
    "mouthLowerDownLeft": ((3.30, 0.3, 0.55, 0.35, 0.5),),
    "mouthLowerDownRight": ((3.30, 0.3, 0.55, 0.35, 0.5),),
    "eyeSquintLeft": ((3.30, 0.3, 0.55, 0.35, 0.35),),
    "eyeSquintRight": ((3.30, 0.3, 0.55, 0.35, 0.35),),
    "browInnerUp": ((4.40, 0.2, 0.40, 0.25, 0.95), (6.75, 0.15, 0.1, 0.2, 0.35)),
    "browOuterUpLeft": ((4.40, 0.2, 0.40, 0.25, 0.9),),
    "browOuterUpRight": ((4.40, 0.2, 0.40, 0.25, 0.9),),
    "eyeWideLeft": ((4.40, 0.2, 0.40, 0.25, 0.5),),
    "eyeWideRight": ((4.40, 0.2, 0.40, 0.25, 0.5),),
    "browDownLeft": ((5.15, 0.2, 0.35, 0.25, 0.9),),
    "browDownRight": ((5.15, 0.2, 0.35, 0.25, 0.9),),
    "mouthFrownLeft": ((5.12, 0.2, 0.40, 0.25, 1),),
    "mouthFrownRight": ((5.12, 0.2, 0.40, 0.25, 1),),
    # Talking: open vowels, lips together, a rounded vowel, another open one.
    "jawOpen": ((5.80, 0.10, 0.06, 0.12, 0.75), (6.08, 0.10, 0.05, 0.12, 0.55),
                (6.36, 0.12, 0.12, 0.12, 0.5), (6.70, 0.10, 0.10, 0.10, 0.12),
                (6.98, 0.10, 0.07, 0.12, 0.6), (7.28, 0.11, 0.12, 0.16, 0.95)),
    "mouthFunnel": ((6.36, 0.12, 0.12, 0.12, 0.85),),
    "mouthPucker": ((6.68, 0.12, 0.10, 0.12, 0.75), (8.55, 0.18, 0.25, 0.2, 0.95)),
    "mouthClose": ((6.98, 0.10, 0.07, 0.12, 0.5),),
    "mouthStretchLeft": ((7.30, 0.12, 0.05, 0.15, 0.25),),
    "mouthStretchRight": ((7.30, 0.12, 0.05, 0.15, 0.25),),
    "jawLeft": ((9.05, 0.12, 0.08, 0.13, 0.8),),
    "jawRight": ((9.30, 0.12, 0.08, 0.13, 0.8),),
}  # fmt: skip
"""The score: ARKit channel -> its gestures."""

HEAD_DEG: dict[str, tuple[Gesture, ...]] = {
    "yaw": ((3.15, 0.5, 0.2, 0.5, -12), (5.85, 0.4, 0.1, 0.4, 9), (6.65, 0.4, 0.1, 0.4, -8),
            (7.75, 0.22, 0.0, 0.22, 20), (8.05, 0.28, 0.0, 0.28, -20), (8.45, 0.2, 0.0, 0.25, 7)),
    "pitch": ((4.40, 0.25, 0.3, 0.3, 6), (5.15, 0.25, 0.3, 0.3, -7),
              (6.10, 0.2, 0.0, 0.2, -6), (6.50, 0.2, 0.0, 0.2, 5), (7.00, 0.16, 0.0, 0.18, -11),
              (7.30, 0.18, 0.0, 0.2, 8)),
    "roll": ((2.02, 0.2, 0.2, 0.24, -5), (2.62, 0.2, 0.2, 0.24, 5), (3.30, 0.4, 0.35, 0.4, 6),
             (8.60, 0.25, 0.2, 0.3, -9)),
}  # fmt: skip
"""Head turns in degrees: yaw + to her left, pitch + up, roll + to her right shoulder."""

MOVES_CM: dict[str, tuple[Gesture, ...]] = {
    "x": ((3.15, 0.5, 0.2, 0.5, -0.8), (5.9, 0.5, 0.2, 0.5, 0.8)),
    "y": ((4.40, 0.3, 0.2, 0.3, 0.3),),
    "z": ((4.95, 0.4, 0.3, 0.5, 1.8), (8.5, 0.3, 0.25, 0.35, 1.5)),
}  # fmt: skip
"""Moves of the neck in centimetres, camera space."""

GAZE_DEG: dict[str, tuple[Gesture, ...]] = {
    "yaw": ((0.98, 0.07, 0.14, 0.07, 24), (1.24, 0.07, 0.14, 0.07, -24), (3.25, 0.12, 0.6, 0.3, 7),
            (7.72, 0.08, 0.2, 0.1, 12), (8.04, 0.08, 0.2, 0.15, -12)),
    "pitch": ((1.52, 0.08, 0.16, 0.06, 20), (1.80, 0.06, 0.16, 0.06, -20)),
}  # fmt: skip
"""Both eyes together, degrees: yaw + to her left, pitch + up, relative to the head."""


def curve(gestures: tuple[Gesture, ...], times_s: Array) -> Array:
    """(N,) sum of the gestures, each rising and falling along a half cosine."""
    total = np.zeros_like(times_s)
    for start, rise, hold, fall, size in gestures:
        up = np.clip((times_s - start) / rise, 0, 1)
        down = np.clip((times_s - start - rise - hold) / fall, 0, 1)
        total += size * 0.25 * (1 - np.cos(np.pi * up)) * (1 + np.cos(np.pi * down))
    return total


def gaze_weights(gaze_rad: Array) -> dict[str, Array]:
    """The eight eyeLook channels, each (N,), of gaze_rad (N, 2, 2)."""
    out = {}
    for eye, (side, outward) in enumerate((("Left", 1.0), ("Right", -1.0))):
        yaw, pitch = outward * gaze_rad[:, eye, 0] / LOOK_YAW_RAD, gaze_rad[:, eye, 1] / LOOK_PITCH_RAD
        out[f"eyeLookOut{side}"], out[f"eyeLookIn{side}"] = np.clip(yaw, 0, 1), np.clip(-yaw, 0, 1)
        out[f"eyeLookUp{side}"], out[f"eyeLookDown{side}"] = np.clip(pitch, 0, 1), np.clip(-pitch, 0, 1)
    return out


def perform(rest_translation_cm: Array) -> dict[str, Array]:
    """The truth take of the whole performance, by the take's own array names."""
    times_s = np.arange(FRAMES) / FPS
    gaze = np.stack([np.deg2rad(curve(GAZE_DEG[axis], times_s)) for axis in ("yaw", "pitch")], -1)
    gaze_rad = np.repeat(gaze[:, None], 2, 1)
    weights = np.zeros((FRAMES, len(ARKIT)), np.float32)
    rows = {name: curve(gestures, times_s) for name, gestures in WEIGHTS.items()} | gaze_weights(gaze_rad)
    for name, values in rows.items():
        weights[:, INDEX[name]] = np.clip(values, 0, 1)
    angles = np.stack([np.deg2rad(curve(HEAD_DEG[axis], times_s)) for axis in ("yaw", "pitch", "roll")], -1)
    rotations_wxyz = wxyz_from_matrix(matrix_from_yaw_pitch_roll(angles))
    moves_cm = np.stack([curve(MOVES_CM[axis], times_s) for axis in "xyz"], -1)
    turned = np.einsum("nij,j->ni", matrix_from_wxyz(rotations_wxyz), NECK_CM)
    return {
        "times_s": times_s,
        "weights": weights,
        "rotations_wxyz": rotations_wxyz,
        "translations_cm": rest_translation_cm + NECK_CM - turned + moves_cm,
        "gaze_rad": gaze_rad,
        "confidence": np.ones(FRAMES),
        "channel_names": np.array(ARKIT),
        "fps": np.float64(FPS),
        "format_version": np.int64(1),
    }
