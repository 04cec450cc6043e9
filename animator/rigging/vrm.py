"""VRM 0.x and 1.0: what a .vrm says beyond glTF, both versions in one form (1.0's).

A VRM 0.x avatar faces -z, a 1.0 one +z as glTF's; the loader turns the former about.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..rig import GROUPS, LookAt, Toon
from .gltf_file import GltfFile
from .vrm_looks import MaterialBind, looks_of_0, looks_of_1

PRESETS_OF_0 = {
    "neutral": "neutral", "a": "aa", "i": "ih", "u": "ou", "e": "ee", "o": "oh", "blink": "blink", "joy": "happy",
    "angry": "angry", "sorrow": "sad", "fun": "relaxed", "lookup": "lookUp", "lookdown": "lookDown",
    "lookleft": "lookLeft", "lookright": "lookRight", "blink_l": "blinkLeft", "blink_r": "blinkRight",
}  # fmt: skip
"""VRM 0.x's preset names -> 1.0's."""
PRESETS = (*PRESETS_OF_0.values(), "surprised")
GROUP_OF_PRESET = {
    **dict.fromkeys(("blink", "blinkLeft", "blinkRight"), 0),
    **dict.fromkeys(("lookUp", "lookDown", "lookLeft", "lookRight"), 1),
    **dict.fromkeys(("aa", "ih", "ou", "ee", "oh"), 2),
}
"""Preset -> index into `GROUPS`."""
_FIRST_BLEND_QUEUE = 3000
MAX_EXPRESSIONS = 1000
"""Each has a weight for every morph: the most of both take 80 MB."""
_META_KEYS = ("name", "title", "version", "authors", "author", "copyrightInformation", "contactInformation",
              "licenseName", "licenseUrl", "otherLicenseUrl", "avatarPermission", "allowedUserName",
              "commercialUsage", "commercialUssageName", "modification", "allowRedistribution",
              "creditNotation")  # fmt: skip
_META_NAMES = {"title": "name", "authors": "author", "licenseName": "licence", "licenseUrl": "licence",
               "otherLicenseUrl": "other licence", "allowedUserName": "avatarPermission",
               "commercialUssageName": "commercialUsage"}  # fmt: skip


@dataclass(frozen=True)
class Bind:
    """A share of a morph: `owner` is a node in 1.0 and a mesh in 0.x."""

    owner: int
    target: int
    weight: float


@dataclass(frozen=True)
class VrmExpression:
    """One expression or blend-shape group."""

    name: str
    """A preset's name of 1.0, or the maker's own."""
    binds: tuple[Bind, ...]
    is_binary: bool = False
    overrides: tuple[int, int, int] = (0, 0, 0)
    looks: tuple[MaterialBind, ...] = ()

    @property
    def acts(self) -> bool:
        """Whether it does anything."""
        return bool(self.binds or self.looks)


@dataclass(frozen=True)
class Vrm:
    """All that a face engine needs of the extension."""

    version: int
    about: tuple[tuple[str, str], ...] = ()
    bones: dict[str, int] = field(default_factory=dict)
    """Humanoid bone -> node."""
    expressions: tuple[VrmExpression, ...] = ()
    look_at: LookAt | None = None
    toons: dict[int, Toon] = field(default_factory=dict)
    """Material -> two tones, where 0.x keeps them apart."""
    orders: dict[int, tuple[int, bool]] = field(default_factory=dict)
    """Material -> place in the drawing order, and whether it hides what comes later."""
    hidden_nodes: frozenset[int] = frozenset()
    hidden_meshes: frozenset[int] = frozenset()
    """What only the wearer sees."""


def vrm_of(file: GltfFile) -> Vrm | None:
    """What a file says as a VRM; None if it is none."""
    extensions = file.json.get("extensions") or {}
    if not isinstance(extensions, dict):
        raise file.fail("extensions: expected an object")
    for key, read in (("VRMC_vrm", _read_1), ("VRM", _read_0)):
        if key in extensions:
            with file.reading(key):
                if not isinstance(extensions[key], dict):
                    raise file.fail(f"{key}: expected an object")
                vrm = read(file, extensions[key])
                if len(vrm.expressions) > MAX_EXPRESSIONS:
                    raise file.fail(f"expected at most {MAX_EXPRESSIONS} expressions, got {len(vrm.expressions)}")
                return vrm
    return None


def _read_1(file: GltfFile, said: dict[str, Any]) -> Vrm:
    if not str(said.get("specVersion", "1.0")).startswith("1."):
        raise file.fail(f"VRMC_vrm: expected version 1, got {said['specVersion']!r}")
    bones = [(name, entry["node"]) for name, entry in said.get("humanoid", {}).get("humanBones", {}).items()]
    expressions = []
    listed = said.get("expressions") or {}
    for kind in ("preset", "custom"):
        for name, entry in (listed.get(kind) or {}).items():
            expressions.append(_expression_1(file, name, entry))
    look = said.get("lookAt")
    hidden = frozenset(entry["node"] for entry in (said.get("firstPerson") or {}).get("meshAnnotations") or []
                       if entry.get("type") == "firstPersonOnly")  # fmt: skip
    return Vrm(1, _about(file, said.get("meta", {})), _bones(file, bones), tuple(expressions),
               None if look is None else _look_at_1(look), hidden_nodes=hidden)  # fmt: skip


def _expression_1(file: GltfFile, name: str, entry: dict[str, Any]) -> VrmExpression:
    binds = []
    for bind in entry.get("morphTargetBinds") or []:
        mesh = file.item("nodes", bind["node"]).get("mesh")
        _check_target(file, name, mesh, bind["index"])
        binds.append(Bind(bind["node"], bind["index"], _share(bind.get("weight", 1.0))))
    levels = {"none": 0, "block": 1, "blend": 2}
    overrides = tuple(levels[entry.get(f"override{group[0].upper()}{group[1:]}", "none")] for group in GROUPS)
    looks = looks_of_1(file, entry)
    return VrmExpression(str(name), tuple(binds), bool(entry.get("isBinary", False)), overrides, looks)


def _look_at_1(look: dict[str, Any]) -> LookAt:
    by_expressions = look.get("type", "bone") == "expression"
    default = 1.0 if by_expressions else 10.0

    def pair(name: str) -> tuple[float, float]:
        said = look.get(f"rangeMap{name}") or {}
        return _range(said.get("inputMaxValue", 90.0), said.get("outputScale", default))

    return LookAt(by_expressions, pair("HorizontalInner"), pair("HorizontalOuter"), pair("VerticalDown"),
                  pair("VerticalUp"))  # fmt: skip


def _read_0(file: GltfFile, said: dict[str, Any]) -> Vrm:
    bones = [(entry["bone"], entry["node"]) for entry in (said.get("humanoid") or {}).get("humanBones") or []]
    expressions = []
    for group in (said.get("blendShapeMaster") or {}).get("blendShapeGroups") or []:
        preset = str(group.get("presetName") or "unknown").lower()
        name = PRESETS_OF_0.get(preset, str(group.get("name", "")))
        binds = []
        for bind in group.get("binds") or []:
            _check_target(file, name, bind["mesh"], bind["index"])
            binds.append(Bind(bind["mesh"], bind["index"], _share(bind["weight"] / 100)))
        looks = looks_of_0(file, group)
        expressions.append(VrmExpression(name, tuple(binds), bool(group.get("isBinary", False)), looks=looks))
    first = said.get("firstPerson") or {}
    toons, orders = _materials_0(file, said.get("materialProperties") or [])
    hidden = frozenset(entry["mesh"] for entry in first.get("meshAnnotations") or []
                       if entry.get("firstPersonFlag") == "FirstPersonOnly")  # fmt: skip
    return Vrm(0, _about(file, said.get("meta", {})), _bones(file, bones), tuple(expressions), _look_at_0(first),
               toons, orders, hidden_meshes=hidden)  # fmt: skip


def _look_at_0(first: dict[str, Any]) -> LookAt | None:
    """The curves are left aside, as other readers do: makers set the ranges."""
    if "lookAtTypeName" not in first:
        return None
    by_expressions = first["lookAtTypeName"] == "BlendShape"

    def pair(name: str) -> tuple[float, float]:
        said = first.get(f"lookAt{name}") or {}
        return _range(said.get("xRange", 90.0), said.get("yRange", 1.0 if by_expressions else 10.0))

    return LookAt(by_expressions, pair("HorizontalInner"), pair("HorizontalOuter"), pair("VerticalDown"),
                  pair("VerticalUp"))  # fmt: skip


def _materials_0(
    file: GltfFile, properties: list[dict[str, Any]]
) -> tuple[dict[int, Toon], dict[int, tuple[int, bool]]]:
    """Two tones and drawing orders of Unity's materials."""
    toons: dict[int, Toon] = {}
    orders: dict[int, tuple[int, bool]] = {}
    for index, entry in enumerate(properties[: len(file.items("materials"))]):
        floats = entry.get("floatProperties") or {}
        queue = entry.get("renderQueue", -1)
        orders[index] = (max(int(queue) - _FIRST_BLEND_QUEUE, -999) if queue and queue > 0 else 0,
                         float(floats.get("_ZWrite", 0)) > 0.5)  # fmt: skip
        if entry.get("shader") == "VRM/MToon":
            shade = (entry.get("vectorProperties") or {}).get("_ShadeColor", (0.97, 0.81, 0.86))
            red, green, blue = (float(np.clip(float(c), 0, 1)) for c in shade[:3])  # Unity's colours are sRGB
            toony = float(np.clip(float(floats.get("_ShadeToony", 0.9)), 0, 1))
            shift = float(np.clip(float(floats.get("_ShadeShift", 0.0)), -1, 1))
            # 0.x shades from `shift` upwards over a width of 1 - toony; 1.0 around -shift.
            upper = shift + (1 - toony) * (1 - shift)
            toons[index] = Toon((red, green, blue), 1 - (upper - shift) / 2, -(upper + shift) / 2)
    return toons, orders


def _about(file: GltfFile, meta: object) -> tuple[tuple[str, str], ...]:
    """What a person should know before using an avatar."""
    if not isinstance(meta, dict):
        raise file.fail(f"meta: expected an object, got {type(meta).__name__}")
    about: dict[str, str] = {}
    for key in _META_KEYS:
        value = meta.get(key)
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value if value is not None else "")
        if text and text != "undefined":
            about.setdefault(_META_NAMES.get(key, key), " ".join(text.split())[:200])
    return tuple(about.items())


def _bones(file: GltfFile, pairs: list[tuple[Any, Any]]) -> dict[str, int]:
    bones: dict[str, int] = {}
    for name, node in pairs:
        if not isinstance(name, str) or name in bones:
            raise file.fail(f"humanoid: expected each bone once, got another {name!r}")
        file.item("nodes", node)
        bones[name] = node
    return bones


def _check_target(file: GltfFile, name: str, mesh: object, target: object) -> None:
    """A bind must reach a morph that exists."""
    primitives = file.item("meshes", mesh)["primitives"]
    count = len(primitives[0].get("targets", [])) if primitives else 0
    if not isinstance(target, int) or isinstance(target, bool) or not 0 <= target < count:
        raise file.fail(f"expression {name!r}: expected one of {count} morph targets, got {target!r}")


def _share(value: object) -> float:
    number = float(value)  # type: ignore[arg-type]
    if not np.isfinite(number):
        raise ValueError(f"weight {value}")
    return float(np.clip(number, 0, 1))


def _range(largest_deg: object, output: object) -> tuple[float, float]:
    """A range map; an input of 0 stands for a step, which a small one does as well."""
    a, b = float(largest_deg), float(output)  # type: ignore[arg-type]
    if not np.isfinite([a, b]).all():
        raise ValueError(f"range map {largest_deg}, {output}")
    return float(np.clip(a, 1e-3, 180)), float(np.clip(b, 0, 180))
