"""One primitive of a glTF mesh: its vertices baked into the rig's space, its triangles, skin and morphs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..data import Array
from ..rig import Part
from .draco import drawn_out
from .gltf_file import GltfFile
from .gltf_materials import MaterialReader

MAX_VERTICES = 1_000_000
MAX_READ = 8_000_000
"""Vertices that all primitives name together: each may name the same ones, and use three of them."""
MAX_TRIANGLES, MAX_PARTS, MAX_MORPHS = 4_000_000, 4000, 20_000
MAX_MORPH_NUMBERS = 100_000_000
"""Three times vertices times morphs: above this the file is refused instead of filling the memory."""
INSIDE_OUT_SHARE = 0.95
TRIANGLES, STRIP, FAN = 4, 5, 6
"""glTF's primitive modes that are a surface."""

MorphKey = tuple[int, int] | str
"""What makes two meshes' morphs one: their name; in VRM the mesh and the target, as its binds tell them apart."""


@dataclass
class Pieces:
    """What the meshes of a file add up to, piece by piece."""

    morphs_by_name: bool
    """False: each mesh keeps its morphs to itself."""
    parts: list[Part] = field(default_factory=list)
    positions: list[Array] = field(default_factory=list)
    uvs: list[Array] = field(default_factory=list)
    map_uvs: list[Array | None] = field(default_factory=list)
    normals: list[Array | None] = field(default_factory=list)
    colours: list[Array | None] = field(default_factory=list)
    skin_joints: list[Array] = field(default_factory=list)
    skin_weights: list[Array] = field(default_factory=list)
    morphs: dict[MorphKey, list[tuple[int, Array, Array]]] = field(default_factory=dict)
    """Morph -> (first vertex, (n,) those after it that move, (n, 3) offsets): one may be spread over several meshes."""
    names: dict[MorphKey, str] = field(default_factory=dict)
    materials: list[object] = field(default_factory=list)
    """The file's number of each part's material."""
    vertex_count: int = 0
    read_count: int = 0
    triangle_count: int = 0
    morph_numbers: int = 0

    def parts_of_material(self) -> dict[int, tuple[int, ...]]:
        """The parts that wear each of the file's materials."""
        wearers: dict[int, tuple[int, ...]] = {}
        for part, material in enumerate(self.materials):
            if isinstance(material, int):
                wearers[material] = (*wearers.get(material, ()), part)
        return wearers


@dataclass(frozen=True)
class Place:
    """Where a mesh is: on a node, or bent by a skin."""

    joint: int
    rig_from_node: Array
    skin: tuple[Array, Array] | None
    """Joint numbers (S,) and rig_from_bind (S, 4, 4)."""


class PrimitiveReader:
    """Adds primitives of one file to its pieces."""

    def __init__(self, file: GltfFile, pieces: Pieces, materials: MaterialReader, shared: set[int]) -> None:
        """shared : POSITION accessors that several primitives use; unused vertices of those are left out."""
        self._file, self._pieces, self._materials, self._shared = file, pieces, materials, shared
        self._fail = file.fail

    def read(self, name: str, mesh_index: int, mesh: dict[str, Any], primitive: dict[str, Any], place: Place) -> None:
        """Add one primitive."""
        file, pieces = self._file, self._pieces
        attributes = primitive["attributes"]
        packed = (primitive.get("extensions") or {}).get("KHR_draco_mesh_compression")
        drawn = drawn_out(file, packed) if packed is not None else None

        def read(attribute: str, width: int) -> Array:
            if drawn is not None and attribute in drawn.attributes:
                return drawn.attribute(file, attribute, width, attributes[attribute])
            return file.accessor(attributes[attribute], width)

        positions = read("POSITION", 3).astype(np.float64)
        count = len(positions)
        pieces.read_count += count
        if pieces.read_count > MAX_READ or len(pieces.parts) >= MAX_PARTS:
            raise self._fail(f"mesh {name!r}: expected at most {MAX_PARTS} parts that name {MAX_READ} vertices")
        if count == 0 or pieces.vertex_count + count > MAX_VERTICES:
            raise self._fail(f"mesh {name!r}: expected 1 to {MAX_VERTICES} vertices, got {pieces.vertex_count + count}")
        triangles = self._triangles(primitive, count, name, None if drawn is None else drawn.indices)
        if not len(triangles):
            return
        rows: Array | slice = slice(None)
        if attributes["POSITION"] in self._shared:
            rows, flat = np.unique(triangles, return_inverse=True)
            triangles = np.ascontiguousarray(flat.reshape(-1, 3), np.int32)
        if place.skin is None or "JOINTS_0" not in attributes:
            linear, offset = place.rig_from_node[:3, :3], place.rig_from_node[:3, 3]
            joints, weights = np.array([[place.joint, 0, 0, 0]]), np.array([[1.0, 0, 0, 0]])
            if np.linalg.det(linear) < 0:  # a mirroring node turns the triangles over
                triangles = np.ascontiguousarray(triangles[:, ::-1])
        else:
            joints, weights, blended = self._skin_of_vertices(read, attributes, count, place.skin, name, rows)
            linear, offset = blended[:, :, :3], blended[:, :, 3]
        used = count if isinstance(rows, slice) else len(rows)
        first = pieces.vertex_count
        material, uvs, map_uvs = self._materials.read(primitive.get("material"), attributes, count, read)
        self._read_morphs(mesh_index, mesh, primitive, name, count, rows, linear, first)
        pieces.vertex_count += used
        baked = (_turned(positions[rows], linear) + offset).astype(np.float32)
        normals = self._normals(read, attributes, count, rows, linear)
        if normals is not None and _are_inside_out(triangles, baked, normals):
            triangles = np.ascontiguousarray(triangles[:, ::-1])
        pieces.positions.append(baked)
        pieces.normals.append(normals)
        pieces.uvs.append(uvs[rows])
        pieces.map_uvs.append(None if map_uvs is None else map_uvs[rows])
        pieces.colours.append(self._colours(read, attributes, count, rows))
        pieces.skin_joints.append(np.broadcast_to(joints, (used, 4)).astype(np.int32))
        pieces.skin_weights.append(np.broadcast_to(weights, (used, 4)).astype(np.float32))
        pieces.parts.append(Part(name, first, used, triangles, material))
        pieces.materials.append(primitive.get("material"))

    def _triangles(self, primitive: dict[str, Any], count: int, name: str, indices: Array | None) -> Array:
        """(T, 3) int32, each corner a vertex that exists."""
        if indices is None and "indices" in primitive:
            indices = self._file.accessor(primitive["indices"], 1)[:, 0]
        self._pieces.triangle_count += (count if indices is None else len(indices)) // 3
        if self._pieces.triangle_count > MAX_TRIANGLES:
            raise self._fail(f"expected at most {MAX_TRIANGLES} triangles, got more")
        indices = np.arange(count) if indices is None else indices.astype(np.int64)
        if len(indices) and not 0 <= indices.min() <= indices.max() < count:
            raise self._fail(f"mesh {name!r}: expected triangles of vertices 0..{count - 1}")
        mode = primitive.get("mode", TRIANGLES)
        if mode == TRIANGLES:
            if "indices" in primitive and len(indices) % 3:
                raise self._fail(f"mesh {name!r}: expected triangles, got {len(indices)} corners")
            corners = indices[: len(indices) // 3 * 3].reshape(-1, 3)
        elif mode == STRIP:
            corners = np.stack([indices[:-2], indices[1:-1], indices[2:]], 1)
            corners[1::2, :2] = corners[1::2, 1::-1].copy()
        else:
            corners = np.stack([np.broadcast_to(indices[:1], max(len(indices) - 2, 0)), indices[1:-1], indices[2:]], 1)
        bare = (corners[:, 0] == corners[:, 1]) | (corners[:, 1] == corners[:, 2]) | (corners[:, 0] == corners[:, 2])
        return np.ascontiguousarray(corners[~bare] if mode != TRIANGLES else corners, np.int32)

    def _read_morphs(
        self, mesh_index: int, mesh: dict[str, Any], primitive: dict[str, Any], name: str, count: int,
        rows: Array | slice, linear: Array, first: int,
    ) -> None:  # fmt: skip
        pieces = self._pieces
        targets = primitive.get("targets", [])
        names = target_names(self._file, mesh, primitive, name)
        pieces.morph_numbers += 3 * count * len(targets)
        if pieces.morph_numbers > MAX_MORPH_NUMBERS or len(pieces.names) + len(targets) > MAX_MORPHS:
            raise self._fail(f"{len(targets)} morphs of {count} vertices are more than can be held")
        for number, (morph, target) in enumerate(zip(names, targets, strict=True)):
            key: MorphKey = morph if pieces.morphs_by_name else (mesh_index, number)
            pieces.names[key] = morph
            moves = pieces.morphs.setdefault(key, [])
            if "POSITION" not in target:
                continue
            offsets = self._file.accessor(target["POSITION"], 3)
            if len(offsets) != count:
                raise self._fail(f"morph {morph!r} of {name!r}: expected {count} offsets, got {len(offsets)}")
            offsets = offsets[rows]
            moving = np.flatnonzero((offsets[:, 0] != 0) | (offsets[:, 1] != 0) | (offsets[:, 2] != 0))
            turns = linear if linear.ndim == 2 else linear[moving]
            moves.append((first, moving, _turned(offsets[moving].astype(np.float64), turns).astype(np.float32)))

    def _normals(
        self, read: Any, attributes: dict[str, Any], count: int, rows: Array | slice, linear: Array
    ) -> Array | None:
        """(n, 3) float32 unit, or None where the file has none that is usable."""
        if "NORMAL" not in attributes:
            return None
        normals = read("NORMAL", 3).astype(np.float64)
        if len(normals) != count:
            raise self._fail(f"expected {count} normals, got {len(normals)}")
        across = _across(linear)
        if across is None:
            return None
        turned = _turned(normals[rows], across)
        lengths = np.linalg.norm(turned, axis=1, keepdims=True)
        return (turned / lengths).astype(np.float32) if (lengths > 1e-12).all() else None

    def _colours(self, read: Any, attributes: dict[str, Any], count: int, rows: Array | slice) -> Array | None:
        """(n, 3) sRGB of COLOR_0, or None."""
        if "COLOR_0" not in attributes:
            return None
        kind = self._file.item("accessors", attributes["COLOR_0"]).get("type")
        colours = read("COLOR_0", 4 if kind == "VEC4" else 3)
        if len(colours) != count:
            raise self._fail(f"expected {count} vertex colours, got {len(colours)}")
        if colours.dtype.kind != "f":  # not normalised, against the rules: they mean 0..255 all the same
            colours = colours / np.iinfo(colours.dtype).max
        linear = np.clip(colours[rows, :3].astype(np.float32), 0, 1)
        return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055).astype(np.float32)

    def _skin_of_vertices(
        self, read: Any, attributes: dict[str, Any], count: int, skin: tuple[Array, Array], name: str,
        rows: Array | slice,
    ) -> tuple[Array, Array, Array]:  # fmt: skip
        """Joints (n, 4), weights (n, 4) with rows summing to 1, and each vertex's rig_from_bind (n, 3, 4)."""
        joints, rig_from_bind = skin
        slots, weights = read("JOINTS_0", 4).astype(np.int64), read("WEIGHTS_0", 4).astype(np.float64)
        if "JOINTS_1" in attributes and "WEIGHTS_1" in attributes:
            slots = np.concatenate([slots, read("JOINTS_1", 4).astype(np.int64)], 1)
            weights = np.concatenate([weights, read("WEIGHTS_1", 4).astype(np.float64)], 1)
            strongest = np.argsort(-weights, axis=1, kind="stable")[:, :4]
            slots, weights = np.take_along_axis(slots, strongest, 1), np.take_along_axis(weights, strongest, 1)
        weights = np.maximum(weights, 0)
        if len(slots) != count or len(weights) != count or slots.min() < 0 or slots.max() >= len(joints):
            raise self._fail(f"mesh {name!r}: expected {count} rows of 4 joints below {len(joints)} and 4 weights")
        slots, weights = slots[rows], weights[rows]
        total = weights.sum(1, keepdims=True)
        weights = np.where(total > 0, weights / np.where(total > 0, total, 1), [1.0, 0, 0, 0])
        blended = np.zeros((len(slots), 3, 4))
        for corner in range(4):  # one corner at a time: all four at once take 400 bytes a vertex
            blended += weights[:, corner, None, None] * rig_from_bind[slots[:, corner], :3]
        return joints[slots], weights, blended


def target_names(file: GltfFile, mesh: dict[str, Any], primitive: dict[str, Any], name: str) -> list[str]:
    """A primitive's morph names: the mesh's, else the primitive's, else its accessors', else numbers."""
    targets = primitive.get("targets", [])
    if not isinstance(targets, list) or not all(isinstance(target, dict) for target in targets):
        raise file.fail(f"mesh {name!r}: expected a list of morph targets")
    for holder in (mesh, primitive):
        extras = holder.get("extras")
        names = extras.get("targetNames") if isinstance(extras, dict) else None
        if isinstance(names, list) and len(names) == len(targets):
            return [str(morph) for morph in names]
    held = [file.item("accessors", target["POSITION"]).get("name") if "POSITION" in target else None
            for target in targets]  # fmt: skip
    return [str(held[number] or f"{name} {number}") for number in range(len(targets))]


def _turned(vectors: Array, linear: Array) -> Array:
    """(n, 3) vectors by one (3, 3) or by each its own (n, 3, 3)."""
    return vectors @ linear.T if linear.ndim == 2 else np.einsum("vij,vj->vi", linear, vectors)


def _across(linear: Array) -> Array | None:
    """What turns normals where (..., 3, 3) turns points: the inverse's transpose times a number above 0, or None
    where a matrix flattens. By cross products of rows: a third of what inverting many small matrices takes."""
    a, b, c = np.moveaxis(linear, -2, 0)
    across = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], -2)
    volume = np.einsum("...i,...i->...", a, across[..., 0, :])
    return None if np.any(np.abs(volume) < 1e-30) else across * np.sign(volume)[..., None, None]


def _are_inside_out(triangles: Array, positions: Array, normals: Array) -> bool:
    """Whether a file's triangles nearly all wind against its normals: then the maker's tool turned them over."""
    a, b, c = (positions[triangles[:, corner]] for corner in range(3))
    facing = np.einsum("ti,ti->t", np.cross(b - a, c - a), normals[triangles[:, 0]])
    return np.count_nonzero(facing < 0) > INSIDE_OUT_SHARE * len(triangles)
