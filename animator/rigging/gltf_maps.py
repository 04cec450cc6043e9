"""glTF's other pictures of a material: normals, metal and roughness, occlusion, glow, and where each lies.

A map may lie on other texture coordinates than the colour. Those that are the colour's, moved, turned or scaled, are
told by that move; those on another set, or where the colour's cannot be taken back, share one more set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data import Array
from ..errors import RigError
from ..rig import Maps, Overlay

LEAST_AREA = 1e-6
"""Of a texture's place: smaller ones leave no way back."""
MOST_TURN = 1e4
"""Of what a place of a texture may say: more is an accident, and numbers of OpenGL no longer tell pixels apart."""


@dataclass(frozen=True)
class Lie:
    """Where a texture lies: a set of texture coordinates, and what is done to them."""

    channel: str
    matrix: Array
    """(3, 3) float64: the texture's own coordinates from the set's, v downward."""


@dataclass(frozen=True)
class _Planned:
    """A map whose picture is on its way."""

    source: int
    repeats: bool
    lie: Lie
    uv_set: int


@dataclass(frozen=True)
class PlannedMaps:
    """The maps of a material, their pictures still being unpacked."""

    planned: dict[str, _Planned]
    normal_scale: float
    occlusion_strength: float
    second: str | None
    """The set of texture coordinates that `Rig.map_uvs` holds for its parts."""
    base: Lie

    def drawn(self, picture_of: Callable[[int], Array], left_out: Callable[[str], None]) -> Maps | None:
        """With pictures. What is damaged is left out, and told."""
        made: dict[tuple[int, Any], Overlay] = {}
        found: dict[str, Overlay] = {}
        for field, planned in self.planned.items():
            own = planned.lie.matrix if planned.uv_set else planned.lie.matrix @ np.linalg.inv(self.base.matrix)
            place = tuple(np.round(own[:2], 7).ravel().tolist())
            key = planned.source, (planned.repeats, planned.uv_set, place)
            if key not in made:
                try:
                    made[key] = Overlay(picture_of(planned.source), planned.repeats, planned.uv_set, place)
                except RigError as error:
                    left_out(f"left out, the {field} map: {error}")
                    continue
            found[field] = made[key]
        if not found:
            return None
        return Maps(normal_scale=self.normal_scale, occlusion_strength=self.occlusion_strength, **found)


def lie_of(info: dict[str, Any]) -> Lie:
    """Where a texture lies by its glTF reference; raises ValueError for what is no place."""
    said = (info.get("extensions") or {}).get("KHR_texture_transform") or {}
    channel = said.get("texCoord", info.get("texCoord", 0))
    angle = float(said.get("rotation", 0.0))
    scale, offset = np.asarray(said.get("scale", (1, 1)), float), np.asarray(said.get("offset", (0, 0)), float)
    if scale.shape != (2,) or offset.shape != (2,) or not np.isfinite([*scale, *offset, angle]).all():
        raise ValueError("a texture's place that is not finite")
    c, s = np.cos(angle), np.sin(angle)
    matrix = np.array([[c, s, offset[0]], [-s, c, offset[1]], [0, 0, 1]]) @ np.diag([*scale, 1.0])
    return Lie(f"TEXCOORD_{channel}", matrix)


def planned_maps(
    entry: dict[str, Any], texture: Callable[[object], tuple[int, bool]], left_out: Callable[[str], None]
) -> PlannedMaps | None:
    """The maps of a material entry, or None if it has none.

    texture : from a texture's number to its picture's, which begins to be unpacked, and whether it repeats"""
    surface = entry.get("pbrMetallicRoughness") or {}
    infos = {
        "normal": entry.get("normalTexture"), "surface": surface.get("metallicRoughnessTexture"),
        "occlusion": entry.get("occlusionTexture"), "glow": entry.get("emissiveTexture"),
    }  # fmt: skip
    base = lie_of(surface.get("baseColorTexture") or {})
    can_go_back = abs(np.linalg.det(base.matrix)) > LEAST_AREA
    planned: dict[str, _Planned] = {}
    second: str | None = None
    for field, info in infos.items():
        if info is None or (isinstance(info, dict) and "index" not in info):
            continue
        lie = lie_of(info)
        if np.abs(lie.matrix).max() > MOST_TURN:
            left_out(f"left out, the {field} map: it lies out of reach")
            continue
        uv_set = int(lie.channel != base.channel or not can_go_back)
        if uv_set and second not in (None, lie.channel):
            left_out(f"left out, the {field} map: it lies on a third set of texture coordinates")
            continue
        try:
            source, repeats = texture(info["index"])
        except RigError as error:
            left_out(f"left out, the {field} map: {error}")
            continue
        second = lie.channel if uv_set else second
        planned[field] = _Planned(source, repeats, lie, uv_set)
    if not planned:
        return None
    strength = float((entry.get("occlusionTexture") or {}).get("strength", 1.0))
    scale = float((entry.get("normalTexture") or {}).get("scale", 1.0))
    if not np.isfinite([strength, scale]).all():
        raise ValueError("a map's strength that is not finite")
    return PlannedMaps(planned, float(np.clip(scale, -100, 100)), float(np.clip(strength, 0, 1)), second, base)
