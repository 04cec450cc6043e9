"""MediaPipe's Face Landmarker as a tracker: the only file that imports mediapipe."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..data import LANDMARKS, Array, Face, Frame
from ..errors import TrackingError
from ..quiet import quiet_stderr
from .close_up import CloseUp, Region
from .config import TrackingConfig
from .seating import Seating

SYSTEM_LIBRARIES = "libEGL.so.1 and libGLESv2.so.2 (Debian and Ubuntu: apt-get install libegl1 libgles2)"


class MediaPipeFaces:
    """Finds up to 8 faces in each picture of one video.

    MediaPipe runs in its VIDEO mode on one thread of ours: the graph lives and dies where it was made,
    and no call can overtake another. The settings may be changed between pictures."""

    def __init__(self, model: Path, config: TrackingConfig | None = None) -> None:
        self._model = model
        self._config = config or TrackingConfig()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="mediapipe")
        self._seating = Seating()
        self._close_up = CloseUp()
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
        """The faces in one picture, by `track_id`. Pictures must come in the order of time."""
        found_px = self._worker.submit(self._detect, frame).result()
        # MediaPipe smooths one face and several not at all: the solver is to see the same kind either way.
        return self._seating.faces(found_px, [1.0] * len(found_px), frame, smooth=self._config.faces > 1)

    def close(self) -> None:
        """Give the model's memory back. May be called twice."""
        if self._landmarker is not None:
            self._worker.submit(self._close).result()
        self._worker.shutdown()

    # What follows runs on the worker.

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
            with quiet_stderr():
                self._landmarker = vision.FaceLandmarker.create_from_options(options)
        self._last_ms = -1

    def _close(self) -> None:
        if self._landmarker is not None:
            self._landmarker.close()
            self._landmarker = None

    def _detect(self, frame: Frame) -> list[Array]:
        """Landmarks (478, 3) of each face in pixels, z as x, from the whole picture or a close-up."""
        before = self._close_up.region
        region = self._close_up.start(frame.size_px)
        found = self._detect_in(region, frame)
        if not found and before is not None:  # the close-up moved or the face left it: detect anew, once
            found = self._detect_in(region, frame)
        for tile in [] if found else self._close_up.tiles_to_try():
            found, region = self._detect_in(tile, frame), tile
            if found:
                break
        size_px = np.array([*frame.size_px, frame.size_px[0]], np.float32)
        found_px = [landmarks * size_px for landmarks in found]
        if found:
            self._close_up.follow(region, found_px)
        return found_px

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
