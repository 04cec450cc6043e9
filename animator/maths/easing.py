"""What an avatar does when its performer's face is lost: hold, then ease to rest."""

from __future__ import annotations

import numpy as np

HOLD_S = 0.3
"""A lost face is held this long: most losses are one or two frames behind a hand."""
EASE_S = 0.7
"""Then it eases to rest over this long."""


def presence_share(lost_for_s: float) -> float:
    """1 while the face is held, then down a half cosine to 0 at rest."""
    return float(0.5 + 0.5 * np.cos(np.pi * np.clip((lost_for_s - HOLD_S) / EASE_S, 0.0, 1.0)))
