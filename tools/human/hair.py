"""Hair: a cap around the skull, and over it locks that are combed away from a parting and end in points."""

from __future__ import annotations

import numpy as np

from animator.data import Array

from . import torso
from .piece import HEAD, Piece, rigid, sheet

CENTRE_CM = np.array([0.0, 4.0, -3.6])
CROWN_TILT_RAD = np.radians(22.0)
HAIRLINE = (
    # azimuth about the crown (0 front, 180 back), angle from the crown where the hair ends; degrees
    (0, 78), (18, 77), (34, 79), (50, 84), (63, 92), (73, 104), (81, 112), (88, 111), (95, 94), (108, 86),
    (122, 98), (138, 120), (155, 127), (180, 129),
)  # fmt: skip
PARTING_DEG = -34.0
"""Where the hair is parted: on the subject's right."""
ROWS, COLUMNS = 15, 60
LINED_RAD = np.radians(115.0)
"""So far from the front the cap shows its inside, too."""
LOCK_ROWS = 6
LOCKS = (
    # how many, azimuth of the roots, of the tips (degrees), share from crown to hairline of roots and tips (first
    # and last lock), half width (degrees of a great circle), how far it stands off the cap (cm)
    (10, (-31, -20), (-14, 66), (0.62, 0.30), (1.22, 1.06), 8.0, 0.34),  # fringe, swept to the left
    (6, (-32, -24), (8, 84), (0.36, 0.12), (1.15, 1.02), 9.5, 0.58),  # over it
    (5, (-36, -52), (-42, -92), (0.60, 0.25), (1.05, 1.01), 7.5, 0.34),  # the other side of the parting
    (6, (-40, -70), (-62, -126), (0.30, 0.10), (0.98, 0.96), 8.5, 0.46),
    (8, (70, 122), (82, 152), (0.45, 0.35), (1.04, 1.05), 8.0, 0.28),  # left temple and behind the ear
    (8, (-78, -122), (-88, -152), (0.45, 0.35), (1.04, 1.05), 8.0, 0.28),
    (9, (130, 230), (138, 222), (0.55, 0.55), (1.05, 1.05), 9.0, 0.26),  # nape
    (9, (92, 268), (112, 248), (0.14, 0.14), (0.74, 0.74), 10.5, 0.34),  # back of the head
)


HANGING = (0, 1, 4, 5, 6)
"""Rows of locks that hang free at their ends."""


def hair() -> list[Piece]:
    """Locks whose undersides can be seen, and the others with the cap below them.

    From the outside in, and fronts alone where that is all there is to see: what is hidden is then not coloured.
    Drawing the whole avatar at 640x480 in software takes 11 ms so, 13 without; 9 with fronts alone, but who looks in
    under the fringe looks through the head then."""
    rows = [[*_row_of_locks(*row)] for row in LOCKS]
    loose = [lock for number in HANGING for lock in rows[number]]
    close = [lock for number, row in enumerate(rows) if number not in HANGING for lock in row]
    front, back = _cap()
    return [_joined("locks", [*loose, front]), _joined("hair", [*close, back])]


def _joined(name: str, parts: list[tuple[Array, Array, Array]]) -> Piece:
    """Several sheets as one piece."""
    positions, uv = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
    starts = np.cumsum([0, *(len(part[0]) for part in parts[:-1])])
    triangles = np.concatenate([part[2] + start for part, start in zip(parts, starts, strict=True)])
    return Piece(name, name, positions, uv, triangles, rigid(len(positions), HEAD))


def _cap() -> list[tuple[Array, Array, Array]]:
    """What is seen between the locks, its front, whose lining can be seen, and its back: points, texture
    coordinates, triangles."""
    azimuth = np.linspace(-np.pi, np.pi, COLUMNS, endpoint=False)
    share = np.linspace(0, 1, ROWS) ** 0.9
    positions = _on_hair(share[:, None], azimuth[None], np.zeros((ROWS, COLUMNS)))
    grid = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS)
    uv = np.stack(np.broadcast_arrays(np.abs(azimuth[None]) / np.pi * 2.0, 0.02 + 0.80 * share[:, None]), -1)
    triangles = sheet(grid, closed=True)
    in_front = np.abs(azimuth[triangles % COLUMNS]).max(1) < LINED_RAD
    parts = []
    for chosen in (in_front, ~in_front):
        rows, corners = np.unique(triangles[chosen], return_inverse=True)
        parts.append((positions.reshape(-1, 3)[rows], uv.reshape(-1, 2)[rows], corners.reshape(-1, 3)))
    return parts


def _row_of_locks(
    count: int, roots: tuple, tips: tuple, first: tuple, last: tuple, width_deg: float, lift_cm: float
) -> list[tuple[Array, Array, Array]]:
    """Locks side by side, each a little different."""
    made = []
    for number in range(count):
        along = number / max(count - 1, 1)
        odd = np.sin(7.3 * number + 3.1 * roots[0]) * 0.5  # as good as chance, and the same every time
        root, tip = np.radians(np.interp(along, (0, 1), roots)), np.radians(np.interp(along, (0, 1), tips))
        start, end = np.interp(along, (0, 1), first), np.interp(along, (0, 1), last) + 0.055 * odd
        size = np.radians(width_deg) * (1 + 0.25 * odd)
        made.append(_lock((root, tip), (start, end), size, lift_cm * (1 + 0.3 * odd), number + roots[0]))
    return made


def _lock(
    azimuths: tuple[float, float], shares: tuple[float, float], width_rad: float, lift_cm: float, number: float
) -> tuple[Array, Array, Array]:
    """A strip with a ridge along its middle and a point at its end."""
    t = np.linspace(0, 1, LOCK_ROWS)
    azimuth = azimuths[0] + (azimuths[1] - azimuths[0]) * t**0.85
    share = shares[0] + (shares[1] - shares[0]) * t**1.15
    half = width_rad * np.clip(np.minimum(0.55 + 1.6 * t, 1.0) * (1 - t**3.2), 0.02, 1)
    polar = share * hairline_rad(azimuth)
    # Sideways is across the path on the sphere, so that a lock keeps its width where it runs level.
    step_azimuth, step_polar = np.gradient(azimuth) * np.sin(np.maximum(polar, 0.2)), np.gradient(polar)
    length = np.hypot(step_azimuth, step_polar)
    side_azimuth, side_polar = step_polar / length, -step_azimuth / length
    columns = []
    # Both sides dip into the cap; a lock shows its ridge.
    for across, height in ((-1.0, -0.16), (-0.45, 0.72), (0.1, 1.0), (0.6, 0.6), (1.0, -0.16)):
        at_azimuth = azimuth + across * half * side_azimuth / np.sin(np.maximum(polar, 0.2))
        at_polar = polar + across * half * side_polar
        swell = lift_cm * height * np.clip(0.25 + 2.2 * t, 0, 1) * (1 - 0.55 * t**3)
        columns.append(_on_hair(at_polar / hairline_rad(at_azimuth), at_azimuth, swell, end=1.22))
    points = np.stack(columns, 1)
    grid = np.arange(LOCK_ROWS * 5).reshape(LOCK_ROWS, 5)
    triangles = sheet(grid, closed=False)
    a, b, c = (points.reshape(-1, 3)[triangles[:, k]] for k in range(3))
    if np.einsum("ti,ti->", np.cross(b - a, c - a), a - CENTRE_CM) < 0:
        triangles = triangles[:, ::-1]
    across = np.broadcast_to(np.linspace(0, 0.22, 5) + 0.377 * number, (LOCK_ROWS, 5))
    down = np.broadcast_to(0.10 + 0.88 * t[:, None], (LOCK_ROWS, 5))
    return points.reshape(-1, 3), np.stack([across, down], -1).reshape(-1, 2), triangles


def _on_hair(share: Array, azimuth: Array, above: Array, end: float = 1.0) -> Array:
    """Points on the hair's surface, plus so many centimetres; `end`: the share where it meets the skin."""
    direction = _direction(share * hairline_rad(azimuth), azimuth)
    radius = skull_radius_cm(direction) + _thickness(share, azimuth, end) + above
    return CENTRE_CM + direction * radius[..., None]


def hairline_rad(azimuth: Array) -> Array:
    """Angle from the crown at which hair ends."""
    where, ends = np.array(HAIRLINE, float).T
    turned = np.abs((np.degrees(azimuth) + 180) % 360 - 180)
    return np.radians(np.interp(turned, where, ends))


SHELL_RAD = 0.6
"""So far up from the hairline the skull is kept: who looks in under a fringe sees scalp, not through the head."""


def scalp(positions: Array) -> Array:
    """(V,) 1 where hair grows on the head, soft at the hairline."""
    return np.clip(_above_hairline_rad(positions) / 0.16, 0, 1)


def covered(positions: Array) -> Array:
    """(V,) bool: so far under the hair that nobody sees it."""
    return _above_hairline_rad(positions) > SHELL_RAD


def _above_hairline_rad(positions: Array) -> Array:
    arm = positions - CENTRE_CM
    arm = arm / np.linalg.norm(arm, axis=1, keepdims=True)
    crown, front = _axes()
    polar = np.arccos(np.clip(arm @ crown, -1, 1))
    azimuth = np.arctan2(arm[:, 0], arm @ front)
    return hairline_rad(azimuth) - polar


def skull_radius_cm(direction: Array) -> Array:
    """How far the skull reaches from the hair's centre; (..., 3) unit -> (...)."""
    near, far = np.full(direction.shape[:-1], 3.0), np.full(direction.shape[:-1], 18.0)
    for _ in range(40):
        middle = 0.5 * (near + far)
        outside = torso.distance_cm(CENTRE_CM + direction * middle[..., None]) > 0
        near, far = np.where(outside, near, middle), np.where(outside, middle, far)
    return near


def _axes() -> tuple[Array, Array]:
    c, s = np.cos(CROWN_TILT_RAD), np.sin(CROWN_TILT_RAD)
    return np.array([0.0, c, -s]), np.array([0.0, s, c])


def _direction(polar: Array, azimuth: Array) -> Array:
    """Unit vectors; azimuth 0 looks to the front, + to the subject's left."""
    crown, front = _axes()
    flat = np.cos(azimuth)[..., None] * front + np.sin(azimuth)[..., None] * np.array([1.0, 0.0, 0.0])
    return np.cos(polar)[..., None] * crown + np.sin(polar)[..., None] * flat


def _thickness(share: Array, azimuth: Array, end: float) -> Array:
    """How far the cap stands off the skull, cm; below 0 at the very ends, so that it grows out of the skin."""
    turned = (azimuth + np.pi) % (2 * np.pi) - np.pi
    front = np.exp(-((turned / 1.0) ** 2))
    side = np.exp(-(((np.abs(turned) - 1.6) / 0.5) ** 2))
    body = 0.95 + (0.35 * front - 0.35 * side) * np.clip(share / 0.4, 0, 1)  # at the crown all sides meet
    swept = 0.55 * np.exp(-(((share - 0.62) / 0.28) ** 2)) * np.exp(-(((turned - 0.25) / 0.75) ** 2))
    parting = -0.55 * np.exp(-(((turned - np.radians(PARTING_DEG)) / 0.11) ** 2)) * np.clip(share / 0.3, 0, 1)
    close = np.clip((end - share) / (end - 0.84), 0, 1) ** 0.6
    return (body + swept + parting) * close - 0.40 * (1 - close)
