"""The face mesh's topology: which of the 478 landmarks is what, and the canonical face.

Indices are MediaPipe's; left and right are the subject's. Outlines run point by point as drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from .data import Array
from .resources import asset_path

FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
LEFT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
RIGHT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
LEFT_BROW = (276, 283, 282, 295, 285, 336, 296, 334, 293, 300)
RIGHT_BROW = (46, 53, 52, 65, 55, 107, 66, 105, 63, 70)
LIPS_OUTER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
LIPS_INNER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
RIGHT_IRIS = (469, 470, 471, 472)
LEFT_IRIS = (474, 475, 476, 477)
RIGHT_PUPIL, LEFT_PUPIL = 468, 473

OUTLINES: dict[str, tuple[int, ...]] = {
    "face oval": FACE_OVAL,
    "left eye": LEFT_EYE,
    "right eye": RIGHT_EYE,
    "left brow": LEFT_BROW,
    "right brow": RIGHT_BROW,
    "outer lips": LIPS_OUTER,
    "inner lips": LIPS_INNER,
    "left iris": LEFT_IRIS,
    "right iris": RIGHT_IRIS,
}
"""Closed outlines worth drawing, by name."""


@dataclass(frozen=True, slots=True)
class CanonicalFace:
    """The average face that the face model's own geometry is measured against."""

    positions_cm: Array
    """(468, 3) float32: x to the subject's left, y up, z out of the face; centimetres."""
    uv: Array
    """(468, 2) float32 in 0..1, v downward."""
    triangles: Array
    """(898, 3) int32, counter-clockwise seen from outside; the eyes and the mouth are holes filled flat."""

    @property
    def edges(self) -> Array:
        """(E, 2) int32: each edge of the triangles once."""
        pairs = np.sort(self.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
        return np.unique(pairs, axis=0)


@cache
def canonical_face() -> CanonicalFace:
    """The canonical face, read once from `assets/canonical_face.npz`."""
    with np.load(asset_path("canonical_face.npz"), allow_pickle=False) as stored:
        return CanonicalFace(stored["positions_cm"], stored["uv"], stored["triangles"])
