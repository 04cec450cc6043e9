"""From motion to morph weights: the mapping's table, then expressions with their rules."""

from __future__ import annotations

import numpy as np

from ..data import Array, Motion
from ..rig import Rig
from .presets import preset_values
from .vrm import GROUP_OF_PRESET


class MorphDriver:
    """Weights of one rig's morphs; keeps its buffers."""

    def __init__(self, rig: Rig) -> None:
        self._mapping = np.ascontiguousarray(rig.mapping, np.float32)
        self._weights = np.zeros(len(rig.mapping), np.float32)
        self._look_at, self._said = rig.look_at, rig.expressions
        self.values_now: Array | None = None
        """(E,) the expressions' values of the last `weights`."""
        if self._said is not None:
            said = self._said
            groups = [GROUP_OF_PRESET.get(preset or name, -1) for name, preset in
                      zip(said.names, said.presets, strict=True)]  # fmt: skip
            self._in_group = np.array([[group == g for group in groups] for g in range(3)], bool)
            self._by_formula = [(row, preset) for row, preset in enumerate(said.presets) if preset]
            self._has_rules = bool(said.is_binary.any() or said.overrides.any())

    def weights(self, motion: Motion) -> Array:
        """(M,) float32 in 0..1, overwritten by the next call."""
        channels = motion.expression.weights
        np.matmul(self._mapping, channels, out=self._weights, casting="same_kind")
        if self._said is not None:
            self.values_now = self.values(motion)
            self._weights += self.values_now @ self._said.binds
        return np.clip(self._weights, 0.0, 1.0, out=self._weights)

    def values(self, motion: Motion) -> Array:
        """(E,) float32 in 0..1: the expressions' values after all rules."""
        said = self._said
        values = said.gains @ motion.expression.weights
        if self._by_formula:
            presets = preset_values(motion.expression.weights, motion.gaze.angles_rad, self._look_at)
            for row, preset in self._by_formula:
                values[row] = presets[preset]
        np.clip(values, 0.0, 1.0, out=values)
        if self._has_rules:
            values = self._ruled(values)
        return values.astype(np.float32, copy=False)

    def _ruled(self, values: Array) -> Array:
        """Binary ones are 0 or 1; some hold back the blinks, the gaze or the mouth of others, never of their own."""
        said = self._said
        values = np.where(said.is_binary, (values > 0.5).astype(values.dtype), values)
        held = values.copy()
        for group, members in enumerate(self._in_group):
            outside = np.where(members, 0.0, values)
            if (outside[said.overrides[:, group] == 1] > 0).any():
                share = 0.0
            else:
                share = 1.0 - min(float(outside[said.overrides[:, group] == 2].sum()), 1.0)
            if share < 1.0:  # a binary one is held back as a whole
                held[members] = np.where(said.is_binary[members], 0.0, values[members] * share)
        return held
