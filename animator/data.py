"""The types that flow through the corridor. All are frozen; arrays inside are not to be written to.

Frames of reference: camera space is right-handed with x to the right of the picture, y up, and the
camera at the origin looking along -z; the head at rest faces +z, so the subject's left is +x.
Lengths are centimetres here, angles radians, rotations unit quaternions in w, x, y, z order.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .channels import ARKIT, INDEX
from .errors import ShapeError

Array = NDArray[np.generic]

LANDMARKS = 478
"""Landmarks of the face mesh: 468 on the skin, then 5 for each iris (the subject's right eye first)."""


def check_shape(name: str, array: Array, *want: int | None) -> None:
    """Raise ShapeError unless `array` has the shape `want` (None stands for any length)."""
    if array.ndim != len(want) or any(w not in (None, n) for w, n in zip(want, array.shape, strict=True)):
        wanted = "(" + ", ".join("any" if w is None else str(w) for w in want) + ")"
        raise ShapeError(f"{name}: expected shape {wanted}, got {array.shape} {array.dtype}")


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture."""

    rgb: Array
    """(H, W, 3) uint8, C-contiguous sRGB, row 0 on top."""
    time_s: float
    """Seconds on the source's own clock; rises from frame to frame."""
    index: int
    """Counts from 0."""

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height)."""
        return self.rgb.shape[1], self.rgb.shape[0]


@dataclass(frozen=True, slots=True)
class Face:
    """One face as the tracker saw it."""

    landmarks_norm: Array
    """(478, 3) float32: x right and y down in 0..1 of the picture, z in units of x, smaller is nearer."""
    image_size_px: tuple[int, int]
    """(width, height) of the picture."""
    track_id: int
    """Stays with the face from frame to frame; counts from 0."""
    presence: float
    """0..1: how sure the tracker is that this is a face."""
    time_s: float
    """When the picture was taken."""

    @property
    def landmarks_px(self) -> Array:
        """(478, 2) float32: x right, y down, in pixels."""
        return self.landmarks_norm[:, :2] * np.asarray(self.image_size_px, np.float32)


@dataclass(frozen=True, slots=True)
class HeadPose:
    """camera_from_head: where the head is and how it is turned."""

    rotation_wxyz: Array
    """(4,) float64 unit quaternion."""
    translation_cm: Array
    """(3,) float64: the head's origin (that of the canonical face) in camera space; z is negative."""

    @classmethod
    def rest(cls) -> HeadPose:
        """Facing the camera from 50 cm."""
        return cls(np.array([1.0, 0.0, 0.0, 0.0]), np.array([0.0, 0.0, -50.0]))


@dataclass(frozen=True, slots=True)
class Gaze:
    """Where the eyes look, relative to the head."""

    angles_rad: Array
    """(2, 2) float64: left then right eye; yaw (+ to the subject's left), pitch (+ up)."""

    @classmethod
    def rest(cls) -> Gaze:
        """Straight ahead."""
        return cls(np.zeros((2, 2)))


@dataclass(frozen=True, slots=True)
class Expression:
    """The face's ARKit coefficients."""

    weights: Array
    """(52,) float32 in 0..1, order `channels.ARKIT`."""

    @classmethod
    def rest(cls) -> Expression:
        """A neutral face."""
        return cls(np.zeros(len(ARKIT), np.float32))

    @classmethod
    def of(cls, **weights: float) -> Expression:
        """An expression by channel names: `Expression.of(jawOpen=0.5, eyeBlinkLeft=1)`."""
        values = np.zeros(len(ARKIT), np.float32)
        for name, weight in weights.items():
            values[INDEX[name]] = weight
        return cls(values)

    def __getitem__(self, channel: str) -> float:
        return float(self.weights[INDEX[channel]])


@dataclass(frozen=True, slots=True)
class Motion:
    """All that one instant of one performer needs: what every source makes and every avatar reads."""

    time_s: float
    track_id: int
    pose: HeadPose = field(default_factory=HeadPose.rest)
    gaze: Gaze = field(default_factory=Gaze.rest)
    expression: Expression = field(default_factory=Expression.rest)
    confidence: float = 1.0
    """0..1; 0 means that no face was seen at this instant and the numbers are held or easing to rest."""
