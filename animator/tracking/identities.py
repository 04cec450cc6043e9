"""Which face is whose: gives every face a `track_id` that stays with it from frame to frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..data import Array
from ..maths.easing import EASE_S, HOLD_S

KEEP_S = HOLD_S + EASE_S
"""A lost face's identity is kept while its avatar holds and eases to rest; then it is free for anyone."""
REACH_FACES = 0.6
"""How far a face may jump between frames and stay itself, in its own sizes."""
REACH_FACES_PER_S = 1.5
"""How much further per second since it was last seen."""
SAME_FACE = 0.25
"""Two detections nearer than this (in sizes) are one face seen twice."""


@dataclass(slots=True)
class _Seat:
    centre: Array
    size: float
    seen_s: float


class Identities:
    """Seats, numbered from 0: a face keeps its seat while it stays and for a second after it was lost."""

    def __init__(self) -> None:
        self._seats: dict[int, _Seat] = {}

    def assign(self, faces_px: Sequence[Array], time_s: float) -> list[int | None]:
        """The seat of each face; None for a second detection of a face that has one.

        faces_px : (478, 2 or more) landmarks of each face, in pixels
        time_s   : never goes back"""
        self._seats = {seat: s for seat, s in self._seats.items() if time_s - s.seen_s <= KEEP_S}
        centres = [points[:, :2].mean(0) for points in faces_px]
        sizes = [float(np.ptp(points[:, :2], axis=0).mean()) for points in faces_px]
        ids: list[int | None] = [None] * len(faces_px)
        for face, seat in self._matches(centres, time_s):
            ids[face] = seat
        taken = [i for i, seat in enumerate(ids) if seat is not None]
        for face in range(len(ids)):
            if ids[face] is None and not self._is_repeated(face, taken, centres, sizes):
                ids[face] = self._free_seat(ids)
                taken.append(face)
        for face in taken:
            self._seats[ids[face]] = _Seat(centres[face], sizes[face], time_s)
        return ids

    def _matches(self, centres: Sequence[Array], time_s: float) -> list[tuple[int, int]]:
        """Pairs (face, seat) of nearest faces within reach."""
        seats = list(self._seats.items())
        if not seats or not centres:
            return []
        distance = np.array([[np.linalg.norm(c - s.centre) / s.size for _, s in seats] for c in centres])
        reach = np.array([REACH_FACES + REACH_FACES_PER_S * (time_s - s.seen_s) for _, s in seats])
        faces, places = linear_sum_assignment(np.where(distance <= reach, distance, 1e6))
        return [(int(f), seats[p][0]) for f, p in zip(faces, places, strict=True) if distance[f, p] <= reach[p]]

    @staticmethod
    def _is_repeated(face: int, taken: Sequence[int], centres: Sequence[Array], sizes: Sequence[float]) -> bool:
        return any(np.linalg.norm(centres[face] - centres[k]) < SAME_FACE * sizes[k] for k in taken)

    def _free_seat(self, ids: Sequence[int | None]) -> int:
        used = set(self._seats) | {seat for seat in ids if seat is not None}
        return next(seat for seat in range(len(used) + 1) if seat not in used)
