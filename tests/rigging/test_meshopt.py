"""Compressed views, as the reference encoder (npm meshoptimizer 0.2x, vertex stream version 0) wrote them."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest

from animator.data import Array
from animator.errors import RigError
from animator.rigging.gltf import rig_from_glb_bytes
from animator.rigging.meshopt import decoded_view

from .building import QUAD, Builder

VECTORS = json.loads(Path(__file__).with_name("meshopt_vectors.json").read_text("utf-8"))
PLAIN = [name for name, vector in VECTORS.items() if vector["filter"] == "NONE"]


def decoded(name: str) -> tuple[bytes, bytes]:
    """What came out, and what went into the encoder."""
    vector = VECTORS[name]
    data = base64.b64decode(vector["enc"])
    return decoded_view(data, vector["count"], vector["stride"], vector["mode"], vector["filter"]), base64.b64decode(
        vector["raw"]
    )


def rolled(triangles: Array) -> Array:
    """Each triangle with its smallest corner first: an encoder may begin anywhere."""
    return np.array([np.roll(row, -int(row.argmin())) for row in triangles])


@pytest.mark.parametrize("name", PLAIN)
def test_streams_without_a_filter_are_exact(name: str) -> None:
    made, wanted = decoded(name)
    if VECTORS[name]["mode"] == "TRIANGLES":
        pair = (rolled(np.frombuffer(data, "<u4").reshape(-1, 3)) for data in (made, wanted))
        np.testing.assert_array_equal(*pair)
    else:
        assert made == wanted


@pytest.mark.parametrize(("name", "dtype", "quantum"), [("oct8", "<i1", 0.02), ("oct16", "<i2", 0.002)])
def test_unit_vectors_come_back_within_a_quantum(name: str, dtype: str, quantum: float) -> None:
    made, wanted = decoded(name)
    vectors = np.frombuffer(made, dtype).reshape(-1, 4)[:, :3] / np.iinfo(dtype).max
    np.testing.assert_allclose(vectors, np.frombuffer(wanted, "<f4").reshape(-1, 4)[:, :3], atol=quantum)


def test_rotations_come_back_within_a_quantum() -> None:
    made, wanted = decoded("quat")
    one, other = np.frombuffer(made, "<i2").reshape(-1, 4) / 32767, np.frombuffer(wanted, "<f4").reshape(-1, 4)
    np.testing.assert_allclose(np.abs((one * other).sum(1)), 1, atol=1e-4)


def test_floats_come_back_within_their_bits() -> None:
    made, wanted = decoded("exp")
    np.testing.assert_allclose(np.frombuffer(made, "<f4"), np.frombuffer(wanted, "<f4"), rtol=1e-4)


@pytest.mark.parametrize("name", VECTORS)
def test_damage_ends_in_an_expected_error(name: str) -> None:
    vector = VECTORS[name]
    sound, dice = base64.b64decode(vector["enc"]), np.random.default_rng(0)
    for _ in range(60):
        data = bytearray(sound[: int(dice.integers(1, len(sound) + 1))])
        data[int(dice.integers(len(data)))] = int(dice.integers(256))
        try:
            decoded_view(bytes(data), vector["count"], vector["stride"], vector["mode"], vector["filter"])
        except (ValueError, IndexError):
            continue


def compressed_quad(**changes: object) -> Builder:
    """A quad whose indices are a compressed view with a fallback buffer, as gltfpack writes them."""
    builder = Builder()
    mesh = builder.mesh(QUAD)
    vector = VECTORS["seq"]
    data = base64.b64decode(vector["enc"])
    view = builder.view(data)
    packed = {"buffer": 0, "byteOffset": builder.json["bufferViews"][view]["byteOffset"], "byteLength": len(data),
              "byteStride": 4, "count": vector["count"], "mode": "INDICES", **changes}  # fmt: skip
    builder.json["bufferViews"][view] = {"buffer": 0, "byteLength": 4 * vector["count"],
                                         "extensions": {"EXT_meshopt_compression": packed}}  # fmt: skip
    points = np.random.default_rng(0).normal(size=(49, 3)).astype(np.float32)
    builder.json["meshes"][mesh]["primitives"][0] |= {
        "attributes": {"POSITION": builder.accessor(points)},
        "indices": builder.described(np.zeros(vector["count"], np.uint32), bufferView=view),
    }
    builder.json["extensionsRequired"] = ["EXT_meshopt_compression"]
    builder.node(mesh=mesh)
    return builder


def test_a_compressed_file_is_read() -> None:
    rig = rig_from_glb_bytes(compressed_quad().glb())
    wanted = np.frombuffer(base64.b64decode(VECTORS["seq"]["raw"]), "<u4").reshape(-1, 3)
    np.testing.assert_array_equal(rig.parts[0].triangles, wanted)


@pytest.mark.parametrize(
    "changes", [{"count": 10**9}, {"byteStride": 3}, {"mode": "MAGIC"}, {"byteLength": 10**6}, {"filter": "BLUR"}]
)
def test_broken_compression_is_refused(changes: dict[str, object]) -> None:
    if "filter" in changes:
        changes = changes | {"mode": "ATTRIBUTES"}
    with pytest.raises(RigError):
        rig_from_glb_bytes(compressed_quad(**changes).glb())
