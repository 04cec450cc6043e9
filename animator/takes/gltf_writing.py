"""Animation written into glTF: keys appended behind a model's own data, and the container around it."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ..data import Array
from ..errors import SinkError
from .files import written_beside

FLOAT = 5126
TYPES = {1: "SCALAR", 3: "VEC3", 4: "VEC4"}
MAX_FILE_BYTES = (1 << 32) - (1 << 20)
"""A GLB's lengths are 32-bit numbers."""


class AnimationWriter:
    """Adds one animation to a glTF's description.

    description : changed in place
    binary      : what buffer 0 holds already"""

    def __init__(self, description: dict[str, Any], binary: bytes, name: str) -> None:
        self.description, self._pieces = description, [binary]
        self._length = len(binary)
        self._animation: dict[str, Any] = {"name": name, "channels": [], "samplers": []}
        self._times: int | None = None

    def times(self, times_s: Array) -> None:
        """Set when the keys of all channels are; (N,) seconds, rising in float32, from 0."""
        self._times = self._accessor(np.asarray(times_s, np.float32), 1, ranged=True)

    def channel(self, node: int, path: str, values: Array) -> None:
        """Animate a node's `rotation` (N, 4) x, y, z, w, `translation` (N, 3) or `weights` (N, targets)."""
        width = 1 if path == "weights" else values.shape[1]
        output = self._accessor(np.asarray(values, np.float32), width)
        self._animation["channels"].append(
            {"sampler": len(self._animation["samplers"]), "target": {"node": node, "path": path}}
        )
        self._animation["samplers"].append({"input": self._times, "output": output, "interpolation": "LINEAR"})

    def save(self, path: Path) -> None:
        """Write the `.glb`; the new animation comes before those that the model has."""
        said = self.description
        if self._animation["channels"]:
            said["animations"] = [self._animation, *said.get("animations", [])]
        buffers = said.setdefault("buffers", [{}])
        buffers[0] = {**buffers[0], "byteLength": self._length}
        save_glb(path, said, self._pieces, self._length)

    def _accessor(self, values: Array, width: int, *, ranged: bool = False) -> int:
        said = self.description
        self._pad()
        views, accessors = said.setdefault("bufferViews", []), said.setdefault("accessors", [])
        views.append({"buffer": 0, "byteOffset": self._length, "byteLength": values.nbytes})
        made: dict[str, Any] = {
            "bufferView": len(views) - 1, "componentType": FLOAT, "count": values.size // width, "type": TYPES[width],
        }  # fmt: skip
        if ranged:
            made |= {"min": [float(values.min())], "max": [float(values.max())]}
        accessors.append(made)
        self._pieces.append(memoryview(np.ascontiguousarray(values)).cast("B"))
        self._length += values.nbytes
        return len(accessors) - 1

    def _pad(self) -> None:
        gap = -self._length % 4
        self._pieces.append(bytes(gap))
        self._length += gap


def save_glb(path: Path, description: dict[str, Any], pieces: Iterable[Any], length: int) -> None:
    """Write a binary glTF.

    pieces : buffer 0, `length` bytes in all"""
    text = json.dumps(description, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 4)
    gap = -length % 4
    whole = 28 + len(text) + length + gap
    if whole > MAX_FILE_BYTES:
        raise SinkError(f"cannot write {path}: {whole / 1e9:.1f} GB, and a .glb holds 4; use --start, --end or --fps")
    with written_beside(path) as scratch, scratch.open("wb") as file:
        file.write(struct.pack("<4sII", b"glTF", 2, whole))
        file.write(struct.pack("<I4s", len(text), b"JSON") + text)
        file.write(struct.pack("<I4s", length + gap, b"BIN\0"))
        for piece in pieces:
            file.write(piece)
        file.write(bytes(gap))


def key_times(times_s: Array) -> tuple[Array, Array]:
    """When keys are, from 0 in float32, and which frames have one: two that float32 cannot tell apart share one.

    times_s : (N,) seconds; returns (K,) float32 and (K,) rows"""
    since = (times_s - times_s[0]).astype(np.float32)
    rows = np.flatnonzero(np.concatenate([[True], np.diff(since) > 0]))
    return since[rows], rows


def steady(wxyz: Array) -> Array:
    """(N, 4) x, y, z, w float32, each on the same side as the one before: a player takes the short way."""
    signs = np.sign(np.einsum("ni,ni->n", wxyz[1:], wxyz[:-1]))
    signs = np.cumprod(np.concatenate([[1.0], np.where(signs == 0, 1, signs)]))
    return (wxyz[:, [1, 2, 3, 0]] * signs[:, None]).astype(np.float32)
