"""The turned square of a picture in which the landmark network looks at a face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..data import Array

MARGIN = 1.5
"""Side of the square over the longer side of the face's box, as in MediaPipe's graphs."""
EYE_CORNERS = (33, 263)
"""Landmarks at the outer corners of the eyes, the picture's left one first: they tell how the face is turned."""


@dataclass(frozen=True, slots=True)
class FaceRegion:
    """A square around a face, upright in the head's own sense."""

    centre_px: tuple[float, float]
    side_px: float
    angle_rad: float
    """Clockwise as seen in the picture."""

    @classmethod
    def around(cls, low_px: Array, high_px: Array, left_eye_px: Array, right_eye_px: Array) -> FaceRegion:
        """The square around a box (corners (2,)) whose eyes, named by their side in the picture, lie level."""
        across = right_eye_px - left_eye_px
        centre, side = (low_px + high_px) / 2, float((high_px - low_px).max()) * MARGIN
        return cls((float(centre[0]), float(centre[1])), side, float(np.arctan2(across[1], across[0])))

    @classmethod
    def of_landmarks(cls, landmarks_px: Array) -> FaceRegion:
        """Where to look for a face next that had these landmarks, (478, 2 or more) pixels, just now."""
        points = landmarks_px[:, :2].astype(np.float64)
        return cls.around(points.min(0), points.max(0), points[EYE_CORNERS[0]], points[EYE_CORNERS[1]])

    def snapped(self, share: float) -> FaceRegion:
        """The nearest of a grid of regions, whose steps are `share` of the side, and as many radians."""
        side_px = (1 + share) ** round(np.log(self.side_px) / np.log1p(share))
        step_px = share * side_px
        centre_px = round(self.centre_px[0] / step_px) * step_px, round(self.centre_px[1] / step_px) * step_px
        return FaceRegion(centre_px, side_px, round(self.angle_rad / share) * share)

    @property
    def is_usable(self) -> bool:
        """False for a square that nobody can look into."""
        return bool(np.isfinite([*self.centre_px, self.side_px]).all()) and 4 <= self.side_px <= 1e5

    @property
    def box(self) -> tuple[Array, Array]:
        """Top left and bottom right of the square as if it were not turned, in pixels; (2,) each."""
        centre = np.array(self.centre_px)
        return centre - self.side_px / 2, centre + self.side_px / 2

    def picture_from_crop(self, crop_px: int) -> Array:
        """(2, 3) affine map from pixels of a crop of this side to pixels of the picture."""
        scale = self.side_px / crop_px
        cos, sin = scale * np.cos(self.angle_rad), scale * np.sin(self.angle_rad)
        turn = np.array([[cos, -sin], [sin, cos]])
        return np.column_stack([turn, np.array(self.centre_px) - turn @ np.full(2, crop_px / 2)])

    def landmarks_px(self, in_crop: Array) -> Array:
        """Landmarks (478, 3) in 0..1 of the crop, z in units of its width -> pixels of the picture; z as x."""
        cos, sin = np.cos(self.angle_rad), np.sin(self.angle_rad)
        turn = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]]) * self.side_px
        return ((in_crop - [0.5, 0.5, 0.0]) @ turn + [*self.centre_px, 0.0]).astype(np.float32)
