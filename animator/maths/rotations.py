"""Rotations as unit quaternions in w, x, y, z order, and as 3x3 matrices acting on column vectors."""

from __future__ import annotations

import math

import numpy as np

from ..data import Array

IDENTITY_WXYZ = np.array([1.0, 0.0, 0.0, 0.0])


def matrix_from_wxyz(wxyz: Array) -> Array:
    """Rotation matrices of unit quaternions.

    wxyz    : (..., 4) unit quaternions
    returns : (..., 3, 3) float64"""
    w, x, y, z = np.moveaxis(np.asarray(wxyz, np.float64), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, -1) for row in rows], -2)


def wxyz_from_matrix(matrix: Array) -> Array:
    """Unit quaternion with w >= 0 of each rotation matrix.

    matrix  : (..., 3, 3) rotations
    returns : (..., 4) float64

    Of the four textbook forms the one with the largest pivot is taken (Shepperd 1978), so that no
    division is by a small number."""
    m = np.asarray(matrix, np.float64)
    if m.ndim == 2:
        return _wxyz_from_one_matrix(m)
    trace = np.trace(m, axis1=-2, axis2=-1)
    diagonal = np.diagonal(m, axis1=-2, axis2=-1)
    squared = np.concatenate([trace[..., None], diagonal], -1)  # 4 q_i^2 - 1, shifted alike
    pivot = np.argmax(squared, -1)
    a = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    b = m[..., 1, 0] + m[..., 0, 1], m[..., 0, 2] + m[..., 2, 0], m[..., 2, 1] + m[..., 1, 2]
    xx, yy, zz = np.moveaxis(diagonal, -1, 0)
    candidates = np.stack(
        [
            np.stack([1 + trace, *a], -1),
            np.stack([a[0], 1 + xx - yy - zz, b[0], b[1]], -1),
            np.stack([a[1], b[0], 1 - xx + yy - zz, b[2]], -1),
            np.stack([a[2], b[1], b[2], 1 - xx - yy + zz], -1),
        ],
        -2,
    )
    chosen = np.take_along_axis(candidates, pivot[..., None, None], -2)[..., 0, :]
    chosen = chosen / np.linalg.norm(chosen, axis=-1, keepdims=True)
    return np.where(chosen[..., :1] < 0, -chosen, chosen)


def _wxyz_from_one_matrix(matrix: Array) -> Array:
    """The same for one (3, 3), in a tenth of the time: one head a frame is the common case."""
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = matrix.tolist()
    trace = xx + yy + zz
    if trace >= max(xx, yy, zz):
        wxyz = 1 + trace, zy - yz, xz - zx, yx - xy
    elif xx >= max(yy, zz):
        wxyz = zy - yz, 1 + xx - yy - zz, yx + xy, xz + zx
    elif yy >= zz:
        wxyz = xz - zx, yx + xy, 1 - xx + yy - zz, zy + yz
    else:
        wxyz = yx - xy, xz + zx, zy + yz, 1 - xx - yy + zz
    length = math.sqrt(sum(part * part for part in wxyz))
    return np.array(wxyz) / (-length if wxyz[0] < 0 else length)


def multiply_wxyz(left: Array, right: Array) -> Array:
    """The rotation `left` after the rotation `right`; both (..., 4)."""
    lw, lx, ly, lz = np.moveaxis(np.asarray(left, np.float64), -1, 0)
    rw, rx, ry, rz = np.moveaxis(np.asarray(right, np.float64), -1, 0)
    return np.stack(
        [
            lw * rw - lx * rx - ly * ry - lz * rz,
            lw * rx + lx * rw + ly * rz - lz * ry,
            lw * ry - lx * rz + ly * rw + lz * rx,
            lw * rz + lx * ry - ly * rx + lz * rw,
        ],
        -1,
    )


def inverse_wxyz(wxyz: Array) -> Array:
    """The opposite rotation; (..., 4)."""
    return np.asarray(wxyz, np.float64) * np.array([1.0, -1.0, -1.0, -1.0])


def wxyz_from_axis_angle(axis: Array, angle_rad: float) -> Array:
    """The rotation by `angle_rad` about `axis` ((3,), any length but 0), right-handed."""
    axis = np.asarray(axis, np.float64)
    return np.concatenate([[np.cos(angle_rad / 2)], np.sin(angle_rad / 2) * axis / np.linalg.norm(axis)])


def wxyz_between(start: Array, end: Array) -> Array:
    """The shortest rotation that turns direction `start` to `end`; both (3,), any length but 0.

    Opposite directions have no shortest way: then a half turn about any axis across is taken."""
    start = np.asarray(start, np.float64) / np.linalg.norm(start)
    end = np.asarray(end, np.float64) / np.linalg.norm(end)
    wxyz = np.concatenate([[1 + start @ end], np.cross(start, end)])
    if wxyz[0] < 1e-12:
        across = np.cross(start, np.eye(3)[np.argmin(np.abs(start))])
        return wxyz_from_axis_angle(across, np.pi)
    return wxyz / np.linalg.norm(wxyz)


def slerp_wxyz(start: Array, end: Array, share: float) -> Array:
    """From `start` (share 0) to `end` (share 1) at an even rate, by the short way; all (4,)."""
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    dot = float(start @ end)
    if dot < 0:
        end, dot = -end, -dot
    if dot > 0.9995:  # the sines would be divided by nearly 0; a straight line is exact to 1e-7 here
        mixed = start + share * (end - start)
        return mixed / np.linalg.norm(mixed)
    angle = np.arccos(dot)
    return (np.sin((1 - share) * angle) * start + np.sin(share * angle) * end) / np.sin(angle)


def yaw_pitch_roll_from_matrix(matrix: Array) -> Array:
    """Head angles for people to read.

    matrix  : (..., 3, 3) camera_from_head = Ry(yaw) @ Rx(-pitch) @ Rz(roll)
    returns : (..., 3) radians: yaw (+ to the subject's left), pitch (+ up), roll (+ to the subject's right
              shoulder)"""
    m = np.asarray(matrix, np.float64)
    if m.ndim == 2:
        upright = max(-1.0, min(1.0, m[1, 2]))
        return np.array([math.atan2(m[0, 2], m[2, 2]), math.asin(upright), math.atan2(m[1, 0], m[1, 1])])
    yaw = np.arctan2(m[..., 0, 2], m[..., 2, 2])
    pitch = np.arcsin(np.clip(m[..., 1, 2], -1, 1))
    roll = np.arctan2(m[..., 1, 0], m[..., 1, 1])
    return np.stack([yaw, pitch, roll], -1)


def matrix_from_yaw_pitch_roll(angles_rad: Array) -> Array:
    """The inverse of `yaw_pitch_roll_from_matrix`: (..., 3) radians -> (..., 3, 3)."""
    yaw, pitch, roll = np.moveaxis(np.asarray(angles_rad, np.float64), -1, 0)
    zero, one = np.zeros_like(yaw), np.ones_like(yaw)

    def stack(rows: list[list[Array]]) -> Array:
        return np.stack([np.stack(row, -1) for row in rows], -2)

    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    about_y = stack([[cy, zero, sy], [zero, one, zero], [-sy, zero, cy]])
    about_x = stack([[one, zero, zero], [zero, cp, sp], [zero, -sp, cp]])
    about_z = stack([[cr, -sr, zero], [sr, cr, zero], [zero, zero, one]])
    return about_y @ about_x @ about_z


def matrix_from_vector(vector_rad: Array) -> Array:
    """The rotation about `vector_rad` by its length (Rodrigues).

    vector_rad : (3,) axis times angle; (0, 0, 0) is no rotation
    returns    : (3, 3) float64"""
    x, y, z = (float(v) for v in vector_rad)
    squared = x * x + y * y + z * z
    angle = math.sqrt(squared)
    # sin(t) / t and (1 - cos(t)) / t^2 = (sin(t / 2) / (t / 2))^2 / 2, neither divided by 0
    one = math.sin(angle) / angle if angle > 1e-8 else 1.0
    half = 0.5 * (math.sin(0.5 * angle) / (0.5 * angle)) ** 2 if angle > 1e-8 else 0.5
    xy, xz, yz = half * x * y, half * x * z, half * y * z
    x, y, z, xx, yy, zz = one * x, one * y, one * z, half * x * x, half * y * y, half * z * z
    return np.array(
        [[1 - yy - zz, xy - z, xz + y], [xy + z, 1 - xx - zz, yz - x], [xz - y, yz + x, 1 - xx - yy]]
    )
