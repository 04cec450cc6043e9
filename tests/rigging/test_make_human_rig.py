"""The built-in avatar can be made again from its code."""

from __future__ import annotations

import json
import struct

import numpy as np

from tools.human.subdivide import subdivide
from tools.make_human_rig import made


def test_making_it_twice_gives_the_same_bytes() -> None:
    _, one = made()
    assert one == made()[1]
    assert len(one) < 3 * 2**20
    check_bounds(one)


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
