"""Head pose from the landmarks of one face.

The landmarks' z is a depth in units of x, as if the face were seen from afar. Unprojected at depth 1 of a
pinhole camera they are the head's shape up to one factor, so a single weighted similarity fit of the
canonical face gives rotation, direction and, by its scale, distance: no iteration is needed. What that fit
misses (the tracker's z is flat at the rim and leans with the expression) is a learned linear function of
the head-frame landmarks, and what that leaves over is read by the network (`solving.network`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..data import Array, HeadPose
from ..maths.projection import focal_px
from ..maths.rotations import matrix_from_vector, wxyz_from_matrix
from .face_model import FaceModel


@dataclass(frozen=True, slots=True)
class HeadFit:
    """A head placed in space and its landmarks freed of the pose."""

    rotation: Array
    """(3, 3) float64: camera_from_head."""
    centre_cm: Array
    """(3,) float64: the middle of the rigid landmarks in camera space."""
    landmarks_cm: Array
    """(478, 3) float64: head frame, on the canonical face's scale."""


def unproject_at_depth_one(
    landmarks_norm: Array, image_size_px: tuple[int, int], vertical_fov_rad: float, depth_scale: float = 1.0
) -> Array:
    """The face's shape in camera space, scaled so that the depth where landmark z is 0 is 1.

    landmarks_norm : (..., 478, 3) x right, y down in 0..1, z in units of x
    returns        : (..., 478, 3) float64, x right, y up, z negative"""
    width, height = image_size_px
    focal = focal_px(image_size_px, vertical_fov_rad)
    # Column by column: numpy is three times as quick along 478 numbers as across 3.
    landmarks = np.asarray(landmarks_norm, np.float64)
    rays = np.empty(landmarks.shape)
    depth = landmarks[..., 2] * (depth_scale * width / focal) + 1
    rays[..., 0] = (landmarks[..., 0] - 0.5) * (width / focal) * depth
    rays[..., 1] = (landmarks[..., 1] - 0.5) * (-height / focal) * depth
    rays[..., 2] = -depth
    return rays


class HeadFitter:
    """Fits heads with one model; keeps the model's arrays in the precision and layout that it needs."""

    def __init__(self, model: FaceModel) -> None:
        weights = model.rigid_weights.astype(np.float64)
        self._weights = weights / weights.sum()
        canonical_cm = model.canonical_cm.astype(np.float64)
        self._canonical_centre_cm = self._weights @ canonical_cm
        centred_cm = canonical_cm - self._canonical_centre_cm
        # The weights add up to 1 and these to 0, so the covariance needs no centred landmarks.
        self._moments = np.ascontiguousarray((centred_cm * self._weights[:, None]).T)
        self._spread_cm2 = float(self._weights @ (centred_cm**2).sum(1))
        self._depth_scale = float(model.depth_scale)
        self._turn_map = model.turn_map.astype(np.float64)
        self._turn_of_offset = self._turn_map.reshape(3, -1, 3).sum(1)
        self._turn_at_rest = self._turn_map @ (model.neutral_cm - self._canonical_centre_cm).ravel()

    def fit(self, landmarks_norm: Array, image_size_px: tuple[int, int], vertical_fov_rad: float) -> HeadFit:
        """The head's pose and its landmarks in the head frame.

        landmarks_norm   : (478, 3) finite, not all in one point
        vertical_fov_rad : the camera's; a wrong value changes the distance but hardly the rotation"""
        shape = unproject_at_depth_one(landmarks_norm, image_size_px, vertical_fov_rad, self._depth_scale)
        centre = self._weights @ shape
        scale, rotation = self._similarity(self._moments @ shape)
        per_cm = rotation / scale
        shown_cm, offset_cm = shape @ per_cm, centre @ per_cm  # the latter still to be taken from the former
        missed = self._turn_map @ shown_cm.ravel() - self._turn_of_offset @ offset_cm - self._turn_at_rest
        turn = matrix_from_vector(missed)
        landmarks_cm = shown_cm @ turn
        landmarks_cm += self._canonical_centre_cm - offset_cm @ turn
        return HeadFit(rotation @ turn, centre / scale, landmarks_cm)

    def _similarity(self, covariance: Array) -> tuple[float, Array]:
        """Scale and rotation of the best similarity (Umeyama 1991) from source' @ target, (3, 3)."""
        v, singular, ut = np.linalg.svd(covariance)
        rotation = (v @ ut).T
        # A reflection is no rotation: turn the axis round that matters least.
        if np.linalg.det(rotation) < 0:
            singular[2] = -singular[2]
            rotation = (v * (1.0, 1.0, -1.0) @ ut).T
        return float(singular.sum() / self._spread_cm2), rotation

    def pose(self, head: HeadFit, turn_rad: Array) -> HeadPose:
        """The pose after turning a fitted head about its own axes by `turn_rad` (3,), a rotation vector."""
        rotation = head.rotation @ matrix_from_vector(turn_rad)
        return HeadPose(wxyz_from_matrix(rotation), head.centre_cm - rotation @ self._canonical_centre_cm)
