"""Faces made from the face model itself, so that what the solver should find is known."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from animator.data import Array, Face
from animator.maths.projection import focal_px
from animator.solving.face_model import FaceModel, face_model

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # for `tests.bench`, however pytest was started

SIZE_PX = (640, 480)
FOV_RAD = np.radians(50.0)
FPS = 30.0


def landmarks_from_head(
    landmarks_cm: Array, rotation: Array, translation_cm: Array, size_px: tuple[int, int] = SIZE_PX
) -> Array:
    """What an ideal tracker would report: (478, 3) float32 as in `Face`."""
    points = landmarks_cm @ rotation.T + translation_cm
    depth = -points[:, 2:] / -translation_cm[2]
    focal = focal_px(size_px, FOV_RAD)
    across = points[:, :2] / -points[:, 2:] * focal / np.array([size_px[0], -size_px[1]]) + 0.5
    per_width = focal / size_px[0] / float(face_model().depth_scale)
    return np.concatenate([across, (depth - 1) * per_width], 1).astype(np.float32)


def face_of(landmarks_norm: Array, time_s: float = 0.0, track_id: int = 0, size_px=SIZE_PX) -> Face:
    return Face(landmarks_norm, size_px, track_id, 0.9, time_s)


def face_showing(model: FaceModel, weights: Array, rotation=None, translation_cm=(0.0, 0.0, -50.0), **face) -> Face:
    """A face of the mean person with these weights."""
    landmarks_cm = model.neutral_cm + np.tensordot(weights, model.response_cm, 1)
    rotation = np.eye(3) if rotation is None else rotation
    return face_of(landmarks_from_head(landmarks_cm, rotation, np.asarray(translation_cm)), **face)


@pytest.fixture(scope="session")
def model() -> FaceModel:
    return face_model()
