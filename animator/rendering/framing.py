"""Where the camera stands and which part of the picture each thing is drawn in.

The scene is in centimetres of the canonical face: its origin is the face's, and every avatar, whatever
its own units, is brought there by the inverse of its `rig_from_face`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..data import Array, HeadPose
from ..errors import SettingError
from ..maths.rotations import matrix_from_wxyz

VIEWS = ("avatar", "mask", "mesh", "side-by-side")

SPACING_CM = 34.0
"""Between two avatars side by side."""

Viewport = tuple[float, float, float, float]
"""x0, y0, x1, y1 in 0..1 of the window, y up, as VTK has it."""
WHOLE: Viewport = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Framing:
    """How an avatar alone is framed, in centimetres of the canonical face."""

    centre_cm: tuple[float, float, float] = (0.0, -1.0, 0.0)
    """What is in the middle."""
    height_cm: float = 36.0
    """What stands in the picture from top to bottom: a head with some air, and the shoulders' beginning."""
    fov_deg: float = 22.0
    """Vertical field of view: a short telephoto lens, as portraits are taken."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the camera picture and the avatars are drawn; None where one is not drawn."""

    picture: Viewport | None
    avatars: Viewport | None


def check_view(view: str) -> str:
    """The view itself; raises SettingError with the known ones."""
    if view not in VIEWS:
        raise SettingError(f"view: wanted {', '.join(VIEWS)}, got {view!r}")
    return view


def layout(view: str, window_px: tuple[int, int], picture_px: tuple[int, int] | None) -> Layout:
    """The places in a window; a picture keeps its proportions.

    Without a picture (a take has none) the avatars alone are shown."""
    if picture_px is None or view == "avatar":
        return Layout(None, WHOLE)
    if view == "side-by-side":
        left, right = (0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 1.0, 1.0)
        return Layout(fitted(left, window_px, picture_px), right)
    place = fitted(WHOLE, window_px, picture_px)
    return Layout(place, place if view == "mask" else None)


def fitted(place: Viewport, window_px: tuple[int, int], picture_px: tuple[int, int]) -> Viewport:
    """The largest viewport with the picture's proportions in the middle of `place`."""
    x0, y0, x1, y1 = place
    width_px, height_px = (x1 - x0) * window_px[0], (y1 - y0) * window_px[1]
    scale = min(width_px / picture_px[0], height_px / picture_px[1])
    half_x, half_y = 0.5 * scale * picture_px[0] / window_px[0], 0.5 * scale * picture_px[1] / window_px[1]
    mid_x, mid_y = 0.5 * (x0 + x1), 0.5 * (y0 + y1)
    return (mid_x - half_x, mid_y - half_y, mid_x + half_x, mid_y + half_y)


def natural_size_px(view: str, picture_px: tuple[int, int] | None) -> tuple[int, int]:
    """The size of what is made when nobody asked for one: the picture's, twice as wide side by side."""
    if picture_px is None:
        return (960, 720)
    width, height = picture_px
    return (2 * width, height) if view == "side-by-side" else (width, height)


def camera_distance_cm(framing: Framing, avatars: int, aspect: float) -> float:
    """How far the camera stands so that `avatars` side by side fit a viewport of width / height `aspect`."""
    width_cm = 0.8 * framing.height_cm + SPACING_CM * (avatars - 1)
    height_cm = max(framing.height_cm, width_cm / aspect)
    return height_cm / 2 / np.tan(np.radians(framing.fov_deg) / 2)


def place_in_row(number: int, avatars: int) -> Array:
    """(4, 4) scene_from_face of one of several avatars side by side, the first on the left."""
    matrix = np.eye(4)
    matrix[0, 3] = SPACING_CM * (number - (avatars - 1) / 2)
    return matrix


def camera_from_head_matrix(pose: HeadPose) -> Array:
    """(4, 4) of a head pose, centimetres."""
    matrix = np.eye(4)
    matrix[:3, :3] = matrix_from_wxyz(pose.rotation_wxyz)
    matrix[:3, 3] = pose.translation_cm
    return matrix
