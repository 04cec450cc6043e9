"""glTF's materials, each picture decoded once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from ..data import Array
from ..rig import Material, Part, Toon
from .gltf_file import GltfFile
from .gltf_maps import Lie, PlannedMaps, lie_of, planned_maps

_CLAMP = 33071
_HANDS = 2
"""Pictures that are unpacked at once, while vertices are read; each may take 250 MB until it is shrunk."""


class MaterialReader:
    """Reads the materials of one file and keeps them, as many meshes share a few; a context, for its threads."""

    def __init__(self, file: GltfFile, toons: dict[int, Toon], orders: dict[int, tuple[int, bool]]) -> None:
        """toons, orders : by material number, where VRM 0.x keeps them apart from the materials."""
        self._file, self._toons, self._orders = file, toons, orders
        self._materials: dict[int, Material] = {}
        self._source_of_material: dict[int, int] = {}
        self._maps_of_material: dict[int, PlannedMaps] = {}
        self._images: dict[int, Future[Array]] = {}
        self._hands = ThreadPoolExecutor(_HANDS)

    def __enter__(self) -> MaterialReader:
        return self

    def __exit__(self, *raised: object) -> None:
        self._hands.shutdown(cancel_futures=True)

    def with_pictures(self, parts: list[Part]) -> list[Part]:
        """The parts that were read, their materials with pictures, once all are unpacked."""
        whole = {}
        for index, material in self._materials.items():
            source = self._source_of_material.get(index)
            picture = None if source is None else self._picture(source)
            planned = self._maps_of_material.get(index)
            maps = None if planned is None else planned.drawn(self._picture, self._file.notes.append)
            dark = planned is not None and "glow" in planned.planned and (maps is None or maps.glow is None)
            glow = (0.0, 0.0, 0.0) if dark else material.emissive_rgb
            whole[id(material)] = replace(material, texture_rgba=picture, maps=maps, emissive_rgb=glow)
        return [replace(part, material=whole.get(id(part.material), part.material)) for part in parts]

    def _picture(self, source: int) -> Array:
        return self._images[source].result()

    def read(
        self, index: object, attributes: dict[str, Any], count: int, read: Callable[[str, int], Array]
    ) -> tuple[Material, Array, Array | None]:
        """A primitive's material, yet without its pictures, and texture coordinates, (count, 2) float32, v downward:
        its colour's, and those of maps that lie elsewhere."""
        if index is None:
            return Material("default"), np.zeros((count, 2), np.float32), None
        entry = self._file.item("materials", index)
        with self._file.reading(f"material {index}"):
            surface = entry.get("pbrMetallicRoughness") or {}
            info = surface.get("baseColorTexture") or {}
            if index not in self._materials:
                self._materials[index] = self._material(index, entry, surface, info)
            uvs = self._uvs(lie_of(info), attributes, count, read)
            maps = self._maps_of_material.get(index)
            second = None
            if maps is not None and maps.second is not None:
                second = self._uvs(Lie(maps.second, np.eye(3)), attributes, count, read)
            return self._materials[index], uvs, second

    def _material(self, index: int, entry: dict[str, Any], surface: dict[str, Any], info: dict[str, Any]) -> Material:
        """Its colour, texture and way of being drawn."""
        extensions = entry.get("extensions") or {}
        red, green, blue, alpha = self._factors(surface.get("baseColorFactor", (1, 1, 1, 1)), 4)
        strength = float((extensions.get("KHR_materials_emissive_strength") or {}).get("emissiveStrength", 1.0))
        glow = self._factors(np.asarray(entry.get("emissiveFactor", (0, 0, 0)), np.float64) * strength, 3)
        repeats = True
        if "index" in info:
            self._source_of_material[index], repeats = self._texture(info["index"])
        mode = str(entry.get("alphaMode", "OPAQUE")).lower()
        mtoon = extensions.get("VRMC_materials_mtoon")
        toon = self._toons.get(index) if mtoon is None else toon_from_mtoon(mtoon)
        unlit = "KHR_materials_unlit" in extensions and toon is None
        maps = None if unlit or toon is not None else planned_maps(entry, self._texture, self._file.notes.append)
        if maps is not None:
            self._maps_of_material[index] = maps
        if "emissiveTexture" in entry and (maps is None or "glow" not in maps.planned):
            glow = (0.0, 0.0, 0.0)  # where it shines is not known; all would
        order, writes = self._orders.get(index, (0, False))
        if mtoon is not None:
            order, writes = int(mtoon.get("renderQueueOffsetNumber", 0)), bool(mtoon.get("transparentWithZWrite"))
        return Material(
            name=str(entry.get("name", f"material {index}")),
            base_color_rgba=(*(srgb_from_linear(c) for c in (red, green, blue)), alpha),
            alpha_mode=mode if mode in ("mask", "blend") else "opaque",
            alpha_cutoff=float(entry.get("alphaCutoff", 0.5)),
            double_sided=bool(entry.get("doubleSided", False)),
            unlit=unlit,
            roughness=float(np.clip(float(surface.get("roughnessFactor", 1.0)), 0, 1)),
            metallic=float(np.clip(float(surface.get("metallicFactor", 1.0)), 0, 1)),
            emissive_rgb=tuple(srgb_from_linear(c) for c in glow),
            toon=toon,
            repeats=repeats,
            draw_order=order,
            writes_depth=writes,
            uv_transform=self._uv_transform(info),
            uv_rotation_rad=float(_transform(info).get("rotation", 0.0)),
        )

    def _uv_transform(self, info: dict[str, Any]) -> tuple[float, float, float, float]:
        """Scale and offset that a material lays on its texture coordinates."""
        said = _transform(info)
        place = np.asarray([*said.get("scale", (1, 1)), *said.get("offset", (0, 0))], np.float64)
        if place.shape != (4,) or not np.isfinite(place).all():
            raise self._file.fail("expected a finite place of the texture")
        across, down, right, below = place.tolist()
        return across, down, right, below

    def _factors(self, values: object, count: int) -> tuple[float, ...]:
        """Factors, kept within 0..1."""
        array = np.asarray(values, np.float64)
        if array.shape != (count,) or not np.isfinite(array).all():
            raise self._file.fail(f"expected {count} finite factors, got {values!r}")
        return tuple(float(value) for value in np.clip(array, 0, 1))

    def _texture(self, index: object) -> tuple[int, bool]:
        """The number of a texture's picture, on its way to be unpacked, and whether it repeats."""
        texture = self._file.item("textures", index)
        extensions = texture.get("extensions") or {}
        source = (extensions.get("EXT_texture_webp") or {}).get("source", texture.get("source"))
        if source is None:
            names = ", ".join(extensions) or "nothing"
            raise self._file.fail(f"texture {index}: its picture is in {names}, not read here; use PNG or JPEG")
        repeats = True
        if "sampler" in texture:
            repeats = self._file.item("samplers", texture["sampler"]).get("wrapS") != _CLAMP
        if source not in self._images:
            self._images[source] = self._hands.submit(self._file.image(source))
        return source, repeats

    def _uvs(self, lie: Lie, attributes: dict[str, Any], count: int, read: Callable[[str, int], Array]) -> Array:
        """Texture coordinates after the material's own offset, rotation and scale."""
        if lie.channel not in attributes:
            return np.zeros((count, 2), np.float32)
        uvs = read(lie.channel, 2).astype(np.float32)
        if len(uvs) != count:
            raise self._file.fail(f"expected {count} texture coordinates, got {len(uvs)}")
        if (lie.matrix != np.eye(3)).any():
            uvs = (uvs @ lie.matrix[:2, :2].T + lie.matrix[:2, 2]).astype(np.float32)
        if not np.isfinite(uvs).all():
            raise self._file.fail("expected finite texture coordinates")
        return uvs


def _transform(info: dict[str, Any]) -> dict[str, Any]:
    return (info.get("extensions") or {}).get("KHR_texture_transform") or {}


def toon_from_mtoon(mtoon: dict[str, Any]) -> Toon:
    """MToon 1.0's two tones."""
    shade = np.asarray(mtoon.get("shadeColorFactor", (0, 0, 0)), np.float64)
    if shade.shape != (3,) or not np.isfinite(shade).all():
        raise ValueError(f"shadeColorFactor {shade}")
    red, green, blue = (srgb_from_linear(float(c)) for c in np.clip(shade, 0, 1))
    toony, shift = float(mtoon.get("shadingToonyFactor", 0.9)), float(mtoon.get("shadingShiftFactor", 0.0))
    return Toon((red, green, blue), float(np.clip(toony, 0, 1)), float(np.clip(shift, -1, 1)))


def srgb_from_linear(value: float) -> float:
    """glTF's factors are linear light; ours are sRGB as everything that a person picks."""
    return float(12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055)
