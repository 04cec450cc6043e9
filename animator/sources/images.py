"""Pictures: one, or a folder of them in the order of their names."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..data import Array, Frame
from ..errors import SourceError
from ..foreign import picture_bytes
from ..quiet import quiet_stderr

log = logging.getLogger("animator")

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"})
FOLDER_FPS = 30.0


class ImageSource:
    """One picture, or a folder of pictures played at 30 a second.

    Pictures of another size than the first are fitted into it, so that what is made of them has one size."""

    live = False

    def __init__(self, path: Path, fps: float = FOLDER_FPS) -> None:
        self.name, self.fps = path.name, fps
        self._paths = _pictures_in(path) if path.is_dir() else [path]
        if not self._paths:
            raise SourceError(f"the folder {path} holds no pictures ({', '.join(sorted(SUFFIXES))})")
        self.frame_count: int | None = len(self._paths)
        first = _read(self._paths[0])
        if first is None:
            raise SourceError(f"{self._paths[0]} is not a picture that can be read")
        self.size_px = (first.shape[1], first.shape[0])

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        for path in self._paths:
            rgb = _read(path)
            if rgb is None:
                log.warning("%s is not a picture that can be read: left out", path)
                continue
            yield Frame(_fitted(rgb, self.size_px), index / self.fps, index)
            index += 1

    def close(self) -> None:
        """Nothing is held open."""


def _pictures_in(folder: Path) -> list[Path]:
    """In natural order: frame2 before frame10."""

    def key(path: Path) -> list[tuple[int, int | str]]:
        return [(0, int(p)) if p.isdigit() else (1, p) for p in re.split(r"(\d+)", path.name.lower()) if p]

    return sorted((p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file()), key=key)


def _read(path: Path) -> Array | None:
    import cv2

    try:
        data = picture_bytes(path)  # cv2.imread cannot open non-ASCII names on Windows
        with quiet_stderr():  # libjpeg and libpng say there what is wrong
            picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except (OSError, ValueError, cv2.error):
        return None
    return None if picture is None else cv2.cvtColor(picture, cv2.COLOR_BGR2RGB, dst=picture)


def _fitted(rgb: Array, size_px: tuple[int, int]) -> Array:
    """Scaled to fit into `size_px` with black around."""
    import cv2

    width, height = size_px
    if rgb.shape[:2] == (height, width):
        return rgb
    scale = min(width / rgb.shape[1], height / rgb.shape[0])
    inner = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
    canvas = np.zeros((height, width, 3), np.uint8)
    x, y = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas[y : y + inner[1], x : x + inner[0]] = cv2.resize(rgb, inner, interpolation=cv2.INTER_AREA)
    return canvas
