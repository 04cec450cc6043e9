"""How 52 channels drive an avatar's morphs: a table, read from `mapping.csv` or found by names."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..channels import ARKIT, INDEX
from ..data import Array
from ..errors import RigError

_LATERAL = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")


def mapping_from_names(morph_names: Sequence[str]) -> Array:
    """Each morph whose name is an ARKit channel's, in any of its spellings, follows that channel.

    returns : (M, 52) float32; rows of other morphs are 0"""
    mapping = np.zeros((len(morph_names), len(ARKIT)), np.float32)
    for row, name in enumerate(morph_names):
        channel = _CHANNEL_BY_SPELLING.get(_plain(name))
        if channel is not None:
            mapping[row, channel] = 1.0
    return mapping


def mapping_from_csv(path: Path, morph_names: Sequence[str]) -> Array:
    """Read a table in one of two forms.

    dense  : header `morph` and channel names, one row per morph, gains in the cells (empty: 0)
    sparse : header `morph,channel,gain`, one row per pair
    returns : (M, 52) float32; rows of morphs that the table does not name are 0"""
    try:
        with path.open(newline="", encoding="utf-8") as text:
            rows = [row for row in csv.reader(text) if row and not row[0].startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        raise RigError(f"cannot read {path}: {error}") from error
    if not rows or rows[0][0] != "morph":
        raise RigError(f"{path}: expected a header that begins with `morph`")
    header = rows[0]
    if header[1:] == ["channel", "gain"]:
        cells = [(row[0], row[1], row[2]) for row in rows[1:] if len(row) == 3]
    else:
        cells = [
            (row[0], channel, gain)
            for row in rows[1:]
            for channel, gain in zip(header[1:], row[1:], strict=False)
            if gain.strip()
        ]
    mapping = np.zeros((len(morph_names), len(ARKIT)), np.float32)
    row_of = {name: row for row, name in enumerate(morph_names)}
    for morph, channel, gain in cells:
        if morph not in row_of:
            raise RigError(f"{path}: the avatar has no morph {morph!r}")
        if channel not in INDEX:
            raise RigError(f"{path}: {channel!r} is not one of the 52 channels")
        try:
            mapping[row_of[morph], INDEX[channel]] = float(gain)
        except ValueError as error:
            raise RigError(f"{path}: {morph}, {channel}: expected a number, got {gain!r}") from error
    if not np.isfinite(mapping).all():
        raise RigError(f"{path}: expected finite gains")
    return mapping


def _plain(name: str) -> str:
    """A morph's name without exporter's prefix, case and separators: `head.eyeBlink_L` -> `eyeblinkl`."""
    return name.rpartition(".")[2].rpartition(":")[2].replace("_", "").replace(" ", "").lower()


def _spellings(channel: str) -> tuple[str, ...]:
    """The plain spellings of one channel: that of Apple's documentation and that of its run-time strings."""
    plain = channel.lower()
    if channel in _LATERAL:
        return (plain,)
    for side in ("left", "right"):
        if plain.endswith(side):
            return plain, plain[: -len(side)] + side[0]
    return (plain,)


_CHANNEL_BY_SPELLING = {spelling: INDEX[name] for name in ARKIT for spelling in _spellings(name)}
