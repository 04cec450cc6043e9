"""What can be set about tracking, with its ranges."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import SettingError

MAX_FACES = 8
TRACKERS = ("litert", "mediapipe")
"""The networks of the face model run by LiteRT alone, or inside MediaPipe's graph; they see the same."""


@dataclass(frozen=True, slots=True)
class TrackingConfig:
    """Settings of a tracker; all but `tracker` can be changed while it runs."""

    faces: int = 1
    """How many faces at most, 1 to 8."""
    detection_confidence: float = 0.5
    """0..1: how sure the detector must be to start a face."""
    tracking_confidence: float = 0.5
    """0..1: how well a face must overlap its last place to be the same one without a new detection."""
    presence_confidence: float = 0.5
    """0..1: how sure the landmark network must be that it still looks at a face."""
    tracker: str = "litert"
    """`litert` or `mediapipe`."""

    def __post_init__(self) -> None:
        if self.tracker not in TRACKERS:
            raise SettingError(f"tracker: wanted {' or '.join(TRACKERS)}, got {self.tracker}")
        if not 1 <= self.faces <= MAX_FACES:
            raise SettingError(f"faces: wanted 1 to {MAX_FACES}, got {self.faces}")
        for name in ("detection_confidence", "tracking_confidence", "presence_confidence"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise SettingError(f"{name}: wanted a number from 0 to 1, got {value}")
