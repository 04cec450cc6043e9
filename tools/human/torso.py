"""Skull, neck and bust: rings that leave the face's outline, go around the head and down to the chest.

The shape is the zero set of a few ellipsoids melted into one another; the rings are laid on a fan of
planes that turns about a line in front of the throat, from the plane of the face to the level one
through the neck, and then moves down.
"""

from __future__ import annotations

import numpy as np

from animator.data import Array

HINGE_CM = np.array([0.0, -12.8, 4.2])
FAN_DEGREES = (9.0, 19.0, 30.0, 41.0, 52.0, 63.0, 74.0, 84.0)
LEVELS_CM = (-13.6, -14.6, -15.9, -17.4, -19.4, -22.4, -26.5, -31.0)
SQUARENESS = 2.3
SHIRT_ROW = len(FAN_DEGREES) + 2
"""The neckline: rings from here on are clothed."""
_BALLS = (
    # centre, radii, melt: how softly it joins what is before it
    ((0.0, 4.2, -3.6), (8.0, 9.4, 9.4), 0.1),
    ((0.0, -1.5, -0.6), (6.5, 7.6, 5.2), 1.5),  # face and jaw
    ((0.0, 1.0, -7.0), (6.6, 6.0, 5.6), 1.5),  # back of the head
)
_NECK = ((0.0, -4.0, -4.6), (0.0, -19.0, -6.6), 4.5)
_BUST = (
    ((0.0, -30.0, -6.2), (15.0, 13.2, 8.2), 5.0),
    ((13.2, -24.2, -6.6), (5.6, 5.6, 5.8), 3.5),
    ((-13.2, -24.2, -6.6), (5.6, 5.6, 5.8), 3.5),
)


def distance_cm(points: Array) -> Array:
    """About how far points are outside the body, (..., 3) -> (...); negative inside."""
    total = None
    for centre, radii, melt in _BALLS:
        total = _melted(total, _ellipsoid(points, centre, radii), melt)
    total = _melted(total, _capsule(points, *_NECK), 2.2)
    for centre, radii, melt in _BUST:
        total = _melted(total, _ellipsoid(points, centre, radii), melt)
    return total


def rings(outline_cm: Array) -> Array:
    """The rings behind the face.

    outline_cm : (36, 3) the face's outline, from the forehead to the subject's left
    returns    : (R, 36, 3)"""
    planes = [(HINGE_CM, np.radians(angle)) for angle in FAN_DEGREES]
    planes += [(np.array([0.0, level, HINGE_CM[2]]), np.pi / 2) for level in LEVELS_CM]
    middle = np.array([0.0, (outline_cm[0, 1] + outline_cm[18, 1]) / 2])
    start = np.arctan2(outline_cm[:, 0], outline_cm[:, 1] - middle[1])
    start = np.where(start < -1e-6, start + 2 * np.pi, start)
    even = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    result = []
    for row, (origin, tilt) in enumerate(planes, start=1):
        angle = start + min(row / len(FAN_DEGREES), 1.0) * (even - start)
        bend = 5.6 * max(0.0, 1 - row / (len(FAN_DEGREES) - 1.0))
        result.append(_ring(origin, tilt, angle, bend))
    return np.array(result)


def _ring(origin: Array, tilt: float, angles: Array, bend_cm: float) -> Array:
    """(36, 3) where rays in a plane leave the body; its sides are bent backward like the face's outline."""
    up = np.array([0.0, np.cos(tilt), -np.sin(tilt)])
    normal = np.array([0.0, -np.sin(tilt), -np.cos(tilt)])
    along = np.linspace(0, 34, 400)
    inside = along[distance_cm(origin + along[:, None] * up) < 0]
    centre = origin + up * (inside.min() + inside.max()) / 2
    half = (inside.max() - inside.min()) / 2
    aspect = 0.85
    rays = np.sin(angles)[:, None] * np.array([aspect, 0, 0]) + np.cos(angles)[:, None] * up
    reach = np.linspace(0, 30, 600)
    sideways = np.clip(np.abs(rays[:, 0:1] * reach) / 7.7, 0, 1.15) ** 2
    points = centre + rays[:, None] * reach[None, :, None] + (bend_cm * sideways)[..., None] * normal
    outside = distance_cm(points) > 0
    first = np.where(outside.any(1), outside.argmax(1), int(half / reach[1]))
    result = points[np.arange(36), first]
    for _ in range(8):  # the march's step is half a millimetre; slide onto the surface exactly
        slope = _gradient(result)
        result -= slope * (distance_cm(result) / np.maximum((slope**2).sum(1), 1e-6))[:, None]
    return result


def _gradient(points: Array) -> Array:
    """(N, 3) slope of `distance_cm` by differences."""
    step = 1e-4
    return np.stack(
        [(distance_cm(points + d) - distance_cm(points - d)) / (2 * step) for d in np.eye(3) * step], 1
    )


def _ellipsoid(points: Array, centre: tuple[float, ...], radii: tuple[float, ...]) -> Array:
    """A ball a little on the way to a box: heads are flatter on top and at the sides than an egg."""
    scaled = (points - np.array(centre)) / np.array(radii)
    length = (np.abs(scaled) ** SQUARENESS).sum(-1) ** (1 / SQUARENESS)
    steep = np.linalg.norm(scaled / np.array(radii), axis=-1) / np.maximum(np.linalg.norm(scaled, axis=-1), 1e-9)
    return (length - 1) / np.maximum(steep, 1e-9)


def _capsule(points: Array, start: tuple[float, ...], end: tuple[float, ...], radius: float) -> Array:
    a, axis = np.array(start), np.array(end) - np.array(start)
    share = np.clip((points - a) @ axis / (axis @ axis), 0, 1)
    return np.linalg.norm(points - a - share[..., None] * axis, axis=-1) - radius


def _melted(first: Array | None, second: Array, melt: float) -> Array:
    """The union of two shapes with the crease between them filled over a width of `melt`."""
    if first is None:
        return second
    share = np.clip(0.5 + 0.5 * (second - first) / melt, 0, 1)
    return second + share * (first - second) - melt * share * (1 - share)
