"""ARKit's 52 expression channels: names, order, left and right.

The order is that of Apple's topic groups, which is also Unreal's `EARFaceBlendShape` and the order of
the Live Link Face packet. Left and right are always the subject's.
"""

from __future__ import annotations

ARKIT: tuple[str, ...] = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft",
    "eyeSquintLeft", "eyeWideLeft",
    "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight",
    "eyeSquintRight", "eyeWideRight",
    "jawForward", "jawLeft", "jawRight", "jawOpen",
    "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight",
    "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight",
    "mouthUpperUpLeft", "mouthUpperUpRight",
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight",
    "tongueOut",
)  # fmt: skip
"""The 52 channel names in the order used everywhere inside."""

INDEX: dict[str, int] = {name: i for i, name in enumerate(ARKIT)}
"""Channel name -> position in `ARKIT`."""

UNSEEN: tuple[str, ...] = ("tongueOut",)
"""Channels that the solver cannot see in 478 landmarks: always 0 from a camera, and shown as such."""


def mirrored_name(name: str) -> str:
    """The channel of the other side: `eyeBlinkLeft` -> `eyeBlinkRight`; middle channels map to themselves."""
    if name.endswith("Left"):
        return name[:-4] + "Right"
    if name.endswith("Right"):
        return name[:-5] + "Left"
    return name


MIRRORED: tuple[int, ...] = tuple(INDEX[mirrored_name(name)] for name in ARKIT)
"""`weights[..., MIRRORED]` swaps left and right."""
