"""How the face moves: displacement fields over the landmarks, and eyelids over the dense sheet.

The fields are made by hand and owe nothing to the face model that the solver uses, so that the truth of
the performance is a fair test of it. The portrait smiles; the neutral face is the same face with its
mouth relaxed and closed, and the smile's field is the way back to the portrait.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from animator.channels import INDEX
from animator.data import Array
from animator.topology import FACE_OVAL, LEFT_EYE, LIPS_INNER, RIGHT_EYE, canonical_face

from .eyelids import Lids, ease, lid_positions, lids_of
from .head_mesh import Head

UPPER_LIP = (185, 40, 39, 37, 0, 267, 269, 270, 409, 191, 80, 81, 82, 13, 312, 311, 310, 415,
             184, 74, 73, 72, 11, 302, 303, 304, 408, 183, 42, 41, 38, 12, 268, 271, 272, 407)  # fmt: skip
LOWER_LIP = (146, 91, 181, 84, 17, 314, 405, 321, 375, 95, 88, 178, 87, 14, 317, 402, 318, 324,
             77, 90, 180, 85, 16, 315, 404, 320, 307, 96, 89, 179, 86, 15, 316, 403, 319, 325)  # fmt: skip
INNER_PAIRS = (
    (191, 95),
    (80, 88),
    (81, 178),
    (82, 87),
    (13, 14),
    (312, 317),
    (311, 402),
    (310, 318),
    (415, 324),
)
CORNERS = (61, 291, 78, 308, 62, 292, 76, 306)
SMILE_PORTRAIT = 0.85
"""The weight of both mouthSmile channels at which the portrait's own mouth corners come back."""
PARTED_PORTRAIT = 0.5
"""The weight of mouthUpperUp and mouthLowerDown at which the portrait's own parted lips come back."""
JAW_HINGE_CM = (0.0, 0.5, -3.5)
JAW_OPEN_RAD = np.deg2rad(21.0)
JAW_SIDE_CM = 1.3


@dataclass(frozen=True, slots=True)
class FaceModel:
    """The neutral face and everything that moves it."""

    neutral_cm: Array
    """(V, 3) float64: the dense sheet with its mouth relaxed and closed."""
    fields: dict[str, Array]
    """channel name -> (V, 3) float64 centimetres per unit of weight."""
    jaw_share: Array
    """(V,) in 0..1: how far each vertex goes with the jaw."""
    lip_share: Array
    """(V,) in 0..1: how far mouthClose keeps each vertex from following the jaw."""
    lids: tuple[Lids, Lids]
    """Left eye, right eye."""

    def deformed(self, weights: Array) -> Array:
        """(V, 3) head frame centimetres; weights: (52,) in ARKit's order."""
        out = self.neutral_cm.copy()
        for name, field in self.fields.items():
            if weights[INDEX[name]]:
                out += weights[INDEX[name]] * field
        share = self.jaw_share * (1 - weights[INDEX["mouthClose"]] * self.lip_share)
        out += share[:, None] * (jaw_moved(out, weights) - out)
        for lids, side in zip(self.lids, ("Left", "Right"), strict=True):
            closed, raised = lid_positions(weights, side)
            out += (closed * lids.upper - raised * lids.lower)[:, None] * lids.down
        return out


def jaw_moved(points_cm: Array, weights: Array) -> Array:
    """(..., 3) points of the jaw bone after it has turned about its hinge and slid sideways."""
    angle = JAW_OPEN_RAD * weights[INDEX["jawOpen"]]
    hinge = np.array(JAW_HINGE_CM)
    about_x = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    side = JAW_SIDE_CM * (weights[INDEX["jawLeft"]] - weights[INDEX["jawRight"]])
    forward = 0.5 * weights[INDEX["jawForward"]]
    return (points_cm - hinge) @ about_x.T + hinge + np.array([side, 0.0, forward])


def build_face(head: Head) -> FaceModel:
    """Relax the portrait's mouth, then lay the fields of all channels over the result."""
    portrait = head.landmarks_cm[:468]
    relaxed = relaxed_mouth(portrait)
    closed, upper_part, lower_part = closed_lips(relaxed)
    fields = landmark_fields(portrait, relaxed, closed, upper_part, lower_part)
    share = head.sheet.landmark_share.astype(np.float64)
    dense = {name: share @ field for name, field in fields.items()}
    neutral = head.sheet.positions_cm + share @ (closed - portrait)
    lids = (lids_of(head, LEFT_EYE), lids_of(head, RIGHT_EYE))
    lips = np.minimum(1.15 * bump(closed, closed[[61, 291]].mean(0), 0.8, 2.2), 1)
    return FaceModel(neutral, dense, share @ jaw_share(closed), share @ lips, lids)


def bump(points: Array, centre: Array, radius_cm: float, flat: float = 1.0) -> Array:
    """(N,) a bell of 1 at `centre`, e^-1/2 at `radius_cm`; `flat` widens it sideways; depth is ignored."""
    away = (points[:, :2] - centre[:2]) / np.array([flat, 1.0])
    return np.exp(-(away**2).sum(1) / (2 * radius_cm**2))


def relaxed_mouth(portrait: Array) -> Array:
    """(468, 3): the mouth's shape goes back to that of the average face, its place stays."""
    canonical = canonical_face().positions_cm.astype(np.float64)
    top, bottom = 2, 199
    along = np.clip((portrait[:, 1] - portrait[top, 1]) / (portrait[bottom, 1] - portrait[top, 1]), 0, 1)[
        :, None
    ]
    offset = (1 - along) * (portrait[top] - canonical[top]) + along * (portrait[bottom] - canonical[bottom])
    mouth = portrait[[61, 291]].mean(0)
    away = np.linalg.norm((portrait - mouth)[:, :2] / np.array([1.25, 1.0]), axis=1)
    share = np.clip((4.4 - away) / 2.2, 0, 1)
    share = ease(share) * ease((portrait[2, 1] + 0.2 - portrait[:, 1]) / 0.8)  # the nose stays
    return portrait + share[:, None] * (canonical + offset - portrait)


def closed_lips(relaxed: Array) -> tuple[Array, Array, Array]:
    """The lips brought together.

    returns : closed (468, 3), and the movements (468, 3) of the upper and of the lower lip that part them"""
    corners = np.sort(relaxed[[78, 308], 0])
    upper, lower = np.zeros_like(relaxed), np.zeros_like(relaxed)
    x = np.array([relaxed[a, 0] for a, _ in INNER_PAIRS])
    gap = np.array([relaxed[a, 1] - relaxed[b, 1] for a, b in INNER_PAIRS])
    order = np.argsort(x)
    opening = np.interp(relaxed[:, 0], np.r_[corners[0], x[order], corners[1]], np.r_[0, gap[order], 0])
    line_y = relaxed[[13, 14], 1].mean()
    near = np.exp(-np.maximum(np.abs(relaxed[:, 1] - line_y) - 0.9, 0) / 0.8)
    inner = np.isin(np.arange(468), list(LIPS_INNER))
    upper_rows = np.isin(np.arange(468), UPPER_LIP) | (
        (relaxed[:, 1] > line_y) & ~np.isin(np.arange(468), LOWER_LIP)
    )
    near[inner] = 1.0
    upper[upper_rows, 1] = (0.5 * opening * near)[upper_rows]
    lower[~upper_rows, 1] = (-0.5 * opening * near)[~upper_rows]
    lower[list(CORNERS)] = upper[list(CORNERS)] = 0
    return relaxed - upper - lower, upper, lower


def jaw_share(neutral: Array) -> Array:
    """(468,) in 0..1: a smooth weight, 1 on the chin and lower lip, 0 from the upper lip upward.

    The weight solves Laplace's equation on the open mesh between the places where it is known."""
    fixed = np.full(468, np.nan)
    corner_x = np.abs(neutral[[61, 291], 0]).mean()
    side = np.clip(np.abs(neutral[:, 0]) / corner_x, 0, 1) ** 3
    fixed[neutral[:, 1] > neutral[2, 1] + 0.3] = 0
    fixed[list(UPPER_LIP)] = (0.4 * side)[list(UPPER_LIP)]
    fixed[list(LOWER_LIP)] = (1 - 0.6 * side)[list(LOWER_LIP)]
    fixed[list(CORNERS)] = 0.4
    fixed[(neutral[:, 1] < neutral[17, 1] - 1.0) & (np.abs(neutral[:, 0]) < 3.0)] = 1
    for row in FACE_OVAL:
        level = np.clip((neutral[row, 1] - neutral[2, 1]) / (neutral[152, 1] - neutral[2, 1]), 0, 1)
        fixed[row] = level**0.8
    triangles = canonical_face().triangles
    triangles = triangles[~np.isin(triangles, LIPS_INNER).all(1)]
    adjacency = np.zeros((468, 468))
    for a, b in ((0, 1), (1, 2), (2, 0)):
        adjacency[triangles[:, a], triangles[:, b]] = adjacency[triangles[:, b], triangles[:, a]] = 1
    laplacian = np.diag(adjacency.sum(1)) - adjacency
    free = np.isnan(fixed)
    fixed[free] = np.linalg.solve(
        laplacian[np.ix_(free, free)], -laplacian[np.ix_(free, ~free)] @ fixed[~free]
    )
    return fixed


def landmark_fields(
    portrait: Array, relaxed: Array, closed: Array, upper: Array, lower: Array
) -> dict[str, Array]:
    """channel name -> (468, 3) centimetres at weight 1, over the neutral face `closed`."""
    left = 1 / (1 + np.exp(-closed[:, 0] / 0.35))
    fields: dict[str, Array] = {}
    for side, share, sign in (("Left", left, 1.0), ("Right", 1 - left, -1.0)):
        fields[f"mouthSmile{side}"] = share[:, None] * (portrait - relaxed) / SMILE_PORTRAIT
        fields[f"mouthUpperUp{side}"] = share[:, None] * upper / PARTED_PORTRAIT
        fields[f"mouthLowerDown{side}"] = share[:, None] * lower / PARTED_PORTRAIT
        fields |= side_fields(closed, share, side, sign)
    return fields | middle_fields(closed)


def side_fields(p: Array, share: Array, side: str, sign: float) -> dict[str, Array]:
    """The fields that exist once for each side; `sign` is +1 on the subject's left."""
    corner = p[291 if sign > 0 else 61]
    brow = p[[296, 334, 293] if sign > 0 else [66, 105, 63]]
    inner, outer = brow[0], brow[2]
    cheek = p[425 if sign > 0 else 205]
    nostril = p[327 if sign > 0 else 98]
    low_lip = p[405 if sign > 0 else 181]

    def pull(centre: Array, radius: float, move: tuple[float, float, float], flat: float = 1.0) -> Array:
        toward = np.array([sign * move[0], move[1], move[2]])
        return (share * bump(p, centre, radius, flat))[:, None] * toward

    return {
        f"mouthFrown{side}": pull(corner, 1.1, (0.1, -0.75, 0)) + pull(low_lip, 0.9, (0, 0.12, 0.05), 1.4),
        f"mouthStretch{side}": pull(corner, 1.2, (0.65, -0.25, -0.2)),
        f"mouthDimple{side}": pull(corner, 0.9, (0.35, 0.1, -0.3)),
        f"mouthPress{side}": pull(corner, 0.9, (0.12, 0.05, -0.1)),
        f"browDown{side}": pull(inner, 1.2, (-0.18, -0.6, 0.05), 1.3) + pull(outer, 1.2, (0, -0.25, 0), 1.2),
        f"browOuterUp{side}": pull(outer, 1.3, (0, 0.75, 0), 1.3),
        f"cheekSquint{side}": pull(cheek, 1.2, (0.05, 0.35, 0.15), 1.3),
        f"noseSneer{side}": pull(nostril, 0.9, (0.1, 0.4, 0.05)),
    }


def middle_fields(p: Array) -> dict[str, Array]:
    """The fields that exist once for the whole face."""
    mouth = p[[61, 291]].mean(0)
    x, y = (p - mouth)[:, 0], (p - mouth)[:, 1]
    lips = bump(p, mouth, 1.15, 1.9)
    wide = bump(p, mouth, 1.6, 1.7)
    upper_rows = np.isin(np.arange(468), UPPER_LIP) | ((y > 0) & ~np.isin(np.arange(468), LOWER_LIP))
    apart = np.where(upper_rows, 1.0, -1.0)
    lip_rows = np.isin(np.arange(468), UPPER_LIP + LOWER_LIP)
    middle = np.clip(1 - (x / np.abs(x[[61, 291]]).mean()) ** 2, 0, 1)
    brow_middle = p[[55, 285]].mean(0)
    zero = np.zeros_like(x)
    narrow = -0.52 * x * bump(p, mouth, 1.3, 2.4)
    fuller = np.where(lip_rows, 0.4 * apart * middle * np.clip(np.abs(y), 0, 0.7), 0)
    cheeks = bump(p, p[425], 1.3) + bump(p, p[205], 1.3)
    return {
        "mouthPucker": np.stack([narrow, fuller, 0.9 * wide], 1),
        "mouthFunnel": np.stack([0.8 * narrow, 0.42 * apart * middle * lips, 0.7 * wide], 1),
        "mouthLeft": np.stack([0.9 * wide, zero, zero], 1),
        "mouthRight": np.stack([-0.9 * wide, zero, zero], 1),
        "browInnerUp": np.stack([zero, 0.8 * bump(p, brow_middle, 1.3, 1.7), zero], 1),
        "cheekPuff": np.stack([0.06 * x * cheeks, zero, 0.7 * cheeks], 1),
    }  # fmt: skip
