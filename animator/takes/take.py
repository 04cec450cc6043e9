"""A recorded performance: one performer's motion as arrays, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..channels import ARKIT
from ..data import LANDMARKS, Array, Expression, Gaze, HeadPose, Motion, check_shape
from ..errors import ShapeError, TakeError


@dataclass(frozen=True, slots=True)
class Take:
    """One performer's motion. A frame without a face has confidence 0 and holds the last pose."""

    times_s: Array
    """(N,) float64, rising."""
    weights: Array
    """(N, 52) float32 in 0..1, order `channels.ARKIT`."""
    rotations_wxyz: Array
    """(N, 4) float64 unit quaternions, camera_from_head."""
    translations_cm: Array
    """(N, 3) float64, camera_from_head."""
    gaze_rad: Array
    """(N, 2, 2) float64: left then right eye; yaw (+ to the subject's left), pitch (+ up)."""
    confidence: Array
    """(N,) float32 in 0..1."""
    fps: float
    """Nominal frames per second."""
    landmarks_norm: Array | None = None
    """(N, 478, 3) float32 where they were kept; frames without a face hold 0."""
    image_size_px: tuple[int, int] | None = None
    """(width, height) of the pictures that the landmarks belong to."""

    def __post_init__(self) -> None:
        frames = len(self.times_s)
        try:
            check_shape("times_s", self.times_s, None)
            check_shape("weights", self.weights, frames, len(ARKIT))
            check_shape("rotations_wxyz", self.rotations_wxyz, frames, 4)
            check_shape("translations_cm", self.translations_cm, frames, 3)
            check_shape("gaze_rad", self.gaze_rad, frames, 2, 2)
            check_shape("confidence", self.confidence, frames)
            if self.landmarks_norm is not None:
                check_shape("landmarks_norm", self.landmarks_norm, frames, LANDMARKS, 3)
        except ShapeError as error:
            raise TakeError(f"not a take: {error}") from error
        for name in ("times_s", "weights", "rotations_wxyz", "translations_cm", "gaze_rad", "confidence"):
            if not np.isfinite(getattr(self, name)).all():
                raise TakeError(f"not a take: {name} holds values that are not finite")
        if frames > 1 and not (np.diff(self.times_s) > 0).all():
            raise TakeError("not a take: times_s must rise from frame to frame")
        if not self.fps > 0:
            raise TakeError(f"not a take: fps must be above 0, got {self.fps}")

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def duration_s(self) -> float:
        """From the first frame to the end of the last one."""
        return float(self.times_s[-1] - self.times_s[0] + 1 / self.fps) if len(self) else 0.0

    def motion(self, frame: int, track_id: int = 0) -> Motion:
        """The motion at one frame."""
        return Motion(
            float(self.times_s[frame]),
            track_id,
            HeadPose(self.rotations_wxyz[frame], self.translations_cm[frame]),
            Gaze(self.gaze_rad[frame]),
            Expression(self.weights[frame]),
            float(self.confidence[frame]),
        )

    def motions(self, track_id: int = 0) -> Iterator[Motion]:
        """Every frame's motion in turn."""
        return (self.motion(frame, track_id) for frame in range(len(self)))


def take_from_motions(motions: list[Motion], fps: float) -> Take:
    """Gather one performer's motions into a take."""

    def stacked(rows: list[Array], dtype: type, *shape: int) -> Array:
        return np.array(rows, dtype).reshape(len(rows), *shape)

    return Take(
        stacked([m.time_s for m in motions], np.float64),
        stacked([m.expression.weights for m in motions], np.float32, len(ARKIT)),
        stacked([m.pose.rotation_wxyz for m in motions], np.float64, 4),
        stacked([m.pose.translation_cm for m in motions], np.float64, 3),
        stacked([m.gaze.angles_rad for m in motions], np.float64, 2, 2),
        stacked([m.confidence for m in motions], np.float32),
        fps,
    )
