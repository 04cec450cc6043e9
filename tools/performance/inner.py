"""What shows through the openings of the face: eyeballs that turn, teeth, tongue and the mouth's dark.

Everything lies on one sheet with one painted texture (an atlas): the left half is the eyeball seen from
the front, the right half holds the mouth's surfaces."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from animator.data import Array
from animator.topology import LEFT_EYE, LEFT_IRIS, LEFT_PUPIL, LIPS_INNER, RIGHT_EYE, RIGHT_IRIS, RIGHT_PUPIL

from .expressions import jaw_moved
from .head_mesh import Head
from .portrait import TEXTURE_SCALE, Portrait, filled, spread

EYE_RADIUS_CM = 1.25
EYE_SPAN_RAD = np.deg2rad(62)
CELL = 512
"""Texels along the side of one half of the atlas."""
SCLERA_RGB = (204, 189, 182)
IRIS_RGB = ((58, 36, 24), (96, 62, 38))
"""The iris at its rim and at its brightest, measured on the portrait."""
PUPIL_RGB = (16, 11, 10)
CAVITY_RGB = (46, 16, 15)
TONGUE_RGB = (150, 76, 72)


@dataclass(frozen=True, slots=True)
class Inner:
    """The sheet behind the openings."""

    positions_cm: Array
    """(V, 3) head frame, eyes looking straight ahead, mouth closed."""
    triangles: Array
    """(T, 3) int64."""
    uv: Array
    """(V, 2) in 0..1, v downward."""
    atlas: Array
    """(512, 1024, 3) uint8."""
    eye_rows: tuple[slice, slice]
    """Vertices of the left and of the right eyeball."""
    eye_centres_cm: Array
    """(2, 3): left, right."""
    jaw_rows: slice
    """Vertices that move with the jaw."""

    def deformed(self, weights: Array, gaze_rad: Array) -> Array:
        """(V, 3) head frame centimetres. weights: (52,); gaze_rad: (2, 2) left, right x yaw, pitch."""
        out = self.positions_cm.copy()
        for rows, centre, (yaw, pitch) in zip(self.eye_rows, self.eye_centres_cm, gaze_rad, strict=True):
            out[rows] = (out[rows] - centre) @ gaze_rotation(yaw, pitch).T + centre
        out[self.jaw_rows] = jaw_moved(out[self.jaw_rows], weights)
        return out


def gaze_rotation(yaw_rad: float, pitch_rad: float) -> Array:
    """(3, 3): turns +z to the subject's left by yaw, up by pitch."""
    cy, sy, cp, sp = np.cos(yaw_rad), np.sin(yaw_rad), np.cos(pitch_rad), np.sin(pitch_rad)
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    return about_y @ np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])


def build_inner(head: Head, portrait: Portrait) -> Inner:
    """Place eyeballs and teeth behind the portrait's openings and paint them."""
    iris_cm = np.mean([iris_radius_cm(head, LEFT_IRIS), iris_radius_cm(head, RIGHT_IRIS)])
    atlas = np.concatenate([eye_texture(float(iris_cm)), mouth_texture(head, portrait)], 1)
    parts, rows, count = [], [], 0
    centres = np.array([eye_centre(head, LEFT_EYE, LEFT_PUPIL), eye_centre(head, RIGHT_EYE, RIGHT_PUPIL)])
    for centre in centres:
        parts.append(eyeball(centre))
    parts += mouth_sheets(head)
    triangles = []
    for positions, faces, _ in parts:
        triangles.append(faces + count)
        rows.append(slice(count, count + len(positions)))
        count += len(positions)
    positions = np.concatenate([p for p, _, _ in parts])
    uv = np.concatenate([t for _, _, t in parts])
    jaw = slice(rows[3].start, rows[4].stop)
    return Inner(positions, np.concatenate(triangles), uv, atlas, (rows[0], rows[1]), centres, jaw)


def iris_radius_cm(head: Head, ring: tuple[int, ...]) -> float:
    """The iris' radius from the portrait's landmarks."""
    points = head.landmarks_cm[list(ring), :2]
    return float(np.linalg.norm(points - points.mean(0), axis=1).mean())


def eye_centre(head: Head, outline: tuple[int, ...], pupil: int) -> Array:
    """(3,) the eyeball's centre: behind the pupil, its front just behind the lids."""
    lids = head.landmarks_cm[list(outline)]
    front = lids[:, 2].mean() + 0.05
    # The sight line through the pupil, so that the pupil stays on its place in the picture.
    pupil_cm = head.landmarks_cm[pupil]
    eye_point = -head.rest_translation_cm
    along = (front - eye_point[2]) / (pupil_cm[2] - eye_point[2])
    place = eye_point + (pupil_cm - eye_point) * along
    return place - np.array([0, 0, EYE_RADIUS_CM])


def grid(n: int, m: int) -> tuple[Array, Array]:
    """Parameters (n * m, 2) in 0..1 and triangles of an n x m grid."""
    a, b = np.meshgrid(np.linspace(0, 1, n), np.linspace(0, 1, m), indexing="ij")
    i = np.arange(n * m).reshape(n, m)
    q = np.stack([i[:-1, :-1], i[1:, :-1], i[1:, 1:], i[:-1, 1:]], -1).reshape(-1, 4)
    return np.stack([a.ravel(), b.ravel()], 1), np.concatenate([q[:, [0, 1, 2]], q[:, [0, 2, 3]]])


def eyeball(centre: Array) -> tuple[Array, Array, Array]:
    """Front cap of a sphere: positions, triangles, uv (the sphere seen from the front)."""
    params, faces = grid(49, 49)
    xy = (params * 2 - 1) * np.sin(EYE_SPAN_RAD)
    flat = np.maximum(1 - (xy**2).sum(1), 0.02)
    sphere = np.stack([xy[:, 0], -xy[:, 1], np.sqrt(flat)], 1)
    return centre + EYE_RADIUS_CM * sphere, faces, params * np.array([0.5, 1.0])


def eye_texture(iris_cm: float) -> Array:
    """(512, 512, 3) uint8: sclera, iris with dark rim and fine rays, pupil."""
    v, u = (np.mgrid[:CELL, :CELL] + 0.5) / CELL * 2 - 1
    radius = np.hypot(u, v) * np.sin(EYE_SPAN_RAD) * EYE_RADIUS_CM / iris_cm  # 1 on the iris' rim
    angle = np.arctan2(v, u)
    rays = 0.5 + 0.5 * np.sin(31 * angle + 2 * np.sin(5 * angle)) * np.sin(17 * angle)
    rim, bright = np.array(IRIS_RGB, np.float64)
    inside = np.clip((radius - 0.4) / 0.6, 0, 1)[..., None]
    lower = np.clip(0.55 + 0.5 * v / 0.45, 0, 1)[..., None]
    iris = rim + (bright - rim) * (1 - inside**2) * (0.35 + 0.65 * lower) * (0.8 + 0.2 * rays[..., None])
    sclera = np.array(SCLERA_RGB) * (1 - 0.16 * np.clip(radius / 2.6, 0, 1) ** 2)[..., None]
    colour = mixed(sclera, iris, soft_step(1.06 - radius, 0.1))
    colour = mixed(colour, np.array(PUPIL_RGB, np.float64) + 0 * iris, soft_step(0.42 - radius, 0.08))
    return np.clip(colour, 0, 255).astype(np.uint8)


def soft_step(distance: Array, width: float) -> Array:
    """0 below -width/2, 1 above width/2."""
    share = np.clip(distance / width + 0.5, 0, 1)
    return share * share * (3 - 2 * share)


def mixed(under: Array, over: Array, share: Array) -> Array:
    """`over` laid on `under` by `share` (H, W)."""
    return under + (over - under) * share[..., None]


MOUTH_RECT_PX = (192.0, 128.0, 258.0, 161.0)
"""The part of the portrait (left, top, right, bottom) that the teeth's texture shows."""


def mouth_texture(head: Head, portrait: Portrait) -> Array:
    """(512, 512, 3) uint8: the upper half the portrait's teeth run on upward, below tongue and cavity."""
    left, top, right, bottom = MOUTH_RECT_PX
    half = TEXTURE_SCALE // 2
    small = cv2.resize(portrait.picture_rgb, None, fx=half, fy=half, interpolation=cv2.INTER_CUBIC)
    lips = head.picture_landmarks_px[list(LIPS_INNER)] * half
    opening = filled(small.shape[:2], lips).astype(np.uint8)
    opening = cv2.erode(opening, np.ones((3, 3), np.uint8))
    bright = small.min(2) > 120  # teeth, not the dark mouth corners
    rows = slice(int(top * half), int(bottom * half))
    columns = slice(int(left * half), int(right * half))
    teeth = spread(small[rows, columns], (opening & bright)[rows, columns])
    off = np.linspace(-1, 1, teeth.shape[1]) * 0.5 * (right - left) / 17.0  # 1 at the corners of the smile
    teeth *= (1 - 0.75 * np.clip((np.abs(off) - 0.45) / 0.55, 0, 1) ** 1.5)[None, :, None]
    upper = cv2.resize(
        np.clip(teeth, 0, 255).astype(np.uint8), (CELL, CELL // 2), interpolation=cv2.INTER_CUBIC
    )
    v, u = np.mgrid[: CELL // 2, :CELL]
    tongue = (
        np.array(TONGUE_RGB) * (1 - 0.75 * np.abs(u / CELL * 2 - 1) ** 2 - 0.25 * v / (CELL / 2))[..., None]
    )
    cavity = np.broadcast_to(np.array(CAVITY_RGB, np.float64), tongue.shape)
    lower = np.where((u < CELL // 2)[..., None], tongue[:, np.minimum(2 * np.arange(CELL), CELL - 1)], cavity)
    return np.concatenate([upper, np.clip(lower, 0, 255).astype(np.uint8)])


def mouth_sheets(head: Head) -> list[tuple[Array, Array, Array]]:
    """Upper teeth, then (moving with the jaw) lower teeth and tongue, then the cavity's back."""
    lips_cm = head.landmarks_cm[[13, 14]].mean(0)
    params, faces = grid(33, 9)
    across, along = params.T
    tongue = lips_cm + np.stack(
        [3.4 * (across - 0.5), 1.1 * along - 1.5 - 0.5 * (2 * across - 1) ** 2, -1.2 - 1.6 * along], 1
    )
    tongue_uv = np.stack([0.505 + 0.24 * across, 0.52 + 0.46 * along], 1)
    back = lips_cm + np.stack([8 * (across - 0.5), 2 - 8 * along, np.full(len(params), -4.0)], 1)
    back_uv = np.tile([0.9, 0.8], (len(params), 1))
    upper, lower, teeth_uv = teeth_sheets(head, params)
    return [
        (upper, faces, teeth_uv),
        (lower, faces, teeth_uv),
        (tongue, faces, tongue_uv),
        (back, faces, back_uv),
    ]


def teeth_sheets(head: Head, params: Array) -> tuple[Array, Array, Array]:
    """Two curved strips over the (33, 9) grid `params`: upper (297, 3), lower (297, 3), and their uv.

    In the portrait the upper teeth rest on the lower lip, whose edge therefore is theirs."""
    lips_px = head.picture_landmarks_px[list(LIPS_INNER)]
    lips_z = (head.landmarks_cm[[13, 14]] @ head.portrait_rotation.T)[:, 2].mean()
    left, right, level = lips_px[:, 0].min(), lips_px[:, 0].max(), lips_px[:, 1].mean()
    across, along = params.T
    x_px = left - 1 + (right - left + 2) * across
    off = (x_px - 0.5 * (left + right)) / (0.5 * (right - left))
    edge = np.array([lips_px[np.abs(lips_px[:, 0] - x) < 4.5, 1].max() for x in x_px])
    edge = cv2.GaussianBlur(edge.reshape(33, 9)[:, :1], (1, 9), 2.0).repeat(9, 1).ravel() - 0.4
    upper_px = np.stack([x_px, edge - 9.0 * along], 1)
    lower_px = np.stack([x_px, level + 4.0 - 1.5 * off**2 + 5.0 * along], 1)
    rect = np.array(MOUTH_RECT_PX)
    inside = np.clip((upper_px - rect[:2]) / (rect[2:] - rect[:2]), 0, 1)
    uv = np.stack([0.5 + 0.5 * inside[:, 0], 0.498 * inside[:, 1]], 1)
    upper = head.at_depth(upper_px, lips_z - 0.55 - 1.6 * off**2)
    return upper, head.at_depth(lower_px, lips_z - 1.0 - 1.8 * off**2), uv
