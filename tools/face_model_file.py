"""How face models are stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from animator.solving.face_model import FaceModel


def stored_precision(model: FaceModel) -> FaceModel:
    """The model as it is after saving and loading: half precision wherever a relative error of 1 in 2000 is
    below the noise."""
    half = {
        name
        for name in FaceModel.__slots__
        if name.startswith(("response", "identity", "shape", "person", "first", "second", "last"))
    }
    rounded = {
        name: getattr(model, name).astype(np.int32 if name == "mirror" else np.float16 if name in half else np.float32)
        for name in FaceModel.__slots__
    }
    return FaceModel(**rounded)


def save_face_model(path: Path, model: FaceModel) -> None:
    """Write the model."""
    model = stored_precision(model)
    np.savez_compressed(path, **{name: getattr(model, name) for name in FaceModel.__slots__})
