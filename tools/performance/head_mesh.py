"""The portrait as a relief in space: face mesh, hair, ears and neck on one dense sheet of triangles.

Every vertex lies where the camera of `VERTICAL_FOV_RAD` sees its pixel of the portrait, so at rest the
render shows the portrait itself; only depth is new. Inside the face depth comes from the landmarks,
outside it from a smooth sheet that falls back over hair and neck like a head does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.spatial import Delaunay

from animator.data import Array
from animator.maths.projection import camera_from_pixels, focal_px, pixels_from_camera
from animator.maths.rigid import fit_similarity
from animator.topology import FACE_OVAL, LIPS_INNER, canonical_face

SIZE_PX = (640, 480)
VERTICAL_FOV_RAD = np.deg2rad(50.0)
FOCAL_PX = focal_px(SIZE_PX, float(VERTICAL_FOV_RAD))
ZOOM = 1.9
"""Pixels of the video per pixel of the portrait."""
CENTRE_PX = (229.0, 122.0)
"""The portrait's pixel in the middle of the video."""

DEPTH_ANCHORS_PX = (
    (150, 75, -5.5), (153, 105, -5.5), (168, 50, -4.5), (190, 28, -2.0), (227, 14, -1.0), (262, 25, -2.0),
    (288, 52, -4.5), (302, 80, -5.5), (300, 105, -5.5), (281, 128, -5.0), (160, 125, -5.0), (172, 130, -4.5),
    (275, 133, -4.5), (227, 45, 4.6), (200, 55, 3.2), (256, 55, 3.2), (227, 28, 2.4), (175, 75, -1.5),
    (281, 75, -1.5), (173, 100, -2.0), (283, 100, -2.0), (186, 165, -2.5), (186, 190, -2.2), (253, 165, -2.5),
    (253, 190, -2.2), (220, 200, 1.0), (220, 225, 0.5), (180, 225, -3.0), (262, 225, -3.0), (100, 80, -9.0),
    (355, 80, -9.0), (227, -30, -6.0), (120, 190, -3.0), (330, 190, -3.0), (100, 290, -2.0), (350, 290, -2.0),
    (225, 290, 2.0),
)  # fmt: skip
"""Depth (cm, towards the camera) of places outside the face: x, y in the portrait's pixels."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A dense triangle sheet over the portrait."""

    positions_cm: Array
    """(V, 3) float64: head frame (that of the canonical face, same scale)."""
    picture_px: Array
    """(V, 2) float64: where each vertex lies in the portrait."""
    triangles: Array
    """(T, 3) int64."""
    turns: Array
    """(V,) in 0..1: how far a vertex turns with the head; 0 stays with the shoulders."""
    landmark_share: Array
    """(V, 468) float32: each vertex as a mixture of the landmarks (rows sum to 1; less outside the face)."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head at rest."""

    sheet: Sheet
    landmarks_cm: Array
    """(478, 3) float64: the portrait's landmarks in the head frame; irises last."""
    picture_landmarks_px: Array
    """(478, 2) float64: the same in the portrait."""
    depth_cm: float
    """Distance of the canonical face's origin from the camera at rest."""
    rest_translation_cm: Array
    """(3,): camera_from_head at rest; the rotation at rest is the identity."""
    portrait_rotation: Array
    """(3, 3): camera_from_head in the portrait, where she tilts her head a little."""

    def at_depth(self, picture_px: Array, z_cm: Array) -> Array:
        """(..., 3) head frame: points on the sight lines of the portrait's pixels.

        picture_px : (..., 2)
        z_cm       : (...,) towards the camera from the head's origin, in the portrait"""
        camera = lift(picture_px, z_cm, self.depth_cm)
        return (camera - self.rest_translation_cm) @ self.portrait_rotation


def video_px(picture_px: Array) -> Array:
    """(..., 2) the portrait's pixels -> the video's pixels at rest."""
    return (np.asarray(picture_px, np.float64) - CENTRE_PX) * ZOOM + 0.5 * np.array(SIZE_PX)


def lift(picture_px: Array, towards_cm: Array, depth_cm: float) -> Array:
    """(..., 3) camera space: the portrait's pixels at `towards_cm` in front of the plane at `depth_cm`."""
    return camera_from_pixels(video_px(picture_px), depth_cm - np.asarray(towards_cm), SIZE_PX, FOCAL_PX)


def picture_px_from_camera(points_cm: Array) -> Array:
    """The inverse of `lift` but for depth: (..., 2) pixels of the portrait."""
    return (pixels_from_camera(points_cm, SIZE_PX, FOCAL_PX) - 0.5 * np.array(SIZE_PX)) / ZOOM + CENTRE_PX


def build_head(landmarks_px: Array) -> Head:
    """Lift the portrait's landmarks to the canonical face's size, turn them to face the camera, and build
    the sheet around them.

    landmarks_px : (478, 3) pixels, smaller z is nearer"""
    canonical = canonical_face().positions_cm.astype(np.float64)
    weights = np.ones(468)
    weights[list({*LIPS_INNER} | set(range(0, 20)))] = 0.2  # the portrait smiles, the canonical face does not
    depth_cm = 50.0
    for _ in range(20):  # the distance at which the lifted face has the canonical face's size
        towards_cm = -landmarks_px[:, 2] * ZOOM * depth_cm / FOCAL_PX
        lifted = lift(landmarks_px[:, :2], towards_cm, depth_cm)
        scale, rotation, translation = fit_similarity(canonical, lifted[:468], weights)
        depth_cm /= scale
    sheet_camera, picture_px, triangles, landmark_share = build_sheet(lifted, translation)
    head = (lifted - translation) @ rotation
    positions = (sheet_camera - translation) @ rotation
    turns = turning_share(picture_px)
    # What stays with the shoulders stays where the portrait has it.
    still = sheet_camera - translation
    positions = turns[:, None] * positions + (1 - turns[:, None]) * still
    sheet = Sheet(positions, picture_px, triangles, turns, landmark_share)
    return Head(sheet, head, landmarks_px[:, :2].copy(), -translation[2], translation, rotation)


def turning_share(picture_px: Array) -> Array:
    """(V,) in 0..1: 1 on the head, easing to 0 down the neck."""
    x, y = picture_px[:, 0], picture_px[:, 1]
    jaw_y = 176 - 0.012 * (x - 222) ** 2  # the jaw curves up towards the ears
    share = np.clip((np.maximum(jaw_y, 142) + 36 - y) / 36, 0, 1)
    return share * share * (3 - 2 * share)


def build_sheet(lifted: Array, origin: Array) -> tuple[Array, Array, Array, Array]:
    """The dense face and the skirt around it, sewn along the face's outline.

    lifted  : (478, 3) the landmarks in camera space
    origin  : (3,) the head's origin in camera space
    returns : positions (V, 3) in camera space, picture_px (V, 2), triangles (T, 3),
              landmark_share (V, 468)"""
    share, faces = np.eye(468), canonical_face().triangles.astype(np.int64)
    for _ in range(2):
        share, faces = subdivided(share, faces)
    inner = share @ lifted[:468]
    inner_px = picture_px_from_camera(inner)
    rim = rim_of(share)
    outer_px = skirt_points(inner_px, rim)
    depth = RBFInterpolator(*depth_samples(lifted, origin), smoothing=2.0, kernel="thin_plate_spline")
    outer = lift(outer_px, depth(outer_px), -origin[2])
    sewn_px = np.concatenate([inner_px[rim], outer_px])
    sewn = Delaunay(sewn_px).simplices
    rows = np.concatenate([rim, len(inner_px) + np.arange(len(outer_px))])
    inside = inside_outline(sewn_px[sewn].mean(1), inner_px[rim]) & (sewn < len(rim)).all(1)
    skirt = rows[sewn[~inside]]
    all_px = np.concatenate([inner_px, outer_px])
    outer_share = skirt_share(outer_px, inner_px[rim], share[rim])
    return (
        np.concatenate([inner, outer]), all_px, np.concatenate([faces, skirt]),
        np.concatenate([share, outer_share]).astype(np.float32),
    )  # fmt: skip


def subdivided(share: Array, faces: Array) -> tuple[Array, Array]:
    """Each triangle becomes four; new vertices are the mixtures half way along the edges."""
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), 1)
    unique, back = np.unique(edges, axis=0, return_inverse=True)
    middle = len(share) + back.reshape(-1, 3)
    a, b, c = faces.T
    ab, bc, ca = middle.T
    finer = np.concatenate([np.stack(t, 1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])
    return np.concatenate([share, 0.5 * (share[unique[:, 0]] + share[unique[:, 1]])]), finer


def rim_of(share: Array) -> Array:
    """Rows of the dense vertices on the face's outline, in its order."""
    oval = list(FACE_OVAL)
    along = share[:, oval]
    rows = np.flatnonzero(np.isclose(along.sum(1), 1))
    step = np.arange(len(oval))
    # Position along the closed outline as a mean angle, so that the seam between last and first works too.
    angle = 2 * np.pi * step / len(oval)
    place = np.angle(along[rows] @ np.exp(1j * angle)) % (2 * np.pi)
    return rows[np.argsort(place)]


def skirt_points(inner_px: Array, rim: Array) -> Array:
    """(P, 2) grid points of the portrait outside the face, 4 px apart, and coarser far away."""
    near = np.stack(np.meshgrid(np.arange(122, 337, 4.0), np.arange(-14, 240, 4.0)), -1).reshape(-1, 2)
    outline = inner_px[rim]
    distance = np.sqrt(((near[:, None] - outline[None]) ** 2).sum(-1)).min(1)
    return near[~inside_outline(near, outline) & (distance > 2.0)]


def inside_outline(points: Array, outline: Array) -> Array:
    """(P,) bool: inside the closed polygon (even-odd rule)."""
    x, y = points[:, 0, None], points[:, 1, None]
    x1, y1 = outline.T
    x2, y2 = np.roll(outline, -1, 0).T
    crosses = (y1 > y) != (y2 > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        at_x = x1 + (y - y1) * (x2 - x1) / (y2 - y1)
    return (crosses & (x < at_x)).sum(1) % 2 == 1


def depth_samples(lifted: Array, origin: Array) -> tuple[Array, Array]:
    """Places (S, 2) in the portrait and their depth (S,) towards the camera, in centimetres."""
    oval = lifted[list(FACE_OVAL)]
    anchors = np.array(DEPTH_ANCHORS_PX, np.float64)
    places = np.concatenate([picture_px_from_camera(oval), anchors[:, :2]])
    return places, np.concatenate([oval[:, 2] - origin[2], anchors[:, 2]])


def skirt_share(outer_px: Array, rim_px: Array, rim_share: Array) -> Array:
    """(P, 468): the skirt follows the outline near it and less the farther away."""
    squared = ((outer_px[:, None] - rim_px[None]) ** 2).sum(-1)
    distance = np.sqrt(squared.min(1))
    near = np.exp(-(squared - squared.min(1, keepdims=True)) / (2 * (3.0 + 0.6 * distance[:, None]) ** 2))
    near /= near.sum(1, keepdims=True)
    return np.exp(-distance / 28.0)[:, None] * (near @ rim_share)
