"""The portrait: its landmarks, and the picture taken apart into a head layer and a body layer.

Pixels named `_px` are those of the 512 x 512 picture (x right, y down). Layer textures cover the whole
picture at `TEXTURE_SCALE` texels per pixel. The outlines below were read off this one picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from animator.data import Array
from animator.topology import LEFT_EYE, LIPS_INNER, RIGHT_EYE

TEXTURE_SCALE = 4
"""Texels per pixel of the picture: the render shows 3.2 samples per pixel, so nothing is lost."""

NECKLINE_PX = ((186, 179), (195, 185), (212, 187), (235, 191), (252, 186))
"""Where skin meets the black collar, from her right to her left."""
NECK_PX = ((186, 140), (253, 140), (254, 160), (254, 186), (258, 214), (180, 214), (186, 180))
"""Neck and collar below the hair: what turns with the head, and then less and less."""
RIM_PX = ((174, 149.5), (190, 149.8), (208, 153), (228, 160), (246, 170), (262, 182))
"""The far rim of the suit's ring, behind the neck; it is painted, as the portrait does not show it."""
RIM_RGB = (112, 101, 122)
BEHIND_NECK_PX = (
    (172, 149),
    (190, 149),
    (208, 152),
    (228, 159),
    (246, 169),
    (264, 181),
    (268, 222),
    (172, 222),
)
"""The inside of the suit's ring, which the neck hides."""
FOLDS_PX = (
    ((209.3, 122), (207, 126), (203, 130.5), (199, 133.8), (197, 136.2), (196.7, 138.5)),
    ((237, 122), (240.5, 126.5), (244.5, 130.5), (248, 134.5), (250.5, 138), (250, 141.5)),
)
"""The folds from the nose to the corners of the smile, her right one first."""
COLLAR_RGB = (6, 6, 7)
BODY_PX = ((0, 512), (30, 300), (90, 225), (112, 190), (135, 155), (175, 150), (255, 178), (290, 205),
           (303, 235), (345, 262), (360, 340), (300, 400), (290, 512))  # fmt: skip
"""Roughly the suit: the start of the cut-out."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """The portrait taken apart."""

    landmarks_px: Array
    """(478, 3) float64: x right, y down, z in the same pixels, smaller is nearer."""
    head_rgb: Array
    """(2048, 2048, 3) uint8: face, hair, ears and neck; the hair's colours run on past its outline, and
    eyes and mouth are closed over with skin."""
    picture_rgb: Array
    """(512, 512, 3) uint8: the portrait as it is."""
    head_alpha: Array
    """(2048, 2048) uint8: how much of the head layer is there; 0 in the openings of eyes and mouth."""
    calm_rgb: Array
    """(2048, 2048, 3) uint8: `head_rgb` with the folds of the smile smoothed away."""
    body_rgb: Array
    """(2048, 2048, 3) uint8: suit and ring, the place behind the neck filled in."""
    body_alpha: Array
    """(2048, 2048) uint8."""


def load_portrait(model_path: Path) -> Portrait:
    """Take NASA's portrait of Eileen Collins from scikit-image, track it once and cut it apart."""
    from skimage import data

    rgb = np.ascontiguousarray(data.astronaut())
    landmarks_px = track_picture(rgb, model_path)
    solid = cut_out(rgb, landmarks_px)
    head_region = head_region_of(rgb.shape[:2], landmarks_px)
    alpha, clean = matte(rgb, solid)
    large = without_openings(sharpened(clean), landmarks_px)
    head_alpha = enlarged(without_specks(alpha * head_region))
    for outline in (LEFT_EYE, RIGHT_EYE, LIPS_INNER):
        opening = filled(head_alpha.shape, landmarks_px[list(outline), :2] * TEXTURE_SCALE) * np.uint8(255)
        # Softened inward only: a shut eye or mouth must not show a seam.
        opening = cv2.erode(opening, np.ones((3, 3), np.uint8))
        head_alpha = np.minimum(head_alpha, 255 - cv2.GaussianBlur(opening, (0, 0), 1.0))
    body_alpha, body_rgb = body_layer(alpha, clean, solid, head_region)
    calm = without_folds(large)
    return Portrait(landmarks_px, large, rgb, head_alpha, calm, sharpened(body_rgb), enlarged(body_alpha))


def track_picture(rgb: Array, model_path: Path) -> Array:
    """The (478, 3) landmarks of the one face in the picture, in pixels."""
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.FaceLandmarkerOptions(base_options=BaseOptions(model_asset_path=str(model_path)))
    with vision.FaceLandmarker.create_from_options(options) as landmarker:
        found = landmarker.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=rgb))
    height, width = rgb.shape[:2]
    return np.array([[p.x * width, p.y * height, p.z * width] for p in found.face_landmarks[0]])


def filled(shape: tuple[int, int], outline_px: Array) -> Array:
    """(H, W) bool: the inside of a polygon."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(np.asarray(outline_px)).astype(np.int32)], 1)
    return mask > 0


def without_specks(alpha: Array) -> Array:
    """The mask without what hangs off it by a thread: the turned sheet would draw that out into dashes."""
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    core = cv2.morphologyEx((alpha > 0.5).astype(np.uint8), cv2.MORPH_OPEN, ellipse)
    near = cv2.dilate(core, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))).astype(np.float32)
    return alpha * np.clip(1.5 * cv2.GaussianBlur(near, (0, 0), 0.8), 0, 1)


def face_hull_px(landmarks_px: Array) -> Array:
    """(P, 2) the convex outline of the face."""
    return cv2.convexHull(landmarks_px[:468, :2].astype(np.float32))[:, 0]


def cut_out(rgb: Array, landmarks_px: Array) -> Array:
    """(512, 512) bool: the person, without flag, shuttle and helmet (grabCut from rough outlines)."""
    shape = rgb.shape[:2]
    yy, xx = np.mgrid[: shape[0], : shape[1]]
    labels = np.full(shape, cv2.GC_BGD, np.uint8)
    around_head = ((xx - 227) / 86.0) ** 2 + ((yy - 84) / 82.0) ** 2 < 1
    inside_hair = ((xx - 227) / 55.0) ** 2 + ((yy - 78) / 50.0) ** 2 < 1
    body = filled(shape, np.array(BODY_PX))
    labels[around_head] = cv2.GC_PR_BGD
    labels[cv2.dilate(body.astype(np.uint8), np.ones((15, 15))) > 0] = cv2.GC_PR_BGD
    labels[body] = cv2.GC_PR_FGD
    labels[cv2.erode(body.astype(np.uint8), np.ones((13, 13))) > 0] = cv2.GC_FGD
    labels[inside_hair | filled(shape, face_hull_px(landmarks_px))] = cv2.GC_FGD
    labels[filled(shape, np.array(NECK_PX))] = cv2.GC_FGD
    cv2.setRNGSeed(1)
    cv2.grabCut(rgb[:, :, ::-1].copy(), labels, None, np.zeros((1, 65)), np.zeros((1, 65)), 6,
                cv2.GC_INIT_WITH_MASK)  # fmt: skip
    person = ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.uint8)
    person = cv2.morphologyEx(person, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, parts, stats, _ = cv2.connectedComponentsWithStats(person)
    return parts == 1 + np.argmax(stats[1:count, cv2.CC_STAT_AREA])


def matte(rgb: Array, solid: Array) -> tuple[Array, Array]:
    """Soft edges: how much of each pixel near the outline is person, and the person's own colour there.

    returns : (512, 512) float32 alpha in 0..1, (512, 512, 3) uint8 picture whose foreground colours run on
              beyond the outline"""
    solid = solid.astype(np.uint8)
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    sure_person, sure_back = cv2.erode(solid, ellipse), 1 - cv2.dilate(solid, ellipse)
    person, back = spread(rgb, sure_person), spread(rgb, sure_back)
    contrast = person - back
    share = ((rgb - back) * contrast).sum(2) / ((contrast**2).sum(2) + 400.0)
    alpha = np.where(sure_person > 0, 1.0, np.where(sure_back > 0, 0.0, np.clip(1.3 * share - 0.1, 0, 1)))
    # Where person and background look alike the colours say nothing; the plain cut decides.
    plain = cv2.GaussianBlur(solid.astype(np.float64), (0, 0), 1.0)
    trust = np.clip((np.sqrt((contrast**2).sum(2)) - 30) / 60, 0, 1)
    alpha = trust * alpha * np.clip(3 * cv2.GaussianBlur(plain, (0, 0), 1.5), 0, 1) + (1 - trust) * plain
    own = np.where(alpha[..., None] > 0.97, rgb, person)
    return alpha.astype(np.float32), np.clip(own, 0, 255).astype(np.uint8)


def spread(rgb: Array, known: Array) -> Array:
    """(H, W, 3) float64: the colours of the known pixels, run on smoothly into the unknown ones."""
    colours, weight = rgb * (known > 0)[..., None].astype(np.float64), (known > 0).astype(np.float64)
    out, missing = colours.copy(), weight < 0.5
    for sigma in (2, 4, 8, 16, 48):
        near = cv2.GaussianBlur(weight, (0, 0), sigma)
        value = cv2.GaussianBlur(colours, (0, 0), sigma) / np.maximum(near, 1e-9)[..., None]
        take = missing & (near > 0.02)
        out[take], missing = value[take], missing & ~take
    out[missing] = value[missing]
    return out


def without_openings(texture: Array, landmarks_px: Array) -> Array:
    """Skin for the places where the picture shows eyes and teeth.

    The layer is open there, but its edges must not take colour from what lies behind; between the lips
    the colour darkens to the line of a closed mouth."""
    out = texture.astype(np.float64)
    for outline, shade in ((LEFT_EYE, 0.9), (RIGHT_EYE, 0.9), (LIPS_INNER, 0.5)):
        outline_px = landmarks_px[list(outline), :2] * TEXTURE_SCALE
        (x0, y0), (x1, y1) = outline_px.min(0).astype(int) - 40, outline_px.max(0).astype(int) + 40
        opening = filled(texture.shape[:2], outline_px)[y0:y1, x0:x1].astype(np.uint8)
        grown = cv2.dilate(opening, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5)))
        part = out[y0:y1, x0:x1]
        skin = (
            spread(part, 1 - grown)
            * (1 - (1 - shade) * cv2.GaussianBlur(opening * 1.0, (0, 0), 2))[..., None]
        )
        soft = cv2.GaussianBlur(grown.astype(np.float64), (0, 0), 1.0)[..., None]
        out[y0:y1, x0:x1] = soft * skin + (1 - soft) * part
    return np.clip(out, 0, 255).astype(np.uint8)


def without_folds(texture: Array) -> Array:
    """The texture with the smile's folds lifted to the brightness of the skin beside them.

    Only the slow part of the colour changes; pores and grain stay."""
    band = np.zeros(texture.shape[:2], np.uint8)
    for fold in FOLDS_PX:
        path = np.round(np.array(fold) * TEXTURE_SCALE).astype(np.int32)
        cv2.polylines(band, [path], False, 1, thickness=round(7 * TEXTURE_SCALE))
    rows, columns = slice(460, 640), slice(730, 1070)
    part, inside = texture[rows, columns].astype(np.float64), band[rows, columns]
    slow = cv2.GaussianBlur(part, (0, 0), 1.6)
    goal = cv2.GaussianBlur(spread(part, 1 - inside), (0, 0), 4.0)
    share = 0.95 * cv2.GaussianBlur(inside * 1.0, (0, 0), 4.0)[..., None]
    out = texture.copy()
    out[rows, columns] = np.clip(part + share * np.clip(goal - slow, -30, 200), 0, 255)
    return out


def head_region_of(shape: tuple[int, int], landmarks_px: Array) -> Array:
    """(512, 512) float32: 1 on hair, ears and face, fading out down the collar."""
    yy = np.mgrid[: shape[0], : shape[1]][0].astype(np.float32)
    above_ears = yy < 139
    face = filled(shape, face_hull_px(landmarks_px))
    region = (above_ears | face | filled(shape, np.array(NECK_PX))).astype(np.float32)
    fade = np.clip((211 - yy) / 16, 0, 1)
    soft = np.where(above_ears, region, cv2.GaussianBlur(region, (0, 0), 1.0))
    return soft * fade * fade * (3 - 2 * fade)


def body_layer(alpha: Array, rgb: Array, solid: Array, head_region: Array) -> tuple[Array, Array]:
    """The suit with the neck taken out: (512, 512) alpha and (512, 512, 3) uint8 colours."""
    shape = alpha.shape
    behind = filled(shape, np.array(BEHIND_NECK_PX)).astype(np.float32)
    yy = np.mgrid[: shape[0], : shape[1]][0]
    skin = cv2.dilate(((head_region > 0.02) & (yy < 193)).astype(np.uint8), np.ones((5, 5))) > 0
    own = spread(rgb, (solid & ~skin & (yy > 140)).astype(np.uint8))
    hidden = np.full_like(rgb, COLLAR_RGB)
    rim_px = [np.round(16 * np.array(RIM_PX)).astype(np.int32)]
    cv2.polylines(hidden, rim_px, False, RIM_RGB, 5, cv2.LINE_AA, shift=4)
    colours = np.where(skin[..., None], hidden, rgb).astype(np.float64)
    blend = cv2.GaussianBlur(skin.astype(np.float32), (0, 0), 1.0)[..., None]
    colours = np.where(
        skin[..., None], colours, blend * colours + (1 - blend) * np.where(solid[..., None], rgb, own)
    )
    body_alpha = np.where(skin, behind, alpha) * (yy > 139)
    return cv2.GaussianBlur(body_alpha.astype(np.float32), (0, 0), 0.6), np.clip(colours, 0, 255).astype(
        np.uint8
    )


def enlarged(alpha: Array) -> Array:
    """(2048, 2048) uint8 of a (512, 512) mask in 0..1."""
    large = cv2.resize(np.asarray(alpha, np.float32), None, fx=TEXTURE_SCALE, fy=TEXTURE_SCALE,
                       interpolation=cv2.INTER_CUBIC)  # fmt: skip
    return np.clip(np.round(large * 255), 0, 255).astype(np.uint8)


def sharpened(rgb: Array) -> Array:
    """The picture enlarged to texels, with the contrast of its finest detail raised a little."""
    large = cv2.resize(rgb, None, fx=TEXTURE_SCALE, fy=TEXTURE_SCALE, interpolation=cv2.INTER_LANCZOS4)
    large = large.astype(np.float32)
    detail = large - cv2.GaussianBlur(large, (0, 0), 0.9 * TEXTURE_SCALE)
    return np.clip(np.round(large + 0.45 * detail), 0, 255).astype(np.uint8)
