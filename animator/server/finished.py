"""Puppets that come as video, drawn where the performer is: shown as they are, beside those that are drawn here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..data import Array, Face, Frame
from ..rendering.overlay import filling, resized
from ..tracking.config import TrackingConfig
from .performer import Performer


class Nobody:
    """A stages.Tracker for pictures in which nobody is looked for."""

    def __init__(self, _settings: TrackingConfig) -> None:
        pass

    def track(self, _frame: Frame) -> tuple[Face, ...]:
        """None."""
        return ()

    def close(self) -> None:
        """Nothing is held."""


def finished_pictures(performers: Sequence[Performer]) -> list[Array]:
    """The newest picture of each whose puppet comes as video: (H, W, 3) uint8 of any size."""
    return [
        performer.newest.frame.rgb
        for performer in performers
        if performer.is_finished and performer.newest is not None and performer.newest.frame is not None
    ]


def side_by_side(pictures: Sequence[Array], size_px: tuple[int, int]) -> Array:
    """All pictures in one of `size_px` (width, height), in columns of equal width: one alone as a whole, of several
    the middle of each, without a border."""
    width, height = size_px
    if len(pictures) == 1:
        return resized(pictures[0], size_px)
    edges = np.linspace(0, width, len(pictures) + 1).astype(int)
    columns = [filling(rgb, (int(b - a), height)) for rgb, a, b in zip(pictures, edges, edges[1:], strict=False)]
    return np.concatenate(columns, axis=1)
