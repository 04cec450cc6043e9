"""Lay a surface out on its picture: which point of the head each pixel shows."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

from animator.data import Array


def pixels_of(uv: Array, triangles: Array, values: Array, size_px: int) -> Array:
    """Interpolate values given at vertices over a picture; pixels outside take the nearest inside's.

    uv      : (n, 2) in 0..1, v downward
    values  : (n, k)
    returns : (size, size, k) float64"""
    corners = uv[triangles] * size_px - 0.5
    owner = np.full((size_px, size_px), -1, np.int32)
    shift = 4
    fixed = np.round(corners * 2**shift).astype(np.int32)
    for index, corner in enumerate(fixed):
        cv2.fillConvexPoly(owner, corner, index, cv2.LINE_8, shift)
    inside = owner >= 0
    rows, columns = np.nonzero(inside)
    a, b, c = corners[owner[rows, columns]].transpose(1, 0, 2)
    point = np.stack([columns, rows], 1).astype(float)
    ab, ac, ap = b - a, c - a, point - a
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    area = np.where(np.abs(area) < 1e-12, 1e-12, area)
    of_b = (ap[:, 0] * ac[:, 1] - ap[:, 1] * ac[:, 0]) / area
    of_c = (ab[:, 0] * ap[:, 1] - ab[:, 1] * ap[:, 0]) / area
    share = np.clip(np.stack([1 - of_b - of_c, of_b, of_c], 1), 0, 1)
    share /= share.sum(1, keepdims=True)
    result = np.zeros((size_px, size_px, values.shape[1]))
    result[rows, columns] = np.einsum("pk,pkv->pv", share, values[triangles[owner[rows, columns]]])
    nearest = distance_transform_edt(~inside, return_distances=False, return_indices=True)
    return result[nearest[0], nearest[1]]


def mixed(picture: Array, color: tuple[float, float, float], share: Array) -> Array:
    """The picture with a colour laid over it; share (H, W) in 0..1."""
    return picture + share[..., None] * (np.array(color) - picture)


def noise(shape: tuple[int, int], blur: float | tuple[float, float], seed: int) -> Array:
    """(H, W) smooth noise of mean 0 and deviation 1, the same every time."""
    rough = gaussian_filter(np.random.default_rng(seed).normal(size=shape), blur, mode="wrap")
    return (rough - rough.mean()) / rough.std()


def rounded(polygon: Array, rounds: int = 3) -> Array:
    """A closed polygon with its corners cut (Chaikin), (n, 2) -> (2^rounds n, 2)."""
    for _ in range(rounds):
        following = np.roll(polygon, -1, 0)
        polygon = np.stack([0.75 * polygon + 0.25 * following, 0.25 * polygon + 0.75 * following], 1).reshape(-1, 2)
    return polygon


def filled(polygon_px: Array, size_px: int, blur: float) -> Array:
    """(size, size) 0..1: a polygon with soft edges."""
    mask = np.zeros((size_px, size_px), np.uint8)
    cv2.fillPoly(mask, [np.round(polygon_px * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return gaussian_filter(mask / 255.0, blur)


def drawn(lines_px: list[Array], size_px: int, width: int, blur: float, closed: bool = False) -> Array:
    """(size, size) 0..1: lines with soft edges."""
    mask = np.zeros((size_px, size_px), np.uint8)
    for line in lines_px:
        cv2.polylines(mask, [np.round(line * 16).astype(np.int32)], closed, 255, width, cv2.LINE_AA, 4)
    return gaussian_filter(mask / 255.0, blur)


def picture_from(colors: Array) -> Array:
    """(H, W, 3) 0..1 -> uint8."""
    return np.ascontiguousarray(np.round(np.clip(colors, 0, 1) * 255).astype(np.uint8))
