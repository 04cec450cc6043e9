"""Head pose from the landmarks of one face.

The landmarks' z is a depth in units of x, as if the face were seen from afar. Unprojected at depth 1 of a
pinhole camera they are the head's shape up to one factor, so a single weighted similarity fit of the
canonical face gives rotation, direction and, by its scale, distance: no iteration is needed. What that fit
misses (the tracker's z is flat at the rim and leans with the expression) is a learned linear function of
the head-frame landmarks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..data import Array, HeadPose
from ..maths.projection import focal_px
from ..maths.rigid import fit_similarity
from ..maths.rotations import matrix_from_vector, wxyz_from_matrix
from .face_model import FaceModel


@dataclass(frozen=True, slots=True)
class HeadFit:
    """A head placed in space and its landmarks freed of the pose."""

    pose: HeadPose
    """camera_from_head."""
    rotation: Array
    """(3, 3) float64: the pose's rotation as a matrix."""
    landmarks_cm: Array
    """(478, 3) float64: head frame, on the canonical face's scale."""


def unproject_at_depth_one(
    landmarks_norm: Array, image_size_px: tuple[int, int], vertical_fov_rad: float, depth_scale: float = 1.0
) -> Array:
    """The face's shape in camera space, scaled so that the depth where landmark z is 0 is 1.

    landmarks_norm : (478, 3) x right, y down in 0..1, z in units of x
    returns        : (478, 3) float64, x right, y up, z negative"""
    width, height = image_size_px
    focal = focal_px(image_size_px, vertical_fov_rad)
    centred = np.asarray(landmarks_norm, np.float64) - (0.5, 0.5, 0.0)
    rays = centred * np.array([width, -height, depth_scale * width]) / focal
    depth = 1 + rays[:, 2]
    return np.stack([rays[:, 0] * depth, rays[:, 1] * depth, -depth], 1)


class HeadFitter:
    """Fits heads with one model; keeps the model's arrays in the precision and layout that it needs."""

    def __init__(self, model: FaceModel) -> None:
        self._rigid = np.flatnonzero(model.rigid_weights)
        self._weights = model.rigid_weights[self._rigid].astype(np.float64)
        self._weights /= self._weights.sum()
        self._canonical_cm = model.canonical_cm[self._rigid].astype(np.float64)
        self._canonical_centre_cm = self._weights @ self._canonical_cm
        self._depth_scale = float(model.depth_scale)
        self._neutral_cm = model.neutral_cm.astype(np.float64)
        self._turn_map = model.turn_map.astype(np.float64)

    def fit(self, landmarks_norm: Array, image_size_px: tuple[int, int], vertical_fov_rad: float) -> HeadFit:
        """The head's pose and its landmarks in the head frame.

        landmarks_norm   : (478, 3) finite, not all in one point
        vertical_fov_rad : the camera's; a wrong value changes the distance but hardly the rotation"""
        shape = unproject_at_depth_one(landmarks_norm, image_size_px, vertical_fov_rad, self._depth_scale)
        rigid = shape[self._rigid]
        scale, rotation, _ = fit_similarity(self._canonical_cm, rigid, self._weights)
        centre = self._weights @ rigid
        centred_cm = (shape - centre) / scale
        in_head_cm = centred_cm @ rotation + self._canonical_centre_cm
        rotation = rotation @ matrix_from_vector(self._turn_map @ (in_head_cm - self._neutral_cm).ravel())
        translation_cm = centre / scale - rotation @ self._canonical_centre_cm
        pose = HeadPose(wxyz_from_matrix(rotation), translation_cm)
        return HeadFit(pose, rotation, centred_cm @ rotation + self._canonical_centre_cm)
