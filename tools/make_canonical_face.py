"""Makes assets/canonical_face.npz from the face model file: the 468 points that pose is measured against.

    python -m tools.make_canonical_face [--model FACE_LANDMARKER.TASK] [--out FILE]

The .task is a zip; inside, `geometry_pipeline_metadata_landmarks.binarypb` is a protobuf message
(mediapipe/modules/face_geometry/protos/geometry_pipeline_metadata.proto) with the canonical mesh:
field 1 = mesh {3: x y z u v per vertex, 4: triangle indices}, field 2 = {1: landmark, 2: weight}.
"""

from __future__ import annotations

import argparse
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from animator.resources import asset_path
from animator.tracking.model import find_or_fetch_model

METADATA = "geometry_pipeline_metadata_landmarks.binarypb"


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A base-128 number and the position after it."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(message: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """(field number, value) pairs of one protobuf message."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = varint(message, at)
        elif wire == 5:
            value, at = struct.unpack_from("<f", message, at)[0], at + 4
        elif wire == 2:
            size, at = varint(message, at)
            value, at = message[at : at + size], at + size
        else:
            raise ValueError(f"unexpected wire type {wire}")
        yield number, value


def canonical_face(task_path: Path) -> dict[str, np.ndarray]:
    """positions_cm (468, 3), uv (468, 2; v down), triangles (898, 3), procrustes_weights (468,)."""
    with zipfile.ZipFile(task_path) as task:
        metadata = list(fields(task.read(METADATA)))
    mesh = list(fields(next(value for number, value in metadata if number == 1)))
    vertices = np.array([value for number, value in mesh if number == 3], np.float32).reshape(-1, 5)
    triangles = np.array([value for number, value in mesh if number == 4], np.int32).reshape(-1, 3)
    weights = np.zeros(len(vertices), np.float32)
    for number, value in metadata:
        if number == 2:
            entry = dict(fields(value))
            weights[entry[1]] = entry[2]
    return {
        "positions_cm": vertices[:, :3],
        "uv": vertices[:, 3:],
        "triangles": triangles,
        "procrustes_weights": weights,
    }


def main() -> None:
    """Read the model file, write the asset."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="face_landmarker.task (default: found or fetched)")
    parser.add_argument("--out", type=Path, default=asset_path("canonical_face.npz"))
    arguments = parser.parse_args()
    np.savez_compressed(arguments.out, **canonical_face(find_or_fetch_model(arguments.model)))


if __name__ == "__main__":
    main()
