"""ARKit's 52 channels as displacements of the cage, in centimetres; left ones are mirrored to the right.

Lids are not here: they slide on the eyeballs and are made at full resolution in `lids.py`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from animator.channels import ARKIT, mirrored_name
from animator.data import Array
from animator.topology import LEFT_EYE, RIGHT_EYE

from .measured import Measured
from .muscles import JAW_OPEN_RAD, TONGUE_JAW_SHARE, Muscles

SYMMETRIC = (
    "jawOpen", "jawForward", "mouthClose", "mouthFunnel", "mouthPucker", "mouthRollLower", "mouthRollUpper",
    "mouthShrugLower", "mouthShrugUpper", "browInnerUp", "cheekPuff", "tongueOut",
)  # fmt: skip
INNER_BROW, MIDDLE_BROW, OUTER_BROW = (285, 336, 295, 296), (282, 334, 283, 293), (276, 300)


def left(across: Array, blur: float = 0.6) -> Array:
    """1 on the subject's left half of the lips, 0 on the right."""
    return _smooth(np.clip(0.5 + across / (2 * blur), 0, 1))


def corner(across: Array, power: float = 2.0) -> Array:
    """0 in the middle of the lips, 1 at the left corner, 0 on the right half."""
    return np.clip(across, 0, 1) ** power


def bow(across: Array) -> Array:
    """1 in the middle of the lips, 0 at both corners."""
    return np.cos(np.pi / 2 * np.clip(across, -1, 1))


def _smooth(x: Array) -> Array:
    return x * x * (3 - 2 * x)


def _stack(x: Array, y: Array, z: Array) -> Array:
    return np.stack(np.broadcast_arrays(x, y, z), -1).astype(float)


def all_channels(muscles: Muscles) -> dict[str, Array]:
    """(N, 3) cm for every channel; zero for those that only lids or the tongue perform."""
    made = {**_jaw(muscles), **_mouth_middle(muscles), **_mouth_left(muscles), **_upper_face(muscles)}
    measured = Measured(muscles)
    made = {name: measured.blended(name, moves) for name, moves in made.items()}
    nothing = np.zeros_like(muscles.cage.positions)
    result = {}
    for name in ARKIT:
        if name in made:
            result[name] = made[name]
        elif mirrored_name(name) in made:
            result[name] = muscles.mirrored(made[mirrored_name(name)])
        else:
            result[name] = nothing.copy()
    for name in SYMMETRIC:
        result[name] = 0.5 * (result[name] + muscles.mirrored(result[name]))
    return result


def _jaw(m: Muscles) -> dict[str, Array]:
    """The jaw moves as bone does; lips and cheeks take their share of it."""
    opened = m.jaw_turned(JAW_OPEN_RAD)
    inward = m.spread(m.lip_handles(lambda a, r, s: _stack(-0.14 * np.sign(a) * np.abs(a) ** 3, 0, 0)))
    shift = m.jaw[:, None] * np.array([0.60, -0.03, -0.05])
    forward = m.jaw[:, None] * np.array([0.0, -0.10, 0.62])
    closing = m.spread(
        m.lip_handles(
            lambda a, r, s: np.where(
                (s < 0)[:, None],
                -0.96 * opened[m.lips] + _stack(0, -0.10 * bow(a), 0),
                _stack(0, np.where(s > 0, -0.10 * bow(a), 0), 0) - 0.9 * (s == 0)[:, None] * opened[m.lips],
            )
        ),
        locality=0.03,
    )
    parting = m.spread(
        m.lip_handles(lambda a, r, s: _stack(0, np.where(s < 0, -0.30, np.where(s > 0, 0.10, 0)) * bow(a), 0))
    )
    return {
        "jawOpen": opened + inward,
        "tongueOut": m.jaw_turned(TONGUE_JAW_SHARE * JAW_OPEN_RAD) + parting,
        "jawForward": m.tied(forward),
        "jawLeft": m.tied(shift),
        "mouthClose": closing,
    }


def _mouth_middle(m: Muscles) -> dict[str, Array]:
    """Channels of the whole mouth."""

    def funnel(a: Array, r: Array, s: Array) -> Array:
        x = -0.62 * a * np.abs(a)
        y = np.where(s > 0, 0.34 - 0.10 * (1 - r), np.where(s < 0, -0.36 + 0.08 * (1 - r), 0))
        y = y * bow(a) ** 0.7
        return _stack(x, y, 0.30 + (0.22 + 0.22 * r) * bow(a))

    def pucker(a: Array, r: Array, s: Array) -> Array:
        x = -0.98 * a * np.abs(a) ** 0.6
        y = np.where(s > 0, 0.10, -0.12) * (1 - r) * bow(a) - 0.02
        return _stack(x, y - s * 0.03 * r, 0.28 + (0.35 + 0.22 * r) * bow(a))

    def sideways(a: Array, r: Array, s: Array) -> Array:
        back = -0.30 * np.clip(a, 0, 1) ** 2 + 0.22 * np.clip(-a, 0, 1) ** 2
        return _stack(0.85 - 0.25 * np.clip(a, 0, 1), 0.10 * np.clip(a, 0, 1) - 0.06 * np.clip(-a, 0, 1), back)

    def roll(sign: int) -> Callable[[Array, Array, Array], Array]:
        def lips(a: Array, r: Array, s: Array) -> Array:
            there = (s == sign) * bow(a) ** 0.6
            return _stack(0, -sign * there * (0.34 * (1 - r) ** 0.7 - 0.02), -there * (0.14 + 0.34 * r))

        return lips

    def shrug_lower(a: Array, r: Array, s: Array) -> Array:
        return _stack(0, bow(a) * np.where(s < 0, 0.34, 0.20), bow(a) * np.where(s < 0, 0.26 + 0.1 * r, 0.12))

    def shrug_upper(a: Array, r: Array, s: Array) -> Array:
        return _stack(0, np.where(s > 0, 0.30, 0.13) * bow(a), np.where(s > 0, 0.20 + 0.1 * r, 0.10) * bow(a))

    puff = m.lip_handles(lambda a, r, s: _stack(-0.10 * a, 0, 0.05 * bow(a)))
    for vertex, reach in ((425, 0.55), (411, 0.85), (416, 0.75), (427, 0.75), (434, 0.75), (432, 0.65),
                          (436, 0.45), (410, 0.3), (352, 0.35), (376, 0.6), (433, 0.6), (435, 0.5)):  # fmt: skip
        for v in (vertex, int(m.mirror[vertex])):
            side = np.sign(m.cage.positions[v, 0])
            puff[v] = reach * np.array([1.15 * side, -0.05, 0.78])
    chin = m.spread(
        {**m.lip_handles(shrug_lower), **dict.fromkeys((199, 175, 200), np.array([0, 0.30, 0.10]))}
    )
    return {
        "mouthFunnel": m.spread(m.lip_handles(funnel)),
        "mouthPucker": m.spread(m.lip_handles(pucker)),
        "mouthLeft": m.spread(m.lip_handles(sideways), locality=0.01),
        "mouthRollLower": m.spread(m.lip_handles(roll(-1))),
        "mouthRollUpper": m.spread(m.lip_handles(roll(1))),
        "mouthShrugLower": chin,
        "mouthShrugUpper": m.spread(m.lip_handles(shrug_upper)),
        "cheekPuff": m.spread(puff, locality=0.004),
    }


def _mouth_left(m: Muscles) -> dict[str, Array]:
    """Channels of one half of the mouth, made for the left."""

    def pulled(x: float, y: float, z: float, power: float = 1.7) -> dict[int, Array]:
        return m.lip_handles(lambda a, r, s: corner(a, power)[:, None] * np.array([x, y, z]))

    def lip(sign: int, y: float, z: float, also: float = 0.0) -> dict[int, Array]:
        def move(a: Array, r: Array, s: Array) -> Array:
            share = left(a) * np.where(s == sign, 1.0, also) * np.clip(1 - np.abs(a), 0, 1) ** 0.45
            return _stack(0.10 * share, y * share, z * share)

        return m.lip_handles(move)

    def press(a: Array, r: Array, s: Array) -> Array:
        share = left(a, 0.4) * np.clip(1 - np.abs(a) ** 4, 0, 1)
        out = corner(a, 2)
        return _stack(0.16 * out, -s * share * (0.26 * (1 - r)) + 0.06 * share, -0.26 * share * r - 0.18 * out)

    def smiling(a: Array, r: Array, s: Array) -> Array:
        pull = corner(a, 1.6)[:, None] * np.array([1.04, 1.14, -0.64])
        # Stretched lips grow thin, and part a little over the upper teeth.
        share = left(a) * np.clip(1 - np.abs(a) ** 3, 0, 1)
        parting = np.where(s > 0, 0.02 + 0.11 * r, np.where(s < 0, 0.20 - 0.27 * r, 0))
        return pull + _stack(0, share * parting, -0.10 * share)

    smile = m.lip_handles(smiling)
    # The cheek's ball rises over a fold that runs from the nose around the corner of the mouth.
    smile |= {425: np.array([0.26, 0.56, 0.46]), 280: np.array([0.16, 0.40, 0.28]), 330: np.array([0.10, 0.30, 0.20]),
              411: np.array([0.42, 0.50, 0.24]), 427: np.array([0.42, 0.40, 0.02]), 423: np.array([0.16, 0.22, -0.10]),
              426: np.array([0.40, 0.34, -0.38]), 436: np.array([0.56, 0.50, -0.44]),
              432: np.array([0.40, 0.36, -0.26]),
              358: np.array([0.12, 0.10, 0.0]), 1: np.zeros(3), 2: np.zeros(3)}  # fmt: skip
    sneer = {v: np.array([0.10, 0.42, 0.08]) for v in (327, 358, 278, 294, 331)}
    sneer |= {v: np.array([0.0, 0.26, 0.10]) for v in (279, 420, 360, 429)}
    sneer |= {1: np.zeros(3), 4: np.zeros(3), 285: np.array([-0.06, -0.14, 0.04])}
    sneer |= lip(1, 0.34, 0.06)
    upper = lip(1, 0.66, 0.12) | {v: np.array([0.04, 0.16, 0.05]) for v in (327, 391, 423)}
    return {
        "mouthSmileLeft": m.spread(smile),
        "mouthFrownLeft": m.spread(pulled(-0.05, -0.60, -0.02, 2.2)),
        "mouthDimpleLeft": m.spread(pulled(0.30, 0.05, -0.45, 2.5)),
        "mouthStretchLeft": m.spread(pulled(0.68, -0.22, -0.45, 1.5)),
        "mouthPressLeft": m.spread(m.lip_handles(press)),
        "mouthLowerDownLeft": m.spread(lip(-1, -0.72, 0.02)),
        "mouthUpperUpLeft": m.spread(upper),
        "noseSneerLeft": m.spread(sneer, locality=0.04),
    }


def _upper_face(m: Muscles) -> dict[str, Array]:
    """Brows and cheeks; lids only follow where skin pulls them."""
    still = {v: np.zeros(3) for v in (*_eye_ring(), 6, 197, 10, 109, 338, 454, 127)}
    down = still | {v: np.array([-0.22, -0.46, 0.12]) for v in INNER_BROW}
    down |= {v: np.array([-0.10, -0.42, 0.08]) for v in MIDDLE_BROW} | {9: np.array([0.0, -0.18, 0.06])}
    down |= {v: np.array([0.0, -0.14, 0.0]) for v in OUTER_BROW}
    outer = still | {v: np.array([0.05, 0.62, -0.10]) for v in (*OUTER_BROW, 293, 334)}
    outer |= {v: np.array([0.02, 0.38, -0.03]) for v in (282, 283)} | {285: np.array([0.0, 0.06, 0.0])}
    inner = dict(still)
    raised = ((INNER_BROW, (-0.06, 0.62, 0.0)), (MIDDLE_BROW, (0.0, 0.34, 0.0)), ((9, 8, 151), (0, 0.36, 0)))
    for vertices, move in raised:
        for v in vertices:
            inner[v] = np.array(move, float)
            inner[int(m.mirror[v])] = np.array(move, float) * [-1, 1, 1]
    cheek = {v: np.array([0.10, 0.46, 0.26]) for v in (280, 347, 346, 352, 330)}
    cheek |= {v: np.array([0.05, 0.26, 0.14]) for v in (449, 450, 451)} | {v: np.zeros(3) for v in (291, 358)}
    squint = {v: np.array([0.0, 0.12, 0.05]) for v in (449, 450, 451, 452, 448)}
    squint |= {v: np.array([-0.04, -0.10, 0.02]) for v in (283, 276, 300)}
    return {
        "browDownLeft": _left_half(m, m.spread(down, locality=0.04)),
        "browOuterUpLeft": _left_half(m, m.spread(outer, locality=0.04)),
        "browInnerUp": m.spread(inner, locality=0.03),
        "cheekSquintLeft": m.spread(cheek, locality=0.06),
        "eyeSquintLeft": m.spread(squint, locality=0.08),
    }


def _left_half(m: Muscles, moves: Array) -> Array:
    """Nothing beyond the middle line."""
    return moves * _smooth(np.clip((m.cage.positions[:, 0] + 0.3) / 1.2, 0, 1))[:, None]


def _eye_ring() -> tuple[int, ...]:
    """Lid edges of both eyes, which the brow does not drag along."""
    return (*LEFT_EYE, *RIGHT_EYE)
