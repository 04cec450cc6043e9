"""Rotations for packets, on plain floats: a packet is made in some 50 microseconds, and numpy takes one or more
for each operation, however small.

A matrix is nine numbers, row by row, and acts on column vectors in face space: x to the subject's left, y up, z out
of the face. There + about x looks down, + about y turns to the subject's left, + about z tilts to its right shoulder.
"""

from __future__ import annotations

from math import atan2, cos, hypot, sin, sqrt

Matrix = tuple[float, float, float, float, float, float, float, float, float]
Wxyz = tuple[float, float, float, float]
Angles = tuple[float, float, float]

IDENTITY: Wxyz = (1.0, 0.0, 0.0, 0.0)


def matrix_from_wxyz(wxyz: Wxyz) -> Matrix:
    """The matrix of a unit quaternion."""
    w, x, y, z = wxyz
    return (
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    )  # fmt: skip


def product(left: Wxyz, right: Wxyz) -> Wxyz:
    """The rotation `left` after the rotation `right`."""
    lw, lx, ly, lz = left
    rw, rx, ry, rz = right
    return (
        lw * rw - lx * rx - ly * ry - lz * rz,
        lw * rx + lx * rw + ly * rz - lz * ry,
        lw * ry - lx * rz + ly * rw + lz * rx,
        lw * rz + lx * ry - ly * rx + lz * rw,
    )


def about(axis: int, angle_rad: float) -> Wxyz:
    """The rotation about x (0), y (1) or z (2)."""
    half = [cos(angle_rad / 2), 0.0, 0.0, 0.0]
    half[1 + axis] = sin(angle_rad / 2)
    return tuple(half)


def share_of(wxyz: Wxyz, share: float) -> Wxyz:
    """`share` of a rotation, about the same axis and by the short way."""
    w, x, y, z = wxyz if wxyz[0] >= 0 else tuple(-part for part in wxyz)
    length = sqrt(x * x + y * y + z * z)
    half = share * atan2(length, w)
    # sin(share t) / sin(t) goes to `share` where there is no turn
    scale = sin(half) / length if length > 1e-12 else share
    return cos(half), scale * x, scale * y, scale * z


def unit(wxyz: Wxyz) -> Wxyz | None:
    """The quaternion at length 1; None for one too short to have a direction."""
    length = sqrt(sum(part * part for part in wxyz))
    return tuple(part / length for part in wxyz) if 1e-3 < length < 1e3 else None


def eye_wxyz(yaw_rad: float, pitch_rad: float) -> Wxyz:
    """head_from_eye of a look: pitch outermost, yaw inner, as on ARKit devices, so without torsion."""
    return product(about(0, -pitch_rad), about(1, yaw_rad))


def eye_matrix(yaw_rad: float, pitch_rad: float) -> Matrix:
    """The matrix of `eye_wxyz`."""
    sy, cy, sx, cx = sin(yaw_rad), cos(yaw_rad), sin(-pitch_rad), cos(pitch_rad)
    return (cy, 0.0, sy, sx * sy, cx, -sx * cy, -cx * sy, sx, cx * cy)


def look_of(matrix: Matrix) -> tuple[float, float]:
    """(yaw, pitch) of where an eye looks, + to the subject's left and up; torsion is passed over."""
    return atan2(matrix[2], hypot(matrix[5], matrix[8])), atan2(matrix[5], matrix[8])


def zyx_from_matrix(m: Matrix) -> Angles:
    """(x, y, z) in radians of Rz(z) @ Ry(y) @ Rx(x)."""
    return atan2(m[7], m[8]), atan2(0.0 - m[6], hypot(m[0], m[3])), atan2(m[3], m[0])


def wxyz_from_zyx(x: float, y: float, z: float) -> Wxyz:
    """The inverse of `zyx_from_matrix`, as a quaternion."""
    return product(about(2, z), product(about(1, y), about(0, x)))


def yxz_from_matrix(m: Matrix) -> Angles:
    """(x, y, z) in radians of Ry(y) @ Rx(x) @ Rz(z)."""
    return atan2(0.0 - m[5], hypot(m[3], m[4])), atan2(m[2], m[8]), atan2(m[3], m[4])


def wxyz_from_yxz(x: float, y: float, z: float) -> Wxyz:
    """The inverse of `yxz_from_matrix`, as a quaternion."""
    return product(about(1, y), product(about(0, x), about(2, z)))
