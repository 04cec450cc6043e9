"""From 52 channels and a gaze to VRM's presets, for avatars that have nothing finer.

The formulas are those that users of such avatars have settled on: vowels from jaw and lips, limited to a
sum of 1; moods from brows and mouth corners, and only once they are plain, as a faint smile is no joy.
"""

from __future__ import annotations

import numpy as np

from ..channels import ARKIT, INDEX
from ..data import Array
from ..rig import LookAt

FORMULAS = (
    "aa", "ih", "ou", "ee", "oh", "blinkLeft", "blinkRight", "blink", "happy", "angry", "sad", "surprised",
    "lookUp", "lookDown", "lookLeft", "lookRight",
)  # fmt: skip
"""Presets that channels drive; `relaxed` and `neutral` are no expression that a camera asks for."""
LEAST_MOOD = 0.25
"""Moods begin to show here."""
BARE_EYES = LookAt(True, (30.0, 1.0), (30.0, 1.0), (30.0, 1.0), (30.0, 1.0))
"""For look morphs of files that say nothing of ranges."""
SOURCES = {
    "aa": ("jawOpen",), "ih": ("mouthStretchLeft", "mouthStretchRight"), "ou": ("mouthPucker",),
    "ee": ("mouthSmileLeft", "mouthSmileRight"), "oh": ("mouthFunnel",),
    "blinkLeft": ("eyeBlinkLeft",), "blinkRight": ("eyeBlinkRight",), "blink": ("eyeBlinkLeft", "eyeBlinkRight"),
    "happy": ("mouthSmileLeft", "mouthSmileRight"), "angry": ("browDownLeft", "browDownRight"),
    "sad": ("mouthFrownLeft", "mouthFrownRight"), "surprised": ("browOuterUpLeft", "browOuterUpRight", "browInnerUp"),
    "lookUp": ("eyeLookUpLeft", "eyeLookUpRight"), "lookDown": ("eyeLookDownLeft", "eyeLookDownRight"),
    "lookLeft": ("eyeLookOutLeft", "eyeLookInRight"), "lookRight": ("eyeLookInLeft", "eyeLookOutRight"),
}  # fmt: skip
"""Preset -> the channels that it mainly shows."""

_I = {name: INDEX[name] for name in ARKIT}


def preset_values(channels: Array, gaze_rad: Array, look_at: LookAt | None) -> dict[str, float]:
    """The value of each of `FORMULAS`, 0..1.

    channels : (52,) weights
    gaze_rad : (2, 2) left and right eye x yaw (+ to the subject's left), pitch (+ up)"""
    c = channels.tolist()

    def mean(stem: str) -> float:
        return (c[_I[stem + "Left"]] + c[_I[stem + "Right"]]) / 2

    jaw, funnel = c[_I["jawOpen"]], c[_I["mouthFunnel"]]
    vowels = {
        "aa": _unit(1.3 * jaw - 0.5 * funnel - 0.6 * c[_I["mouthClose"]]),
        "ih": _unit(mean("mouthStretch") * (1 - jaw)),
        "ou": _unit(1.3 * c[_I["mouthPucker"]]),
        "oh": _unit(1.3 * funnel * (0.4 + 0.6 * jaw)),
    }
    vowels["ee"] = _unit(0.6 * mean("mouthSmile") + 0.2 * jaw * (mean("mouthSmile") > 0.1) - vowels["aa"])
    limit = max(sum(vowels.values()), 1.0)
    values = {name: value / limit for name, value in vowels.items()}
    for side in ("Left", "Right"):
        values["blink" + side] = _unit((c[_I["eyeBlink" + side]] - 0.3 * c[_I["eyeWide" + side]]) / 0.85)
    values["blink"] = (values["blinkLeft"] + values["blinkRight"]) / 2
    values["happy"] = _mood(0.7 * mean("mouthSmile") + 0.3 * mean("cheekSquint"))
    values["angry"] = _mood(0.7 * mean("browDown") + 0.3 * mean("noseSneer"))
    inner, outer = c[_I["browInnerUp"]], mean("browOuterUp")
    values["sad"] = _mood(0.6 * mean("mouthFrown") + 0.4 * inner * (outer < 0.3))
    values["surprised"] = _mood((0.3 * inner + 0.3 * outer + 0.4 * mean("eyeWide")) * _unit(10 * jaw))
    yaw_deg, up_deg = np.degrees(gaze_rad.mean(0)).tolist()
    maps = look_at if look_at is not None and look_at.by_expressions else BARE_EYES
    values["lookLeft"], values["lookRight"] = _unit(ranged(yaw_deg, maps.outer)), _unit(ranged(-yaw_deg, maps.outer))
    values["lookUp"], values["lookDown"] = _unit(ranged(up_deg, maps.up)), _unit(ranged(-up_deg, maps.down))
    return values


def ranged(angle_deg: float, pair: tuple[float, float]) -> float:
    """A range map: the output of an angle, 0 below 0."""
    return min(max(angle_deg, 0.0), pair[0]) / pair[0] * pair[1]


def _unit(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _mood(value: float) -> float:
    return _unit((value - LEAST_MOOD) / (1 - LEAST_MOOD))
