"""Lays avatars over what is behind them, on the processor.

In software OpenGL a full-screen gradient costs 2.5 ms of processor time at 640x480, a camera picture more; laying the
avatars over a picture that is kept costs 0.3 ms, and gives see-through pictures without further ado.
"""

from __future__ import annotations

import cv2
import numpy as np

from ..data import Array
from ..recycling import PICTURES
from .backdrop import Background
from .edges import LEAST_CONTRAST, LEAST_SHARE, smooth_edges
from .framing import Viewport

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
BLUR_SHARE = 1 / 28
"""Width of the blur over a camera picture behind avatars, as a share of the picture's height."""


class Behind:
    """What stands behind the avatars: pictures of one size."""

    def __init__(self, background: Background, size_px: tuple[int, int]) -> None:
        """size_px : (width, height)"""
        self._background, self._size_px = background, size_px
        self._plain = _plain(background, size_px)

    def picture(self, camera_rgb: Array | None, place: Viewport | None, *, avatars_over: Viewport | None) -> Array:
        """(H, W, 3) uint8, the caller's own.

        camera_rgb   : (h, w, 3) uint8 or None
        place        : where the camera picture is shown as it is; None for nowhere
        avatars_over : where avatars stand before the background, which may be the camera picture, blurred"""
        made = PICTURES.copy(self._plain)
        if camera_rgb is not None and self._background.blurred_camera and avatars_over not in (None, place):
            target = made[_pixels(avatars_over, self._size_px)]
            blurred(camera_rgb, target)
        if camera_rgb is not None and place is not None:
            target = made[_pixels(place, self._size_px)]
            _scale_into(target, camera_rgb)
        return made


class Compositor:
    """Lays avatars over what is behind them; for pictures of one size, whose scratch memory is kept."""

    def __init__(self, size_px: tuple[int, int]) -> None:
        """size_px : (width, height)"""
        width, height = size_px
        self._alpha, self._mask, self._luma = np.empty((3, height, width), np.uint8)
        self._rgb, self._rest = np.empty((2, height, width, 3), np.uint8)
        self._scratch = np.empty((3, height, width), np.uint8)

    def compose(self, rgba: Array, behind: Array, *, smooth: bool) -> Array:
        """Avatars over what is behind them.

        rgba    : (H, W, 4) uint8, premultiplied: (0, 0, 0, 0) where there is nothing
        behind  : (H, W, 3) uint8, changed in place and returned"""
        cv2.extractChannel(rgba, 3, dst=self._alpha)
        left, top, width, height = box = cv2.boundingRect(self._alpha)
        if not width:
            return behind
        inside = np.s_[top : top + height, left : left + width]
        target, rgb, rest = behind[inside], self._rgb[inside], self._rest[inside]
        alpha, mask = self._alpha[inside], self._mask[inside]
        cv2.cvtColor(rgba[inside], cv2.COLOR_RGBA2RGB, dst=rgb)
        cv2.compare(alpha, 255, cv2.CMP_EQ, dst=mask)
        if cv2.countNonZero(alpha) == cv2.countNonZero(mask):
            cv2.copyTo(rgb, alpha, dst=target)
        else:
            cv2.bitwise_not(alpha, dst=mask)
            cv2.cvtColor(mask, cv2.COLOR_GRAY2RGB, dst=rest)
            cv2.multiply(target, rest, dst=rest, scale=1 / 255)
            cv2.add(rgb, rest, dst=target)
        if smooth:
            self._smooth(behind, box)
        return behind

    def _smooth(self, picture: Array, box: tuple[int, int, int, int]) -> None:
        """Smooth the edges in the avatars' bounding box and one pixel around it."""
        left, top, width, height = box
        cut = np.s_[max(top - 2, 0) : top + height + 2, max(left - 2, 0) : left + width + 2]
        luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY, dst=self._luma)  # whole: edges are followed out of the box
        found = _edge_points(luma[cut], self._alpha[cut], *(plane[cut] for plane in self._scratch))
        pixels = (found[:, 1] + cut[0].start) * picture.shape[1] + found[:, 0] + cut[1].start
        smooth_edges(picture, luma, pixels)


def flipped(picture: Array, out: Array) -> Array:
    """Row 0 from below to the top: `out`, which is of the same shape."""
    return cv2.flip(picture, 0, dst=out)


def smoothed_rgba(rgba: Array) -> Array:
    """The same picture, premultiplied, with the avatars' own edges smooth, towards nothing too."""
    alpha = np.ascontiguousarray(rgba[..., 3])
    luma = cv2.addWeighted(cv2.cvtColor(rgba, cv2.COLOR_RGBA2GRAY), 0.5, alpha, 0.5, 0)
    picture = rgba.copy()
    smooth_edges(picture, luma, edge_pixels(luma, alpha))
    return picture


def straight_alpha(rgba: Array) -> Array:
    """Premultiplied colours as PNG files want them: not darkened by their alpha."""
    alpha = np.maximum(rgba[..., 3:], 1).astype(np.uint16)
    made = rgba.copy()
    made[..., :3] = np.minimum((rgba[..., :3].astype(np.uint16) * 255 + alpha // 2) // alpha, 255)
    return made


def edge_pixels(luma: Array, alpha: Array) -> Array:
    """(n,) numbers of the pixels on an edge, of those that an avatar covers or touches."""
    found = _edge_points(luma, alpha, *(np.empty_like(luma) for _ in range(3)))
    return found[:, 1] * luma.shape[1] + found[:, 0]


def _edge_points(luma: Array, alpha: Array, high: Array, low: Array, found: Array) -> Array:
    """(n, 2) column and row of the pixels on an edge; the last three are overwritten."""
    cv2.dilate(luma, _CROSS, dst=high)
    cv2.erode(luma, _CROSS, dst=low)
    cv2.subtract(high, low, dst=low)
    cv2.convertScaleAbs(high, dst=high, alpha=1 / LEAST_SHARE)
    cv2.max(high, LEAST_CONTRAST, dst=high)
    cv2.compare(low, high, cv2.CMP_GT, dst=found)
    cv2.dilate(alpha, _CROSS, dst=low)
    cv2.bitwise_and(found, low, dst=found)
    found[[0, -1]] = 0
    found[:, [0, -1]] = 0
    points = cv2.findNonZero(found)
    return np.empty((0, 2), np.intp) if points is None else points.reshape(-1, 2).astype(np.intp)


def blurred(rgb: Array, out: Array) -> Array:
    """A picture out of focus that fills `out`, its proportions kept; blurred small, which costs 0.3 ms.

    out : (H, W, 3) uint8, which is returned"""
    height, width = out.shape[:2]
    scale = max(width / rgb.shape[1], height / rgb.shape[0])
    inner = min(rgb.shape[1], round(width / scale)), min(rgb.shape[0], round(height / scale))
    left, top = (rgb.shape[1] - inner[0]) // 2, (rgb.shape[0] - inner[1]) // 2
    cut = rgb[top : top + inner[1], left : left + inner[0]]
    small = cv2.resize(cut, (max(width // 4, 1), max(height // 4, 1)), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), max(height * BLUR_SHARE / 4, 0.1))
    return cv2.resize(soft, (width, height), dst=out)


def _plain(background: Background, size_px: tuple[int, int]) -> Array:
    """The still background as a picture."""
    width, height = size_px
    if background.picture_rgb is not None:
        made = np.empty((height, width, 3), np.uint8)
        _scale_into(made, background.picture_rgb)
        return made
    down = (np.arange(height) + 0.5)[:, None] / height
    fade = np.array(background.top_rgb) * (1 - down) + np.array(background.bottom_rgb) * down
    rows = np.round(255 * fade).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(rows[:, None], (height, width, 3)))


def _scale_into(target: Array, rgb: Array) -> None:
    if rgb.shape == target.shape:
        np.copyto(target, rgb)
        return
    shrinks = target.shape[1] < rgb.shape[1]
    size_px = target.shape[1], target.shape[0]
    cv2.resize(rgb, size_px, dst=target, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _pixels(place: Viewport, size_px: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of a viewport, whose y runs up."""
    width, height = size_px
    x0, y0, x1, y1 = place
    rows = slice(round((1 - y1) * height), round((1 - y0) * height))
    return rows, slice(round(x0 * width), round(x1 * width))
