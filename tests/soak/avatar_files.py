"""Avatars, what lies beside them, and pictures: true ones, and what is done with one that was read."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from animator.channels import ARKIT
from animator.data import Expression, Motion
from tests.conftest import ROOT

from .seeds import shared, written


def avatars() -> list[bytes]:
    from tests.rigging.test_mutations import own_file

    found = [own_file(), (ROOT / "rigs/mask/mask.glb").read_bytes()]
    return found + [data for kind in ("glb", "vrm") for data in shared(f"avatars/*/*.{kind}") if _is_sound(data)]


def _is_sound(data: bytes) -> bool:
    """Whether its JSON can be read, to be spoilt."""
    try:
        json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")] if data[:4] == b"glTF" else data)
    except ValueError:
        return False
    return True


def described_avatars() -> list[bytes]:
    """.gltf files that want a buffer and a picture beside them."""
    data = avatars()[0]
    length = int.from_bytes(data[12:16], "little")
    said = json.loads(data[20 : 20 + length])
    said["buffers"][0]["uri"] = "data.bin"
    said["images"] = [{"uri": "picture.png"}, {"uri": "data:image/png;base64,iVBORw0KGgo="}]
    said["textures"] = [{"source": 0}]
    said["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"] = {"index": 0}
    attributes = said["meshes"][0]["primitives"][0]["attributes"]
    said["accessors"].append({"componentType": 5126, "count": 4, "type": "VEC2"})
    attributes["TEXCOORD_0"] = len(said["accessors"]) - 1
    return [json.dumps(said).encode(), *filter(_is_sound, shared("avatars/*/*.gltf"))]


def own_binary() -> bytes:
    """The buffer of our own file, which lies beside the described ones."""
    data = avatars()[0]
    return data[28 + int.from_bytes(data[12:16], "little") :]


def move(path: Path) -> None:
    from animator.rigging.deform import Deformer
    from animator.rigging.library import load_rig

    rig = load_rig(path)
    assert np.isfinite(rig.rig_from_face).all()
    mesh = Deformer(rig).deform(Motion(0.5, 0, expression=Expression(np.ones(52, np.float32))))
    assert np.isfinite(mesh.positions).all()


def described_rig(path: Path) -> None:
    from animator.rigging.library import load_rig, model_file, rig_description

    rig_description(path.parent)
    model_file(path.parent)
    load_rig(path.parent)


def table(path: Path) -> None:
    from animator.rigging.mapping import mapping_from_csv, with_table

    rig = _own_rig()
    assert np.isfinite(mapping_from_csv(path, rig.morph_names)).all()
    with_table(rig, path)


@cache
def _own_rig():
    from animator.rigging.gltf import rig_from_glb_bytes

    return rig_from_glb_bytes(avatars()[0], "own.vrm")


def tables() -> list[bytes]:
    dense = (
        "morph," + ",".join(ARKIT) + "\n" + "\n".join(f"{m}," + ",".join(["0.5"] * 52) for m in ("jawOpen", "Blink"))
    )
    return [b"morph,channel,gain\njawOpen,jawOpen,1\nBlink,eyeBlinkLeft,0.5\nBlink,eyeBlinkRight,0.5\n", dense.encode()]


RIG_TOML = b"""model = "data.glb"
title = "Own"
maker = "x"
licence = "MIT"
mapping = "table.csv"
hidden_in_mask = []

[joints]
head = "head"

[rig_from_face]
scale = 0.01
offset = [0.0, 1.6, 0.0]
"""


def texture(path: Path) -> None:
    from animator.rigging.pictures import MAX_SIDE_PX, decoded_rgba

    rgba = decoded_rgba(path.read_bytes(), path.name)
    assert rgba.dtype == np.uint8
    assert rgba.shape[2] == 4
    assert max(rgba.shape) <= MAX_SIDE_PX


def pictures() -> list[bytes]:
    rng = np.random.default_rng(1)
    rgb, found = rng.integers(0, 256, (24, 32, 3), np.uint8), []
    for suffix, picture in ((".png", rgb), (".png", rgb[..., 0]), (".png", np.dstack([rgb, rgb[..., 0]])),
                            (".png", rgb.astype(np.uint16) * 257), (".jpg", rgb), (".webp", rgb), (".bmp", rgb),
                            (".tiff", rgb), (".tiff", rgb.astype(np.uint16) * 257)):  # fmt: skip
        found.append(cv2.imencode(suffix, picture)[1].tobytes())
    return found


def packed() -> list[bytes]:
    """What a server's workers get of visitors' avatars."""
    from animator.rigging.library import load_rig
    from animator.server.packing import save_packed

    return [written(lambda path, rig=rig: save_packed(path, rig), "i") for rig in (_own_rig(), load_rig("mask"))]


def load_packed(path: Path) -> None:
    from animator.server import packing

    packing.load_packed(path)
