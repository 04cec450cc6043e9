"""A glTF file's nodes as joints at rest, parents first."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from ..data import Array
from ..rig import Joint
from .gltf_file import GltfFile

MAX_NODES = 20_000
LARGEST_M = 1e7
"""Farther places and larger scales are no avatar's, and drown in rounding."""


def joints_of(file: GltfFile) -> tuple[tuple[Joint, ...], dict[int, int]]:
    """All nodes, and the joint number of each node."""
    nodes = file.items("nodes")
    if len(nodes) > MAX_NODES:
        raise file.fail(f"expected at most {MAX_NODES} nodes, got {len(nodes)}")
    parent = [-1] * len(nodes)
    for index, node in enumerate(nodes):
        for child in node.get("children", []):
            file.item("nodes", child)
            if parent[child] != -1 or child == index:
                raise file.fail(f"node {child}: expected one parent, got another")
            parent[child] = index
    joints: list[Joint] = []
    joint_of_node: dict[int, int] = {}
    waiting = deque(index for index in range(len(nodes)) if parent[index] == -1)
    while waiting:
        index = waiting.popleft()
        joint_of_node[index] = len(joints)
        node = nodes[index]
        up = joint_of_node[parent[index]] if parent[index] != -1 else -1
        joints.append(Joint(str(node.get("name", f"node {index}")), up, _local_matrix(file, index, node)))
        waiting.extend(node.get("children", []))
    if len(joints) != len(nodes):
        raise file.fail("expected the nodes to form trees, got a ring of parents")
    return tuple(joints), joint_of_node


def shown_nodes(file: GltfFile) -> list[int]:
    """The nodes of the scene that the file wants shown; all of them where it has no scenes."""
    nodes, scenes = file.items("nodes"), file.items("scenes")
    chosen = file.json.get("scene", 0)
    if "scene" in file.json or scenes:
        roots = file.item("scenes", chosen).get("nodes", [])
    else:
        return list(range(len(nodes)))
    shown, waiting = set(), list(roots)
    while waiting:
        index = waiting.pop()
        node = file.item("nodes", index)
        if index not in shown:
            shown.add(index)
            waiting.extend(node.get("children", []))
    return sorted(shown)


def _local_matrix(file: GltfFile, index: int, node: dict[str, Any]) -> Array:
    """(4, 4) float64 parent_from_node."""
    if "matrix" in node:
        return _numbers(file, node["matrix"], 16, f"node {index} matrix").reshape(4, 4).T
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


def _numbers(file: GltfFile, values: object, count: int, what: str) -> Array:
    """(count,) float64 within what an avatar can have."""
    array = np.asarray(values, np.float64)
    if array.shape != (count,) or not (np.abs(array) < LARGEST_M).all():  # false for NaN too
        raise file.fail(f"{what}: expected {count} finite numbers")
    return array
