"""MediaPipe's Face Landmarker as a tracker: the only file that imports mediapipe."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..data import LANDMARKS, Array, Face, Frame
from ..errors import TrackingError
from ..maths.filters import OneEuro
from .close_up import CloseUp, Region
from .config import TrackingConfig
from .identities import Identities

# MediaPipe smooths one face by a One-Euro filter with these figures (face_landmarks_detector_graph.cc,
# in units of the face's size) and several faces not at all; with the same filter the solver sees the
# same kind of landmarks either way.
_CUTOFF_HZ, _BETA, _DERIVATIVE_CUTOFF_HZ = 0.05, 80.0, 1.0

SYSTEM_LIBRARIES = "libEGL.so.1 and libGLESv2.so.2 (Debian and Ubuntu: apt-get install libegl1 libgles2)"


class MediaPipeFaces:
    """Finds up to 8 faces in each picture of one video.

    MediaPipe runs in its VIDEO mode on one thread of ours: the graph lives and dies where it was made,
    and no call can overtake another. The settings may be changed between pictures."""

    def __init__(self, model: Path, config: TrackingConfig | None = None) -> None:
        self._model = model
        self._config = config or TrackingConfig()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="mediapipe")
        self._identities = Identities()
        self._close_up = CloseUp()
        self._filters: dict[int, OneEuro] = {}
        self._last_ms = -1
        self._landmarker: Any = None
        self._worker.submit(self._open).result()

    @property
    def config(self) -> TrackingConfig:
        """The settings in force."""
        return self._config

    def configure(self, config: TrackingConfig) -> None:
        """Use other settings from the next picture on; identities are kept."""
        if config != self._config:
            self._config = config
            self._worker.submit(self._open).result()

    def track(self, frame: Frame) -> tuple[Face, ...]:
        """The faces in one picture, by `track_id`. Pictures must come in the order of time.

        A seat's smoothing starts afresh when its face was away."""
        found = self._worker.submit(self._detect, frame).result()
        size_px = np.array([*frame.size_px, frame.size_px[0]], np.float32)
        ids = self._identities.assign([landmarks * size_px for landmarks in found], frame.time_s)
        faces = [
            Face(self._smooth(landmarks, seat, frame), frame.size_px, seat, 1.0, frame.time_s)
            for landmarks, seat in zip(found, ids, strict=True)
            if seat is not None
        ]
        return tuple(sorted(faces, key=lambda face: face.track_id))

    def close(self) -> None:
        """Give the model's memory back. May be called twice."""
        if self._landmarker is not None:
            self._worker.submit(self._close).result()
        self._worker.shutdown()

    # What follows runs on the worker, but for _smooth.

    def _open(self) -> None:
        self._close()
        with _translated_errors(self._model):
            from mediapipe.tasks.python import BaseOptions, vision

            options = vision.FaceLandmarkerOptions(
                base_options=BaseOptions(model_asset_path=str(self._model)),
                running_mode=vision.RunningMode.VIDEO,
                num_faces=self._config.faces,
                min_face_detection_confidence=self._config.detection_confidence,
                min_face_presence_confidence=self._config.presence_confidence,
                min_tracking_confidence=self._config.tracking_confidence,
            )
            with _quiet_stderr():
                self._landmarker = vision.FaceLandmarker.create_from_options(options)
        self._last_ms = -1

    def _close(self) -> None:
        if self._landmarker is not None:
            self._landmarker.close()
            self._landmarker = None

    def _detect(self, frame: Frame) -> list[Array]:
        """Landmarks (478, 3) of each face in 0..1 of the picture, from the whole picture or a close-up."""
        before = self._close_up.region
        region = self._close_up.start(frame.size_px)
        found = self._detect_in(region, frame)
        if not found and before is not None:  # the close-up moved or the face left it: detect anew, once
            found = self._detect_in(region, frame)
        for tile in [] if found else self._close_up.tiles_to_try():
            found, region = self._detect_in(tile, frame), tile
            if found:
                break
        if found:
            size_px = np.array([*frame.size_px, frame.size_px[0]], np.float32)
            self._close_up.follow(region, [landmarks * size_px for landmarks in found])
        return found

    def _detect_in(self, region: Region, frame: Frame) -> list[Array]:
        import mediapipe

        # VIDEO mode wants whole milliseconds that rise; one picture may be looked at several times.
        self._last_ms = max(self._last_ms + 1, round(frame.time_s * 1000))
        image = mediapipe.Image(mediapipe.ImageFormat.SRGB, region.crop(frame.rgb))
        result = self._landmarker.detect_for_video(image, self._last_ms)
        found = [
            np.fromiter((v for p in points for v in (p.x, p.y, p.z)), np.float32, LANDMARKS * 3).reshape(-1, 3)
            for points in result.face_landmarks
        ]
        return [region.picture_from_region(landmarks, frame.size_px) for landmarks in found]

    def _smooth(self, landmarks: Array, seat: int, frame: Frame) -> Array:
        if self._config.faces == 1:
            return landmarks
        width, height = frame.size_px
        in_px = landmarks * np.array([width, height, width], np.float32)
        size_px = float(np.ptp(in_px[:, :2], axis=0).mean())
        calm = self._filters.setdefault(seat, OneEuro(_CUTOFF_HZ, _BETA, _DERIVATIVE_CUTOFF_HZ, reset_after_s=0.2))
        calm.beta = _BETA / size_px
        smooth_px = calm.step(in_px, frame.time_s)
        return (smooth_px / np.array([width, height, width])).astype(np.float32)


@contextmanager
def _translated_errors(model: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ImportError) as error:
        if "GL" in str(error):
            raise TrackingError(f"MediaPipe needs {SYSTEM_LIBRARIES}: {error}") from error
        raise TrackingError(f"MediaPipe cannot be loaded: {error}") from error
    except (RuntimeError, ValueError) as error:
        raise TrackingError(f"MediaPipe cannot use the face model {model}: {error}") from error


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """MediaPipe's C++ greets on file descriptor 2 when a graph starts; no flag of its turns that off."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
