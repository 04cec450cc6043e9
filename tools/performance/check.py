"""Does an independent tracker see what the truth says? MediaPipe's own scores against the take."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from animator.channels import INDEX
from animator.data import Array
from animator.maths.rotations import matrix_from_wxyz, yaw_pitch_roll_from_matrix

from .choreography import FPS, NEUTRAL_FRAMES


def track(pictures: list[Array], model_path: Path) -> tuple[Array, Array, Array]:
    """MediaPipe's view: found (N,) bool, scores (N, 52) in ARKit's order, rotations (N, 3, 3)."""
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(model_path)), running_mode=vision.RunningMode.VIDEO,
        num_faces=1, output_face_blendshapes=True, output_facial_transformation_matrixes=True,
    )  # fmt: skip
    found, scores = np.zeros(len(pictures), bool), np.zeros((len(pictures), len(INDEX)))
    rotations = np.tile(np.eye(3), (len(pictures), 1, 1))
    with vision.FaceLandmarker.create_from_options(options) as landmarker:
        for i, rgb in enumerate(pictures):
            image = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(rgb))
            result = landmarker.detect_for_video(image, round(1000 * i / FPS))
            found[i] = bool(result.face_landmarks)
            if found[i]:
                rotations[i] = np.asarray(result.facial_transformation_matrixes[0])[:3, :3]
                for category in result.face_blendshapes[0]:
                    if category.category_name in INDEX:
                        scores[i, INDEX[category.category_name]] = category.score
    return found, scores, rotations


def report(pictures: list[Array], take: dict[str, Array], model_path: Path) -> str:
    """A table: frames found, and the correlation of every moving channel and of the head's angles."""
    found, scores, rotations = track(pictures, model_path)
    lines = [
        f"face found in {found.sum()} of {len(found)} frames",
        f"{'':20s}{'r':>6s}{'rest':>7s}{'peak':>7s}",
    ]
    angles = np.rad2deg(yaw_pitch_roll_from_matrix(rotations))
    truth = np.rad2deg(yaw_pitch_roll_from_matrix(matrix_from_wxyz(take["rotations_wxyz"])))
    rest = angles[:NEUTRAL_FRAMES].mean(0)
    for k, name in enumerate(("yaw", "pitch", "roll")):
        error = np.abs(angles[:, k] - rest[k] - truth[:, k])
        r = np.corrcoef(angles[:, k], truth[:, k])[0, 1]
        lines.append(
            f"{name:20s}{r:6.2f}{rest[k]:7.1f}   error {np.median(error):.1f} / {error.max():.1f} deg"
        )
    for name, i in INDEX.items():
        asked = take["weights"][:, i]
        if asked.max() > 0:
            r = np.corrcoef(scores[:, i], asked)[0, 1] if scores[:, i].std() > 0 else np.nan
            peak = scores[asked > 0.8 * asked.max(), i].mean()
            lines.append(f"{name:20s}{r:6.2f}{scores[:NEUTRAL_FRAMES, i].mean():7.2f}{peak:7.2f}")
    return "\n".join(lines)
