"""What a VRM's expressions do to materials: colours and the place of textures, both versions in one form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..rig import Look
from .gltf_file import GltfFile
from .gltf_materials import srgb_from_linear

MAX_LOOKS = 200
"""Of one expression: a face has a few materials."""
_KINDS_OF_1 = {"color": "color", "emissionColor": "glow", "shadeColor": "shade"}
_KINDS_OF_0 = {"_Color": "color", "_EmissionColor": "glow", "_ShadeColor": "shade"}
_REST = float("nan")
_MOST_UV = 1000.0


@dataclass(frozen=True)
class MaterialBind:
    """What a material becomes at value 1, see `rig.Look`."""

    material: int
    kind: str
    target: tuple[float, float, float, float]

    def look(self, expression: int, parts_of_material: Mapping[int, tuple[int, ...]]) -> Look:
        """The same for the parts that wear the material."""
        return Look(expression, parts_of_material.get(self.material, ()), self.kind, self.target)


def looks_of_1(file: GltfFile, entry: dict[str, Any]) -> tuple[MaterialBind, ...]:
    """Of a VRM 1.0 expression. Outlines, rim light and matcap are not drawn, so their colours are passed over."""
    looks = []
    for bind in entry.get("materialColorBinds") or []:
        file.item("materials", bind["material"])
        if bind["type"] in _KINDS_OF_1:
            red, green, blue, alpha = _numbers([*bind["targetValue"], 1.0][:4], 0.0, 1.0)
            colour = (*(srgb_from_linear(c) for c in (red, green, blue)), alpha)
            looks.append(MaterialBind(bind["material"], _KINDS_OF_1[bind["type"]], colour))
    for bind in entry.get("textureTransformBinds") or []:
        file.item("materials", bind["material"])
        place = [*bind.get("scale", (1.0, 1.0)), *bind.get("offset", (0.0, 0.0))]
        looks.append(MaterialBind(bind["material"], "uv", _numbers(place, -_MOST_UV, _MOST_UV)))
    return _few(file, looks)


def looks_of_0(file: GltfFile, group: dict[str, Any]) -> tuple[MaterialBind, ...]:
    """Of a VRM 0.x blend-shape group: Unity's properties, colours in sRGB, v upwards."""
    looks = []
    for value in group.get("materialValues") or []:
        name, wanted = value["propertyName"], value["targetValue"]
        if name in _KINDS_OF_0:
            kind, target = _KINDS_OF_0[name], _numbers([*wanted, 1.0][:4], 0.0, 1.0)
        elif name in ("_MainTex_ST", "_MainTex_ST_S", "_MainTex_ST_T"):
            across, up, right, above = _numbers(wanted, -_MOST_UV, _MOST_UV)
            kind, target = "uv", (across, up, right, 1.0 - above - up)
            if name.endswith("_S"):
                target = (across, _REST, right, _REST)
            if name.endswith("_T"):
                target = (_REST, up, _REST, 1.0 - above - up)
        else:
            continue
        materials, called = file.items("materials"), value["materialName"]
        named = [index for index, material in enumerate(materials) if material.get("name") == called]
        looks += [MaterialBind(index, kind, target) for index in named[:MAX_LOOKS]]
    return _few(file, looks)


def _few(file: GltfFile, looks: list[MaterialBind]) -> tuple[MaterialBind, ...]:
    if len(looks) > MAX_LOOKS:
        raise file.fail(f"expected at most {MAX_LOOKS} changes of materials by one expression, got {len(looks)}")
    return tuple(looks)


def _numbers(values: object, least: float, most: float) -> tuple[float, float, float, float]:
    """Four finite numbers within limits."""
    array = np.asarray(values, np.float64)
    if array.shape != (4,) or not np.isfinite(array).all():
        raise ValueError(f"expected 4 numbers, got {values!r:.60}")
    a, b, c, d = np.clip(array, least, most).tolist()
    return a, b, c, d
