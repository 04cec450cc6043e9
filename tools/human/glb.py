"""Write pieces as one .glb: a mesh with sparse morph targets for each, one skin for all."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from animator.channels import ARKIT
from animator.data import Array

from .piece import JOINTS, Piece, normals

METRES_PER_CM = 0.01
LEAST_MOVE_CM = 0.006
"""Smaller displacements than 60 micrometres are left out of a morph."""


@dataclass(frozen=True)
class Look:
    """A material: a picture or a colour, and how it shines."""

    picture_rgb: Array | None = None
    color: tuple[float, float, float] = (1.0, 1.0, 1.0)
    roughness: float = 0.7
    double_sided: bool = False
    jpeg_quality: int = 90


class GlbWriter:
    """Collects the binary chunk and the lists that point into it."""

    def __init__(self) -> None:
        self._binary = bytearray()
        self.json: dict[str, Any] = {
            "asset": {"version": "2.0", "generator": "animator/tools"},
            "scene": 0, "scenes": [{"nodes": []}],
            **{key: [] for key in ("nodes", "meshes", "materials", "textures", "images", "samplers", "skins",
                                   "accessors", "bufferViews")},
        }  # fmt: skip
        self.json["samplers"].append({"magFilter": 9729, "minFilter": 9987, "wrapS": 10497, "wrapT": 33071})

    def view(self, data: bytes) -> int:
        """Append bytes, aligned to 4."""
        self._binary.extend(b"\0" * (-len(self._binary) % 4))
        self.json["bufferViews"].append(
            {"buffer": 0, "byteOffset": len(self._binary), "byteLength": len(data)}
        )
        self._binary.extend(data)
        return len(self.json["bufferViews"]) - 1

    def accessor(self, array: Array, kind: str, *, bounds: bool = False, normalized: bool = False) -> int:
        """Append an array as a packed accessor."""
        codes = {"float32": 5126, "uint8": 5121, "uint16": 5123, "uint32": 5125}
        entry: dict[str, Any] = {
            "bufferView": self.view(np.ascontiguousarray(array).tobytes()),
            "componentType": codes[array.dtype.name], "count": len(array), "type": kind,
        }  # fmt: skip
        if normalized:
            entry["normalized"] = True
        if bounds:
            entry["min"], entry["max"] = array.min(0).tolist(), array.max(0).tolist()
        self.json["accessors"].append(entry)
        return len(self.json["accessors"]) - 1

    def offsets(self, moves: Array) -> int:
        """Append a morph's offsets as a sparse accessor: only vertices that move are stored."""
        rows = np.flatnonzero(moves.any(1)).astype(np.uint16 if len(moves) < 65536 else np.uint32)
        entry = {
            "componentType": 5126, "count": len(moves), "type": "VEC3",
            "min": moves.min(0).tolist(), "max": moves.max(0).tolist(),
            "sparse": {
                "count": len(rows),
                # Offsets of 0 are the default, yet some readers insist on them.
                "indices": {"bufferView": self.view(rows.tobytes()), "byteOffset": 0,
                            "componentType": 5123 if rows.itemsize == 2 else 5125},
                "values": {"bufferView": self.view(np.ascontiguousarray(moves[rows]).tobytes()), "byteOffset": 0},
            },
        }  # fmt: skip
        self.json["accessors"].append(entry)
        return len(self.json["accessors"]) - 1

    def material(self, name: str, look: Look) -> int:
        """Append a material with its picture as JPEG."""
        surface: dict[str, Any] = {"metallicFactor": 0.0, "roughnessFactor": look.roughness}
        linear = [((c + 0.055) / 1.055) ** 2.4 if c > 0.04045 else c / 12.92 for c in look.color]
        surface["baseColorFactor"] = [*np.round(linear, 5).tolist(), 1.0]
        if look.picture_rgb is not None:
            quality = [cv2.IMWRITE_JPEG_QUALITY, look.jpeg_quality]
            _, data = cv2.imencode(".jpg", cv2.cvtColor(look.picture_rgb, cv2.COLOR_RGB2BGR), quality)
            self.json["images"].append({"bufferView": self.view(data.tobytes()), "mimeType": "image/jpeg"})
            self.json["textures"].append({"source": len(self.json["images"]) - 1, "sampler": 0})
            surface["baseColorTexture"] = {"index": len(self.json["textures"]) - 1}
        entry = {"name": name, "pbrMetallicRoughness": surface}
        if look.double_sided:
            entry["doubleSided"] = True
        self.json["materials"].append(entry)
        return len(self.json["materials"]) - 1

    def bytes(self) -> bytes:
        """The finished file."""
        self._binary.extend(b"\0" * (-len(self._binary) % 4))
        kept = {key: value for key, value in self.json.items() if value != []}
        kept["buffers"] = [{"byteLength": len(self._binary)}]
        text = json.dumps(kept, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        total = 12 + 8 + len(text) + 8 + len(self._binary)
        return b"".join([
            struct.pack("<4sII", b"glTF", 2, total), struct.pack("<II", len(text), 0x4E4F534A), text,
            struct.pack("<II", len(self._binary), 0x004E4942), bytes(self._binary),
        ])  # fmt: skip


def glb_from_pieces(pieces: list[Piece], looks: dict[str, Look], joints_cm: dict[str, tuple[str, Array]]) -> bytes:
    """The whole avatar.

    joints_cm : joint -> (parent's name or "", place (3,) cm in the head's frame)"""
    out = GlbWriter()
    number = {name: index for index, name in enumerate(JOINTS)}
    for name in JOINTS:
        parent, place = joints_cm[name]
        origin = joints_cm[parent][1] if parent else np.zeros(3)
        out.json["nodes"].append(
            {"name": name, "translation": np.round((place - origin) * METRES_PER_CM, 7).tolist()}
        )
        if parent:
            out.json["nodes"][number[parent]].setdefault("children", []).append(number[name])
        else:
            out.json["scenes"][0]["nodes"].append(number[name])
    bind = np.tile(np.eye(4, dtype=np.float32), (len(JOINTS), 1, 1))
    for name, index in number.items():
        bind[index, 3, :3] = -joints_cm[name][1] * METRES_PER_CM  # column-major: the last row is the move
    out.json["skins"].append(
        {"joints": list(range(len(JOINTS))), "inverseBindMatrices": out.accessor(bind.reshape(-1, 16), "MAT4")}
    )
    used = sorted({piece.material for piece in pieces})
    materials = {name: out.material(name, looks[name]) for name in used}
    for piece in pieces:
        mesh = _mesh(out, piece, materials[piece.material])
        out.json["meshes"].append(mesh)
        out.json["nodes"].append({"name": piece.name, "mesh": len(out.json["meshes"]) - 1, "skin": 0})
        out.json["scenes"][0]["nodes"].append(len(out.json["nodes"]) - 1)
    return out.bytes()


def _mesh(out: GlbWriter, piece: Piece, material: int) -> dict[str, Any]:
    """One piece as a mesh of one primitive."""
    count = len(piece.positions)
    order = np.argsort(-piece.weights, axis=1, kind="stable")[:, :4]
    shares = np.take_along_axis(piece.weights, order, 1)
    shares = np.round(shares / shares.sum(1, keepdims=True) * 255)
    shares[:, 0] += 255 - shares.sum(1)
    order[shares == 0] = 0
    attributes = {
        "POSITION": out.accessor((piece.positions * METRES_PER_CM).astype(np.float32), "VEC3", bounds=True),
        "NORMAL": out.accessor(normals(piece.positions, piece.triangles).astype(np.float32), "VEC3"),
        "TEXCOORD_0": out.accessor(piece.uv.astype(np.float32), "VEC2"),
        "JOINTS_0": out.accessor(order.astype(np.uint8), "VEC4"),
        "WEIGHTS_0": out.accessor(shares.astype(np.uint8), "VEC4", normalized=True),
    }
    indices = piece.triangles.astype(np.uint16 if count < 65536 else np.uint32).reshape(-1)
    primitive: dict[str, Any] = {
        "attributes": attributes, "indices": out.accessor(indices, "SCALAR"), "material": material,
    }  # fmt: skip
    mesh: dict[str, Any] = {"name": piece.name, "primitives": [primitive]}
    names, targets = [], []
    for channel in ARKIT:
        moves = piece.moves.get(channel)
        if moves is None:
            continue
        moves = np.where(np.linalg.norm(moves, axis=1, keepdims=True) > LEAST_MOVE_CM, moves, 0)
        if moves.any():
            names.append(channel)
            targets.append({"POSITION": out.offsets((moves * METRES_PER_CM).astype(np.float32))})
    if targets:
        primitive["targets"] = targets
        mesh["extras"] = {"targetNames": names}
        mesh["weights"] = [0.0] * len(targets)
    return mesh


def write_glb(path: Path, data: bytes) -> None:
    """Write beside the file, then rename: no half-written avatar under its final name."""
    beside = path.with_suffix(".part")
    beside.write_bytes(data)
    beside.replace(path)
