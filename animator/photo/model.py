"""The built-in human's file, taken apart into numbers and put together again with others."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..data import Array
from ..rigging.gltf_file import GltfFile, open_gltf
from ..rigging.gltf_primitives import target_names
from ..rigging.library import model_file
from ..takes.gltf_writing import save_glb

CM_PER_METRE = 100.0


@dataclass
class Piece:
    """One mesh of the file; lengths in centimetres."""

    name: str
    material: str
    positions_cm: Array
    """(V, 3) float64."""
    normals: Array
    """(V, 3) float64."""
    uv: Array
    """(V, 2) float64, v downward."""
    triangles: Array
    """(T, 3) int."""
    moves_cm: dict[str, tuple[Array, Array]]
    """Channel -> rows (n,) that move, and (n, 3) by how much."""
    primitive: dict[str, Any] = field(repr=False, default_factory=dict)


class HumanModel:
    """`human.glb`: change `pieces`, `joints_cm`, pictures and colours, then `save`."""

    def __init__(self, name: str = "human") -> None:
        self._file: GltfFile = open_gltf(model_file(name))
        self.json: dict[str, Any] = json.loads(json.dumps(self._file.json))
        self._views = [bytes(self._file.view(index)[0]) for index in range(len(self.json["bufferViews"]))]
        self.pieces: dict[str, Piece] = {}
        skins = self.json["skins"][0]
        self._joint_nodes: list[int] = skins["joints"]
        for node in self.json["nodes"]:
            if "mesh" in node:
                self._add(node["name"], self.json["meshes"][node["mesh"]])
        self._bind = skins["inverseBindMatrices"]
        places = -self._file.accessor(self._bind, 16).reshape(-1, 4, 4)[:, 3, :3].astype(np.float64)
        names = [self.json["nodes"][node]["name"] for node in self._joint_nodes]
        self.joints_cm: dict[str, Array] = dict(zip(names, places * CM_PER_METRE, strict=True))
        """Joint -> (3,) its place at rest; joints are not turned."""

    def __deepcopy__(self, memo: dict[int, Any]) -> HumanModel:
        """All but the file, which is read and never changed."""
        other = copy.copy(self)
        memo[id(self._file)] = self._file
        vars(other).update(copy.deepcopy(vars(self), memo))
        return other

    def _add(self, name: str, mesh: dict[str, Any]) -> None:
        primitive = mesh["primitives"][0]
        attributes, read = primitive["attributes"], self._file.accessor
        names = target_names(self._file, mesh, primitive, name)
        moves = {
            channel: self._sparse(target["POSITION"])
            for channel, target in zip(names, primitive.get("targets", ()), strict=True)
        }
        self.pieces[name] = Piece(
            name, self.json["materials"][primitive["material"]]["name"],
            read(attributes["POSITION"], 3).astype(np.float64) * CM_PER_METRE,
            read(attributes["NORMAL"], 3).astype(np.float64), read(attributes["TEXCOORD_0"], 2).astype(np.float64),
            read(primitive["indices"], 1).reshape(-1, 3).astype(np.int64), moves, primitive,
        )  # fmt: skip

    def _sparse(self, index: int) -> tuple[Array, Array]:
        moves = self._file.accessor(index, 3).astype(np.float64) * CM_PER_METRE
        rows = self._rows(index)
        return rows, moves[rows]

    def _rows(self, index: int) -> Array:
        """The vertices that a morph's accessor stores."""
        accessor = self.json["accessors"][index]
        if "sparse" not in accessor:
            return np.arange(accessor["count"])
        indices = accessor["sparse"]["indices"]
        kind = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32}[indices["componentType"]]
        stored = self._views[indices["bufferView"]][indices.get("byteOffset", 0) :]
        return np.frombuffer(stored, kind, accessor["sparse"]["count"]).astype(np.int64)

    @property
    def materials(self) -> set[str]:
        """Names of the materials."""
        return {material["name"] for material in self.json["materials"]}

    def picture(self, material: str) -> bytes:
        """The encoded picture of a material."""
        return self._views[self.json["images"][self._image_of(material)]["bufferView"]]

    def set_picture(self, material: str, data: bytes) -> None:
        """Give a material another JPEG."""
        image = self.json["images"][self._image_of(material)]
        image["mimeType"] = "image/jpeg"
        self._views[image["bufferView"]] = data

    def _surface(self, material: str) -> dict[str, Any]:
        return next(m for m in self.json["materials"] if m["name"] == material)["pbrMetallicRoughness"]

    def _image_of(self, material: str) -> int:
        return self.json["textures"][self._surface(material)["baseColorTexture"]["index"]]["source"]

    def color(self, material: str) -> Array:
        """(3,) linear colour of a material."""
        return np.array(self._surface(material)["baseColorFactor"][:3], np.float64)

    def set_color(self, material: str, linear_rgb: Array) -> None:
        """Give a material another colour, linear 0..1."""
        self._surface(material)["baseColorFactor"][:3] = np.round(np.clip(linear_rgb, 0, 1), 5).tolist()

    def save(self, path: Path, normals: dict[str, Array]) -> None:
        """Write the `.glb`; normals : piece -> (V, 3)."""
        for piece in self.pieces.values():
            attributes = piece.primitive["attributes"]
            self._replace(attributes["POSITION"], piece.positions_cm / CM_PER_METRE, bounds=True)
            self._replace(attributes["NORMAL"], normals[piece.name])
            for target, (_, moves_cm) in zip(piece.primitive.get("targets", ()), piece.moves_cm.values(), strict=True):
                self._replace_moves(target["POSITION"], moves_cm / CM_PER_METRE)
        self._place_joints()
        binary = bytearray()
        for view, data in zip(self.json["bufferViews"], self._views, strict=True):
            binary.extend(bytes(-len(binary) % 4))
            view["byteOffset"], view["byteLength"] = len(binary), len(data)
            binary.extend(data)
        binary.extend(bytes(-len(binary) % 4))
        self.json["buffers"] = [{"byteLength": len(binary)}]
        self.json["asset"]["generator"] = "animator"
        save_glb(path, self.json, [bytes(binary)], len(binary))

    def _replace(self, index: int, values: Array, *, bounds: bool = False) -> None:
        accessor = self.json["accessors"][index]
        stored = np.ascontiguousarray(values, np.float32)
        self._views[accessor["bufferView"]] = stored.tobytes()
        if bounds:
            accessor["min"], accessor["max"] = stored.min(0).tolist(), stored.max(0).tolist()

    def _replace_moves(self, index: int, values: Array) -> None:
        accessor = self.json["accessors"][index]
        if "sparse" not in accessor:
            self._replace(index, values, bounds=True)
            return
        stored = np.ascontiguousarray(values, np.float32)
        self._views[accessor["sparse"]["values"]["bufferView"]] = stored.tobytes()
        resting = len(stored) < accessor["count"]
        low, high = (stored.min(0), stored.max(0)) if len(stored) else (np.zeros(3), np.zeros(3))
        if resting:
            low, high = np.minimum(low, 0), np.maximum(high, 0)
        accessor["min"], accessor["max"] = low.tolist(), high.tolist()

    def _place_joints(self) -> None:
        nodes = self.json["nodes"]
        parent = {child: node for node in self._joint_nodes for child in nodes[node].get("children", ())}
        bind = np.tile(np.eye(4), (len(self._joint_nodes), 1, 1))
        for row, node in enumerate(self._joint_nodes):
            place = self.joints_cm[nodes[node]["name"]] / CM_PER_METRE
            above = parent.get(node)
            origin = np.zeros(3) if above is None else self.joints_cm[nodes[above]["name"]] / CM_PER_METRE
            nodes[node]["translation"] = np.round(place - origin, 7).tolist()
            bind[row, 3, :3] = -place
        self._replace(self._bind, bind.reshape(-1, 16))
