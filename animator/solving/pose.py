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

from ..data import LANDMARKS, Array, HeadPose
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
    """(478, 3) float64: head frame, on the canonical face's scale; column by column in memory."""


def unproject_at_depth_one(
    landmarks_norm: Array, image_size_px: tuple[int, int], vertical_fov_rad: float, depth_scale: float = 1.0
) -> Array:
    """The face's shape in camera space, scaled so that the depth where landmark z is 0 is 1.

    landmarks_norm : (..., 478, 3) x right, y down in 0..1, z in units of x
    returns        : (..., 478, 3) float64, x right, y up, z negative"""
    across = _unprojected(np.moveaxis(np.asarray(landmarks_norm), -1, 0), image_size_px, vertical_fov_rad, depth_scale)
    return np.moveaxis(across, 0, -1)


def _unprojected(axes: Array, image_size_px: tuple[int, int], vertical_fov_rad: float, depth_scale: float) -> Array:
    """The same, (3, ..., 478) to (3, ..., 478): numpy is three times as quick along 478 numbers as across 3."""
    width, height = image_size_px
    focal = focal_px(image_size_px, vertical_fov_rad)
    shape = axes.astype(np.float64, order="C")
    depth = shape[2] * (depth_scale * width / focal)
    depth += 1
    shape[0] -= 0.5
    shape[1] -= 0.5
    shape[0] *= width / focal
    shape[1] *= -height / focal
    shape[:2] *= depth
    np.negative(depth, out=shape[2])
    return shape


class HeadFitter:
    """Fits heads with one model; keeps the model's arrays in the precision and layout that it needs."""

    def __init__(self, model: FaceModel) -> None:
        weights = model.rigid_weights.astype(np.float64)
        weights /= weights.sum()
        canonical_cm = model.canonical_cm.astype(np.float64)
        self._canonical_centre_cm = weights @ canonical_cm
        centred_cm = canonical_cm - self._canonical_centre_cm
        self._spread_cm2 = float(weights @ (centred_cm**2).sum(1))
        self._depth_scale = float(model.depth_scale)
        turn_map = model.turn_map.astype(np.float64).reshape(3, LANDMARKS, 3)
        self._turn_of_offset = turn_map.sum(1)
        self._turn_at_rest = model.turn_map.astype(np.float64) @ (model.neutral_cm - self._canonical_centre_cm).ravel()
        # All that is asked of a shape before its rotation is known are sums over landmarks: of the covariance (the
        # weights add up to 1 and the moments to 0, so it needs no centred landmarks), the centre, and the turn map's.
        sums = (centred_cm * weights[:, None]).T, weights[None], np.moveaxis(turn_map, 1, 2).reshape(9, LANDMARKS)
        self._sums = np.concatenate(sums)

    def fit(self, landmarks_norm: Array, image_size_px: tuple[int, int], vertical_fov_rad: float) -> HeadFit:
        """The head's pose and its landmarks in the head frame.

        landmarks_norm   : (478, 3) finite, not all in one point
        vertical_fov_rad : the camera's; a wrong value changes the distance but hardly the rotation"""
        shape = _unprojected(np.asarray(landmarks_norm).T, image_size_px, vertical_fov_rad, self._depth_scale)
        sums = self._sums @ shape.T
        centre = sums[3]
        scale, rotation = self._similarity(sums[:3])
        per_cm = rotation / scale
        offset_cm = centre @ per_cm  # still to be taken from the landmarks
        missed = sums[4:].reshape(3, 9) @ per_cm.T.ravel() - self._turn_of_offset @ offset_cm - self._turn_at_rest
        turn = matrix_from_vector(missed)
        landmarks_cm = (per_cm @ turn).T @ shape
        landmarks_cm += (self._canonical_centre_cm - offset_cm @ turn)[:, None]
        return HeadFit(rotation @ turn, centre / scale, landmarks_cm.T)

    def _similarity(self, covariance: Array) -> tuple[float, Array]:
        """Scale and rotation of the best similarity (Umeyama 1991) from source' @ target, (3, 3)."""
        v, singular, ut = np.linalg.svd(covariance)
        rotation = (v @ ut).T
        # A reflection is no rotation: turn the axis round that matters least.
        if _determinant(rotation) < 0:
            singular[2] = -singular[2]
            rotation = (v * (1.0, 1.0, -1.0) @ ut).T
        return float(singular.sum() / self._spread_cm2), rotation

    def pose(self, head: HeadFit, turn_rad: Array) -> HeadPose:
        """The pose after turning a fitted head about its own axes by `turn_rad` (3,), a rotation vector."""
        rotation = head.rotation @ matrix_from_vector(turn_rad)
        return HeadPose(wxyz_from_matrix(rotation), head.centre_cm - rotation @ self._canonical_centre_cm)


def _determinant(matrix: Array) -> float:
    """Of one (3, 3), at a quarter of numpy's time."""
    (a, b, c), (d, e, f), (g, h, i) = matrix.tolist()
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
