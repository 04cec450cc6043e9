"""Performances whose truth is known, as the learning scripts read them.

A file is a `.npz` with all its takes one after another:

lengths         (T,) frames of each take
neutral         (T,) how many frames each take begins with that are neutral; 20 if it is not there
landmark_steps  (N, 478, 3) uint16: landmarks = cumsum(steps modulo 65536) * 1e-4 - 0.5, 0 where no face was seen
tracked         (N,) bool: a face was seen
weights         (N, 51) truth in 0..1, in the order of `channels`, (51,) names
rotation        (N, 3, 3) truth, camera_from_head
gaze            (N, 2) truth, degrees: yaw (+ to the subject's left), pitch (+ up)
size            (T, 2) width and height of the pictures
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from animator.channels import ARKIT, INDEX
from animator.data import LANDMARKS, Array

NEUTRAL_FRAMES = 20
FLAT = LANDMARKS * 3


@dataclass(frozen=True, slots=True)
class Lesson:
    """All frames to learn from, one take after another; only frames in which a face was seen."""

    landmarks_norm: Array
    """(N, 478, 3) float32 as in `Face`."""
    sizes_px: Array
    """(N, 2)."""
    weights: Array
    """(N, 52) float32, truth."""
    rotations: Array
    """(N, 3, 3) truth."""
    gaze_rad: Array
    """(N, 2) truth."""
    take: Array
    """(N,) int, counts through all files from 0, without gaps."""
    neutral: Array
    """(N,) bool: this frame is known to be neutral."""


def files_in(places: Iterable[Path]) -> list[Path]:
    """The `.npz` files named, and those in the folders named, in the order of their names."""
    found: list[Path] = []
    for place in places:
        found.extend(sorted(place.glob("*.npz")) if place.is_dir() else [place])
    return found


def read_lesson(files: Iterable[Path], hold_out: int = 0, held: bool = False) -> Lesson:
    """Read files one after another; every `hold_out`-th take of each is left out unless that is 0. If `held`, it is
    the others that are left out."""
    parts = [part for path in files for part in _takes(path, hold_out, held)]
    counts = [len(part[0]) for part in parts]
    joined = [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]
    return Lesson(*joined[:5], np.repeat(np.arange(len(parts)), counts), joined[5])


def _takes(path: Path, hold_out: int, held: bool) -> Iterable[tuple[Array, ...]]:
    with np.load(path, allow_pickle=False) as file:
        stored = {name: file[name] for name in file.files if not name.startswith("mediapipe")}
    counts = np.cumsum(stored["landmark_steps"], 0, dtype=np.uint16)
    columns = [INDEX[str(name)] for name in stored["channels"]]
    first = 0
    for i, length in enumerate(stored["lengths"]):
        rows, first = np.arange(first, first + length), first + length
        frame = np.arange(length)[stored["tracked"][rows]]
        rows = rows[stored["tracked"][rows]]
        is_neutral = frame < (stored["neutral"][i] if "neutral" in stored else NEUTRAL_FRAMES)
        if (hold_out and (i % hold_out == 0) != held) or not is_neutral.any():
            continue
        weights = np.zeros((len(rows), len(ARKIT)), np.float32)
        weights[:, columns] = stored["weights"][rows]
        yield (
            counts[rows] * np.float32(1e-4) - np.float32(0.5), np.tile(stored["size"][i], (len(rows), 1)), weights,
            stored["rotation"][rows].astype(np.float64), np.radians(stored["gaze"][rows]), is_neutral,
        )  # fmt: skip


def take_means(lesson: Lesson, values: Array) -> Array:
    """(T, ...): each take's mean over its neutral frames."""
    rows = np.flatnonzero(lesson.neutral)
    sums = np.zeros((lesson.take[-1] + 1, *values.shape[1:]))
    np.add.at(sums, lesson.take[rows], values[rows])
    count = np.bincount(lesson.take[rows], minlength=len(sums))
    return sums / count.reshape(-1, *[1] * (values.ndim - 1))
