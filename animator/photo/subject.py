"""Who is in the photo: one face that is seen well enough, its landmarks, and its shape at rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import lsq_linear

from ..channels import ARKIT, INDEX
from ..data import Array, Face, Frame
from ..errors import SourceError
from ..maths.rotations import yaw_pitch_roll_from_matrix
from ..solving.face_model import face_model
from ..solving.identity import RunningNeutral
from ..solving.pose import HeadFitter
from ..sources.images import ImageSource
from ..topology import LEFT_PUPIL, LIPS_INNER, RIGHT_PUPIL

MOST_YAW_DEG, MOST_PITCH_DEG = 25.0, 25.0
"""Farther to a side the other cheek is not seen."""
LEAST_EYE_DISTANCE_PX = 40.0
"""Between the pupils. Below that an iris is 5 pixels wide and there is no texture to take."""
FOV_DEG = 30.0
"""Portraits are taken from farther away than webcams look."""
FACE_IN_SQUARE = 2.2
"""Side of the square that the face is looked at in, in heights of the face."""
LIDS = {stem + side for stem in ("eyeBlink", "eyeSquint", "eyeWide", "cheekSquint") for side in ("Left", "Right")}
LID_SHARE = 0.4
"""How much of narrow or wide eyes is taken for expression: one photo does not tell it from the eyes' own shape."""
DEPTH_BELIEVED = 0.6
"""One picture shows no depth: the tracker's is a guess."""
RIDGE_CM = 0.8
"""What a channel at 1 must explain, summed over all landmarks in quadrature."""
BELIEVED = 0.6
"""How much of what the identity model cannot explain is the person, and not the tracker's noise."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The person and the photo."""

    rgb: Array
    """(H, W, 3) uint8 sRGB."""
    landmarks_px: Array
    """(478, 2) float64, x right, y down."""
    rotation: Array
    """(3, 3) camera_from_head."""
    shape_cm: Array
    """(478, 3) float64: how the face at rest differs from the mean face, in the head's frame."""
    weights: Array
    """(52,) the expression in the photo."""

    @property
    def smile(self) -> float:
        """0..1: how much the person smiles."""
        return float(self.weights[[INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]].mean())

    @property
    def eye_distance_px(self) -> float:
        """Between the pupils."""
        return float(np.linalg.norm(self.landmarks_px[LEFT_PUPIL] - self.landmarks_px[RIGHT_PUPIL]))


def read_picture(path: Path) -> Frame:
    """The photo; raises SourceError with one line if there is none."""
    if not path.exists():
        raise SourceError(f"there is no file {path}")
    if path.is_dir():
        raise SourceError(f"{path} is a folder: expected one photo (.jpg, .png, .webp)")
    return next(iter(ImageSource(path)))


def find_subject(faces: Sequence[Face], rgb: Array, name: str, *, largest: bool = False) -> Subject:
    """The person in a photo.

    faces   : those found in `rgb` (H, W, 3) uint8; name : the photo's, for messages
    largest : of several faces take the largest, instead of refusing
    raises  : SourceError for no face, several faces, a face from the side, or one that is too small"""
    if not faces:
        raise SourceError(f"{name}: there is no face in it; take a photo with the whole face, from the front")
    if len(faces) > 1 and not largest:
        raise SourceError(f"{name}: there are {len(faces)} faces in it; crop it to one, or add --largest")
    return subject_of(rgb, max(faces, key=_extent_px), name)


def subject_of(rgb: Array, face: Face, name: str = "photo") -> Subject:
    """Measure one face; raises SourceError if it is seen from the side or is too small."""
    model = face_model()
    head = HeadFitter(model).fit(*_in_the_middle(face), np.radians(FOV_DEG))
    yaw, pitch, _ = np.degrees(yaw_pitch_roll_from_matrix(head.rotation))
    landmarks_px = face.landmarks_px.astype(np.float64)
    subject = Subject(rgb, landmarks_px, head.rotation, np.zeros_like(head.landmarks_cm), np.zeros(len(INDEX)))
    for angle, most, way in ((yaw, MOST_YAW_DEG, "to a side"), (pitch, MOST_PITCH_DEG, "up or down")):
        if abs(angle) > most:
            raise SourceError(
                f"{name}: the face is turned {abs(angle):.0f} degrees {way}, expected at most {most:.0f}: "
                f"take a photo from the front"
            )
    if subject.eye_distance_px < LEAST_EYE_DISTANCE_PX:
        raise SourceError(
            f"{name}: the face is too small: {subject.eye_distance_px:.0f} pixels between the eyes, "
            f"expected {LEAST_EYE_DISTANCE_PX:.0f} or more: take it from nearer, or in a larger size"
        )
    shape_cm, weights = _at_rest(head.landmarks_cm)
    return replace(subject, shape_cm=shape_cm, weights=weights)


def _in_the_middle(face: Face) -> tuple[Array, tuple[int, int]]:
    """The landmarks in a square picture around the face: a photo may be a part of a larger one, and its own middle
    says nothing of where the camera looked."""
    scale = np.array([face.image_size_px[0], face.image_size_px[1], face.image_size_px[0]], np.float64)
    px = face.landmarks_norm * scale
    low, high = px[:468, :2].min(0), px[:468, :2].max(0)
    side = FACE_IN_SQUARE * (high - low).max()
    px[:, :2] -= 0.5 * (low + high) - 0.5 * side
    return px / side, (round(side), round(side))


def seen_shape_cm(face: Face) -> Array:
    """(478, 3) a face in its own frame, as the tracker saw it."""
    return HeadFitter(face_model()).fit(*_in_the_middle(face), np.radians(FOV_DEG)).landmarks_cm


def _at_rest(landmarks_cm: Array) -> tuple[Array, Array]:
    """The face without its expression, minus the mean face, (478, 3) cm, and the expression (52,)."""
    model = face_model()
    running = RunningNeutral(model)
    running.add(landmarks_cm, 0.0)
    likely_cm = running.neutral_cm
    response = model.response_cm.astype(np.float64)
    weights = _expression(landmarks_cm - likely_cm, response)
    removed = weights * [LID_SHARE if name in LIDS else 1.0 for name in ARKIT]
    rested_cm = landmarks_cm - np.einsum("c,cvi->vi", removed, response)
    shape_cm = likely_cm + BELIEVED * (rested_cm - likely_cm) - model.neutral_cm
    return settled(shape_cm), weights


def settled(shape_cm: Array) -> Array:
    """A difference of shape without what is likely to be noise: depth, asymmetry, parted lips; (478, 3) cm."""
    shape_cm = shape_cm * [1.0, 1.0, DEPTH_BELIEVED]
    # Most of an asymmetry of half a millimetre is noise.
    mirrored = shape_cm[face_model().mirror] * [-1, 1, 1]
    return _sealed(0.5 * (shape_cm + mirrored))


def _expression(change_cm: Array, response_cm: Array) -> Array:
    """(52,) in 0..1: the expression that best explains a change of shape; whatever helps little stays at rest."""
    matrix = response_cm.reshape(len(response_cm), -1).T
    held = RIDGE_CM * np.eye(len(response_cm))
    target = np.concatenate([change_cm.ravel(), np.zeros(len(held))])
    return lsq_linear(np.concatenate([matrix, held]), target, (0.0, 1.0)).x


def _sealed(shape_cm: Array) -> Array:
    """Lips on each other: what lies opposite on the inner lips moves alike."""
    result = shape_cm.copy()
    for lower, upper in zip(LIPS_INNER[1:10], LIPS_INNER[:10:-1], strict=True):
        result[[lower, upper]] = shape_cm[[lower, upper]].mean(0)
    return result


def _extent_px(face: Face) -> float:
    return float(np.ptp(face.landmarks_px, axis=0).max())
