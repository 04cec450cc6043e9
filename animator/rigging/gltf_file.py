"""A glTF 2.0 file as checked numbers: container, buffers, accessors, images. Knows nothing of avatars.

Every offset and count in a file is a claim made by a stranger: each is checked against the bytes that are
really there before anything is read, and a broken one is a RigError that says what was wanted.
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np

from ..data import Array
from ..errors import RigError

MAX_FILE_BYTES = 512 * 2**20
"""Larger files are refused: no face needs them."""
MAX_ELEMENTS = 20_000_000
"""The most elements of one accessor: a sparse one may claim any count without having the bytes."""
MAX_IMAGE_PX = 64 * 2**20
"""The most pixels of one picture (8192 x 8192)."""
READABLE_EXTENSIONS = frozenset(
    {"KHR_mesh_quantization", "KHR_materials_unlit", "KHR_texture_transform", "KHR_materials_emissive_strength"}
)
"""What a file may require of us."""

_DTYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_GLB_MAGIC, _JSON_CHUNK, _BIN_CHUNK = 0x46546C67, 0x4E4F534A, 0x004E4942


class GltfFile:
    """A parsed file: `json` is its description; arrays come out of `accessor`, pictures out of `image`."""

    def __init__(self, name: str, description: dict[str, Any], folder: Path | None) -> None:
        self.name, self.json, self._folder = name, description, folder
        self._buffers: list[bytes] = []

    def fail(self, problem: str) -> RigError:
        """The error to raise: the file's name and what is wrong with it."""
        return RigError(f"{self.name}: {problem}")

    def items(self, key: str) -> list[dict[str, Any]]:
        """A top-level list of objects, empty if absent."""
        return _objects(self, self.json.get(key, []), key)

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

    def view(self, index: object) -> tuple[bytes, int]:
        """The bytes of a buffer view and its stride (0: packed)."""
        view = self.item("bufferViews", index)
        if "EXT_meshopt_compression" in view.get("extensions", {}):
            raise self.fail("is compressed with EXT_meshopt_compression; export it without compression")
        number = _count(self, view.get("buffer"), "bufferView.buffer", len(self._buffers) - 1)
        buffer = self._buffers[number]
        start = _count(self, view.get("byteOffset", 0), "bufferView.byteOffset", len(buffer))
        length = _count(self, view.get("byteLength"), "bufferView.byteLength", len(buffer) - start)
        return buffer[start : start + length], _count(self, view.get("byteStride", 0), "byteStride", 252)

    def accessor(self, index: object, width: int) -> Array:
        """The elements of an accessor, dequantised where it is normalised.

        width   : components wanted per element
        returns : (N, width) float32, or the stored integers when they are not normalised"""
        accessor = self.item("accessors", index)
        with self.reading(f"accessor {index}"):
            if _WIDTHS.get(accessor["type"]) != width:
                raise self.fail(f"accessor {index}: expected {width} components, got {accessor['type']}")
            dtype = np.dtype(_DTYPES[accessor["componentType"]])
            count = _count(self, accessor["count"], f"accessor {index} count", MAX_ELEMENTS)
            values = np.zeros((count, width), dtype)
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

    def image(self, index: object) -> Array:
        """A texture's picture: (H, W, 4) uint8 sRGB with straight alpha, row 0 on top."""
        import cv2  # only avatars with textures need it

        image = self.item("images", index)
        data = self.view(image["bufferView"])[0] if "bufferView" in image else self._outside(image)
        try:
            bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
        except cv2.error as error:
            raise self.fail(f"image {index}: cannot be decoded: {error.err}") from error
        if bgr is None or bgr.shape[0] * bgr.shape[1] > MAX_IMAGE_PX:
            raise self.fail(f"image {index}: expected a PNG or JPEG of at most 64 megapixels")
        if bgr.dtype == np.uint16:
            bgr = (bgr >> 8).astype(np.uint8)
        to_rgba = {1: cv2.COLOR_GRAY2RGBA, 3: cv2.COLOR_BGR2RGBA, 4: cv2.COLOR_BGRA2RGBA}
        return cv2.cvtColor(bgr, to_rgba[1 if bgr.ndim == 2 else bgr.shape[2]])

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
        description = json.loads(text.decode("utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise RigError(f"{name}: expected a GLB header or glTF JSON: {error}") from error
    if not isinstance(description, dict) or not isinstance(description.get("asset"), dict):
        raise RigError(f"{name}: expected a glTF object with `asset`")
    if str(description["asset"].get("version", "")).split(".")[0] != "2":
        raise RigError(f"{name}: expected glTF version 2, got {description['asset'].get('version')!r}")
    wanted = description.get("extensionsRequired", [])
    unknown = sorted(set(map(str, wanted if isinstance(wanted, list) else [wanted])) - READABLE_EXTENSIONS)
    if unknown:
        raise RigError(f"{name}: needs {', '.join(unknown)}, which is not read here; export it without")
    file = GltfFile(name, description, folder)
    for number, buffer in enumerate(file.items("buffers")):
        uri = buffer.get("uri")
        content = binary if uri is None and number == 0 else _bytes_of_uri(name, uri, folder)
        length = buffer.get("byteLength")
        if content is None or not isinstance(length, int) or not 0 < length <= len(content):
            raise RigError(f"{name}: buffer {number}: expected {length} bytes, got {len(content or b'')}")
        file._buffers.append(content)
    return file


def _glb_chunks(name: str, data: bytes) -> tuple[bytes, bytes | None]:
    """The JSON and the binary chunk of a GLB."""
    if len(data) < 20:
        raise RigError(f"{name}: expected a GLB header of 20 bytes, got {len(data)} bytes")
    _, version, total = struct.unpack_from("<III", data)
    if version != 2 or total > len(data):
        raise RigError(f"{name}: expected GLB version 2 of {total} bytes, got version {version}, {len(data)} bytes")
    chunks: dict[int, bytes] = {}
    at = 12
    while at + 8 <= total:
        length, kind = struct.unpack_from("<II", data, at)
        if at + 8 + length > total:
            raise RigError(f"{name}: a chunk of {length} bytes goes beyond the end of the file")
        chunks.setdefault(kind, data[at + 8 : at + 8 + length])
        at += 8 + length
    if _JSON_CHUNK not in chunks:
        raise RigError(f"{name}: expected a JSON chunk, got none")
    return chunks[_JSON_CHUNK], chunks.get(_BIN_CHUNK)


def _bytes_of_uri(name: str, uri: object, folder: Path | None) -> bytes:
    """A data URI's bytes, or those of a file in or below `folder`: an avatar may not read elsewhere."""
    if not isinstance(uri, str):
        raise RigError(f"{name}: expected a buffer's or picture's URI, got {uri!r}")
    if uri.startswith("data:"):
        try:
            return base64.b64decode(uri.partition(",")[2], validate=True)
        except (binascii.Error, ValueError) as error:
            raise RigError(f"{name}: broken data URI: {error}") from error
    path = (folder / unquote(uri)).resolve() if folder is not None and "://" not in uri else None
    if path is None or not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise RigError(f"{name}: refers to {uri[:80]!r}, which is not beside it")
    return path.read_bytes()


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
