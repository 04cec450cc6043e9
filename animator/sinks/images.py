"""Pictures: one file, or a numbered series in a folder."""

from __future__ import annotations

from pathlib import Path

import cv2

from ..data import Array, Frame
from ..errors import SinkError
from ..takes.files import check_writable, written_beside

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")


class ImageSink:
    """Keeps the last picture written, under one name."""

    def __init__(self, path: Path) -> None:
        check_writable(path)
        self.path, self.frames = path, 0

    def write(self, frame: Frame) -> None:
        """Replace the file by this picture."""
        save_picture(self.path, frame.rgb)
        self.frames += 1

    def close(self) -> None:
        """Nothing is held open."""


def save_picture(path: Path, rgb: Array) -> None:
    """Write (H, W, 3) uint8 sRGB in the format that the name's ending says."""
    encoded, data = cv2.imencode(path.suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    if not encoded:
        raise SinkError(f"cannot write {path}: the picture cannot be encoded as {path.suffix}")
    with written_beside(path) as scratch:
        data.tofile(scratch)
