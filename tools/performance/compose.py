"""One finished picture from head, eyes, mouth, suit and background."""

from __future__ import annotations

import cv2
import numpy as np

from animator.channels import INDEX
from animator.data import Array
from animator.maths.projection import pixels_from_camera

from .expressions import SMILE_PORTRAIT, FaceModel
from .head_mesh import FOCAL_PX, SIZE_PX, Head, video_px
from .inner import EYE_RADIUS_CM, Inner
from .portrait import TEXTURE_SCALE, Portrait
from .renderer import SUPERSAMPLING, SheetRenderer, downsampled

LARGE_PX = (SUPERSAMPLING * SIZE_PX[0], SUPERSAMPLING * SIZE_PX[1])
SWAY = 0.12
"""The shoulders follow this share of the head's way across the picture."""


class Studio:
    """Everything that is loaded once; `picture` draws one instant."""

    def __init__(self, portrait: Portrait, head: Head, face: FaceModel, inner: Inner) -> None:
        self._head, self._face, self._inner = head, face, inner
        sheet, side = head.sheet, portrait.head_rgb.shape[0] / TEXTURE_SCALE
        uv = sheet.picture_px / side
        alpha = np.repeat(portrait.head_alpha[..., None], 3, 2)
        self._colours = SheetRenderer(sheet.triangles, uv, portrait.head_rgb)
        self._calm = SheetRenderer(sheet.triangles, uv, portrait.calm_rgb)
        self._alpha = SheetRenderer(sheet.triangles, uv, alpha)
        self._inside = SheetRenderer(inner.triangles, inner.uv, inner.atlas)
        self._backdrop = backdrop()
        self._body = placed(portrait.body_rgb), placed(portrait.body_alpha) / 255

    def picture(self, weights: Array, gaze_rad: Array, rotation: Array, translation_cm: Array) -> Array:
        """One instant, (480, 640, 3) uint8.

        weights                  : (52,) ARKit's order
        gaze_rad                 : (2, 2) left, right eye x yaw, pitch
        rotation, translation_cm : (3, 3), (3,) camera_from_head"""
        head, turns = self._head, self._head.sheet.turns[:, None]
        points = self._face.deformed(weights)
        sway = SWAY * (translation_cm - head.rest_translation_cm) * np.array([1, 0.5, 0])
        turned, still = points @ rotation.T + translation_cm, points + head.rest_translation_cm + sway
        placed_cm = turns * turned + (1 - turns) * still
        cover = self._alpha.draw(placed_cm)[..., :1] / 255
        nose_px = pixels_from_camera(rotation @ head.landmarks_cm[1] + translation_cm, SIZE_PX, FOCAL_PX)
        folds = folds_share(weights, float(nose_px[0]))
        colours = folds * self._colours.draw(placed_cm) + (1 - folds) * self._calm.draw(placed_cm)
        inside_cm = self._inner.deformed(weights, gaze_rad) @ rotation.T + translation_cm
        inside = self._inside.draw(inside_cm)
        there = (inside.max(2, keepdims=True) > 4).astype(np.float32)
        inside = self.shaded(inside, cover[..., 0])
        self.glint(inside, gaze_rad, rotation, translation_cm)
        out = self.with_body(sway)
        out = there * inside + (1 - there) * out
        return downsampled(cover * colours + (1 - cover) * out)

    def shaded(self, inside: Array, cover: Array) -> Array:
        """Lids and lips throw a soft shadow on what lies behind them, most from above."""
        opening = 1 - cover
        wide = cv2.GaussianBlur(opening, (0, 0), 7.0)
        from_above = cv2.warpAffine(
            cv2.GaussianBlur(opening, (0, 0), 3.0), np.float32([[1, 0, 0], [0, 1, 5]]), LARGE_PX
        )
        light = np.clip(0.24 + 0.64 * wide + 0.38 * from_above, 0, 1.02)
        return inside * light[..., None] ** np.float32([1.0, 1.25, 1.2])  # shadows in flesh are warm

    def glint(self, inside: Array, gaze_rad: Array, rotation: Array, translation_cm: Array) -> None:
        """Paint the studio lamp's reflection on each eyeball, in place."""
        lamp = np.array([0.14, 0.16, 0.97])
        for centre in self._inner.eye_centres_cm:
            point = rotation @ centre + translation_cm + EYE_RADIUS_CM * lamp / np.linalg.norm(lamp)
            x, y = SUPERSAMPLING * pixels_from_camera(point, SIZE_PX, FOCAL_PX)
            yy, xx = np.mgrid[int(y) - 8 : int(y) + 9, int(x) - 8 : int(x) + 9]
            spot = np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / (2 * 1.7**2))[..., None]
            patch = inside[int(y) - 8 : int(y) + 9, int(x) - 8 : int(x) + 9]
            patch += (245 - patch) * 0.9 * spot

    def with_body(self, sway_cm: Array) -> Array:
        """(960, 1280, 3) float32: the suit before the background, moved by `sway_cm`."""
        scale = SUPERSAMPLING * FOCAL_PX / self._head.depth_cm
        move = np.float32([[1, 0, scale * sway_cm[0]], [0, 1, -scale * sway_cm[1]]])
        colours, alpha = (cv2.warpAffine(layer, move, LARGE_PX, borderMode=cv2.BORDER_REPLICATE)
                          for layer in self._body)  # fmt: skip
        return alpha[..., None] * colours + (1 - alpha[..., None]) * self._backdrop

    def close(self) -> None:
        """Give the windows back."""
        for renderer in (self._colours, self._calm, self._alpha, self._inside):
            renderer.close()


def folds_share(weights: Array, nose_x_px: float) -> Array:
    """(1, 1280, 1) float32 in 0..1: how much of the smile's folds shows, left and right of the nose."""
    smiles = [
        np.clip(weights[INDEX[f"mouthSmile{side}"]] / SMILE_PORTRAIT, 0, 1) for side in ("Left", "Right")
    ]
    x_px = (np.arange(LARGE_PX[0]) + 0.5) / SUPERSAMPLING - nose_x_px
    left = 1 / (1 + np.exp(-x_px / 6.0))
    return (left * smiles[0] + (1 - left) * smiles[1]).astype(np.float32)[None, :, None]


def placed(layer: Array) -> Array:
    """A layer over the whole portrait -> float32 at the video's place and twice its size."""
    origin = SUPERSAMPLING * video_px(np.zeros(2))
    scale = SUPERSAMPLING * float(video_px(np.array([1.0, 0]))[0] - video_px(np.zeros(2))[0]) / TEXTURE_SCALE
    move = np.float32([[scale, 0, origin[0]], [0, scale, origin[1]]])
    return cv2.warpAffine(layer, move, LARGE_PX, flags=cv2.INTER_LINEAR).astype(np.float32)


def backdrop() -> Array:
    """(960, 1280, 3) float32: a studio wall, lighter behind the head, in the portrait's own grey."""
    v, u = np.mgrid[: LARGE_PX[1], : LARGE_PX[0]]
    away = np.hypot((u / LARGE_PX[0] - 0.5) * 1.1, v / LARGE_PX[1] - 0.42)
    glow = np.exp(-((away / 0.55) ** 2))[..., None]
    dark, light = np.array([112.0, 106.0, 112.0]), np.array([196.0, 188.0, 190.0])
    grain = np.random.default_rng(7).normal(0, 0.6, (*v.shape, 1))  # keeps the gradient from banding
    return (dark + (light - dark) * glow + grain).astype(np.float32)
