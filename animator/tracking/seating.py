"""From landmarks found in a picture to the faces of known people, as calm as MediaPipe gives them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..data import Array, Face, Frame
from ..maths.filters import OneEuro
from .identities import Identities

# The One-Euro figures of MediaPipe's own smoothing (face_landmarks_detector_graph.cc), in units of the
# face's size. MediaPipe smooths one face and leaves several as they are; we treat all alike.
_CUTOFF_HZ, _BETA, _DERIVATIVE_CUTOFF_HZ = 0.05, 80.0, 1.0
_RESET_AFTER_S = 0.2


class Seating:
    """Gives every face its seat (`track_id`) and, where asked, its own smoothing.

    A seat's smoothing starts afresh when its face was away."""

    def __init__(self) -> None:
        self._identities = Identities()
        self._filters: dict[int, OneEuro] = {}

    def faces(
        self, found_px: Sequence[Array], presences: Sequence[float], frame: Frame, smooth: bool
    ) -> tuple[Face, ...]:
        """Faces by `track_id`; a second sight of the same face is left out.

        found_px  : landmarks (478, 3) of each face in pixels, z as x
        presences : 0..1 for each
        smooth    : False where the landmarks come smoothed already"""
        faces = []
        seats = self._identities.assign(found_px, frame.time_s)
        for landmarks_px, presence, seat in zip(found_px, presences, seats, strict=True):
            if seat is None:
                continue
            calm_px = self._smooth(landmarks_px, seat, frame.time_s) if smooth else landmarks_px
            landmarks = (calm_px / _picture_size(frame)).astype(np.float32)
            faces.append(Face(landmarks, frame.size_px, seat, presence, frame.time_s))
        return tuple(sorted(faces, key=lambda face: face.track_id))

    def _smooth(self, landmarks_px: Array, seat: int, time_s: float) -> Array:
        size_px = float(np.ptp(landmarks_px[:, :2], axis=0).mean())
        calm = self._filters.setdefault(seat, OneEuro(_CUTOFF_HZ, _BETA, _DERIVATIVE_CUTOFF_HZ, _RESET_AFTER_S, True))
        calm.beta = _BETA / size_px
        return calm.step(landmarks_px, time_s)


def _picture_size(frame: Frame) -> Array:
    """What turns pixels into 0..1 of the picture; z is in units of x."""
    width, height = frame.size_px
    return np.array([width, height, width], np.float32)
