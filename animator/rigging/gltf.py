"""A glTF or VRM file as an avatar: meshes, morph targets, materials, nodes and skins become one Rig.

Every node becomes a joint, a mesh without a skin hangs rigidly on its own node, and everything is baked
into the rig's space at rest, so that the deformer knows neither nodes nor bind matrices.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..data import Array
from ..rig import Joint, Rig
from .facing import facing, rig_from_face_guess, turned
from .gltf_file import GltfFile, gltf_from_bytes, open_gltf
from .gltf_materials import MaterialReader
from .gltf_nodes import LARGEST_M, MAX_NODES, joints_of, shown_nodes
from .gltf_primitives import FAN, MAX_MORPH_NUMBERS, STRIP, TRIANGLES, MorphKey, Pieces, Place, PrimitiveReader
from .guessing import driven_by
from .placing import roles_of
from .posture import arms_by_names, with_arms_lowered
from .skeleton import joint_globals
from .vrm import Vrm, vrm_of

_ABOUT_TURN = np.diag([-1.0, 1.0, -1.0])


def load_gltf(path: Path) -> Rig:
    """Read a .glb, .gltf or .vrm file as an avatar, its channels mapped by names."""
    return rig_from_gltf(open_gltf(path), path.stem)


def rig_from_glb_bytes(data: bytes, name: str = "avatar") -> Rig:
    """The same from bytes in memory."""
    return rig_from_gltf(gltf_from_bytes(name, data), name)


def rig_from_gltf(file: GltfFile, name: str) -> Rig:
    """The avatar that a parsed file holds."""
    with file.reading("structure"), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        vrm = vrm_of(file)
        joints, joint_of_node = joints_of(file)
        if not joints:
            raise file.fail("expected a scene with nodes, got none")
        if vrm is not None and vrm.version == 0:
            joints = _turned_about(joints)
        bones = arms_by_names(joints) if vrm is None else {b: joint_of_node[n] for b, n in vrm.bones.items()}
        joints = with_arms_lowered(joints, bones)
        pieces = _gather(file, vrm, joints, joint_of_node)
        if not pieces.parts:
            raise file.fail("expected at least one mesh of triangles, got none")
        return _assemble(name, file, vrm, pieces, joints, bones)


def _turned_about(joints: tuple[Joint, ...]) -> tuple[Joint, ...]:
    """Every root turned by half about y: VRM 0.x faces -z."""
    matrix = np.eye(4)
    matrix[:3, :3] = _ABOUT_TURN
    return tuple(replace(j, rest_local=matrix @ j.rest_local) if j.parent < 0 else j for j in joints)


def _gather(file: GltfFile, vrm: Vrm | None, joints: tuple[Joint, ...], joint_of_node: dict[int, int]) -> Pieces:
    """Read every mesh where a node puts it."""
    pieces = Pieces(morphs_by_name=vrm is None or not any(e.binds for e in vrm.expressions))
    rest = joint_globals(joints)
    if not (np.abs(rest) < LARGEST_M).all():
        raise file.fail("expected nodes within reach, got one at infinity")
    with MaterialReader(file, *((vrm.toons, vrm.orders) if vrm is not None else ({}, {}))) as materials:
        _read_meshes(file, vrm, joint_of_node, rest, pieces, materials)
        pieces.parts = materials.with_pictures(pieces.parts)
    return pieces


def _read_meshes(
    file: GltfFile, vrm: Vrm | None, joint_of_node: dict[int, int], rest: Array, pieces: Pieces,
    materials: MaterialReader,
) -> None:  # fmt: skip
    """Add the meshes of all nodes that are shown."""
    used = Counter(primitive["attributes"]["POSITION"] for mesh in file.items("meshes")
                   for primitive in mesh["primitives"])  # fmt: skip
    reader = PrimitiveReader(file, pieces, materials, {accessor for accessor, times in used.items() if times > 1})
    nodes = file.items("nodes")
    skins: dict[int, tuple[Array, Array]] = {}
    left_out = 0
    for index in shown_nodes(file):
        node = nodes[index]
        if "mesh" not in node or (vrm is not None and (index in vrm.hidden_nodes or node["mesh"] in vrm.hidden_meshes)):
            continue
        mesh = file.item("meshes", node["mesh"])
        label = str(node.get("name") or mesh.get("name") or f"mesh {node['mesh']}")
        if "skin" in node and node["skin"] not in skins:
            skins[node["skin"]] = _skin(file, node["skin"], joint_of_node, rest)
        skin = skins[node["skin"]] if "skin" in node else None
        joint = joint_of_node[index]
        for number, primitive in enumerate(mesh["primitives"]):
            if primitive.get("mode", TRIANGLES) not in (TRIANGLES, STRIP, FAN):
                left_out += 1  # points and lines are no surface
                continue
            part_name = label if len(mesh["primitives"]) == 1 else f"{label} {number}"
            with file.reading(f"mesh {label!r}"):
                reader.read(part_name, node["mesh"], mesh, primitive, Place(joint, rest[joint], skin))
    if left_out:
        file.notes.append(f"left out: {left_out} meshes of points or lines")


def _skin(file: GltfFile, index: object, joint_of_node: dict[int, int], rest: Array) -> tuple[Array, Array]:
    """A skin's joint numbers (S,) and rig_from_bind matrices (S, 4, 4)."""
    skin = file.item("skins", index)
    nodes = skin["joints"]
    if len(nodes) > MAX_NODES:
        raise file.fail(f"skin: expected at most {MAX_NODES} joints, got {len(nodes)}")
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


def _assemble(
    name: str, file: GltfFile, vrm: Vrm | None, pieces: Pieces, joints: tuple[Joint, ...], bones: dict[str, int]
) -> Rig:
    """Join the pieces and add what the file does not say: mapping, roles and the place of the face."""
    positions = np.concatenate(pieces.positions)
    if not (np.abs(positions) < LARGEST_M).all():  # false for NaN too
        raise file.fail("expected finite positions within reach")
    morphs = _joined_morphs(file, pieces, positions)
    keys = list(pieces.morphs)
    morph_names = tuple(pieces.names[key] for key in keys)
    skin_joints, skin_weights = np.concatenate(pieces.skin_joints), np.concatenate(pieces.skin_weights)
    look_at = None if vrm is None else vrm.look_at
    if vrm is not None and look_at is not None and look_at.by_expressions:
        bones = {bone: joint for bone, joint in bones.items() if bone not in ("leftEye", "rightEye")}
    rig = Rig(
        name=name, positions=positions, uvs=np.concatenate(pieces.uvs), parts=tuple(pieces.parts),
        morph_names=morph_names, morphs=morphs, mapping=np.zeros((len(keys), 52), np.float32), joints=joints,
        roles={}, skin_joints=skin_joints, skin_weights=skin_weights, rig_from_face=np.eye(4),
        normals=_joined_normals(pieces), vertex_rgb=_joined(pieces.colours, pieces, 1.0),
        map_uvs=_joined(pieces.map_uvs, pieces, 0.0), look_at=look_at, about=_about(file, vrm),
    )  # fmt: skip
    expressions = () if vrm is None else vrm.expressions
    binds, wearers = _bind_rows(file, vrm, keys), pieces.parts_of_material()
    mapping, said, _ = driven_by(morph_names, expressions, binds, False, wearers)
    if vrm is None:
        rotation = facing(replace(rig, mapping=mapping, expressions=said), _with_head(bones, joints))
        rig = rig if rotation is None else turned(rig, rotation)
    joints, roles, skin_joints = roles_of(
        rig.joints, rig.positions, skin_joints, skin_weights, bones if vrm is not None else None
    )
    has_eyes = "leftEye" in roles or "rightEye" in roles
    mapping, said, notes = driven_by(morph_names, expressions, binds, has_eyes, wearers)
    rig = replace(rig, joints=joints, roles=roles, skin_joints=skin_joints, mapping=mapping, expressions=said,
                  notes=(*file.notes, *notes))  # fmt: skip
    rig = _with_default_weights(file, rig, keys)
    if not _has_a_front(rig):
        sheets = tuple(replace(part, material=replace(part.material, double_sided=True)) for part in rig.parts)
        rig = replace(rig, parts=sheets, notes=(*rig.notes, "shows only backs to the viewer: drawn on both sides"))
    return replace(rig, rig_from_face=rig_from_face_guess(rig))


def _has_a_front(rig: Rig) -> bool:
    """Whether any triangle looks at a viewer in front; a sheet that was modelled facing away has none."""
    for part in rig.parts:
        a, b, c = (rig.positions[part.first_vertex + part.triangles[:, corner]] for corner in range(3))
        if part.material.double_sided or (np.cross(b - a, c - a)[:, 2] > 0).any():
            return True
    return False


def _joined_morphs(file: GltfFile, pieces: Pieces, positions: Array) -> Array:
    """(M, V, 3) float32."""
    if 3 * len(positions) * len(pieces.morphs) > MAX_MORPH_NUMBERS:
        raise file.fail(f"{len(pieces.morphs)} morphs of {len(positions)} vertices are more than can be held")
    morphs = np.zeros((len(pieces.morphs), len(positions), 3), np.float32)
    for row, moves in enumerate(pieces.morphs.values()):
        for first, rows, offsets in moves:
            if not np.abs(offsets).max(initial=0) < LARGEST_M:  # false for NaN too
                raise file.fail("expected finite morphs within reach")
            morphs[row, first + rows] += offsets  # what does not move stays memory that was never touched
        moves.clear()
    return morphs


def _joined_normals(pieces: Pieces) -> Array | None:
    """(V, 3) float32; None where a part has none."""
    known = [normals for normals in pieces.normals if normals is not None]
    return np.concatenate(known) if len(known) == len(pieces.normals) else None


def _joined(found: list[Array | None], pieces: Pieces, rest: float) -> Array | None:
    """(V, K) float32, `rest` where a mesh has none; None if no mesh has."""
    widths = [array.shape[1] for array in found if array is not None]
    if not widths:
        return None
    return np.concatenate([np.full((len(p), widths[0]), rest, np.float32) if array is None else array
                           for p, array in zip(pieces.positions, found, strict=True)])  # fmt: skip


def _bind_rows(file: GltfFile, vrm: Vrm | None, keys: list[MorphKey]) -> dict[tuple[int, int], int]:
    """(owner, target) as a VRM's binds say it -> morph."""
    rows = {key: row for row, key in enumerate(keys) if isinstance(key, tuple)}
    if vrm is None or vrm.version == 0:
        return rows
    nodes = file.items("nodes")
    bound = {bind.owner for expression in vrm.expressions for bind in expression.binds}
    targets: dict[int, list[tuple[int, int]]] = {}
    for (mesh, target), row in rows.items():
        targets.setdefault(mesh, []).append((target, row))
    return {(node, target): row for node in bound for target, row in targets.get(nodes[node].get("mesh"), ())}


def _with_head(bones: dict[str, int], joints: tuple[Joint, ...]) -> dict[str, int]:
    """The bones and the head joint by its name."""
    names = [joint.name.lower() for joint in joints]
    heads = [index for index, name in enumerate(names) if name.rpartition(":")[2] == "head"]
    return bones | ({"head": heads[0]} if heads else {})


def _with_default_weights(file: GltfFile, rig: Rig, keys: list[MorphKey]) -> Rig:
    """Morphs that a file holds at some weight and no channel drives become part of the neutral shape."""
    driven = rig.mapping.any(1)
    if rig.expressions is not None:
        driven |= rig.expressions.binds.any(0)
    held: dict[MorphKey, float] = {}
    known, read = set(keys), set()
    for node in file.items("nodes"):
        if "mesh" not in node or ("weights" not in node and node["mesh"] in read):
            continue
        read |= set() if "weights" in node else {node["mesh"]}  # a mesh says the same to all of its nodes
        weights = node.get("weights", file.item("meshes", node["mesh"]).get("weights", []))
        for target, weight in enumerate(np.asarray(weights, np.float64).tolist()):
            if (node["mesh"], target) in known:
                held[(node["mesh"], target)] = weight
            else:
                held.update(_named(file, node["mesh"], target, weight))
    positions = rig.positions
    for row, key in enumerate(keys):
        weight = held.get(key, 0.0)
        if weight and np.isfinite(weight) and not driven[row]:
            positions = positions + np.float32(np.clip(weight, -10, 10)) * rig.morphs[row]
    return replace(rig, positions=positions)


def _named(file: GltfFile, mesh_index: int, target: int, weight: float) -> dict[str, float]:
    """The morph's name in files whose morphs go by names."""
    extras = file.item("meshes", mesh_index).get("extras")
    names = extras.get("targetNames") if isinstance(extras, dict) else None
    return {str(names[target]): weight} if isinstance(names, list) and target < len(names) else {}


def _about(file: GltfFile, vrm: Vrm | None) -> tuple[tuple[str, str], ...]:
    """What the file says of itself."""
    if vrm is not None:
        return (("format", f"VRM {'1.0' if vrm.version else '0.x'}"), *vrm.about)
    asset: dict[str, Any] = file.json["asset"]
    extras = asset.get("extras") if isinstance(asset.get("extras"), dict) else {}
    said = {"format": "glTF 2.0", "name": extras.get("title"), "author": extras.get("author"),
            "licence": extras.get("license"), "source": extras.get("source"), "copyright": asset.get("copyright"),
            "made with": asset.get("generator")}  # fmt: skip
    return tuple((key, " ".join(str(value).split())[:200]) for key, value in said.items() if value)
