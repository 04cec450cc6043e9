"""glTF's materials, each picture decoded once."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data import Array
from ..rig import Material
from .gltf_file import GltfFile


class MaterialReader:
    """Reads the materials of one file and keeps them, as many meshes share a few."""

    def __init__(self, file: GltfFile) -> None:
        self._file = file
        self._materials: dict[int, Material] = {}
        self._images: dict[int, Array] = {}

    def read(self, index: object, attributes: dict[str, Any], count: int) -> tuple[Material, Array]:
        """A primitive's material and its texture coordinates, (count, 2) float32 with v downward."""
        if index is None:
            return Material("default"), np.zeros((count, 2), np.float32)
        entry = self._file.item("materials", index)
        with self._file.reading(f"material {index}"):
            info = entry.get("pbrMetallicRoughness", {}).get("baseColorTexture", {})
            if index not in self._materials:
                self._materials[index] = self._material(index, entry, info)
            return self._materials[index], self._uvs(info, attributes, count)

    def _material(self, index: int, entry: dict[str, Any], info: dict[str, Any]) -> Material:
        """Its colour, texture and way of being drawn."""
        surface = entry.get("pbrMetallicRoughness", {})
        red, green, blue, alpha = np.clip(np.asarray(surface.get("baseColorFactor", (1, 1, 1, 1)), np.float64), 0, 1)
        return Material(
            name=str(entry.get("name", f"material {index}")),
            base_color_rgba=(*(_srgb_from_linear(c) for c in (red, green, blue)), float(alpha)),
            texture_rgba=self._texture(info["index"]) if "index" in info else None,
            alpha_mode=str(entry.get("alphaMode", "OPAQUE")).lower(),
            alpha_cutoff=float(entry.get("alphaCutoff", 0.5)),
            double_sided=bool(entry.get("doubleSided", False)),
            unlit="KHR_materials_unlit" in entry.get("extensions", {}),
            roughness=float(surface.get("roughnessFactor", 1.0)),
            metallic=float(surface.get("metallicFactor", 1.0)),
        )

    def _texture(self, index: object) -> Array | None:
        """The picture of a texture, or None where only an extension knows its source."""
        source = self._file.item("textures", index).get("source")
        if source is None:
            return None
        if source not in self._images:
            self._images[source] = self._file.image(source)
        return self._images[source]

    def _uvs(self, info: dict[str, Any], attributes: dict[str, Any], count: int) -> Array:
        """Texture coordinates after the material's own offset, rotation and scale."""
        transform = info.get("extensions", {}).get("KHR_texture_transform", {})
        channel = f"TEXCOORD_{transform.get('texCoord', info.get('texCoord', 0))}"
        if channel not in attributes:
            return np.zeros((count, 2), np.float32)
        uvs = self._file.accessor(attributes[channel], 2).astype(np.float32)
        if len(uvs) != count:
            raise self._file.fail(f"expected {count} texture coordinates, got {len(uvs)}")
        if transform:
            angle = float(transform.get("rotation", 0.0))
            c, s = np.cos(angle), np.sin(angle)
            turned = uvs * np.asarray(transform.get("scale", (1, 1))) @ np.array([[c, -s], [s, c]])
            uvs = (turned + np.asarray(transform.get("offset", (0, 0)))).astype(np.float32)
        return uvs


def _srgb_from_linear(value: float) -> float:
    """glTF's factors are linear light; ours are sRGB as everything that a person picks."""
    return float(12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055)
