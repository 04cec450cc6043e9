"""Pictures inside an avatar: their size is read before they are unpacked, as a small file may claim a huge one."""

from __future__ import annotations

import numpy as np

from ..data import Array
from ..errors import RigError
from ..foreign import picture_size_px
from ..quiet import quiet_stderr

MAX_IMAGE_PX = 64 * 2**20
"""The most pixels of one picture (8192 x 8192)."""
MAX_SIDE_PX = 2048
"""Larger pictures are shrunk: a head that fills a screen shows no more."""
ROOMY_PX, CROWDED_SIDE_PX = 48 * 2**20, 512
"""Once so many pixels are kept, further pictures are shrunk to this side."""
_NOT_GLTF = (b"BM", b"II", b"MM")
"""BMP and TIFF have no place in an avatar."""


def decoded_rgba(data: bytes, name: str, max_side_px: int = MAX_SIDE_PX) -> Array:
    """(H, W, 4) uint8 sRGB with straight alpha, row 0 on top, no side longer than `max_side_px`."""
    import cv2  # only avatars with textures need it

    claimed = None if data[:2] in _NOT_GLTF else picture_size_px(data)
    if claimed is None or not 0 < claimed[0] * claimed[1] <= MAX_IMAGE_PX:
        got = "something else" if claimed is None else f"{claimed[0]} x {claimed[1]} pixels"
        raise RigError(f"{name}: expected a PNG, JPEG or WebP of at most 64 megapixels, got {got}")
    flags = cv2.IMREAD_UNCHANGED
    if data[:2] == b"\xff\xd8" and max(claimed) >= 2 * max_side_px:
        flags = cv2.IMREAD_REDUCED_COLOR_2 | cv2.IMREAD_IGNORE_ORIENTATION  # a JPEG unpacks smaller, and faster
    try:
        with quiet_stderr():  # libjpeg and libpng say there what is wrong
            bgr = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise RigError(f"{name}: cannot be decoded: {error.err}") from error
    if bgr is None:
        raise RigError(f"{name}: expected a whole PNG or JPEG or WebP, got a damaged one")
    shrink = max_side_px / max(bgr.shape[:2])
    if shrink < 1:
        width, height = (max(1, round(n * shrink)) for n in (bgr.shape[1], bgr.shape[0]))
        bgr = cv2.resize(bgr, (width, height), interpolation=cv2.INTER_AREA)
    if bgr.dtype == np.uint16:
        bgr = (bgr >> 8).astype(np.uint8)
    if bgr.ndim == 3 and bgr.shape[2] == 2:  # grey with alpha
        return np.ascontiguousarray(bgr[:, :, [0, 0, 0, 1]])
    to_rgba = {1: cv2.COLOR_GRAY2RGBA, 3: cv2.COLOR_BGR2RGBA, 4: cv2.COLOR_BGRA2RGBA}
    return cv2.cvtColor(bgr, to_rgba[1 if bgr.ndim == 2 else bgr.shape[2]])
