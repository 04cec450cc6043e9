"""KHR_draco_mesh_compression by the optional package DracoPy: `pip install 'animator[draco]'`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data import Array
from .gltf_file import GltfFile

MAX_PACKED_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Drawn:
    """A decompressed primitive: its corners and its attributes by glTF's names."""

    indices: Array
    attributes: dict[str, Array]

    def attribute(self, file: GltfFile, name: str, width: int, accessor: object) -> Array:
        """(N, width) as the accessor that describes it would have read it."""
        values = self.attributes[name]
        said = file.item("accessors", accessor)
        if values.ndim != 2 or values.shape[1] != width or said.get("count") != len(values):
            raise file.fail(f"{name}: expected {said.get('count')} rows of {width}, Draco held {values.shape}")
        if values.dtype.kind == "f":
            if not np.isfinite(values).all():
                raise file.fail(f"{name}: expected finite numbers, got infinities or NaN")
            return values
        return np.maximum(values / np.float32(np.iinfo(values.dtype).max), -1) if said.get("normalized") else values


def drawn_out(file: GltfFile, packed: dict[str, Any]) -> Drawn:
    """Decompress a primitive."""
    try:
        import DracoPy
    except ModuleNotFoundError as error:
        raise file.fail(
            "is compressed with KHR_draco_mesh_compression: pip install DracoPy, or export it without"
        ) from error
    data = file.view(packed["bufferView"])[0]
    if len(data) > MAX_PACKED_BYTES:
        raise file.fail(f"expected at most {MAX_PACKED_BYTES >> 20} MB of Draco data, got more")
    try:
        mesh = DracoPy.decode(bytes(data))
        by_id = {entry["unique_id"]: np.asarray(entry["data"]) for entry in mesh.attributes}
        faces = np.asarray(mesh.faces).reshape(-1)
    except Exception as error:  # the package raises what its C++ raised, under several names
        raise file.fail(f"KHR_draco_mesh_compression: cannot be decompressed: {error}") from error
    return Drawn(faces, {name: by_id[number] for name, number in packed["attributes"].items() if number in by_id})
