from __future__ import annotations

from pathlib import Path

import numpy as np

from animator.data import Motion
from animator.takes.live_link_csv import load_csv
from animator.takes.npz import load_takes
from animator.takes.take import Take


def motions_of(path: Path, track_id: int = 0) -> list[Motion]:
    """A take's motion at 30 Hz."""
    take = load_csv(path) if path.suffix == ".csv" else load_takes(path)[0]
    return list(at_30_hz(take).motions(track_id))


def at_30_hz(take: Take) -> Take:
    times_s = np.arange(take.times_s[0], take.times_s[-1], 1 / 30)

    def between(values: np.ndarray) -> np.ndarray:
        flat = values.reshape(len(values), -1).astype(np.float64)
        columns = [np.interp(times_s, take.times_s, column) for column in flat.T]
        return np.stack(columns, 1).reshape(len(times_s), *values.shape[1:])

    wxyz = between(take.rotations_wxyz)
    return Take(
        times_s,
        between(take.weights).astype(np.float32),
        wxyz / np.linalg.norm(wxyz, axis=1, keepdims=True),
        between(take.translations_cm),
        between(take.gaze_rad),
        between(take.confidence).astype(np.float32),
        30.0,
    )
