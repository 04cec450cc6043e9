"""Pictures by OpenCV: read, resized, and with the face mesh, its outlines and the bounding box drawn in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ..data import Array, Face
from ..foreign import picture_bytes
from ..quiet import quiet_stderr
from ..recycling import PICTURES
from ..topology import OUTLINES, canonical_face

MESH_RGB = (150, 190, 190)
BOX_RGB = (255, 255, 255)
OUTLINE_RGB = {
    "face oval": (235, 235, 235),
    "left eye": (70, 230, 120),
    "right eye": (80, 170, 255),
    "left brow": (70, 230, 120),
    "right brow": (80, 170, 255),
    "outer lips": (255, 110, 130),
    "inner lips": (255, 110, 130),
    "left iris": (255, 220, 70),
    "right iris": (255, 220, 70),
}
"""The subject's left is green, the right blue."""

_SUBPIXEL_BITS = 4


def draw_faces(rgb: Array, faces: Sequence[Face]) -> Array:
    """A copy of the picture with every face's mesh, outlines, box and number.

    rgb : (H, W, 3) uint8"""
    picture = PICTURES.copy(rgb)
    for face in faces:
        _draw_face(picture, face)
    return picture


def resized(rgb: Array, size_px: tuple[int, int]) -> Array:
    """The picture as large as it fits into `size_px` (width, height), black around; itself when it has that size."""
    width, height = size_px
    if (rgb.shape[1], rgb.shape[0]) == size_px:
        return rgb
    scale = min(width / rgb.shape[1], height / rgb.shape[0])
    inner_px = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
    inner = PICTURES.empty((inner_px[1], inner_px[0], 3))
    cv2.resize(rgb, inner_px, dst=inner, interpolation=cv2.INTER_AREA)
    above, left = (height - inner.shape[0]) // 2, (width - inner.shape[1]) // 2
    below, right = height - inner.shape[0] - above, width - inner.shape[1] - left
    made = PICTURES.empty((height, width, 3))
    return cv2.copyMakeBorder(inner, above, below, left, right, cv2.BORDER_CONSTANT, dst=made)


def filling(rgb: Array, size_px: tuple[int, int]) -> Array:
    """The middle of the picture, as much of it as fills `size_px` (width, height)."""
    width, height = size_px
    rows, columns = rgb.shape[:2]
    part_width = max(1, min(columns, round(rows * width / height)))
    part_height = max(1, min(rows, round(columns * height / width)))
    above, left = (rows - part_height) // 2, (columns - part_width) // 2
    part = rgb[above : above + part_height, left : left + part_width]
    return cv2.resize(np.ascontiguousarray(part), size_px, interpolation=cv2.INTER_AREA)


def picture_from_file(path: Path) -> Array | None:
    """(H, W, 3) uint8 of a picture file, whatever its depth and channels; None if it cannot be read."""
    try:
        data = picture_bytes(path)  # cv2.imread cannot open non-ASCII names on Windows
        with quiet_stderr():  # libjpeg and libpng say there what is wrong
            bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except (OSError, ValueError, cv2.error):
        return None
    return None if bgr is None else cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB, dst=bgr)


def _draw_face(picture: Array, face: Face) -> None:
    points = _fixed(face.landmarks_px)
    edges = canonical_face().edges
    # 640x480, 1365 edges: one polylines call takes 1.1 ms, one call per edge 4.
    cv2.polylines(picture, list(points[edges]), False, MESH_RGB, 1, cv2.LINE_AA, _SUBPIXEL_BITS)
    for name, indices in OUTLINES.items():
        cv2.polylines(
            picture, [points[list(indices)]], True, OUTLINE_RGB[name], _width(picture), cv2.LINE_AA, _SUBPIXEL_BITS
        )
    low, high = face.landmarks_px.min(0), face.landmarks_px.max(0)
    margin = 0.06 * (high - low)
    x0, y0 = (low - margin).astype(int)
    x1, y1 = (high + margin).astype(int)
    cv2.rectangle(picture, (x0, y0), (x1, y1), BOX_RGB, _width(picture), cv2.LINE_AA)
    cv2.putText(
        picture, f"face {face.track_id + 1}", (x0, max(y0 - 6, 12)), cv2.FONT_HERSHEY_SIMPLEX,
        0.45 * _width(picture), BOX_RGB, 1, cv2.LINE_AA,
    )  # fmt: skip


def _fixed(points_px: Array) -> Array:
    """Fixed-point numbers, as cv2's `shift` wants them: thin lines then lie where the landmarks do."""
    return np.round(points_px * (1 << _SUBPIXEL_BITS)).astype(np.int32)


def _width(picture: Array) -> int:
    return max(1, round(picture.shape[0] / 480))
