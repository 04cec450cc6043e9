"""The names of expressions in VMC: ARKit's 52 as Perfect Sync clips, and the presets of VRM 0 and VRM 1.

Presets are heuristics: a mouth of five vowels cannot hold what 52 channels do. Each formula is undone exactly where
only its own channels move; see docs/protocols.md.
"""

from __future__ import annotations

import numpy as np

from ..channels import ARKIT, INDEX
from .reading import SPELLINGS

PERFECT_SYNC: tuple[str, ...] = tuple(name[0].upper() + name[1:] for name in ARKIT)
"""In the order of `channels.ARKIT`: `EyeBlinkLeft`."""
VRM0 = ("Blink_L", "Blink_R", "A", "I", "U", "E", "O")
VRM1 = ("blinkLeft", "blinkRight", "aa", "ih", "ou", "ee", "oh")
EMOTIONS0 = ("Joy", "Angry", "Sorrow", "Surprised")
EMOTIONS1 = ("happy", "angry", "sad", "surprised")

_BLINK_FULL = 0.85
"""eyeBlink of lids that touch: trackers seldom reach 1."""
_GAIN = 1.3


def presets_from_weights(weights: np.ndarray) -> list[float]:
    """(52,) weights -> blink left, blink right, aa, ih, ou, ee, oh, happy, angry, sad, surprised, in 0..1."""
    w = dict(zip(ARKIT, weights.tolist(), strict=True))

    def mean(name: str) -> float:
        return 0.5 * (w[name + "Left"] + w[name + "Right"])

    jaw, funnel = w["jawOpen"], w["mouthFunnel"]
    blinks = [_clipped((w["eyeBlink" + side] - 0.3 * w["eyeWide" + side]) / _BLINK_FULL) for side in ("Left", "Right")]
    aa = _clipped(_GAIN * jaw - 0.5 * funnel - 0.6 * w["mouthClose"])
    ih = _clipped(mean("mouthStretch") * (1 - jaw))
    ou = _clipped(_GAIN * w["mouthPucker"])
    ee = _clipped(0.6 * mean("mouthSmile") + 0.2 * jaw - aa)
    oh = _clipped(_GAIN * funnel * (0.4 + 0.6 * jaw))
    share = 1 / max(1.0, aa + ih + ou + ee + oh)
    brows = 0.3 * w["browInnerUp"] + 0.3 * mean("browOuterUp") + 0.4 * mean("eyeWide")
    return [
        *blinks,
        *(share * vowel for vowel in (aa, ih, ou, ee, oh)),
        _clipped(0.7 * mean("mouthSmile") + 0.3 * mean("cheekSquint")),
        _clipped(0.7 * mean("browDown") + 0.3 * mean("noseSneer")),
        _clipped(0.6 * mean("mouthFrown") + 0.4 * w["browInnerUp"] * (1 - mean("browOuterUp"))),
        _clipped(brows) if jaw > 0.1 else 0.0,
    ]


def _clipped(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _both(name: str, weight: float) -> dict[str, float]:
    return {name + "Left": weight, name + "Right": weight}


_CHANNELS_OF: dict[str, dict[str, float]] = {
    "blink": _both("eyeBlink", _BLINK_FULL),
    "blink_l blinkleft": {"eyeBlinkLeft": _BLINK_FULL},
    "blink_r blinkright": {"eyeBlinkRight": _BLINK_FULL},
    "a aa": {"jawOpen": 1 / _GAIN},
    "i ih": _both("mouthStretch", 1.0),
    "u ou": {"mouthPucker": 1 / _GAIN},
    "e ee": _both("mouthSmile", 0.5) | {"jawOpen": 0.1},
    "o oh": {"mouthFunnel": 0.9, "jawOpen": 0.6},
    "joy happy": _both("mouthSmile", 1.0) | _both("cheekSquint", 1.0),
    "angry": _both("browDown", 1.0) | _both("noseSneer", 1.0),
    "sorrow sad": _both("mouthFrown", 1.0) | {"browInnerUp": 1.0},
    "fun relaxed": _both("mouthSmile", 0.5),
    "surprised": _both("eyeWide", 1.0) | _both("browOuterUp", 1.0) | {"browInnerUp": 1.0, "jawOpen": 0.15},
    "lookup": _both("eyeLookUp", 1.0),
    "lookdown": _both("eyeLookDown", 1.0),
    "lookleft": {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0},
    "lookright": {"eyeLookInLeft": 1.0, "eyeLookOutRight": 1.0},
}
NAMES: dict[str, int] = {name.lower(): place for place, name in enumerate(PERFECT_SYNC)}
"""Every known name in lower case -> place in a reader's values: the 52 channels, then the presets."""
_rows: list[np.ndarray] = []
for _names, _channels in _CHANNELS_OF.items():
    _row = np.zeros(len(ARKIT))
    for _channel, _weight in _channels.items():
        _row[INDEX[_channel]] = _weight
    for _name in _names.split():
        NAMES[_name] = len(ARKIT) + len(_rows)
    _rows.append(_row)
CHANNELS_FROM_PRESETS = np.array(_rows)
"""(presets, 52): what one preset at 1 does to the channels."""
# The raw strings (eyeBlink_L) are not Perfect Sync, but some senders use them; none is the name of a preset.
for _spelling, _place in SPELLINGS.items():
    NAMES.setdefault(_spelling, _place)
