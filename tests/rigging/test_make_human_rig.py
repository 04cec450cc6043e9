"""The built-in avatar can be made again from its code."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np

from animator.resources import rigs_folder
from animator.rigging.library import load_rig
from tools.human.subdivide import subdivide
from tools.make_human_rig import made


def test_it_is_what_the_code_makes(tmp_path: Path) -> None:
    """Out of the face model of today, too. Not vertex by vertex: another processor rounds otherwise, and then thins out
    other triangles."""
    _, data = made()
    assert len(data) < 3 * 2**20
    check_bounds(data)
    (tmp_path / "human.glb").write_bytes(data)
    new, kept = load_rig(tmp_path / "human.glb"), load_rig(rigs_folder() / "human" / "human.glb")
    assert [len(part.triangles) for part in new.parts] == [len(part.triangles) for part in kept.parts]
    np.testing.assert_allclose(new.positions.max(0), kept.positions.max(0), atol=1e-4)
    np.testing.assert_allclose(new.positions.min(0), kept.positions.min(0), atol=1e-4)
    moved = [np.linalg.norm(rig.morphs, axis=2).sum(1) for rig in (new, kept)]
    np.testing.assert_allclose(*moved, rtol=2e-3)


def check_bounds(data: bytes) -> None:
    """glTF wants exact minima and maxima of positions and of morphs' offsets."""
    (length,) = struct.unpack_from("<I", data, 12)
    description = json.loads(data[20 : 20 + length])
    for mesh in description["meshes"]:
        for primitive in mesh["primitives"]:
            accessors = [primitive["attributes"]["POSITION"]]
            accessors += [target["POSITION"] for target in primitive.get("targets", [])]
            assert all({"min", "max"} <= description["accessors"][a].keys() for a in accessors)
            assert len(primitive.get("targets", [])) == len(mesh.get("extras", {}).get("targetNames", []))


def test_subdivision_keeps_flat_things_flat_and_weights_whole() -> None:
    grid = np.array([[0, 1, 2], [1, 3, 2], [1, 4, 3]])
    smooth, straight, triangles = subdivide(grid, 5, 2)
    np.testing.assert_allclose(np.asarray(smooth.sum(1)).ravel(), 1)
    np.testing.assert_allclose(np.asarray(straight.sum(1)).ravel(), 1)
    assert len(triangles) == 16 * len(grid)
