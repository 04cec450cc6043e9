"""The learned figures of the face: how 478 landmarks answer to 52 channels, to identity and to noise.

`assets/face_model.npz` holds numbers that were learned from landmarks of synthetic performances by
`tools/learn_face_model.py`; no mesh of any face is inside. Head frame: x to the subject's left, y up,
z out of the face, centimetres on the canonical face's scale.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import numpy as np

from ..channels import ARKIT
from ..data import LANDMARKS, Array, check_shape
from ..errors import ModelError, ShapeError
from ..resources import asset_path
from .arrays import read_arrays


@dataclass(frozen=True, slots=True)
class FaceModel:
    """All that the solver knows about faces in general."""

    canonical_cm: Array
    """(478, 3) float32: the canonical face, irises learned."""
    response_cm: Array
    """(52, 478, 3) float32: each landmark's mean displacement for each channel at weight 1; tongueOut is 0."""
    mirror: Array
    """(478,) int32: `landmarks[mirror] * (-1, 1, 1)` is the face in a mirror."""
    rigid_weights: Array
    """(478,) float32: how well each landmark keeps still in the head; irises 0."""
    depth_scale: Array
    """() float32: what the landmarks' z must be multiplied by to match x."""
    turn_map: Array
    """(3, 1434) float32, rad / cm: head-frame landmarks minus `neutral_cm` -> what the rigid fit missed."""
    neutral_cm: Array
    """(478, 3) float32: mean neutral face over the training people."""
    identity_cm: Array
    """(K, 478, 3) float32: principal differences between people, each one standard deviation long."""
    identity_map: Array
    """(K, 1434) float32, 1 / cm: identity' @ inverse covariance of everything else (expression and noise)."""
    shape_kept: Array
    """(S, 741) float32, 1 / cm: the network's directions of change, of the half that a mirror keeps."""
    shape_turned: Array
    """(T, 741) float32, 1 / cm: the same of the half that a mirror turns round."""
    person_kept: Array
    """(P, 741) float32, 1 / cm: the network's view of a neutral face, of the half that a mirror keeps."""
    person_turned: Array
    """(Q, 741) float32, 1 / cm: the same of the half that a mirror turns round."""
    first_kept: Array
    """(N * H, S + 1 + P) float32: first layer of N networks, laid one under the other."""
    first_turned: Array
    """(N * H, T + 2 + Q) float32."""
    first_bias: Array
    """(N * H,) float32."""
    second_kept: Array
    """(N, G, H) float32: second layer, network by network."""
    second_turned: Array
    """(N, G, H) float32."""
    second_bias: Array
    """(N, G, 1) float32."""
    last_kept: Array
    """(57, N * G) float32: units -> 52 weights, gaze yaw and pitch, rotation vector; the networks' mean."""
    last_turned: Array
    """(57, N * G) float32."""
    last_bias: Array
    """(57,) float32."""
    settling: Array
    """(52, 3) float32: for each channel the reading below which it is at rest, the one from which on it is shown in
    full, and how much larger than it was read."""


OUTPUTS = len(ARKIT) + 5
"""Of the network: the channels, gaze, and what the rigid fit missed."""
_FLAT = LANDMARKS * 3
_SHAPES: dict[str, tuple[int | None, ...]] = {
    "canonical_cm": (LANDMARKS, 3),
    "response_cm": (len(ARKIT), LANDMARKS, 3),
    "mirror": (LANDMARKS,),
    "rigid_weights": (LANDMARKS,),
    "depth_scale": (),
    "turn_map": (3, _FLAT),
    "neutral_cm": (LANDMARKS, 3),
    "identity_cm": (None, LANDMARKS, 3),
    "identity_map": (None, _FLAT),
    "shape_kept": (None, None),
    "shape_turned": (None, None),
    "person_kept": (None, None),
    "person_turned": (None, None),
    "first_kept": (None, None),
    "first_turned": (None, None),
    "first_bias": (None,),
    "second_kept": (None, None, None),
    "second_turned": (None, None, None),
    "second_bias": (None, None, 1),
    "last_kept": (OUTPUTS, None),
    "last_turned": (OUTPUTS, None),
    "last_bias": (OUTPUTS,),
    "settling": (len(ARKIT), 3),
}


def load_face_model(path: Path) -> FaceModel:
    """Read a face model; raises ModelError if the file is missing or breaks the format."""
    try:
        arrays = read_arrays(path, [field.name for field in fields(FaceModel)])
        for name, array in arrays.items():
            check_shape(name, array, *_SHAPES[name])
    except (OSError, ValueError, ShapeError) as error:
        raise ModelError(f"{path} is no face model ({error}); make it with tools/learn_face_model.py") from error
    for name, array in arrays.items():
        arrays[name] = array.astype(np.int32 if name == "mirror" else np.float32)
        arrays[name].setflags(write=False)
    return FaceModel(**arrays)


@cache
def face_model() -> FaceModel:
    """The face model that is shipped, read once from `assets/face_model.npz`."""
    return load_face_model(asset_path("face_model.npz"))
