"""A calibration that the client keeps: it survives the worker, and is nobody's file on the server."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import numpy as np

from ..data import LANDMARKS
from ..errors import ProtocolError
from ..solving.profile import RANGE_LIMITS, Profile
from ..tracking.config import MAX_FACES

STEP_CM = 0.001
"""Of the numbers on the wire: a hundredth of what a landmark trembles, and 16 bits reach 32 cm."""


def keepsake(face: int, profile: Profile) -> dict[str, Any]:
    """What a client is given to keep of one of its faces, as a JSON object of 4 kB."""
    steps = np.clip(np.rint(profile.neutral_cm / STEP_CM), -32767, 32767).astype("<i2")
    ranges = {name: round(float(reach), 4) for name, reach in profile.ranges.items()}
    return {"face": face, "neutral": base64.b64encode(steps.tobytes()).decode(), "ranges": ranges}


def profile_from_keepsake(said: dict[str, Any]) -> tuple[int, Profile]:
    """(face, profile) of what a client brings back; raises ProtocolError for anything that is not ours."""
    face, neutral, ranges = said.get("face"), said.get("neutral"), said.get("ranges")
    if isinstance(face, bool) or not isinstance(face, int) or not 0 <= face < MAX_FACES:
        raise ProtocolError(f"calibration: face: wanted 0 to {MAX_FACES - 1}")
    try:
        steps = np.frombuffer(base64.b64decode(neutral, validate=True), "<i2")
    except (TypeError, ValueError, binascii.Error) as error:
        raise ProtocolError("calibration: neutral: wanted base64 of 16-bit numbers") from error
    if steps.size != LANDMARKS * 3:
        raise ProtocolError(f"calibration: neutral: wanted {LANDMARKS} points")
    low, high = RANGE_LIMITS
    known = isinstance(ranges, dict) and len(ranges) <= MAX_FACES
    if not known or not all(isinstance(r, int | float) and low <= r <= high for r in ranges.values()):
        raise ProtocolError(f"calibration: ranges: wanted numbers from {low} to {high}")
    neutral_cm = (steps.reshape(LANDMARKS, 3) * STEP_CM).astype(np.float32)
    return face, Profile("", neutral_cm, {str(name): float(reach) for name, reach in ranges.items()})
