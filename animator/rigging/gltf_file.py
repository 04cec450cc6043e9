"""A glTF 2.0 file as checked numbers: container, buffers, accessors, images. Knows nothing of avatars.

Every offset and count in a file is a claim made by a stranger: each is checked against the bytes that are
really there before anything is read, and a broken one is a RigError that says what was wanted.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np

from ..data import Array
from ..errors import RigError
from ..foreign import inside, json_from, picture_size_px
from .meshopt import decoded_view
from .pictures import CROWDED_SIDE_PX, MAX_SIDE_PX, ROOMY_PX, decoded_rgba

MAX_FILE_BYTES = 512 * 2**20
"""Larger files are refused: no face needs them."""
MAX_BUFFERS = 256
MAX_JSON_MEMORY = 256 * 2**20
"""Of its description."""
MAX_NUMBERS = 24_000_000
"""The most numbers of one accessor: a sparse one may claim any count without having the bytes."""
MOST_UNPACKED_PX, MOST_PX_A_BYTE = 96 * 2**20, 40
"""What a file's pictures may have together, and more for each byte that they really have: true ones have 1 to 10
pixels a byte, plain colours 300, a bomb 4000, and a file may name the same bytes as often as it likes."""
READABLE_EXTENSIONS = frozenset(
    {"KHR_mesh_quantization", "KHR_materials_unlit", "KHR_texture_transform", "KHR_materials_emissive_strength",
     "EXT_meshopt_compression", "KHR_draco_mesh_compression", "EXT_texture_webp",
     "VRM", "VRMC_vrm", "VRMC_materials_mtoon", "VRMC_springBone", "VRMC_node_constraint"}
)  # fmt: skip
"""What a file may require of us. Springs and constraints rest, so nothing of theirs is needed."""
_SILENT_EXTENSIONS = READABLE_EXTENSIONS | {
    "KHR_texture_basisu", "KHR_materials_specular", "KHR_materials_ior", "KHR_materials_clearcoat",
    "KHR_materials_transmission", "KHR_materials_volume", "KHR_materials_sheen", "KHR_lights_punctual",
    "VRMC_springBone_extended_collider", "VRMC_materials_hdr_emissiveMultiplier",
}  # fmt: skip
"""Optional ones that change too little to be worth a note."""

_DTYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_GLB_MAGIC, _JSON_CHUNK, _BIN_CHUNK = 0x46546C67, 0x4E4F534A, 0x004E4942


class GltfFile:
    """A parsed file: `json` is its description; arrays come out of `accessor`, pictures out of `image`."""

    def __init__(self, name: str, description: dict[str, Any], folder: Path | None) -> None:
        self.name, self.json, self._folder = name, description, folder
        self._buffers: list[bytes | memoryview | None] = []
        self._checked: dict[str, list[dict[str, Any]]] = {}
        self._views: dict[int, bytes] = {}
        self._kept_px = self._unpacked_px = self._picture_bytes = 0
        self.notes: list[str] = []
        """What was ignored, for a person to know."""

    def fail(self, problem: str) -> RigError:
        """The error to raise: the file's name and what is wrong with it."""
        return RigError(f"{self.name}: {problem}")

    def items(self, key: str) -> list[dict[str, Any]]:
        """A top-level list of objects, empty if absent."""
        entries = self.json.get(key, [])
        # Once: there may be many, and each asks for one of them.
        if key not in self._checked or self._checked[key] is not entries:
            self._checked[key] = _objects(self, entries, key)
        return entries

    def item(self, key: str, index: object) -> dict[str, Any]:
        """One entry of a top-level list."""
        entries = self.items(key)
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(entries):
            raise self.fail(f"expected an index into {len(entries)} {key}, got {index!r}")
        return entries[index]

    @contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Turn what a wrongly typed field makes Python say into one line about the file."""
        try:
            yield
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
            raise self.fail(f"broken {what}: {type(error).__name__} {error}") from error

    def binary(self) -> bytes:
        """The GLB's own chunk: buffer 0."""
        if not self._buffers or self._buffers[0] is None or "uri" in self.items("buffers")[0]:
            raise self.fail("expected a GLB that holds its own data")
        return bytes(self._buffers[0])

    def view(self, index: object) -> tuple[bytes | memoryview, int]:
        """The bytes of a buffer view and its stride (0: packed)."""
        view = self.item("bufferViews", index)
        packed = (view.get("extensions") or {}).get("EXT_meshopt_compression")
        if packed is None:
            return self._slice(view), _count(self, view.get("byteStride", 0), "byteStride", 252)
        if index not in self._views:
            with self.reading(f"compressed view {index}"):
                stride = _count(self, packed["byteStride"], "byteStride", 256)
                count = _count(self, packed["count"], "count", MAX_NUMBERS // max(stride // 4, 1))
                filter_name = packed.get("filter", "NONE")
                self._views[index] = decoded_view(self._slice(packed), count, stride, packed["mode"], filter_name)
        return self._views[index], _count(self, view.get("byteStride", 0), "byteStride", 252)

    def _slice(self, part: dict[str, Any]) -> bytes | memoryview:
        """The bytes of a buffer that a view, plain or compressed, names."""
        number = _count(self, part.get("buffer"), "bufferView.buffer", len(self._buffers) - 1)
        buffer = self._buffers[number]
        if buffer is None:
            raise self.fail(f"buffer {number}: expected its bytes, got only a place for decompressed ones")
        start = _count(self, part.get("byteOffset", 0), "bufferView.byteOffset", len(buffer))
        length = _count(self, part.get("byteLength"), "bufferView.byteLength", len(buffer) - start)
        return buffer[start : start + length]

    def accessor(self, index: object, width: int) -> Array:
        """The elements of an accessor, dequantised where it is normalised.

        width   : components wanted per element
        returns : (N, width) float32, or the stored integers when they are not normalised"""
        accessor = self.item("accessors", index)
        with self.reading(f"accessor {index}"):
            if _WIDTHS.get(accessor["type"]) != width:
                raise self.fail(f"accessor {index}: expected {width} components, got {accessor['type']}")
            dtype = np.dtype(_DTYPES[accessor["componentType"]])
            count = _count(self, accessor["count"], f"accessor {index} count", MAX_NUMBERS // width)
            values = np.zeros((count, width), dtype)  # untouched pages cost no memory
            if "bufferView" in accessor:
                values = self._strided(accessor["bufferView"], accessor.get("byteOffset", 0), count, width, dtype)
            if "sparse" in accessor:
                values = self._with_sparse(values.copy(), accessor["sparse"], dtype)
            if dtype.kind == "f":
                if not np.isfinite(values).all():
                    raise self.fail(f"accessor {index}: expected finite numbers, got infinities or NaN")
            elif accessor.get("normalized"):
                values = np.maximum(values.astype(np.float32) / np.iinfo(dtype).max, -1)
            return values

    def image(self, index: object) -> Callable[[], Array]:
        """A texture's picture, yet to be unpacked, on any thread: what is returned gives (H, W, 4) uint8 sRGB with
        straight alpha, row 0 on top, shrunk to what is seen."""
        image = self.item("images", index)
        data = self.view(image["bufferView"])[0] if "bufferView" in image else self._outside(image)
        width, height = picture_size_px(data) or (0, 0)
        self._unpacked_px += width * height
        self._picture_bytes += len(data)
        if self._unpacked_px > MOST_UNPACKED_PX + MOST_PX_A_BYTE * self._picture_bytes:
            raise self.fail(f"image {index}: its pictures claim {self._unpacked_px >> 20} megapixels in too few bytes")
        side = MAX_SIDE_PX if self._kept_px < ROOMY_PX else CROWDED_SIDE_PX
        shrink = min(side / max(width, height, 1), 1.0)
        self._kept_px += round(width * shrink) * round(height * shrink)
        return partial(decoded_rgba, data, f"{self.name}: image {index}", side)

    def _strided(self, view: object, offset: object, count: int, width: int, dtype: np.dtype) -> Array:
        """(count, width) elements of a view; the last one must end inside it."""
        data, stride = self.view(view)
        element = dtype.itemsize * width
        stride = stride or element
        start = _count(self, offset, "accessor.byteOffset", len(data))
        needed = start + (count - 1) * stride + element if count else start
        if stride < element or needed > len(data):
            raise self.fail(f"expected {needed} bytes for {count} elements, the view has {len(data)}")
        return np.ndarray((count, width), dtype, data, start, (stride, dtype.itemsize))

    def _with_sparse(self, values: Array, sparse: dict[str, Any], dtype: np.dtype) -> Array:
        """Put a sparse accessor's replacements into `values`."""
        count = _count(self, sparse["count"], "sparse.count", len(values))
        at, new = sparse["indices"], sparse["values"]
        index_dtype = np.dtype(_DTYPES[at["componentType"]])
        rows = self._strided(at["bufferView"], at.get("byteOffset", 0), count, 1, index_dtype)[:, 0]
        if count and int(rows.max()) >= len(values):
            raise self.fail(f"sparse index {rows.max()} is beyond the {len(values)} elements")
        values[rows.astype(np.int64)] = self._strided(
            new["bufferView"], new.get("byteOffset", 0), count, values.shape[1], dtype
        )
        return values

    def _outside(self, image: dict[str, Any]) -> bytes:
        """The bytes of a picture that lies in a data URI or beside the file."""
        return _bytes_of_uri(self.name, image.get("uri"), self._folder)


def open_gltf(path: Path) -> GltfFile:
    """Read a .glb or .gltf file with the buffers it refers to."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise RigError(f"{path.name}: expected at most {MAX_FILE_BYTES >> 20} MB, got more")
        data = path.read_bytes()
    except OSError as error:
        raise RigError(f"cannot read {path}: {error.strerror}") from error
    return gltf_from_bytes(path.name, data, path.parent)


def gltf_from_bytes(name: str, data: bytes, folder: Path | None = None) -> GltfFile:
    """Parse a file's bytes; `folder` is where its relative URIs point to (None: they are refused)."""
    is_glb = data[:4] == struct.pack("<I", _GLB_MAGIC)
    text, binary = _glb_chunks(name, data) if is_glb else (data, None)
    try:
        description = json_from(text.decode("utf-8-sig"), MAX_JSON_MEMORY)
    except ValueError as error:
        raise RigError(f"{name}: expected a GLB header or glTF JSON: {error}") from error
    if not isinstance(description, dict) or not isinstance(description.get("asset"), dict):
        raise RigError(f"{name}: expected a glTF object with `asset`")
    if str(description["asset"].get("version", "")).split(".")[0] != "2":
        raise RigError(f"{name}: expected glTF version 2, got {description['asset'].get('version')!r}")
    file = GltfFile(name, description, folder)
    _check_extensions(file)
    total = 0
    if len(file.items("buffers")) > MAX_BUFFERS:  # each may name the same file, which takes 1 ms to find
        raise RigError(f"{name}: expected at most {MAX_BUFFERS} buffers, got {len(file.items('buffers'))}")
    for number, buffer in enumerate(file.items("buffers")):
        with file.reading(f"buffer {number}"):
            uri, length = buffer.get("uri"), buffer.get("byteLength")
            fallback = (buffer.get("extensions") or {}).get("EXT_meshopt_compression")
            if uri is None and fallback is not None and (number > 0 or binary is None):
                file._buffers.append(None)
                continue
            content = binary if uri is None and number == 0 else _bytes_of_uri(name, uri, folder)
            if content is None or not isinstance(length, int) or not 0 < length <= len(content):
                raise RigError(f"{name}: buffer {number}: expected {length} bytes, got {len(content or b'')}")
            total += len(content)
            if total > MAX_FILE_BYTES:
                raise RigError(f"{name}: expected at most {MAX_FILE_BYTES >> 20} MB of buffers, got more")
            file._buffers.append(content)
    return file


def _check_extensions(file: GltfFile) -> None:
    """Refuse what is required and unknown; note what is used and unknown."""
    lists = {}
    for key in ("extensionsRequired", "extensionsUsed"):
        lists[key] = file.json.get(key, [])
        if not isinstance(lists[key], list):
            raise file.fail(f"{key}: expected a list of names")
    unknown = sorted(set(map(str, lists["extensionsRequired"])) - READABLE_EXTENSIONS)
    if unknown:
        raise file.fail(f"needs {', '.join(unknown)}, which is not read here; export it without")
    ignored = sorted(set(map(str, lists["extensionsUsed"])) - _SILENT_EXTENSIONS)
    if ignored:
        file.notes.append(f"ignored extensions: {', '.join(ignored)}")


def _glb_chunks(name: str, data: bytes) -> tuple[bytes, memoryview | None]:
    """The JSON and the binary chunk of a GLB."""
    if len(data) < 20:
        raise RigError(f"{name}: expected a GLB header of 20 bytes, got {len(data)} bytes")
    _, version, total = struct.unpack_from("<III", data)
    if version != 2 or total > len(data):
        raise RigError(f"{name}: expected GLB version 2 of {total} bytes, got version {version}, {len(data)} bytes")
    chunks: dict[int, memoryview] = {}
    at = 12
    while at + 8 <= total:
        length, kind = struct.unpack_from("<II", data, at)
        if at + 8 + length > total:
            raise RigError(f"{name}: a chunk of {length} bytes goes beyond the end of the file")
        chunks.setdefault(kind, memoryview(data)[at + 8 : at + 8 + length])  # a file of 70 MB is not copied
        at += 8 + length
    if _JSON_CHUNK not in chunks:
        raise RigError(f"{name}: expected a JSON chunk, got none")
    return bytes(chunks[_JSON_CHUNK]), chunks.get(_BIN_CHUNK)


def _bytes_of_uri(name: str, uri: object, folder: Path | None) -> bytes:
    """A data URI's bytes, or those of a file in or below `folder`: an avatar may not read elsewhere."""
    if not isinstance(uri, str):
        raise RigError(f"{name}: expected a buffer's or picture's URI, got {uri!r}")
    if uri.startswith("data:"):
        try:
            return base64.b64decode(uri.partition(",")[2], validate=True)
        except (binascii.Error, ValueError) as error:
            raise RigError(f"{name}: broken data URI: {error}") from error
    refusal = RigError(f"{name}: refers to {uri[:80]!r}, which is not a file beside it")
    try:
        path = inside(folder, unquote(uri)) if folder is not None and "://" not in uri else None
        if path is None:
            raise refusal
        if path.stat().st_size > MAX_FILE_BYTES:
            raise RigError(f"{name}: {uri[:80]!r}: expected at most {MAX_FILE_BYTES >> 20} MB, got more")
        return path.read_bytes()
    except OSError as error:
        raise refusal from error


def _count(file: GltfFile, value: object, what: str, at_most: int) -> int:
    """A whole number in 0..at_most."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= at_most:
        raise file.fail(f"{what}: expected a whole number in 0..{at_most}, got {value!r}")
    return value


def _objects(file: GltfFile, value: object, what: str) -> list[dict[str, Any]]:
    """A list of JSON objects."""
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise file.fail(f"{what}: expected a list of objects")
    return value
