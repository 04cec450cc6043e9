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
    """(52, 478, 3) float32: each landmark's displacement for each channel at weight 1; tongueOut is 0."""
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
    measure_map: Array
    """(52, 1434) float32, 1 / cm: response' @ inverse noise covariance, the whitened view of each channel."""
    channel_rate: Array
    """(52,) float32: rate of each channel's exponential prior, which keeps quiet channels at 0."""
    channel_precision: Array
    """(52,) float32: added to the diagonal of the normal equations, against near-equal channels."""
    gaze_map: Array
    """(2, 1434) float32, rad / cm: head-frame landmarks minus the person's neutral -> yaw, pitch of both eyes."""
    refine_map: Array
    """(S, 1434) float32, 1 / cm: principal changes of shape that `solving.refinement` looks at."""
    refine_scale: Array
    """(I,) float32: standard deviation of each of the network's inputs."""
    refine_input: Array
    """(I, H) float32: inputs -> hidden units."""
    refine_hidden_bias: Array
    """(H,) float32."""
    refine_hidden: Array
    """(H, 54) float32: hidden units -> 52 weights, yaw, pitch."""
    refine_direct: Array
    """(I, 54) float32: inputs -> outputs without a detour."""
    refine_bias: Array
    """(54,) float32."""


_SHAPES: dict[str, tuple[int | None, ...]] = {
    "canonical_cm": (LANDMARKS, 3),
    "response_cm": (len(ARKIT), LANDMARKS, 3),
    "mirror": (LANDMARKS,),
    "rigid_weights": (LANDMARKS,),
    "depth_scale": (),
    "turn_map": (3, LANDMARKS * 3),
    "neutral_cm": (LANDMARKS, 3),
    "identity_cm": (None, LANDMARKS, 3),
    "identity_map": (None, LANDMARKS * 3),
    "measure_map": (len(ARKIT), LANDMARKS * 3),
    "channel_rate": (len(ARKIT),),
    "channel_precision": (len(ARKIT),),
    "gaze_map": (2, LANDMARKS * 3),
    "refine_map": (None, LANDMARKS * 3),
    "refine_scale": (None,),
    "refine_input": (None, None),
    "refine_hidden_bias": (None,),
    "refine_hidden": (None, len(ARKIT) + 2),
    "refine_direct": (None, len(ARKIT) + 2),
    "refine_bias": (len(ARKIT) + 2,),
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
