"""Expressions that change how an avatar looks: colours of materials and the place of their textures (VRM)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..data import Array
from ..rig import Look, Material, Part, Rig

LEAST_CHANGE = 1 / 512
"""Of an expression's value: less than a grey level."""


class Looks:
    """The parts of one rig as its expressions have changed them."""

    def __init__(self, rig: Rig) -> None:
        said = rig.expressions
        self._parts = rig.parts
        self._of_part: dict[int, list[Look]] = {}
        for look in said.looks if said is not None else ():
            for part in look.parts:
                self._of_part.setdefault(part, []).append(look)
        self._rows = sorted({look.expression for looks in self._of_part.values() for look in looks})
        self._shown = np.zeros(len(self._rows), np.float32)

    def changed(self, values: Array | None) -> dict[int, Part]:
        """Parts whose look differs from what the last call told, by their numbers, in their new materials.

        values : (E,) the expressions' values; None: all at rest"""
        if not self._rows:
            return {}
        now = np.zeros_like(self._shown) if values is None else values[self._rows]
        moved = np.abs(now - self._shown) > LEAST_CHANGE
        if not moved.any():
            return {}
        self._shown = now.copy()
        of_row = dict(zip(self._rows, now.tolist(), strict=True))
        changing = {row for row, is_moved in zip(self._rows, moved, strict=True) if is_moved}
        return {
            part: replace(self._parts[part], material=worn(self._parts[part].material, looks, of_row))
            for part, looks in self._of_part.items()
            if any(look.expression in changing for look in looks)
        }


def worn(material: Material, looks: list[Look], values: dict[int, float]) -> Material:
    """A material as some expressions at these values make it."""
    rest = {
        "color": _linear(material.base_color_rgba),
        "shade": _linear((*(material.toon.shade_rgb if material.toon else (0.0, 0.0, 0.0)), 1.0)),
        "glow": _linear((*material.emissive_rgb, 1.0)),
        "uv": np.array(material.uv_transform),
    }
    now = {kind: numbers.copy() for kind, numbers in rest.items()}
    for look in looks:
        target = np.array(look.target) if look.kind == "uv" else _linear(look.target)
        now[look.kind] += values[look.expression] * np.where(np.isnan(target), 0.0, target - rest[look.kind])
    toon = material.toon
    return replace(
        material,
        base_color_rgba=_srgb(now["color"]),
        emissive_rgb=_srgb(now["glow"])[:3],
        toon=None if toon is None else replace(toon, shade_rgb=_srgb(now["shade"])[:3]),
        uv_transform=tuple(now["uv"].tolist()),
    )


def moved_uvs(uvs: Array, rest: tuple[float, ...], now: tuple[float, ...], rotation_rad: float = 0.0) -> Array:
    """(n, 2) texture coordinates that hold a scale, a turn and an offset, under another scale and offset.

    rotation_rad : counter-clockwise as seen, v downward"""
    scale, wanted = np.array(rest[:2]), np.array(now[:2])
    ratio = np.where(np.abs(scale) > 1e-9, wanted / np.where(np.abs(scale) > 1e-9, scale, 1.0), 1.0)
    c, s = np.cos(rotation_rad), np.sin(rotation_rad)
    turn = np.array([[c, s], [-s, c]])
    back = (uvs - np.array(rest[2:])) @ turn  # the inverse's transpose is the turn itself
    return ((back * ratio) @ turn.T + np.array(now[2:])).astype(np.float32)


def _linear(rgba: tuple[float, ...]) -> Array:
    """sRGB and alpha -> linear light and alpha."""
    array = np.array(rgba, np.float64)
    colour = array[:3]
    array[:3] = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return array


def _srgb(rgba: Array) -> tuple[float, float, float, float]:
    """The way back, within 0..1."""
    array = np.clip(rgba, 0.0, 1.0)
    colour = array[:3]
    array[:3] = np.where(colour <= 0.0031308, 12.92 * colour, 1.055 * colour ** (1 / 2.4) - 0.055)
    red, green, blue, alpha = array.tolist()
    return red, green, blue, alpha
