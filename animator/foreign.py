"""Files of strangers: how large a claim is, is known before it is believed.

Everything here raises OSError or ValueError with a reason that fits in one line; the readers above say of which file.
"""

from __future__ import annotations

import json
import re
import struct
import tomllib
from pathlib import Path
from typing import Any

MAX_TEXT_BYTES = 512 * 2**20
MAX_TOML_BYTES, MAX_TOML_DOTS = 64 * 2**10, 2000
"""A key of n parts, `a.a.a...`, takes n * n steps to read: 16 000 of them 2.3 s."""
MAX_JSON_MEMORY = 640 * 2**20
"""An hour of motion at 60 frames a second takes 530 MB as Python's own numbers and lists."""
_JSON_COSTS = (("{", 240), ("[", 72), ('"', 40), (",", 32))
"""Bytes of memory for each, at the most: three bytes of file, `{},`, become 250."""
MAX_PICTURE_PX = 128 * 2**20
"""Of a photo. 400 MB when it is unpacked."""
_COMMANDS = re.compile("[\x7f-\x9f]")
_ESCAPE = re.compile(r"\\(u00(?:[01][0-9a-f]|7f|[89][0-9a-f])|.)", re.IGNORECASE | re.DOTALL)
"""Every escape in turn, so that an escaped backslash is none."""
_TIFF_KINDS = {1: "B", 3: "H", 4: "I"}
_JPEG_SIZES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD9)})


def text_of(path: Path, most_bytes: int = MAX_TEXT_BYTES) -> str:
    """A text file's contents, without a byte order mark."""
    if path.stat().st_size > most_bytes:
        raise ValueError(f"it has more than {most_bytes >> 20 or most_bytes / 2**20:.2g} MB")
    return path.read_text("utf-8-sig")


def json_from(text: str, most_memory: int = MAX_JSON_MEMORY) -> Any:
    """Parsed JSON, its texts without letters that command a terminal: names out of it are printed."""
    needed = sum(cost * text.count(letter) for letter, cost in _JSON_COSTS)
    if needed > most_memory:
        raise ValueError(f"it would take {needed >> 20} MB of memory; at most {most_memory >> 20} MB are given")
    text = _ESCAPE.sub(lambda found: " " if len(found[1]) > 1 else found[0], _COMMANDS.sub(" ", text))
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def toml_of(path: Path) -> dict[str, Any]:
    """A parsed TOML file."""
    text = text_of(path, MAX_TOML_BYTES)
    if text.count(".") > MAX_TOML_DOTS:
        raise ValueError(f"it has more than {MAX_TOML_DOTS} dots")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def inside(folder: Path, name: str) -> Path | None:
    """The file of a name in a folder or below it; None if there is none, or if it lies elsewhere when links are
    followed: what came with an avatar may not make us read anything else."""
    try:
        path = (folder / name).resolve()
        return path if path.is_relative_to(folder.resolve()) and path.is_file() else None
    except (OSError, ValueError, RuntimeError):  # a name that no file can have, a ring of links
        return None


def picture_bytes(path: Path) -> bytes:
    """A picture file's bytes, if it is of a kind that is read here and claims no more than `MAX_PICTURE_PX`."""
    if path.stat().st_size > MAX_TEXT_BYTES:
        raise ValueError(f"it has more than {MAX_TEXT_BYTES >> 20} MB")
    data = path.read_bytes()
    claimed = picture_size_px(data)
    if claimed is None or not 0 < claimed[0] * claimed[1] <= MAX_PICTURE_PX:
        got = "something else" if claimed is None else f"{claimed[0]} x {claimed[1]} pixels"
        raise ValueError(
            f"wanted a PNG, JPEG, WebP, BMP or TIFF of at most {MAX_PICTURE_PX >> 20} megapixels, got {got}"
        )
    return data


def picture_size_px(data: bytes) -> tuple[int, int] | None:
    """(width, height) that a PNG, JPEG, WebP, BMP or TIFF claims; None if it is none of them."""
    try:
        if data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR":
            return struct.unpack(">II", data[16:24])
        if data[:3] == b"\xff\xd8\xff":
            return _jpeg_size_px(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP" and len(data) >= 30:
            return _webp_size_px(data)
        if data[:2] == b"BM":
            width, height = struct.unpack_from("<ii" if data[14] != 12 else "<HH", data, 18)
            return abs(width), abs(height)
        if data[:4] in (b"II*\0", b"MM\0*"):
            return _tiff_size_px(data)
    except (struct.error, IndexError):  # it ends before it has said so
        pass
    return None


def _jpeg_size_px(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _JPEG_SIZES:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 1 if marker == 0xFF else 2 if marker in _JPEG_BARE else 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    return None


def _webp_size_px(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    return None


def _tiff_size_px(data: bytes) -> tuple[int, int] | None:
    """Of its first picture; a size that is not written as one whole number is none."""
    order = "<" if data[:1] == b"I" else ">"
    at = struct.unpack_from(order + "I", data, 4)[0]
    found = {}
    for entry in range(struct.unpack_from(order + "H", data, at)[0]):
        place = at + 2 + 12 * entry
        tag, kind, count = struct.unpack_from(order + "HHI", data, place)
        if tag in (256, 257) and count == 1 and kind in _TIFF_KINDS:
            found.setdefault(tag, []).append(struct.unpack_from(order + _TIFF_KINDS[kind], data, place + 8)[0])
    if found.keys() != {256, 257}:
        return None
    return max(found[256]), max(found[257])
