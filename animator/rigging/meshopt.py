"""EXT_meshopt_compression: compressed buffer views become plain ones.

The package on PyPI that decodes these comes without wheels and needs a compiler, and the format is small:
https://github.com/KhronosGroup/glTF/tree/main/extensions/2.0/Vendor/EXT_meshopt_compression
The walk over a stream's group headers is Python's, what lies between is numpy's: 25 000 vertices of 16
bytes take 30 ms.
"""

from __future__ import annotations

import numpy as np

from ..data import Array

_GROUP = 16
_NO_VERTEX = 0xFFFFFFFF
_BITS_EXTRA = {1: [sum((b >> s) & 3 == 3 for s in (0, 2, 4, 6)) for b in range(256)],
               2: [(b & 15 == 15) + (b >> 4 == 15) for b in range(256)]}  # fmt: skip
"""By group mode: how many of the values packed in a byte are escapes, each followed by a whole byte."""


def decoded_view(data: bytes, count: int, stride: int, mode: str, filter_name: str) -> bytes:
    """The plain bytes of a view: `count` elements of `stride` bytes.

    mode        : ATTRIBUTES, TRIANGLES or INDICES
    filter_name : NONE, OCTAHEDRAL, QUATERNION or EXPONENTIAL
    raises      : ValueError or IndexError for a broken stream"""
    if mode == "ATTRIBUTES":
        if stride % 4 or not 0 < stride <= 256:
            raise ValueError(f"attributes of {stride} bytes")
        elements = _attributes(data, count, stride)
        return _FILTERS[filter_name](elements).tobytes() if count else b""
    if mode not in ("TRIANGLES", "INDICES") or stride not in (2, 4):
        raise ValueError(f"mode {mode} of {stride} bytes")
    if count > 4 * len(data) + 64 and mode == "TRIANGLES":
        raise ValueError(f"{count} indices in {len(data)} bytes")
    indices = (_triangles if mode == "TRIANGLES" else _sequence)(data, count)
    return np.array(indices, np.uint64).astype(f"<u{stride}").tobytes()


def _attributes(data: bytes, count: int, stride: int) -> Array:
    """(count, stride) uint8."""
    tail = max(stride, 32)
    if len(data) < 1 + tail or data[0] != 0xA0:
        raise ValueError("no vertex stream of version 0")
    end = len(data) - tail
    last = np.frombuffer(data, np.uint8, stride, len(data) - stride)
    per_block = min((8192 // stride) & ~(_GROUP - 1), 256)
    blocks = [(first, min(per_block, count - first)) for first in range(0, count, per_block)]
    offsets, modes, at = [], [], 1
    for _, size in blocks:
        groups = -(-size // _GROUP)
        for _ in range(stride):
            header, at = at, at + (groups + 3) // 4
            if at > end:
                raise ValueError("the stream ends early")
            for group in range(groups):
                mode = (data[header + group // 4] >> (group % 4 * 2)) & 3
                modes.append(mode)
                offsets.append(at)
                if mode == 3:
                    at += 16
                elif mode:
                    packed = 4 * mode
                    extra = _BITS_EXTRA[mode]
                    at += packed + sum(extra[b] for b in data[at : at + packed])
            if at > end:
                raise ValueError("the stream ends early")
    deltas = _groups(np.frombuffer(data, np.uint8), np.array(offsets, np.int64), np.array(modes, np.int8))
    result, row = np.empty((count, stride), np.uint8), 0
    for first, size in blocks:
        groups = -(-size // _GROUP)
        block = deltas[row : row + groups * stride].reshape(stride, groups * _GROUP)[:, :size]
        row += groups * stride
        steps = (block >> 1) ^ -(block & 1).astype(np.uint8)
        result[first : first + size] = (np.cumsum(steps, axis=1, dtype=np.uint8) + last[:, None]).T
        last = result[first + size - 1]
    return result


def _groups(data: Array, offsets: Array, modes: Array) -> Array:
    """(G, 16) uint8: the values of each group."""
    values = np.zeros((len(offsets), _GROUP), np.uint8)
    raw = np.flatnonzero(modes == 3)
    values[raw] = data[offsets[raw, None] + np.arange(16)]
    for mode, bits in ((1, 2), (2, 4)):
        rows = np.flatnonzero(modes == mode)
        if not len(rows):
            continue
        packed = data[offsets[rows, None] + np.arange(4 * mode)]
        shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
        escape = (1 << bits) - 1
        small = ((packed[:, :, None] >> shifts) & escape).reshape(len(rows), _GROUP)
        is_escape = small == escape
        place = offsets[rows, None] + 4 * mode + np.cumsum(is_escape, axis=1) - 1
        values[rows] = np.where(is_escape, data[np.minimum(place, len(data) - 1)], small)
    return values


class _Varints:
    """Numbers of 7 bits a byte, zigzag, each a step from another number."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self.at = data, at

    def byte(self) -> int:
        value = self._data[self.at]
        self.at += 1
        return value

    def number(self) -> int:
        result = 0
        for shift in range(0, 35, 7):
            byte = self.byte()
            result |= (byte & 127) << shift
            if byte < 128:
                break
        return result & _NO_VERTEX

    def step(self, last: int) -> int:
        value = self.number()
        return (last + ((value >> 1) ^ -(value & 1))) & _NO_VERTEX


def _triangles(data: bytes, count: int) -> list[int]:
    """The triangles' corners: each triangle shares an edge with one of the last 16, or brings new vertices."""
    if count % 3 or len(data) < 1 + count // 3 + 16 or data[0] not in (0xE0, 0xE1):
        raise ValueError("no index stream of version 0 or 1")
    near_codes = 13 if data[0] == 0xE1 else 15
    table = data[-16:]
    stream = _Varints(data[:-16], 1 + count // 3)
    edges, vertices = [(_NO_VERTEX, _NO_VERTEX)] * 16, [_NO_VERTEX] * 16
    edge_at = vertex_at = new = last = 0
    out: list[int] = []

    def push(vertex: int) -> None:
        nonlocal vertex_at
        vertices[vertex_at] = vertex
        vertex_at = (vertex_at + 1) & 15

    for code in data[1 : 1 + count // 3]:
        if code < 0xF0:
            a, b = edges[(edge_at - 1 - (code >> 4)) & 15]
            near = code & 15
            if near < near_codes:
                c = vertices[(vertex_at - 1 - near) & 15] if near else new
                if not near:
                    new += 1
                    push(c)
            else:
                c = last = stream.step(last) if near == 15 else last + (near - (near ^ 3))
                push(c)
            added = ((c, b), (a, c))
        else:
            if code < 0xFE:
                codes = (0, table[code & 15] >> 4, table[code & 15] & 15)
            else:
                byte = stream.byte()
                codes = (0 if code == 0xFE else 15, byte >> 4, byte & 15)
                if byte == 0:
                    new = 0
            corners = []
            for near in codes:
                if near == 0:
                    corners.append(new)
                    new += 1
                elif near == 15 and code >= 0xFE:
                    corners.append(-1)
                else:
                    corners.append(vertices[(vertex_at - near) & 15])
            for which in range(3):
                if corners[which] == -1:
                    corners[which] = last = stream.step(last)
            a, b, c = corners
            for which, near in enumerate(codes):
                if near == 0 or (near == 15 and code >= 0xFE):
                    push(corners[which])
            added = ((b, a), (c, b), (a, c))
        out += (a, b, c)
        for edge in added:
            edges[edge_at] = edge
            edge_at = (edge_at + 1) & 15
    return out


def _sequence(data: bytes, count: int) -> list[int]:
    """Indices as steps from one of two last ones."""
    if len(data) < 1 + count + 4 or data[0] not in (0xD0, 0xD1):
        raise ValueError("no index sequence of version 0 or 1")
    stream, last, out = _Varints(data[:-4], 1), [0, 0], []
    for _ in range(count):
        value = stream.number()
        which, value = value & 1, value >> 1
        last[which] = (last[which] + ((value >> 1) ^ -(value & 1))) & _NO_VERTEX
        out.append(last[which])
    return out


def _octahedral(elements: Array) -> Array:
    """Unit vectors that were folded onto an octahedron: 4 int8 or 4 int16."""
    dtype = {4: np.int8, 8: np.int16}[elements.shape[1]]
    values = elements.view(dtype).astype(np.float32)
    x, y = values[:, 0], values[:, 1]
    z = values[:, 2] - np.abs(x) - np.abs(y)
    below = np.minimum(z, 0)
    x, y = x + np.where(x >= 0, below, -below), y + np.where(y >= 0, below, -below)
    unit = np.stack([x, y, z], 1)
    unit *= np.iinfo(dtype).max / np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-20)
    values[:, :3] = np.sign(unit) * np.floor(np.abs(unit) + 0.5)
    return values.astype(dtype)


def _quaternion(elements: Array) -> Array:
    """Rotations of which the largest number was left out: 4 int16."""
    values = elements.view(np.int16)
    scale = 1 / (np.sqrt(2) * (values[:, 3] | 3))
    xyz = values[:, :3] * scale[:, None]
    w = np.sqrt(np.maximum(0, 1 - (xyz**2).sum(1)))
    full = np.round(np.concatenate([w[:, None], xyz], 1) * 32767).astype(np.int16)
    place = ((values[:, 3] & 3)[:, None] + np.arange(4)) & 3
    out = np.empty_like(full)
    np.put_along_axis(out, place, full, 1)
    return out


def _exponential(elements: Array) -> Array:
    """Floats as 24 bits of a number and 8 of its power of two."""
    values = elements.view(np.int32)
    with np.errstate(over="ignore"):
        return np.ldexp(((values << 8) >> 8).astype(np.float32), values >> 24).astype(np.float32)


_FILTERS = {"NONE": lambda elements: elements, "OCTAHEDRAL": _octahedral, "QUATERNION": _quaternion,
            "EXPONENTIAL": _exponential}  # fmt: skip
