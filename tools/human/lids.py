"""Eyelids at full resolution: they turn about the eyeball's level axis and never come nearer than its skin."""

from __future__ import annotations

import numpy as np

from animator.data import Array
from animator.topology import LEFT_EYE, RIGHT_EYE

from .eyes import EYE_RADIUS_CM, LID_GAP_CM, eye_centre_cm

MEETING_SHARE = 0.14
"""Where closed lids meet, from the lower edge (0) to the upper (1)."""
UPPER_REACH_RAD, LOWER_REACH_RAD = 0.62, 0.75
"""How far above and below the edges skin still moves along."""
LID_CHANNELS = {
    # channel: upper lid's and lower lid's share of closing; negative opens
    "eyeBlink": (1.0, 1.0),
    "eyeSquint": (0.30, 1.5),
    "eyeWide": (-0.30, -0.5),
    "eyeLookDown": (0.17, -0.45),
    "eyeLookUp": (-0.24, 0.9),
    "eyeLookIn": (0.05, 0.3),
    "eyeLookOut": (0.04, 0.2),
}
SIDEWAYS_CM = {"eyeLookIn": -0.13, "eyeLookOut": 0.13}
"""Looking sideways drags the lids along a little; + is away from the nose."""


class Lids:
    """The lids of one eye on the refined head."""

    def __init__(self, side: int, points: Array, edge: Array, is_rim: Array) -> None:
        """points : (V, 3) cm at rest; edge : (E,) vertices on the lids' edges; is_rim : (V,) inner rims."""
        self.side, self.centre = side, eye_centre_cm(side)
        local = self._local(points)
        self.angle, self.radius = np.arctan2(local[:, 1], local[:, 2]), np.hypot(local[:, 1], local[:, 2])
        self.x, self.is_rim = local[:, 0], is_rim
        outline = local[edge]
        angle = np.arctan2(outline[:, 1], outline[:, 2])
        inner, outer = outline[:, 0].argmin(), outline[:, 0].argmax()
        self.corners = (outline[inner, 0], outline[outer, 0])
        line = np.interp(outline[:, 0], self.corners, angle[[inner, outer]])
        ends = np.isin(np.arange(len(edge)), (inner, outer))
        self._upper = _curve(outline[:, 0], angle, (angle >= line) | ends)
        self._lower = _curve(outline[:, 0], angle, (angle <= line) | ends)
        # Skin far from the eyeball, as on the brow's ridge, stays: it is no lid.
        away = np.linalg.norm(points - self.centre, axis=1)
        self.hold = 1 - _smooth((away - 1.75) / 0.95)
        near = away < 3.6
        facing = local[:, 2] > -0.2
        self.rows = np.flatnonzero(near & facing)

    def _local(self, points: Array) -> Array:
        """(..., 3) relative to the eyeball, x away from the nose."""
        return (points - self.centre) * [self.side, 1, 1]

    def edges_rad(self, x: Array) -> tuple[Array, Array]:
        """Angles of the upper and the lower edge at places across the eye."""
        return np.interp(x, *self._upper), np.interp(x, *self._lower)

    def turns(self, channel: str, x: Array, angle: Array) -> Array:
        """By how much points on the skin turn about the eye's level axis, radians, + up."""
        upper, lower = self.edges_rad(x)
        meeting = lower + MEETING_SHARE * (upper - lower)
        middle = 0.5 * (upper + lower)
        of_upper, of_lower = LID_CHANNELS[channel]
        share_up = 1 - _smooth((angle - upper) / UPPER_REACH_RAD)
        share_low = 1 - _smooth((lower - angle) / LOWER_REACH_RAD)
        is_upper = angle > middle
        turn = np.where(is_upper, share_up * of_upper * (meeting - upper), share_low * of_lower * (meeting - lower))
        beyond = np.maximum(self.corners[0] - x, x - self.corners[1])
        return turn * (1 - _smooth(beyond / 0.35))

    def moves(self, channel: str, points: Array) -> Array:
        """(V, 3) cm displacements of the whole head's vertices."""
        result = np.zeros_like(points)
        rows = self.rows
        x, angle, radius = self.x[rows], self.angle[rows], self.radius[rows]
        turned = angle + self.turns(channel, x, angle) * self.hold[rows]
        shift = SIDEWAYS_CM.get(channel, 0.0) * self._share(x, angle) * self.hold[rows]
        least = np.sqrt(np.maximum((EYE_RADIUS_CM + LID_GAP_CM) ** 2 - (x + shift) ** 2, 0))
        reach = np.where(self.is_rim[rows], radius, np.where(turned == angle, radius, np.maximum(radius, least)))
        moved = np.stack([x + shift, reach * np.sin(turned), reach * np.cos(turned)], 1)
        result[rows] = moved * [self.side, 1, 1] + self.centre - points[rows]
        return result

    def turned_with_edge(self, channel: str, roots: Array, points: Array) -> Array:
        """Displacements of lashes: (n, 3) points that turn as the upper edge does at their roots."""
        local, root = self._local(points), self._local(roots)
        upper, _ = self.edges_rad(root[:, 0])
        turn = self.turns(channel, root[:, 0], upper)
        c, s = np.cos(turn), np.sin(turn)
        y, z = c * local[:, 1] + s * local[:, 2], c * local[:, 2] - s * local[:, 1]
        shift = SIDEWAYS_CM.get(channel, 0.0)
        return np.stack([local[:, 0] + shift, y, z], 1) * [self.side, 1, 1] + self.centre - points

    def _share(self, x: Array, angle: Array) -> Array:
        upper, lower = self.edges_rad(x)
        beyond = np.maximum(self.corners[0] - x, x - self.corners[1])
        above = np.maximum(angle - upper, lower - angle)
        return (1 - _smooth(above / 0.5)) * (1 - _smooth(beyond / 0.3)) * _smooth((0.25 - beyond) / 0.5)


def lifted_off_eyeball(points: Array, is_rim: Array) -> Array:
    """Push skin that has come under an eyeball's surface out along its own radius; (V, 3) cm."""
    result = points.copy()
    for side in (1, -1):
        arm = points - eye_centre_cm(side)
        length = np.linalg.norm(arm, axis=1)
        inside = (length < EYE_RADIUS_CM + LID_GAP_CM) & (arm[:, 2] > 0) & ~is_rim
        scale = (EYE_RADIUS_CM + LID_GAP_CM) / np.maximum(length[inside], 1e-6)
        result[inside] = eye_centre_cm(side) + arm[inside] * scale[:, None]
    return result


def _curve(x: Array, angle: Array, chosen: Array) -> tuple[Array, Array]:
    order = np.argsort(x[chosen])
    return x[chosen][order], angle[chosen][order]


def _smooth(x: Array) -> Array:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


LOOPS = {1: LEFT_EYE, -1: RIGHT_EYE}
