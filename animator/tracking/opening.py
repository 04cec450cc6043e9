"""Which tracker runs: the choice by name, each loaded when it is first wanted."""

from __future__ import annotations

from pathlib import Path

from ..stages import Tracker
from .config import TrackingConfig


def open_tracker(model: Path, config: TrackingConfig) -> Tracker:
    """The tracker that `config.tracker` names, with the face model at `model`.

    raises : TrackingError when it cannot be loaded"""
    if config.tracker == "mediapipe":
        from .mediapipe_faces import MediaPipeFaces

        return MediaPipeFaces(model, config)
    from .litert_faces import LiteRTFaces

    return LiteRTFaces(model, config)
