"""Hair: a shell around the skull whose strands run from the crown to a hairline that is cut into locks."""

from __future__ import annotations

import numpy as np

from animator.data import Array

from . import torso
from .piece import HEAD, Piece, rigid, sheet

CENTRE_CM = np.array([0.0, 4.0, -3.6])
CROWN_TILT_RAD = np.radians(22.0)
HAIRLINE = (
    # azimuth about the crown (0 front, 180 back), angle from the crown where the hair ends; degrees
    (0, 80), (18, 79), (34, 80), (50, 84), (63, 92), (73, 104), (81, 113), (88, 111), (95, 94), (108, 86),
    (122, 98), (138, 120), (155, 127), (180, 129),
)  # fmt: skip
PARTING_DEG = -38.0
"""Where the hair is parted: on the subject's right."""
ROWS, COLUMNS = 34, 144


def hair() -> Piece:
    """The whole shell."""
    azimuth = np.linspace(-np.pi, np.pi, COLUMNS, endpoint=False)
    share = np.linspace(0, 1, ROWS) ** 0.9
    strand = _strand_noise(azimuth)
    limit = hairline_rad(azimuth) + np.radians(2.2) * _locks(azimuth)
    polar = share[:, None] * limit
    lean = 0.22 * share[:, None] * np.sin(azimuth - np.radians(PARTING_DEG))  # combed away from the parting
    direction = _direction(polar, azimuth + lean * (1 - share[:, None]))
    skull = skull_radius_cm(direction)
    shape = _thickness(share[:, None], azimuth[None], strand)
    points = CENTRE_CM + direction * (skull + shape)[..., None]
    grid = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS)
    positions = points.reshape(-1, 3)
    uv = np.stack(np.broadcast_arrays(
        np.abs(azimuth[None]) / np.pi * 2.0, 0.02 + 0.96 * share[:, None]), -1).reshape(-1, 2)  # fmt: skip
    return Piece("hair", "hair", positions, uv, sheet(grid, closed=True), rigid(len(positions), HEAD))


def hairline_rad(azimuth: Array) -> Array:
    """Angle from the crown at which hair ends."""
    where, ends = np.array(HAIRLINE, float).T
    return np.radians(np.interp(np.degrees(np.abs(azimuth)), where, ends))


def scalp(positions: Array) -> Array:
    """(V,) 1 where hair grows on the head, soft at the hairline."""
    arm = positions - CENTRE_CM
    arm = arm / np.linalg.norm(arm, axis=1, keepdims=True)
    crown, front = _axes()
    polar = np.arccos(np.clip(arm @ crown, -1, 1))
    azimuth = np.arctan2(arm[:, 0], arm @ front)
    return np.clip((hairline_rad(azimuth) - polar) / 0.16, 0, 1)


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


def _thickness(share: Array, azimuth: Array, strand: Array) -> Array:
    """How far the hair stands off the skull, cm; below 0 at the very ends, so that it grows out of the skin."""
    front = np.exp(-((azimuth / 0.95) ** 2))
    side = np.exp(-(((np.abs(azimuth) - 1.6) / 0.5) ** 2))
    body = 0.85 + (0.50 * front - 0.35 * side) * np.clip(share / 0.4, 0, 1)  # at the crown all sides meet
    quiff = 0.85 * np.exp(-(((share - 0.82) / 0.17) ** 2)) * np.exp(-(((azimuth - 0.15) / 0.62) ** 2))
    parting = -0.35 * np.exp(-(((azimuth - np.radians(PARTING_DEG)) / 0.10) ** 2)) * np.clip(share / 0.3, 0, 1)
    grooves = 0.17 * strand * np.clip(share / 0.25, 0, 1)
    end = np.clip((1 - share) / 0.10, 0, 1) ** 0.6
    return (body + quiff + parting + grooves) * end - 0.45 * (1 - end)


def _strand_noise(azimuth: Array) -> Array:
    """(C,) grooves between locks: a few waves that do not line up."""
    waves = ((11, 0.4, 1.6), (23, 1.9, 1.5), (37, 4.2, 2.2), (57, 2.6, 3.5))
    return sum(np.sin(n * azimuth + p) / k for n, p, k in waves)


def _locks(azimuth: Array) -> Array:
    """(C,) how far each lock hangs over the hairline."""
    return sum(np.sin(n * azimuth + p) / k for n, p, k in ((7, 2.1, 1.2), (13, 0.3, 1.6), (19, 1.0, 3.0)))
