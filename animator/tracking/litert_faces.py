"""MediaPipe's networks without MediaPipe: the only file that imports LiteRT.

The detector and the landmark network inside `face_landmarker.task` run by themselves; what MediaPipe's
graph does around them (where to look next, what is still a face) is done here, step for step, so that
the landmarks agree with MediaPipe's. No OpenGL is needed, no thread is started but LiteRT's own, and
nothing is sent anywhere."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..data import Array, Face, Frame
from ..errors import TrackingError
from ..quiet import quiet_stderr
from .close_up import CloseUp, Region
from .config import TrackingConfig
from .face_region import FaceRegion
from .seating import Seating
from .short_range import INPUT_PX, overlap, read_detections

DETECTOR, LANDMARKER = "face_detector.tflite", "face_landmarks_detector.tflite"
CROP_PX = 256
SETTLED_SHARE = 1e-3
THREADS = min(2, os.cpu_count() or 1)
"""Of the landmark network: a second thread takes 40 % off its time, a third next to nothing."""


class LiteRTFaces:
    """Finds up to 8 faces in each picture of one video.

    A known face is looked for where it was; the detector runs only while fewer faces are known than
    wanted, and while none is, also in tiles of the picture, for small ones. The settings may be changed
    between pictures; nothing is loaded anew."""

    def __init__(self, model: Path, config: TrackingConfig | None = None, threads: int = THREADS) -> None:
        self._config = config or TrackingConfig()
        self._detect, self._look = _load(model, threads)
        self.begin_anew()

    @property
    def config(self) -> TrackingConfig:
        """The settings in force."""
        return self._config

    def configure(self, config: TrackingConfig) -> None:
        """Use other settings from the next picture on; identities are kept."""
        self._config = config

    def begin_anew(self) -> None:
        """Forget every face: what comes next is another film."""
        self._seating = Seating()
        self._close_up = CloseUp()
        self._regions: list[FaceRegion] = []

    def track(self, frame: Frame) -> tuple[Face, ...]:
        """The faces in one picture, by `track_id`. Pictures must come in the order of time."""
        seen = self.look(frame)
        return self._seating.faces([s[0] for s in seen], [s[1] for s in seen], frame, smooth=True)

    def look(self, frame: Frame) -> list[tuple[Array, float]]:
        """What `track` sees before anybody is given a seat and calmed: landmarks (478, 3) in pixels, z as x, and
        presence 0..1 of each face. Depends on earlier pictures by the regions that are followed alone."""
        whole = self._close_up.start(frame.size_px)
        regions = self._where_to_look(frame, whole)
        seen = self._look_at(frame, regions)
        if not seen and self._regions:  # where it was, if a detection misled us; else anywhere
            followed, self._regions = self._regions, []
            elsewhere = [region for region in followed if region.is_usable and region not in regions]
            seen = self._look_at(frame, elsewhere or self._where_to_look(frame, whole))
        for tile in [] if seen else self._close_up.tiles_to_try():
            seen = self._look_at(frame, self._where_to_look(frame, tile))
            if seen:
                break
        self.follow([landmarks_px for landmarks_px, _ in seen])
        return seen

    def follow(self, faces_px: Sequence[Array]) -> None:
        """Look next where these faces, landmarks (478, 3) in pixels, are: how one tracker goes on for another."""
        self._regions = [FaceRegion.of_landmarks(landmarks_px) for landmarks_px in faces_px]

    def settle(self) -> None:
        """Remember the followed regions, and nothing else, to a thousandth of their size.

        Two trackers that look at one film see, from wherever they began, nearly the same after seven pictures, and
        never the same: their landmarks differ by 4e-4 of the face's size for good, and channels by up to 0.044.
        Once both settle they mostly remember exactly the same, and from then on see it: of 14 starts, settling four
        times a second, 14 were one within 22 pictures. A tracker that settles so often differs from one that never does
        by no more than two that do not (0.045 in a channel at most; with 1e-2 for 1e-3 it would be 0.12)."""
        self._close_up = CloseUp()
        self._regions = [region.snapped(SETTLED_SHARE) for region in self._regions if region.is_usable]

    def close(self) -> None:
        """Give the networks' memory back. May be called twice."""
        self._detect = self._look = None

    def _where_to_look(self, frame: Frame, part: Region) -> list[FaceRegion]:
        """Regions that may hold a face, at most as many as faces are wanted: those followed, and while there
        are too few of them, those that the detector sees in a part of the picture.

        As in MediaPipe's graph a new detection replaces the followed region that it overlaps."""
        wanted = self._config.faces
        followed = [region for region in self._regions if region.is_usable][:wanted]
        if len(followed) == wanted:
            return followed
        found = self._detections(frame.rgb, part)
        kept = [region for region in followed if not any(self._is_same(region, other) for other in found)]
        return (found + kept)[:wanted]

    def _is_same(self, one: FaceRegion, other: FaceRegion) -> bool:
        (low, high), (lows, highs) = one.box, other.box
        return bool(overlap(low, high, lows[None], highs[None])[0] > self._config.tracking_confidence)

    def _detections(self, rgb: Array, region: Region) -> list[FaceRegion]:
        """Faces that the detector sees in a rectangle of the picture, shown to it as a square with black edges."""
        import cv2

        side = max(region.width, region.height)
        corner = np.array([region.x + (region.width - side) / 2, region.y + (region.height - side) / 2])
        part = rgb[region.y : region.y + region.height, region.x : region.x + region.width]
        picture_from_input = np.array([[side / INPUT_PX, 0.0, corner[0] - region.x],
                                       [0.0, side / INPUT_PX, corner[1] - region.y]])  # fmt: skip
        small = cv2.warpAffine(
            part, picture_from_input, (INPUT_PX, INPUT_PX), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        regressors, scores = self._detect(small, 1 / 127.5, -1.0)
        return [
            FaceRegion.around(*(corner + side * point for point in (d.low, d.high, d.keypoints[0], d.keypoints[1])))
            for d in read_detections(regressors, scores[:, 0], self._config.detection_confidence)
        ]

    def _look_at(self, frame: Frame, regions: list[FaceRegion]) -> list[tuple[Array, float]]:
        sights = [self._landmarks(frame.rgb, region) for region in regions]
        return [sight for sight in sights if sight[1] >= self._config.presence_confidence]

    def _landmarks(self, rgb: Array, region: FaceRegion) -> tuple[Array, float]:
        """Landmarks (478, 3) in pixels of the picture, z as x; and how sure the network is of a face, 0..1."""
        import cv2

        crop = cv2.warpAffine(
            rgb, region.picture_from_crop(CROP_PX), (CROP_PX, CROP_PX),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        landmarks, presence, _ = self._look(crop, 1 / 255, 0.0)
        sure = 1 / (1 + np.exp(-float(presence.ravel()[0])))
        return region.landmarks_px(landmarks.reshape(-1, 3) / CROP_PX), sure


class _Network:
    """One network: a picture of bytes in, its output arrays out."""

    def __init__(self, content: bytes, threads: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter: Any = Interpreter(model_content=content, num_threads=threads)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = [output["index"] for output in self._interpreter.get_output_details()]

    def __call__(self, rgb: Array, scale: float, offset: float) -> list[Array]:
        numbers = self._interpreter.tensor(self._input)()[0]  # the network's own memory; not kept
        np.multiply(rgb, np.float32(scale), out=numbers)
        if offset:
            numbers += np.float32(offset)
        del numbers
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index)[0] for index in self._outputs]


def _load(model: Path, threads: int) -> tuple[_Network, _Network]:
    try:
        with zipfile.ZipFile(model) as bundle, quiet_stderr():
            return _Network(bundle.read(DETECTOR), 1), _Network(bundle.read(LANDMARKER), threads)
    except ImportError as error:
        raise TrackingError(f"LiteRT cannot be loaded: {error}; use --tracker mediapipe") from error
    except (OSError, zipfile.BadZipFile, KeyError, RuntimeError, ValueError) as error:
        raise TrackingError(f"LiteRT cannot use the face model {model}: {error}") from error
