"""True files to spoil: written here, or found among the evaluation material."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from animator.data import LANDMARKS
from animator.takes.take import Take
from tests.conftest import SHARED


def take(frames: int = 4) -> Take:
    """A short take with all that a take can have."""
    rng = np.random.default_rng(5)
    turns = rng.normal(size=(frames, 4)) + [4, 0, 0, 0]
    return Take(
        np.arange(frames) / 60, rng.random((frames, 52)).astype(np.float32),
        turns / np.linalg.norm(turns, axis=1, keepdims=True), rng.normal(size=(frames, 3)) - [0, 0, 50],
        rng.normal(size=(frames, 2, 2)) / 5, np.ones(frames, np.float32), 60.0,
        landmarks_norm=rng.random((frames, LANDMARKS, 3)).astype(np.float32), image_size_px=(640, 480),
        profile_cm=rng.normal(size=(LANDMARKS, 3)).astype(np.float32), source="clip.mp4", rig="human",
        stage_names=("track", "solve"), stages_ms=rng.random((frames, 2)).astype(np.float32),
    )  # fmt: skip


@cache
def scratch() -> Path:
    """A folder for them."""
    return Path(tempfile.mkdtemp(prefix="animator-seeds-"))


def written(write: Callable[[Path], object], name: str) -> bytes:
    """What `write` leaves in a file of this name."""
    path = scratch() / name
    write(path)
    return path.read_bytes()


def shared(pattern: str) -> list[bytes]:
    """True files of others; none where the evaluation material is not here."""
    return [path.read_bytes() for path in sorted(SHARED.glob(pattern)) if path.is_file()]
