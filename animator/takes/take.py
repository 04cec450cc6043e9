"""A recorded performance: one performer's motion as arrays, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..channels import ARKIT
from ..data import LANDMARKS, Array, Expression, Gaze, HeadPose, Motion, check_shape
from ..errors import ShapeError, TakeError

ARRAYS = {
    "times_s": np.float64,
    "weights": np.float32,
    "rotations_wxyz": np.float64,
    "translations_cm": np.float64,
    "gaze_rad": np.float64,
    "confidence": np.float32,
}
"""The arrays that every take has, with a row for each frame."""


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
    """(width, height) of the pictures that it was made from; None if it was made from none."""
    profile_cm: Array | None = None
    """(478, 3) float32: the performer's neutral face as it was known at the end, head frame."""
    source: str = ""
    """What was recorded: a file's name, `camera 0`."""
    rig: str = ""
    """The avatar that was shown meanwhile."""
    stage_names: tuple[str, ...] = ()
    """The stages whose times were kept, such as `track` and `solve`."""
    stages_ms: Array | None = None
    """(N, S) float32: milliseconds that each stage worked on each frame."""

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
            if self.profile_cm is not None:
                check_shape("profile_cm", self.profile_cm, LANDMARKS, 3)
            if self.stages_ms is not None:
                check_shape("stages_ms", self.stages_ms, frames, len(self.stage_names))
        except ShapeError as error:
            raise TakeError(f"not a take: {error}") from error
        for name in (*ARRAYS, "landmarks_norm", "profile_cm", "stages_ms"):
            values = getattr(self, name)
            if values is not None and not np.isfinite(values).all():
                raise TakeError(f"not a take: {name} holds values that are not finite")
        if frames > 1 and not (np.diff(self.times_s) > 0).all():
            raise TakeError("not a take: times_s must rise from frame to frame")
        if not 0 < self.fps < np.inf:
            raise TakeError(f"not a take: fps must be above 0, got {self.fps}")
        if self.landmarks_norm is not None and (self.image_size_px is None or min(self.image_size_px) < 1):
            raise TakeError(f"not a take: landmarks need an image_size_px above 0, got {self.image_size_px}")

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

    @property
    def tracked(self) -> Array:
        """(N,) bool: frames whose landmarks were kept; all False without any."""
        if self.landmarks_norm is None:
            return np.zeros(len(self), bool)
        return self.landmarks_norm.any(axis=(1, 2))

    def motions(self, track_id: int = 0) -> Iterator[Motion]:
        """Every frame's motion in turn."""
        return (self.motion(frame, track_id) for frame in range(len(self)))


def take_from_arrays(arrays: dict[str, Array], fps: float) -> Take:
    """A take of plain arrays by the names of `ARRAYS`, in any number type.

    times_s and weights must be there; without the others the head rests, the eyes look ahead, confidence is 1.
    raises : TakeError for a name that no take has, and for what breaks the contract of Take"""
    unknown = arrays.keys() - ARRAYS.keys()
    missing = {"times_s", "weights"} - arrays.keys()
    if unknown or missing:
        raise TakeError(f"not a take: expected {', '.join(ARRAYS)}; got {', '.join(sorted(arrays)) or 'nothing'}")
    frames = len(arrays["times_s"])
    rest = Motion(0.0, 0)
    whole = {
        "rotations_wxyz": np.tile(rest.pose.rotation_wxyz, (frames, 1)),
        "translations_cm": np.tile(rest.pose.translation_cm, (frames, 1)),
        "gaze_rad": np.zeros((frames, 2, 2)),
        "confidence": np.ones(frames),
        **arrays,
    }
    return Take(**{name: np.asarray(whole[name]).astype(dtype) for name, dtype in ARRAYS.items()}, fps=fps)


def arrays_of(take: Take) -> dict[str, Array]:
    """A take's arrays by name: what `take_from_arrays` takes."""
    return {name: getattr(take, name) for name in ARRAYS}


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
