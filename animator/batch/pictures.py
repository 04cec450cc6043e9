"""Small pictures of a film, as bytes that a page can carry."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ..data import Array
from ..rendering.overlay import resized
from ..sinks.images import save_picture

HEIGHT_PX = 90


def thumbnail(rgb: Array) -> bytes:
    """(H, W, 3) uint8 -> JPEG, HEIGHT_PX high and at most twice as wide."""
    height, width = rgb.shape[:2]
    small = resized(rgb, (max(1, min(2 * HEIGHT_PX, round(width * HEIGHT_PX / height))), HEIGHT_PX))
    with tempfile.TemporaryDirectory(prefix="animator-") as folder:
        path = Path(folder) / "picture.jpg"
        save_picture(path, small)
        return path.read_bytes()
