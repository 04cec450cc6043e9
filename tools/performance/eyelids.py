"""The eyelids: how blinks, squints and looks move them, and where they go on the dense sheet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from animator.channels import INDEX
from animator.data import Array

from .head_mesh import FOCAL_PX, ZOOM, Head

LID_TRAVEL = 0.9
"""The share of the eye's opening that the upper lid covers in a blink; the lower lid comes up the rest."""


@dataclass(frozen=True, slots=True)
class Lids:
    """One eye's lids on the dense sheet, as shares of the opening above each vertex."""

    upper: Array
    """(V,) float64 >= 0, centimetres: how far a full closing moves each vertex of the upper lid down."""
    lower: Array
    """(V,) float64 >= 0, centimetres: how far a full closing would move each vertex of the lower lid up."""
    down: Array
    """(3,) unit vector, head frame: from the upper lid to the lower."""


def lid_positions(weights: Array, side: str) -> tuple[float, float]:
    """How far one eye's upper lid is down and its lower lid up, as shares of the opening."""
    blink, squint, wide = (weights[INDEX[f"eye{what}{side}"]] for what in ("Blink", "Squint", "Wide"))
    look_down, look_up = weights[INDEX[f"eyeLookDown{side}"]], weights[INDEX[f"eyeLookUp{side}"]]
    open_share = 0.42 * look_down + 0.12 * squint - 0.18 * look_up - 0.3 * wide
    raised = 0.22 * squint + 0.04 * look_up - 0.12 * look_down - 0.06 * wide
    lower = raised + (1 - LID_TRAVEL - raised) * blink
    return float(open_share + (1 - lower - open_share) * blink), float(lower)


def lids_of(head: Head, outline: tuple[int, ...]) -> Lids:
    """One eye's lids: what lies on the margin goes all the way, skin farther off stretches."""
    eye_px = head.picture_landmarks_px[list(outline)]
    outer, inner = eye_px[0], eye_px[8]
    along = (inner - outer) / np.linalg.norm(inner - outer)
    up = np.array([along[1], -along[0]])
    up *= -np.sign(up[1])
    frame = np.stack([along, up], 1)
    eye, points = (eye_px - outer) @ frame, (head.sheet.picture_px - outer) @ frame
    lower, upper = eye[:9], eye[[0, 15, 14, 13, 12, 11, 10, 9, 8]]
    s = points[:, 0]
    upper_edge, lower_edge = np.interp(s, *upper.T), np.interp(s, *lower.T)
    opening = np.maximum(upper_edge - lower_edge, 0)
    opening *= (s > 0) & (s < eye[8, 0])
    # Lashes reach beyond the corner, where the opening is 0: what lies above a corner comes down as well.
    steps = np.linspace(-12, eye[8, 0] + 12, 200)
    exact = np.maximum(np.interp(steps, *upper.T) - np.interp(steps, *lower.T), 0)
    exact *= (steps > 0) & (steps < eye[8, 0])
    wide = np.interp(s, steps, gaussian_filter1d(exact, 2.2 / (steps[1] - steps[0])))
    above, below = points[:, 1] - upper_edge, lower_edge - points[:, 1]
    # The lash line, 1.3 pixels thick, rides along unstretched; the skin up to the brow gives.
    corner = np.clip(above / 2.6, 0, 1) * np.maximum(wide - opening, 0)
    upper_move = (opening + corner) * np.where(above > -0.3, ease((8.5 - above) / 7.2), 0)
    lower_move = opening * np.where((below > -0.3) & (above < -0.3), ease((6.5 - below) / 5.7), 0)
    # The film over the opening itself (it is not drawn) hangs between the two margins.
    share = head.sheet.landmark_share[:, list(outline)].astype(np.float64)
    film = np.isclose(share.sum(1), 1, atol=1e-4)
    gap = upper - lower
    upper_move[film] = share[film] @ np.r_[np.zeros(9), gap[7:0:-1, 1]]
    lower_move[film] = share[film] @ np.r_[0, gap[1:8, 1], np.zeros(8)]
    cm_per_px = head.depth_cm * ZOOM / FOCAL_PX
    down = np.array([-up[0], up[1], 0.0])
    return Lids(upper_move * cm_per_px, lower_move * cm_per_px, down)


def ease(share: Array) -> Array:
    """0 below 0, 1 above 1, smooth between."""
    share = np.clip(share, 0, 1)
    return share * share * (3 - 2 * share)
