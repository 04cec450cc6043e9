"""What a person may change about solved motion, by taste: gain, offset and calm of groups of channels, and blinks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ..channels import ARKIT, INDEX
from ..data import Array, Expression, Gaze, Motion
from ..errors import SettingError
from ..maths.filters import OneEuro
from ..maths.mirror import mirrored_motion
from .gaze import LIMIT_RAD, LOOK_CHANNELS, look_weights
from .smoothing import CALMEST_HZ, GAZE_BETA, QUICKEST_HZ, SPEED_HZ, WEIGHT_BETA

_BEGINNINGS = {
    "brows": ("brow",),
    "eyes": ("eyeBlink", "eyeSquint", "eyeWide"),
    "gaze": ("eyeLook",),
    "jaw": ("jaw",),
    "mouth": ("mouth", "tongue"),
    "cheeks": ("cheek",),
    "nose": ("nose",),
}
GROUPS: dict[str, tuple[str, ...]] = {
    group: tuple(name for name in ARKIT if name.startswith(beginnings)) for group, beginnings in _BEGINNINGS.items()
}
"""The groups of channels by their names; each channel is in one. `eyes` are the lids."""
BLINKS = ("off", "partial", "full")
LIMITS = {"gain": (0.0, 4.0), "offset": (-1.0, 1.0), "smoothing": (0.0, 1.0)}

# On takes held out of learning: where both lids do the same, what is solved differs by 0.03 (median), 0.11 (90 %),
# 0.17 (99 %); in true winks by 0.21 (10 %), 0.47 (median). F1 of eyeBlink at 0.5, random takes (their winks alone) and
# captured ones: off 0.880 (0.89), 0.921; partial 0.880 (0.89), 0.919; full 0.852 (0.32), 0.919. So linking is a matter
# of looks, not of exactness, and off unless asked for.
LINKED_BELOW, FREE_FROM = 0.1, 0.3
"""`partial`: lids that differ by less than the one are made equal, by more than the other are left alone."""
_EYES = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]


@dataclass(frozen=True, slots=True)
class TuningConfig:
    """How solved motion is changed before anything else sees it: avatars, takes and senders get it tuned.

    The keys of `gain`, `offset` and `smoothing` are groups (`GROUPS`) or channels; a channel's own wins."""

    gain: Mapping[str, float] = field(default_factory=dict)
    """0 to 4, what weights are multiplied by; of `gaze`, the angles of the eyes too."""
    offset: Mapping[str, float] = field(default_factory=dict)
    """-1 to 1, added after the gain; not for gaze."""
    smoothing: Mapping[str, float] = field(default_factory=dict)
    """0 (off) to 1 (calmest), in place of the solver's own."""
    blinks: str = "off"
    """Linked lids: "off", "partial" (nearly equal blinks are made equal, a wink stays), "full"."""
    mirror: bool = False
    """Swap left and right of the motion itself, for a camera that gives mirrored pictures."""
    min_confidence: float = 0.0
    """A face whose presence is below this counts as not seen: 0 to 1."""

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            _check_keys(name, getattr(self, name), low, high)
        if "gaze" in self.offset:
            raise SettingError("offset: wanted a group or channel other than gaze, which is angles, got 'gaze'")
        if self.blinks not in BLINKS:
            raise SettingError(f"blinks: wanted {', '.join(BLINKS)}, got {self.blinks!r}")
        if not 0 <= self.min_confidence <= 1:
            raise SettingError(f"min_confidence: wanted 0 to 1, got {self.min_confidence}")


def _check_keys(name: str, values: Mapping[str, float], low: float, high: float) -> None:
    for key, value in values.items():
        if key in GROUPS["gaze"]:
            raise SettingError(f"{name}: wanted gaze, as the eyeLook channels follow from its angles, got {key!r}")
        if key not in GROUPS and key not in INDEX:
            raise SettingError(f"{name}: wanted {', '.join(GROUPS)} or an ARKit channel, got {key!r}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise SettingError(f"{name}: {key}: wanted {low:g} to {high:g}, got {value!r}")


def of_channels(values: Mapping[str, float], default: float) -> Array:
    """(52,) float64: each channel's own value, else its group's, else the default."""
    out = np.full(len(ARKIT), default)
    for group in GROUPS.keys() & values.keys():
        out[[INDEX[name] for name in GROUPS[group]]] = values[group]
    for name in INDEX.keys() & values.keys():
        out[INDEX[name]] = values[name]
    return out


def linked(blinks: Array, how: str) -> Array:
    """(2,) left and right lids, linked as one of `BLINKS` says: `full` gives both the mean."""
    if how == "off":
        return blinks
    share = 1.0
    if how == "partial":
        share = np.clip((FREE_FROM - abs(blinks[0] - blinks[1])) / (FREE_FROM - LINKED_BELOW), 0.0, 1.0)
    return blinks + share * (blinks.mean() - blinks)


class Tuner:
    """Tunes the motion of one performer."""

    def __init__(self, config: TuningConfig) -> None:
        self._config = config
        self._is_plain = config == TuningConfig(min_confidence=config.min_confidence)
        self._gain, self._offset = of_channels(config.gain, 1.0), of_channels(config.offset, 0.0)
        calm = of_channels(config.smoothing, np.nan)
        self._filters = [(np.flatnonzero(calm == knob), _filter(knob, WEIGHT_BETA)) for knob in {*calm[calm >= 0]}]
        self._gaze_gain, self._gaze_calm = config.gain.get("gaze", 1.0), config.smoothing.get("gaze")
        self._gaze_filter = _filter(self._gaze_calm or 0.0, GAZE_BETA)

    def tuned(self, motion: Motion, weights: Array, angles_rad: Array) -> Motion:
        """The motion as it is to be seen by all.

        motion     : smoothed by the solver
        weights    : (52,) the same before smoothing, for groups that have a smoothing of their own
        angles_rad : (2, 2) gaze before smoothing, likewise"""
        if self._is_plain:
            return motion
        shown = motion.expression.weights.astype(np.float64)
        for chosen, calm in self._filters:
            shown[chosen] = weights[chosen] if calm is None else calm.step(weights[chosen], motion.time_s)
        shown[_EYES] = linked(shown[_EYES], self._config.blinks)
        shown = shown * self._gain + self._offset
        angles_rad = self._gaze(motion, angles_rad)
        if angles_rad is not motion.gaze.angles_rad:
            shown[LOOK_CHANNELS] = look_weights(angles_rad)  # both ways of telling a gaze must agree
        expression = Expression(np.clip(shown, 0.0, 1.0).astype(np.float32))
        tuned = replace(motion, gaze=Gaze(angles_rad), expression=expression)
        return mirrored_motion(tuned) if self._config.mirror else tuned

    def _gaze(self, motion: Motion, seen_rad: Array) -> Array:
        angles_rad = motion.gaze.angles_rad
        if self._gaze_calm is not None:
            calm = self._gaze_filter
            angles_rad = (seen_rad if calm is None else calm.step(seen_rad, motion.time_s)).copy()
        if self._gaze_gain != 1:
            angles_rad = np.clip(angles_rad * self._gaze_gain, -LIMIT_RAD, LIMIT_RAD)
        return angles_rad


def _filter(knob: float, beta: float) -> OneEuro | None:
    """As the solver's own smoothing would be with that knob; None if it is off."""
    if knob <= 0:
        return None
    return OneEuro(QUICKEST_HZ * (CALMEST_HZ / QUICKEST_HZ) ** knob, beta * 4.0 ** (1 - 2 * knob), SPEED_HZ)
