"""How 52 channels drive an avatar's morphs: a table, read from `mapping.csv` or found by names."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..channels import ARKIT, INDEX
from ..data import Array
from ..errors import RigError
from ..foreign import text_of
from ..rig import Rig
from .naming import CHANNEL_BY_SPELLING, plain

MAX_TABLE_BYTES = 2**20
MAX_GAIN = 1000.0


def mapping_from_names(morph_names: Sequence[str]) -> Array:
    """Each morph whose name is an ARKit channel's, in any of its spellings, follows that channel.

    returns : (M, 52) float32; rows of other morphs are 0"""
    mapping = np.zeros((len(morph_names), len(ARKIT)), np.float32)
    for row, name in enumerate(morph_names):
        channel = CHANNEL_BY_SPELLING.get(plain(name))
        if channel is not None:
            mapping[row, channel] = 1.0
    return mapping


def mapping_from_csv(path: Path, morph_names: Sequence[str]) -> Array:
    """Read a table in one of two forms.

    dense  : header `morph` and channel names, one row per morph, gains in the cells (empty: 0)
    sparse : header `morph,channel,gain`, one row per pair
    returns : (M, 52) float32; rows of morphs that the table does not name are 0"""
    mapping = np.zeros((len(morph_names), len(ARKIT)), np.float32)
    for morph, gains in _table(path).items():
        rows = [row for row, name in enumerate(morph_names) if name == morph]
        if not rows:
            raise RigError(f"{path}: the avatar has no morph {morph!r}")
        mapping[rows] = gains
    return mapping


def with_table(rig: Rig, path: Path) -> Rig:
    """The avatar with what a table says in place of what names told; what it does not name stays.

    Its first column names morphs or, of a VRM, expressions."""
    mapping, said = rig.mapping.copy(), rig.expressions
    gains = None if said is None else said.gains.copy()
    presets = [] if said is None else list(said.presets)
    for name, row_gains in _table(path).items():
        morphs = [row for row, morph in enumerate(rig.morph_names) if morph == name]
        expressions = [] if said is None else [row for row, other in enumerate(said.names) if other == name]
        if not morphs and not expressions:
            raise RigError(f"{path}: the avatar has no morph or expression {name!r}")
        if expressions:
            gains[expressions] = row_gains
            for row in expressions:
                presets[row] = ""
        else:
            mapping[morphs] = row_gains
    if said is not None:
        said = replace(said, gains=gains, presets=tuple(presets))
    return replace(rig, mapping=mapping, expressions=said)


def _table(path: Path) -> dict[str, Array]:
    """Name -> (52,) gains."""
    try:
        text = io.StringIO(text_of(path, MAX_TABLE_BYTES), newline="")
        rows = [row for row in csv.reader(text) if row and not row[0].startswith("#")]
    except (OSError, ValueError, csv.Error) as error:
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
    table: dict[str, Array] = {}
    for name, channel, gain in cells:
        gains = table.setdefault(name, np.zeros(len(ARKIT), np.float32))
        if channel not in INDEX:
            raise RigError(f"{path}: {channel!r} is not one of the 52 channels")
        try:
            gains[INDEX[channel]] = min(max(float(gain), -2 * MAX_GAIN), 2 * MAX_GAIN)
        except ValueError as error:
            raise RigError(f"{path}: {name}, {channel}: expected a number, got {gain!r}") from error
        if not abs(gains[INDEX[channel]]) < MAX_GAIN:  # false for NaN, too
            raise RigError(f"{path}: {name}, {channel}: expected a gain within {MAX_GAIN:g}, got {gain}")
    return table
