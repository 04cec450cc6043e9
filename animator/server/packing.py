"""A checked avatar on its way to the worker that draws it: arrays, and a description of what they are.

It was made by a process that read a stranger's file. Should such a file ever have taken that process over, what comes
from there is a stranger's, too: nothing in it is run, only the classes below are made of it, and every number that C
code will index memory by is looked at again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..channels import ARKIT
from ..data import Array, check_shape
from ..errors import AnimatorError, RigError
from ..rig import Expressions, Joint, Look, LookAt, Maps, Material, Overlay, Part, Rig, Toon
from ..takes.archive import opened_archive, write_archive

CLASSES = {cls.__name__: cls for cls in (Expressions, Joint, Look, LookAt, Maps, Material, Overlay, Part, Rig, Toon)}
MAX_SAID_BYTES = 32 << 20
MAX_NUMBERS = 1 << 28
_PLAIN = (bool, int, float, str, type(None))


def save_packed(path: Path, rig: Rig) -> None:
    """Write an avatar; raises OSError where there is no room."""
    packer = _Packer()
    packer.pack(rig)
    said = np.frombuffer(json.dumps(packer.objects).encode(), np.uint8)
    write_archive(path, {"said": said} | {str(number): array for number, array in enumerate(packer.arrays)})


def load_packed(path: Path) -> Rig:
    """The avatar that `save_packed` wrote; raises RigError for anything else, whatever it is."""
    try:
        with opened_archive(path) as stored:
            said = json.loads(stored.array("said", MAX_SAID_BYTES).tobytes())
            arrays = [stored.array(str(number), MAX_NUMBERS) for number in range(len(stored) - 1)]
        rig = _unpacked(said, arrays)
        _check(rig)
    except (
        AnimatorError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise RigError(f"this is no checked avatar: {error}") from None
    return rig


class _Packer:
    """Turns what a rig is made of into plain JSON; what is shared stays shared, such as a texture of many parts.

    An object is written before whatever holds it: the rig is the last."""

    def __init__(self) -> None:
        self.arrays: list[Array] = []
        self.objects: list[dict[str, Any]] = []
        self._known: dict[int, dict[str, int]] = {}

    def pack(self, value: Any) -> Any:
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, _PLAIN):
            return value
        if isinstance(value, dict):
            return {"dict": [[key, self.pack(inner)] for key, inner in value.items()]}
        if isinstance(value, tuple | frozenset):
            return {type(value).__name__: [self.pack(inner) for inner in value]}
        if id(value) not in self._known:
            self._known[id(value)] = self._kept(value)
        return self._known[id(value)]

    def _kept(self, value: Any) -> dict[str, int]:
        if isinstance(value, np.ndarray):
            self.arrays.append(value)
            return {"array": len(self.arrays) - 1}
        if not is_dataclass(value):
            raise TypeError(f"{type(value).__name__} is no part of a rig")
        said = {field.name: self.pack(getattr(value, field.name)) for field in fields(value)}
        self.objects.append({"class": type(value).__name__, "fields": said})
        return {"object": len(self.objects) - 1}


def _unpacked(said: list[dict[str, Any]], arrays: list[Array]) -> Rig:
    made: list[Any] = []
    for one in said:
        cls = CLASSES[one["class"]]
        wanted = {field.name for field in fields(cls)}
        if set(one["fields"]) != wanted:
            raise ValueError(f"{cls.__name__}: expected {sorted(wanted)}")
        made.append(cls(**{name: _value(inner, arrays, made) for name, inner in one["fields"].items()}))
    if not made or not isinstance(made[-1], Rig):
        raise ValueError("there is no rig in it")
    return made[-1]


def _value(said: Any, arrays: list[Array], made: list[Any]) -> Any:
    if isinstance(said, _PLAIN):
        return said
    ((kind, inner),) = said.items()
    match kind:
        case "array" | "object":
            there = arrays if kind == "array" else made
            return there[range(len(there))[inner]]
        case "tuple" | "frozenset":
            values = [_value(each, arrays, made) for each in inner]
            return tuple(values) if kind == "tuple" else frozenset(values)
        case "dict":
            return {key: _value(each, arrays, made) for key, each in inner}
    raise ValueError(f"unknown kind {kind!r}")


def _check(rig: Rig) -> None:
    """Raises AnimatorError or ValueError for a rig whose numbers lead out of its arrays."""
    vertices, morphs, joints = len(rig.positions), len(rig.morph_names), len(rig.joints)
    _array("positions", rig.positions, np.float32, vertices, 3)
    _array("uvs", rig.uvs, np.float32, vertices, 2)
    _array("morphs", rig.morphs, np.float32, morphs, vertices, 3)
    _array("mapping", rig.mapping, np.float32, morphs, len(ARKIT))
    _array("skin_joints", rig.skin_joints, np.int32, vertices, 4)
    _array("skin_weights", rig.skin_weights, np.float32, vertices, 4)
    _array("rig_from_face", rig.rig_from_face, np.float64, 4, 4)
    for name, numbers in (("normals", 3), ("vertex_rgb", 3), ("map_uvs", 2)):
        if getattr(rig, name) is not None:
            _array(name, getattr(rig, name), np.float32, vertices, numbers)
    _within("skin_joints", rig.skin_joints, joints)
    _within("roles", np.array(list(rig.roles.values()), np.int64), joints)
    for number, joint in enumerate(rig.joints):
        _array("rest_local", joint.rest_local, np.float64, 4, 4)
        _within("parent", np.array([joint.parent + 1]), number + 1)
    for part in rig.parts:
        run = (part.first_vertex, part.vertex_count, part.first_vertex + part.vertex_count)
        _within("vertices of a part", np.array(run), vertices + 1)
        _array("triangles", part.triangles, np.int32, len(part.triangles), 3)
        _within("triangles", part.triangles, part.vertex_count)
    for pixels in _pictures(rig):
        _array("picture", pixels, np.uint8, None, None, pixels.shape[-1])
        _within("channels of a picture", np.array([pixels.shape[-1] - 3]), 2)
    if rig.expressions is not None:
        _check_expressions(rig.expressions, morphs, len(rig.parts))


def _check_expressions(expressions: Expressions, morphs: int, parts: int) -> None:
    count = len(expressions.names)
    _array("gains", expressions.gains, np.float32, count, len(ARKIT))
    _array("binds", expressions.binds, np.float32, count, morphs)
    _array("is_binary", expressions.is_binary, np.bool_, count)
    _array("overrides", expressions.overrides, np.int8, count, 3)
    for look in expressions.looks:
        _within("a look's expression", np.array([look.expression]), count)
        _within("a look's parts", np.array(look.parts, np.int64), parts)


def _pictures(rig: Rig) -> Iterator[Array]:
    for part in rig.parts:
        if part.material.texture_rgba is not None:
            yield part.material.texture_rgba
        if part.material.maps is not None:
            yield from (overlay.pixels for overlay in part.material.maps.overlays())


def _array(name: str, array: Array, dtype: type, *shape: int | None) -> None:
    check_shape(name, array, *shape)
    if array.dtype != dtype:
        raise ValueError(f"{name}: expected {np.dtype(dtype)}, got {array.dtype}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers")


def _within(name: str, numbers: Array, end: int) -> None:
    """Each of them an index of something that has `end` entries."""
    if numbers.size and not (numbers.dtype.kind in "iu" and numbers.min() >= 0 and numbers.max() < end):
        raise ValueError(f"{name}: expected 0 to {end - 1}")
