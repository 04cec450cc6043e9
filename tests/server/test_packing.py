"""A checked avatar between processes: what arrives is what was sent, and what a stranger would send arrives nowhere."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animator.data import Array
from animator.errors import RigError
from animator.rig import Expressions, Look, LookAt, Maps, Overlay, Part, Rig, Toon
from animator.rigging.library import known_rigs, load_rig
from animator.server import packing
from animator.server.packing import load_packed, save_packed
from animator.takes.archive import opened_archive, write_archive
from tests.soak.spoiling import Dice, spoilt_json, spoilt_npz

SPOILT = 150


@pytest.fixture(scope="module")
def rich() -> Rig:
    """One with all that a rig can have."""
    rig, count = load_rig("robot"), 2
    ramp = np.linspace(0, 1, len(rig.positions), dtype=np.float32)
    bumps = Overlay(np.full((4, 4, 3), 128, np.uint8), uv_set=1)
    maps = Maps(normal=bumps, surface=bumps, occlusion=bumps, glow=Overlay(np.zeros((2, 8, 4), np.uint8)))
    first = rig.parts[0]
    painted = replace(first.material, maps=maps, toon=Toon((0.5, 0.25, 0.125)), alpha_mode="blend")
    expressions = Expressions(
        ("happy", "own"), ("happy", ""), np.ones((count, 52), np.float32),
        np.zeros((count, len(rig.morph_names)), np.float32), np.array([True, False]), np.ones((count, 3), np.int8),
        (Look(1, (0,), "color", (1.0, float("nan"), 0.0, 1.0)),),
    )  # fmt: skip
    return replace(
        rig, parts=(replace(first, material=painted), *rig.parts[1:]), expressions=expressions,
        look_at=LookAt(False, (90.0, 10.0), (90.0, 10.0), (90.0, 10.0), (90.0, 10.0)),
        normals=np.zeros_like(rig.positions), vertex_rgb=np.ones_like(rig.positions),
        map_uvs=np.column_stack([ramp, ramp]), hidden_in_mask=frozenset(["a", "b"]),
        about=(("name", "\u00e9\ud800"),), notes=("a note",),
    )  # fmt: skip


def assert_same(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    elif is_dataclass(one):
        for field in fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, tuple):
        assert len(one) == len(other)
        for inner in zip(one, other, strict=True):
            assert_same(*inner)
    else:
        assert one == other or one != one


def sent(rig: Rig, folder: Path) -> Rig:
    save_packed(folder / "packed", rig)
    return load_packed(folder / "packed")


@pytest.mark.parametrize("name", known_rigs())
def test_an_avatar_arrives_as_it_was(name: str, tmp_path: Path) -> None:
    rig = load_rig(name)
    assert_same(sent(rig, tmp_path), rig)


def test_everything_that_it_can_have_arrives_and_what_is_shared_stays_shared(rich: Rig, tmp_path: Path) -> None:
    again = sent(rich, tmp_path)
    assert_same(again, rich)
    maps = again.parts[0].material.maps
    assert maps.normal is maps.surface is maps.occlusion
    assert maps.normal.pixels is maps.surface.pixels


def test_avatars_of_others_arrive(shared: Callable[[str], Path], tmp_path: Path) -> None:
    read = 0
    for path in sorted(path for kind in ("glb", "vrm") for path in shared("avatars").glob(f"*/*.{kind}")):
        try:
            rig = load_rig(path)
        except RigError:
            continue
        assert_same(sent(rig, tmp_path), rig)
        read += 1
    assert read > 10


class Spring:
    """Does something when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.marker),)


def test_nothing_that_comes_is_run(tmp_path: Path) -> None:
    packed, marker = tmp_path / "packed", tmp_path / "sprung"
    packed.write_bytes(pickle.dumps(Spring(marker)))
    with pytest.raises(RigError, match="this is no checked avatar"):
        load_packed(packed)
    said = np.frombuffer(b'[{"class": "Path", "fields": {}}]', np.uint8)
    for members in ({"said": np.array([Spring(marker)], object)}, {"said": said}):
        with packed.open("wb") as file:
            np.savez(file, **members)
        with pytest.raises(RigError, match="this is no checked avatar"):
            load_packed(packed)
    assert not marker.exists()


def wrong(rig: Rig) -> list[tuple[str, Rig]]:
    """Rigs whose numbers lead out of their arrays, by what is said of each."""
    part, joint = rig.parts[0], rig.joints[0]
    out_of = np.array([[0, 1, part.vertex_count]], np.int32)

    def parts(**changes: Any) -> Rig:
        return replace(rig, parts=(replace(part, **changes), *rig.parts[1:]))

    def look(**changes: Any) -> Rig:
        changed = replace(rig.expressions, looks=(replace(rig.expressions.looks[0], **changes),))
        return replace(rig, expressions=changed)

    def painted(pixels: Array) -> Rig:
        return parts(material=replace(part.material, texture_rgba=pixels))

    return [
        ("triangles", parts(triangles=out_of)),
        ("triangles", parts(triangles=-out_of)),
        ("triangles", parts(triangles=out_of.astype(np.float32))),
        ("vertices of a part", parts(first_vertex=len(rig.positions))),
        ("vertices of a part", parts(vertex_count=-1)),
        ("picture", painted(np.zeros((4, 4), np.uint8))),
        ("channels", painted(np.zeros((4, 4, 2), np.uint8))),
        ("picture", painted(np.zeros((4, 4, 3), np.float32))),
        ("skin_joints", replace(rig, skin_joints=np.full_like(rig.skin_joints, len(rig.joints)))),
        ("roles", replace(rig, roles={"head": len(rig.joints)})),
        ("parent", replace(rig, joints=(replace(joint, parent=0), *rig.joints[1:]))),
        ("morphs", replace(rig, morphs=rig.morphs[:, 1:])),
        ("positions", replace(rig, positions=np.full_like(rig.positions, np.inf))),
        ("normals", replace(rig, normals=rig.normals[1:])),
        ("map_uvs", replace(rig, map_uvs=rig.map_uvs[:, :1])),
        ("expression", look(expression=2)),
        ("parts", look(parts=(len(rig.parts),))),
        ("binds", replace(rig, expressions=replace(rig.expressions, binds=rig.expressions.binds[:, 1:]))),
    ]


def test_numbers_that_lead_out_of_their_arrays_are_refused(rich: Rig, tmp_path: Path) -> None:
    for why, rig in wrong(rich):
        with pytest.raises(RigError, match=why):
            sent(rig, tmp_path)


def test_what_is_no_part_of_a_rig_is_not_sent(rich: Rig, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="Path is no part of a rig"):
        save_packed(tmp_path / "packed", replace(rich, notes=(tmp_path,)))


def test_spoilt_ones_end_in_an_avatar_or_a_line(rich: Rig, tmp_path: Path) -> None:
    packed = tmp_path / "packed"
    save_packed(packed, rich)
    whole = packed.read_bytes()
    with opened_archive(packed) as stored:
        said = stored.array("said", packing.MAX_SAID_BYTES).tobytes()
        arrays = {name: stored.array(name, packing.MAX_NUMBERS) for name in stored if name != "said"}
    refused = 0
    for case in range(SPOILT):
        dice = Dice(f"packed {case}")
        if case % 2:
            packed.write_bytes(spoilt_npz(dice, whole))
        else:
            write_archive(packed, arrays | {"said": np.frombuffer(spoilt_json(dice, said), np.uint8)})
        try:
            assert isinstance(load_packed(packed), Rig)
        except RigError:
            refused += 1
    assert refused > SPOILT // 4


def test_a_description_may_be_shared_only_downwards(rich: Rig, tmp_path: Path) -> None:
    """An object that holds itself would never end."""
    itself = [{"class": "Part", "fields": {field.name: {"object": 0} for field in fields(Part)}}]
    write_archive(tmp_path / "packed", {"said": np.frombuffer(json.dumps(itself).encode(), np.uint8)})
    with pytest.raises(RigError, match="no checked avatar"):
        load_packed(tmp_path / "packed")
