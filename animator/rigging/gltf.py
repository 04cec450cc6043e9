"""A glTF file as an avatar: its meshes, morph targets, materials, nodes and skins become one Rig.

Every node becomes a joint, a mesh without a skin hangs rigidly on its own node, and everything is baked
into the rig's space at rest, so that the deformer knows neither nodes nor bind matrices.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..data import Array
from ..errors import RigError
from ..rig import Joint, Part, Rig
from .gltf_file import GltfFile, gltf_from_bytes, open_gltf
from .gltf_materials import MaterialReader
from .mapping import mapping_from_names
from .placing import rig_from_face_guess, roles_from_names
from .skeleton import joint_globals

MAX_VERTICES = 2_000_000
MAX_MORPH_NUMBERS = 400_000_000
"""Vertices times morphs: above this the file is refused instead of filling the memory."""


def load_gltf(path: Path) -> Rig:
    """Read a .glb or .gltf file as an avatar, its channels mapped by names."""
    return rig_from_gltf(open_gltf(path), path.stem)


def rig_from_glb_bytes(data: bytes, name: str = "avatar") -> Rig:
    """The same from bytes in memory."""
    return rig_from_gltf(gltf_from_bytes(name, data), name)


def rig_from_gltf(file: GltfFile, name: str) -> Rig:
    """The avatar that a parsed file holds."""
    with file.reading("structure"):
        joints, joint_of_node = _joints(file)
        if not joints:
            raise file.fail("expected a scene with nodes, got none")
        gathered = _gather(file, joints, joint_of_node)
        if not gathered.parts:
            raise file.fail("expected at least one mesh of triangles, got none")
        return _assemble(name, file, gathered, joints)


@dataclass
class _Gathered:
    """What the meshes of a file add up to, piece by piece."""

    parts: list[Part] = field(default_factory=list)
    positions: list[Array] = field(default_factory=list)
    uvs: list[Array] = field(default_factory=list)
    skin_joints: list[Array] = field(default_factory=list)
    skin_weights: list[Array] = field(default_factory=list)
    morphs: dict[str, list[tuple[int, Array]]] = field(default_factory=dict)
    """Morph name -> (first vertex, (n, 3) offsets): one name may be spread over several meshes."""
    vertex_count: int = 0


def _joints(file: GltfFile) -> tuple[tuple[Joint, ...], dict[int, int]]:
    """All nodes, parents first, and the joint number of each node."""
    nodes = file.items("nodes")
    parent = [-1] * len(nodes)
    for index, node in enumerate(nodes):
        for child in node.get("children", []):
            file.item("nodes", child)
            if parent[child] != -1 or child == index:
                raise file.fail(f"node {child}: expected one parent, got another")
            parent[child] = index
    joints: list[Joint] = []
    joint_of_node: dict[int, int] = {}
    waiting = [index for index in range(len(nodes)) if parent[index] == -1]
    while waiting:
        index = waiting.pop(0)
        joint_of_node[index] = len(joints)
        node = nodes[index]
        up = joint_of_node[parent[index]] if parent[index] != -1 else -1
        joints.append(Joint(str(node.get("name", f"node {index}")), up, _local_matrix(file, index, node)))
        waiting.extend(node.get("children", []))
    if len(joints) != len(nodes):
        raise file.fail("expected the nodes to form trees, got a ring of parents")
    return tuple(joints), joint_of_node


def _local_matrix(file: GltfFile, index: int, node: dict[str, Any]) -> Array:
    """(4, 4) float64 parent_from_node."""
    if "matrix" in node:
        matrix = _numbers(file, node["matrix"], 16, f"node {index} matrix").reshape(4, 4).T
    else:
        x, y, z, w = _numbers(file, node.get("rotation", (0, 0, 0, 1)), 4, f"node {index} rotation")
        length = float(np.sqrt(x * x + y * y + z * z + w * w))
        if length < 1e-6:
            raise file.fail(f"node {index} rotation: expected a unit quaternion, got zeros")
        x, y, z, w = x / length, y / length, z / length, w / length
        matrix = np.eye(4)
        matrix[:3, :3] = [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
        matrix[:3, :3] *= _numbers(file, node.get("scale", (1, 1, 1)), 3, f"node {index} scale")
        matrix[:3, 3] = _numbers(file, node.get("translation", (0, 0, 0)), 3, f"node {index} translation")
    return matrix


def _gather(file: GltfFile, joints: tuple[Joint, ...], joint_of_node: dict[int, int]) -> _Gathered:
    """Read every mesh where a node puts it."""
    gathered = _Gathered()
    rest = joint_globals(joints)
    materials = MaterialReader(file)
    for index, node in enumerate(file.items("nodes")):
        if "mesh" not in node:
            continue
        mesh = file.item("meshes", node["mesh"])
        label = str(node.get("name") or mesh.get("name") or f"mesh {node['mesh']}")
        skin = _skin(file, node["skin"], joint_of_node, rest) if "skin" in node else None
        for number, primitive in enumerate(mesh["primitives"]):
            if primitive.get("mode", 4) != 4:
                continue  # points and lines are no surface
            joint = joint_of_node[index]
            part_name = label if len(mesh["primitives"]) == 1 else f"{label} {number}"
            with file.reading(f"mesh {label!r}"):
                _read_primitive(file, gathered, part_name, mesh, primitive, joint, rest[joint], skin, materials)
    return gathered


def _read_primitive(
    file: GltfFile,
    gathered: _Gathered,
    name: str,
    mesh: dict[str, Any],
    primitive: dict[str, Any],
    joint: int,
    rig_from_node: Array,
    skin: tuple[Array, Array] | None,
    materials: MaterialReader,
) -> None:
    """Add one primitive: its vertices baked into the rig's space, its triangles, skin and morphs."""
    attributes = primitive["attributes"]
    positions = file.accessor(attributes["POSITION"], 3).astype(np.float64)
    count = len(positions)
    gathered.vertex_count += count
    if count == 0 or gathered.vertex_count > MAX_VERTICES:
        raise file.fail(f"mesh {name!r}: expected 1 to {MAX_VERTICES} vertices, got {gathered.vertex_count}")
    triangles = _triangles(file, primitive, count, name)
    material, uvs = materials.read(primitive.get("material"), attributes, count)
    if skin is None:
        linear, offset = rig_from_node[None, :3, :3], rig_from_node[None, :3, 3]
        joints, weights = np.tile([joint, 0, 0, 0], (count, 1)), np.tile([1.0, 0, 0, 0], (count, 1))
    else:
        joints, weights, blended = _skin_of_vertices(file, attributes, count, skin, name)
        linear, offset = blended[:, :3, :3], blended[:, :3, 3]
    if skin is None and np.linalg.det(linear[0]) < 0:  # a mirroring node turns the triangles over
        triangles = np.ascontiguousarray(triangles[:, ::-1])
    first = gathered.vertex_count - count
    for morph, target in _morph_targets(file, mesh, primitive, name):
        offsets = file.accessor(target["POSITION"], 3) if "POSITION" in target else np.zeros((count, 3))
        if len(offsets) != count:
            raise file.fail(f"morph {morph!r} of {name!r}: expected {count} offsets, got {len(offsets)}")
        baked = np.einsum("vij,vj->vi", np.broadcast_to(linear, (count, 3, 3)), offsets.astype(np.float64))
        gathered.morphs.setdefault(morph, []).append((first, baked.astype(np.float32)))
    baked = np.einsum("vij,vj->vi", np.broadcast_to(linear, (count, 3, 3)), positions) + offset
    gathered.positions.append(baked.astype(np.float32))
    gathered.uvs.append(uvs)
    gathered.skin_joints.append(joints.astype(np.int32))
    gathered.skin_weights.append(weights.astype(np.float32))
    gathered.parts.append(Part(name, first, count, triangles, material))


def _triangles(file: GltfFile, primitive: dict[str, Any], count: int, name: str) -> Array:
    """(T, 3) int32, each corner a vertex that exists."""
    if "indices" not in primitive:
        indices = np.arange(count // 3 * 3)
    else:
        indices = file.accessor(primitive["indices"], 1)[:, 0].astype(np.int64)
    if len(indices) % 3 or (len(indices) and not 0 <= indices.min() <= indices.max() < count):
        raise file.fail(f"mesh {name!r}: expected triangles of vertices 0..{count - 1}")
    return np.ascontiguousarray(indices.reshape(-1, 3), np.int32)


def _morph_targets(
    file: GltfFile, mesh: dict[str, Any], primitive: dict[str, Any], name: str
) -> list[tuple[str, dict[str, Any]]]:
    """Morph names and what they change; names come from the mesh, else the primitive, else numbers."""
    targets = primitive.get("targets", [])
    for holder in (mesh, primitive):
        names = (holder.get("extras") or {}).get("targetNames")
        if isinstance(names, list) and len(names) == len(targets):
            return [(str(morph), target) for morph, target in zip(names, targets, strict=True)]
    return [(f"{name} {number}", target) for number, target in enumerate(targets)]


def _skin(file: GltfFile, index: object, joint_of_node: dict[int, int], rest: Array) -> tuple[Array, Array]:
    """A skin's joint numbers (S,) and rig_from_bind matrices (S, 4, 4)."""
    skin = file.item("skins", index)
    nodes = skin["joints"]
    for node in nodes:
        file.item("nodes", node)
    joints = np.array([joint_of_node[node] for node in nodes], np.int64)
    bind = np.tile(np.eye(4), (len(joints), 1, 1))
    if "inverseBindMatrices" in skin:
        stored = file.accessor(skin["inverseBindMatrices"], 16)
        if len(stored) < len(joints):
            raise file.fail(f"skin: expected {len(joints)} bind matrices, got {len(stored)}")
        bind = stored[: len(joints)].reshape(-1, 4, 4).transpose(0, 2, 1).astype(np.float64)
    return joints, rest[joints] @ bind


def _skin_of_vertices(
    file: GltfFile, attributes: dict[str, Any], count: int, skin: tuple[Array, Array], name: str
) -> tuple[Array, Array, Array]:
    """Joints (n, 4), weights (n, 4) with rows summing to 1, and each vertex's rig_from_bind (n, 4, 4)."""
    joints, rig_from_bind = skin
    slots = file.accessor(attributes["JOINTS_0"], 4).astype(np.int64)
    weights = np.maximum(file.accessor(attributes["WEIGHTS_0"], 4).astype(np.float64), 0)
    if len(slots) != count or len(weights) != count or slots.max() >= len(joints):
        raise file.fail(f"mesh {name!r}: expected {count} rows of 4 joints below {len(joints)} and 4 weights")
    total = weights.sum(1, keepdims=True)
    weights = np.where(total > 0, weights / np.where(total > 0, total, 1), [1.0, 0, 0, 0])
    blended = np.einsum("vk,vkij->vij", weights, rig_from_bind[slots])
    return joints[slots], weights, blended


def _assemble(name: str, file: GltfFile, gathered: _Gathered, joints: tuple[Joint, ...]) -> Rig:
    """Join the pieces and add what the file does not say: mapping, roles and the place of the face."""
    positions = np.concatenate(gathered.positions)
    if not np.isfinite(positions).all():
        raise file.fail("expected finite positions")
    if len(positions) * len(gathered.morphs) > MAX_MORPH_NUMBERS:
        raise file.fail(f"{len(gathered.morphs)} morphs of {len(positions)} vertices are more than can be held")
    morphs = np.zeros((len(gathered.morphs), len(positions), 3), np.float32)
    for row, pieces in enumerate(gathered.morphs.values()):
        for first, offsets in pieces:
            morphs[row, first : first + len(offsets)] += offsets
    morph_names = tuple(gathered.morphs)
    mapping = mapping_from_names(morph_names)
    skin_joints, skin_weights = np.concatenate(gathered.skin_joints), np.concatenate(gathered.skin_weights)
    joints, roles, skin_joints = roles_from_names(joints, positions, skin_joints, skin_weights)
    return Rig(
        name=name,
        positions=positions,
        uvs=np.concatenate(gathered.uvs),
        parts=tuple(gathered.parts),
        morph_names=morph_names,
        morphs=morphs,
        mapping=mapping,
        joints=joints,
        roles=roles,
        skin_joints=skin_joints,
        skin_weights=skin_weights,
        rig_from_face=rig_from_face_guess(positions, morphs, mapping),
    )


def _numbers(file: GltfFile, values: object, count: int, what: str) -> Array:
    """(count,) finite float64."""
    array = np.asarray(values, np.float64)
    if array.shape != (count,) or not np.isfinite(array).all():
        raise RigError(f"{file.name}: {what}: expected {count} finite numbers")
    return array
