"""Small glTF files made in tests, piece by piece."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np

from animator.data import Array

CODES = {"int8": 5120, "uint8": 5121, "int16": 5122, "uint16": 5123, "uint32": 5125, "float32": 5126}
KINDS = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
QUAD = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], np.float32)
CORNERS = np.array([0, 1, 2, 0, 2, 3], np.uint16)


class Builder:
    """A GLB in the making: `json` is free to be changed before `glb`."""

    def __init__(self) -> None:
        self.binary = bytearray()
        self.json: dict[str, Any] = {"asset": {"version": "2.0"}, "bufferViews": [], "accessors": [], "meshes": [],
                                     "nodes": []}  # fmt: skip

    def view(self, data: bytes, **more: Any) -> int:
        """Append bytes."""
        self.binary.extend(b"\0" * (-len(self.binary) % 4))
        self.json["bufferViews"].append({"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(data), **more})
        self.binary.extend(data)
        return len(self.json["bufferViews"]) - 1

    def accessor(self, array: Array, **more: Any) -> int:
        """Append an array, packed."""
        return self.described(array, bufferView=self.view(np.ascontiguousarray(array).tobytes()), **more)

    def described(self, array: Array, **more: Any) -> int:
        """An accessor of an array's type and count, wherever its bytes are."""
        width = 1 if array.ndim == 1 else array.shape[1]
        self.json["accessors"].append(
            {"componentType": CODES[array.dtype.name], "count": len(array), "type": KINDS[width], **more}
        )
        return len(self.json["accessors"]) - 1

    def sparse(self, array: Array, base: Array | None = None) -> int:
        """The array as what differs from a base, or from zeros."""
        start = np.zeros_like(array) if base is None else base
        rows = np.flatnonzero((array != start).any(1)).astype(np.uint16)
        more: dict[str, Any] = {} if base is None else {"bufferView": self.view(base.tobytes())}
        indices = {"bufferView": self.view(rows.tobytes()), "componentType": 5123}
        values = {"bufferView": self.view(np.ascontiguousarray(array[rows]).tobytes())}
        return self.described(array, sparse={"count": len(rows), "indices": indices, "values": values}, **more)

    def mesh(self, positions: Array = QUAD, targets: dict[str, Array] | None = None, **primitive: Any) -> int:
        """A mesh of one primitive with named morph targets; returns its number."""
        attributes = {"POSITION": self.accessor(positions), **primitive.pop("attributes", {})}
        entry: dict[str, Any] = {"attributes": attributes, **primitive}
        if "indices" not in entry and "mode" not in entry:
            entry["indices"] = self.accessor(CORNERS)
        mesh: dict[str, Any] = {"primitives": [entry]}
        if targets:
            entry["targets"] = [{"POSITION": self.accessor(moves.astype(np.float32))} for moves in targets.values()]
            mesh["extras"] = {"targetNames": list(targets)}
        self.json["meshes"].append(mesh)
        return len(self.json["meshes"]) - 1

    def node(self, **entry: Any) -> int:
        self.json["nodes"].append(entry)
        return len(self.json["nodes"]) - 1

    def glb(self) -> bytes:
        """The file."""
        binary = bytes(self.binary) + b"\0" * (-len(self.binary) % 4)
        text = json.dumps(self.json | {"buffers": [{"byteLength": max(len(binary), 4)}]}).encode()
        text += b" " * (-len(text) % 4)
        binary = binary or b"\0" * 4
        head = struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(binary))
        return b"".join([head, struct.pack("<I4s", len(text), b"JSON"), text,
                         struct.pack("<I4s", len(binary), b"BIN\0"), binary])  # fmt: skip


def up(share: float = 1.0, rows: tuple[int, ...] = (2, 3)) -> Array:
    """Offsets of the quad that lift some of its corners."""
    moves = np.zeros_like(QUAD)
    moves[list(rows), 1] = share
    return moves


def person(builder: Builder, **extensions: Any) -> dict[str, int]:
    """A humanoid skeleton of nodes in T-pose, left at +x: bone -> node."""
    bones: dict[str, int] = {}
    for bone, parent, place in (
        ("hips", None, (0, 1, 0)), ("spine", "hips", (0, 0.2, 0)), ("chest", "spine", (0, 0.2, 0)),
        ("neck", "chest", (0, 0.1, 0)), ("head", "neck", (0, 0.1, 0)),
        ("leftEye", "head", (0.03, 0.08, 0.07)), ("rightEye", "head", (-0.03, 0.08, 0.07)),
        ("leftUpperArm", "chest", (0.2, 0, 0)), ("leftLowerArm", "leftUpperArm", (0.3, 0, 0)),
        ("rightUpperArm", "chest", (-0.2, 0, 0)), ("rightLowerArm", "rightUpperArm", (-0.3, 0, 0)),
    ):  # fmt: skip
        bones[bone] = builder.node(name=bone, translation=list(place))
        if parent:
            builder.json["nodes"][bones[parent]].setdefault("children", []).append(bones[bone])
    builder.json["extensions"] = extensions
    return bones
