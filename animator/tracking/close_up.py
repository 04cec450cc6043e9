"""Where to look for faces that are too small in the whole picture.

MediaPipe's short-range detector sees the picture shrunk to 128 x 128: a face under about a tenth of it
is not found. While the whole picture shows no face, square tiles of it are tried in turn, and once one
shows a face, tracking stays with that close-up and follows it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..data import Array

TILES_PER_PICTURE = 2
"""Tiles tried per picture without a face; one costs about a detector's run."""
WHOLE_PICTURE_SHARE = 0.3
"""A face larger than this share of the shorter side is followed in the whole picture."""
CLOSE_UP_FACES = 3.5
"""Side of a close-up in sizes of its face: landmarks stay exact and the face may move a little."""
DRIFT_SHARE = 0.22
"""The close-up is set anew when the face's centre is further than this share of its side from the middle."""


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of the picture, in whole pixels."""

    x: int
    y: int
    width: int
    height: int

    def crop(self, rgb: Array) -> Array:
        """The pixels inside, contiguous."""
        return np.ascontiguousarray(rgb[self.y : self.y + self.height, self.x : self.x + self.width])

    def picture_from_region(self, landmarks_norm: Array, picture_px: tuple[int, int]) -> Array:
        """Landmarks (478, 3) in 0..1 of the region -> 0..1 of the picture; z is in units of x in both."""
        width, height = picture_px
        scale = np.array([self.width / width, self.height / height, self.width / width], np.float32)
        return landmarks_norm * scale + np.array([self.x / width, self.y / height, 0], np.float32)


def tiles(picture_px: tuple[int, int]) -> list[Region]:
    """Overlapping squares, large before small, top before bottom: faces are mostly above the middle."""
    width, height = picture_px
    found = []
    for side in (min(width, height), min(width, height) // 2):
        for y in _starts(height, side):
            found += [Region(x, y, side, side) for x in _starts(width, side)]
    return [tile for tile in found if (tile.width, tile.height) != (width, height)]


def _starts(length: int, side: int) -> list[int]:
    steps = int(np.ceil(2 * (length - side) / side)) if length > side else 0
    return [round(i * (length - side) / steps) for i in range(steps + 1)] if steps else [0]


class CloseUp:
    """Chooses the region of each picture; the choice depends on earlier faces alone, never on time."""

    def __init__(self) -> None:
        self.region: Region | None = None
        """The close-up followed now; None for the whole picture."""
        self._next_tile = 0
        self._picture_px: tuple[int, int] | None = None

    def start(self, picture_px: tuple[int, int]) -> Region:
        """The region to look at first in a picture of this size."""
        if picture_px != self._picture_px:
            self._picture_px, self.region, self._next_tile = picture_px, None, 0
            self._tiles = tiles(picture_px)
        return self.region or Region(0, 0, *picture_px)

    def tiles_to_try(self) -> list[Region]:
        """Where else to look in a picture without a face."""
        self.region = None
        chosen = [self._tiles[(self._next_tile + i) % len(self._tiles)] for i in range(TILES_PER_PICTURE)]
        self._next_tile = (self._next_tile + TILES_PER_PICTURE) % len(self._tiles)
        return chosen

    def follow(self, region: Region, faces_px: list[Array]) -> None:
        """Learn where the faces are, (478, 2 or more) pixels of the whole picture, and choose for the next one.

        Only a single face is followed by re-framing; several keep the tile that showed them."""
        whole = Region(0, 0, *self._picture_px)
        if region == whole:
            self.region = None
            return
        self.region, self._next_tile = region, 0
        if len(faces_px) != 1:
            return
        low, high = faces_px[0][:, :2].min(0), faces_px[0][:, :2].max(0)
        centre, size = (low + high) / 2, float((high - low).max())
        if size > WHOLE_PICTURE_SHARE * min(self._picture_px):
            self.region = None
            return
        middle = np.array([region.x + region.width / 2, region.y + region.height / 2])
        drift = np.abs(centre - middle).max() / region.width
        if drift > DRIFT_SHARE or not 0.5 < CLOSE_UP_FACES * size / region.width < 2.0:
            self.region = self._around(centre, size)

    def _around(self, centre: Array, size: float) -> Region:
        width, height = self._picture_px
        side = int(min(CLOSE_UP_FACES * size, width, height))
        x = int(np.clip(centre[0] - side / 2, 0, width - side))
        y = int(np.clip(centre[1] - side / 2, 0, height - side))
        return Region(x, y, side, side)
