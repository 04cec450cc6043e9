"""The pinhole camera: between pixels and centimetres in camera space (x right, y up, looking along -z)."""

from __future__ import annotations

import numpy as np

from ..data import Array


def focal_px(image_size_px: tuple[int, int], vertical_fov_rad: float) -> float:
    """Focal length in pixels of a camera with square pixels."""
    return 0.5 * image_size_px[1] / np.tan(0.5 * vertical_fov_rad)


def pixels_from_camera(points_cm: Array, image_size_px: tuple[int, int], focal: float) -> Array:
    """Project points in front of the camera.

    points_cm : (..., 3) camera space, z < 0
    returns   : (..., 2) pixels, x right, y down; nan for points not in front of the camera"""
    points = np.asarray(points_cm, np.float64)
    depth = np.where(points[..., 2:] < 0, -points[..., 2:], np.nan)
    across = points[..., :2] * np.array([1.0, -1.0]) * focal / depth
    return across + 0.5 * np.asarray(image_size_px, np.float64)


def camera_from_pixels(pixels: Array, depth_cm: Array, image_size_px: tuple[int, int], focal: float) -> Array:
    """Undo the projection at a known depth.

    pixels   : (..., 2), x right, y down
    depth_cm : (...,) distance along the viewing axis, > 0
    returns  : (..., 3) centimetres in camera space"""
    centred = np.asarray(pixels, np.float64) - 0.5 * np.asarray(image_size_px, np.float64)
    depth = np.asarray(depth_cm, np.float64)[..., None]
    return np.concatenate(
        [centred * np.array([1.0, -1.0]) * depth / focal, -depth * np.ones_like(centred[..., :1])], -1
    )
