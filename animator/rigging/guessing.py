"""Which channels drive what, in a file that nobody has described to us: by names, then by likely names.

In this order, and nothing is driven twice:
1. Perfect Sync: expressions that are called like ARKit's channels; then morphs that are.
2. Presets of a VRM that move something: vowels, blinks, moods, looks.
3. Morphs whose names are likely (`mouth-open`, `Fcl_BRW_Angry`), where 1 and 2 leave a channel without effect.
4. Morphs that are called like presets (`viseme_aa`, `vrc.v_oh`, `まばたき`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..channels import ARKIT, INDEX
from ..data import Array
from ..rig import Expressions
from .mapping import mapping_from_names
from .naming import CHANNEL_BY_SPELLING, COVERED_BY, COVERS, GUESS_BY_NAME, PRESET_BY_NAME, plain
from .presets import FORMULAS
from .vrm import PRESETS, VrmExpression


def driven_by(
    morph_names: Sequence[str],
    expressions: Sequence[VrmExpression],
    rows: Mapping[tuple[int, int], int],
    has_eye_joints: bool,
    parts_of_material: Mapping[int, tuple[int, ...]] | None = None,
) -> tuple[Array, Expressions | None, tuple[str, ...]]:
    """The mapping and the expressions of an avatar, and what was guessed.

    rows    : (owner, target) of a VRM's bind -> morph
    parts_of_material : a file's material -> parts of the rig
    returns : (M, 52) float32, expressions or None, notes"""
    count = len(morph_names)
    made = _Made(count, parts_of_material or {})
    mapping = mapping_from_names(morph_names)
    for expression in expressions:
        channel = CHANNEL_BY_SPELLING.get(plain(expression.name))
        if channel is not None and expression.name not in PRESETS and expression.acts:
            binds = _binds(expression, rows, count)
            made.add(expression, binds, gain_of=channel)
            mapping[:, channel] = 0  # the clip drives its morphs
    reached = mapping.any(0) | made.reached()
    bound = {}
    for expression in expressions:
        name = expression.name if expression.name in PRESETS else PRESET_BY_NAME.get(plain(expression.name), "")
        if name in FORMULAS and expression.acts and name not in bound:
            bound[name] = (expression, _binds(expression, rows, count))
    guessed = _guess_channels(morph_names, mapping, reached, bound)
    mapping += guessed
    reached = reached | guessed.any(0)
    notes = [f"guessed: {morph_names[row]} follows {', '.join(ARKIT[c] for c in np.flatnonzero(guessed[row]))}"
             for row in np.flatnonzero(guessed.any(1))]  # fmt: skip
    taken, likely = mapping.any(1), []
    for row, morph in enumerate(morph_names):
        preset = PRESET_BY_NAME.get(plain(morph))
        if preset is not None and preset not in bound and not taken[row]:
            binds = np.zeros(count, np.float32)
            binds[[r for r, other in enumerate(morph_names) if other == morph]] = 1
            bound[preset] = (VrmExpression(morph, ()), binds)
            likely.append(preset)
    for preset in FORMULAS:
        if preset in bound and _wanted(preset, reached, bound, has_eye_joints):
            made.add(*bound[preset], preset=preset)
            if preset in likely:
                notes.append(f"guessed: {bound[preset][0].name} is the preset {preset}")
    return mapping, made.expressions(), tuple(notes)


def _wanted(preset: str, reached: Array, bound: Mapping[str, object], has_eye_joints: bool) -> bool:
    """Whether a preset adds something to what channels reach by themselves."""
    if reached[INDEX[COVERS[preset]]] or (preset == "ee" and reached[INDEX["mouthSmileLeft"]] and "aa" not in bound):
        return False
    if preset == "blink":
        return not {"blinkLeft", "blinkRight"} <= bound.keys()
    return not (preset.startswith("look") and has_eye_joints)


def _guess_channels(morph_names: Sequence[str], mapping: Array, reached: Array, bound: Mapping[str, object]) -> Array:
    """(M, 52): gains of morphs whose names are likely."""
    guessed = np.zeros_like(mapping)
    for row, name in enumerate(morph_names):
        gains = GUESS_BY_NAME.get(plain(name), {})
        free = {channel: gain for channel, gain in gains.items()
                if not reached[INDEX[channel]] and COVERED_BY.get(channel) not in bound}  # fmt: skip
        if mapping[row].any() or len(free) < len(gains):
            continue
        for channel, gain in free.items():
            guessed[row, INDEX[channel]] = gain
    return guessed


def _binds(expression: VrmExpression, rows: Mapping[tuple[int, int], int], count: int) -> Array:
    """(M,) float32 morph weights at value 1."""
    binds = np.zeros(count, np.float32)
    for bind in expression.binds:
        row = rows.get((bind.owner, bind.target))
        if row is not None:  # a mesh that no node shows is not there
            binds[row] += bind.weight
    return binds


class _Made:
    """Expressions, collected."""

    def __init__(self, morphs: int, parts_of_material: Mapping[int, tuple[int, ...]]) -> None:
        self._morphs, self._parts_of_material = morphs, parts_of_material
        self._said: list[tuple[VrmExpression, Array, str, int]] = []

    def add(self, expression: VrmExpression, binds: Array, preset: str = "", gain_of: int = -1) -> None:
        self._said.append((expression, binds, preset, gain_of))

    def reached(self) -> Array:
        """(52,) bool."""
        reached = np.zeros(len(ARKIT), bool)
        reached[[channel for _, _, _, channel in self._said if channel >= 0]] = True
        return reached

    def expressions(self) -> Expressions | None:
        if not self._said:
            return None
        gains = np.zeros((len(self._said), len(ARKIT)), np.float32)
        for row, (_, _, _, channel) in enumerate(self._said):
            if channel >= 0:
                gains[row, channel] = 1
        return Expressions(
            names=tuple(expression.name for expression, _, _, _ in self._said),
            presets=tuple(preset for _, _, preset, _ in self._said),
            gains=gains,
            binds=np.array([binds for _, binds, _, _ in self._said], np.float32),
            is_binary=np.array([expression.is_binary for expression, _, _, _ in self._said]),
            overrides=np.array([expression.overrides for expression, _, _, _ in self._said], np.int8),
            looks=tuple(bind.look(row, self._parts_of_material)
                        for row, (expression, _, _, _) in enumerate(self._said) for bind in expression.looks),
        )
