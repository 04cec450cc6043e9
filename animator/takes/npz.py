"""Takes as `.npz`: every number as it was, by the names of the file contract.

One take is one performer. When several were recorded together the arrays of the second carry the suffix
`_2`, those of the third `_3`, and so on; what is said of the recording as a whole stands once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..channels import ARKIT
from ..data import LANDMARKS, Array, check_shape
from ..errors import ShapeError, TakeError
from .archive import Archive, Rows, opened_archive, write_archive
from .editing import MAX_FRAMES
from .files import written_beside
from .take import ARRAYS, Take

FORMAT_VERSION = 2
"""2 added `profile_cm`, `source`, `rig`, `stage_names` and `stages_ms`."""
_SHAPES = {
    "times_s": (),
    "weights": (len(ARKIT),),
    "rotations_wxyz": (4,),
    "translations_cm": (3,),
    "gaze_rad": (2, 2),
    "confidence": (),
}


@dataclass(frozen=True, slots=True)
class LandmarkTake:
    """What a tracker saw: one performer's landmarks, to be solved again."""

    landmarks_norm: Array | Rows
    """(N, 478, 3) float32; frames without a face hold 0. Rows where they are to be written without being held."""
    image_size_px: tuple[int, int]
    times_s: Array
    """(N,) float64, rising."""
    tracked: Array
    """(N,) bool."""


def save_takes(path: str | Path, takes: Sequence[Take], landmarks: Sequence[Rows | None] = ()) -> None:
    """Write the takes of performers who were recorded together.

    landmarks : for each performer, rows to write in place of the take's own: those of a long recording do not fit
                into memory"""
    path = Path(path)
    if not takes:
        raise TakeError(f"cannot write {path}: there is no performer to write")
    members: dict[str, Array | Rows] = {}
    for number, take in enumerate(takes, start=1):
        suffix = "" if number == 1 else f"_{number}"
        members |= {name + suffix: np.asarray(getattr(take, name), dtype) for name, dtype in ARRAYS.items()}
        streamed = landmarks[number - 1] if landmarks else None
        if streamed is not None:
            members["landmarks_norm" + suffix] = streamed
        elif take.landmarks_norm is not None:
            members["landmarks_norm" + suffix] = np.asarray(take.landmarks_norm, np.float32)
        if take.image_size_px is not None:
            members["image_size_px" + suffix] = np.asarray(take.image_size_px, np.int64)
        if take.profile_cm is not None:
            members["profile_cm" + suffix] = np.asarray(take.profile_cm, np.float32)
    first = takes[0]
    members |= {
        "channel_names": np.array(ARKIT),
        "fps": np.float64(first.fps),
        "format_version": np.int64(FORMAT_VERSION),
        "source": np.array(first.source),
        "rig": np.array(first.rig),
    }
    if first.stages_ms is not None:
        members["stage_names"] = np.array(first.stage_names)
        members["stages_ms"] = np.asarray(first.stages_ms, np.float32)
    with written_beside(path) as scratch:
        write_archive(scratch, members)


def load_takes(path: str | Path, *, landmarks: bool = True) -> tuple[Take, ...]:
    """Every performer's take in a file, first to last; raises TakeError with what is wrong.

    landmarks : False leaves them in the file: an hour of them is a gigabyte"""
    path = Path(path)
    with opened_archive(path) as stored:
        if "weights" not in stored:
            raise TakeError(f"{path} is not a take: it has no `weights` (found: {', '.join(stored) or 'nothing'})")
        version = int(stored.scalar("format_version"))
        if not 1 <= version <= FORMAT_VERSION:
            raise TakeError(
                f"{path} has format version {version}; this program reads up to {FORMAT_VERSION}: update it"
            )
        order = _channel_order(path, stored.strings("channel_names", 10_000))
        suffixes = ["", *(f"_{n}" for n in range(2, len(stored)) if f"weights_{n}" in stored)]
        return tuple(_take(stored, path, suffix, order, landmarks) for suffix in suffixes)


def save_landmark_take(path: Path, take: LandmarkTake) -> None:
    """Write `.landmarks.npz`."""
    landmarks = take.landmarks_norm
    with written_beside(path) as scratch:
        write_archive(
            scratch,
            {
                "landmarks_norm": landmarks if isinstance(landmarks, Rows) else np.asarray(landmarks, np.float32),
                "image_size_px": np.asarray(take.image_size_px, np.int64),
                "times_s": np.asarray(take.times_s, np.float64),
                "tracked": np.asarray(take.tracked, bool),
            },
        )


def load_landmark_take(path: Path) -> LandmarkTake:
    """Read `.landmarks.npz`; raises TakeError with what is wrong."""
    with opened_archive(path) as stored:
        times_s = stored.array("times_s", MAX_FRAMES)
        frames = len(times_s) if times_s.ndim else 0
        landmarks = stored.array("landmarks_norm", max(frames, 1) * LANDMARKS * 3)
        size, tracked = stored.array("image_size_px", 2), stored.array("tracked", MAX_FRAMES)
    try:
        check_shape("times_s", times_s, None)
        check_shape("landmarks_norm", landmarks, None, LANDMARKS, 3)
        check_shape("times_s", times_s, len(landmarks))
        check_shape("image_size_px", size, 2)
        check_shape("tracked", tracked, len(landmarks))
    except ShapeError as error:
        raise TakeError(f"{path} is not a landmark take: {error}") from error
    if not (np.isfinite(landmarks).all() and np.isfinite(times_s).all() and (size > 0).all()):
        raise TakeError(f"{path} is not a landmark take: it holds values that are not finite")
    if len(times_s) > 1 and not (np.diff(times_s) > 0).all():
        raise TakeError(f"{path} is not a landmark take: times_s must rise from frame to frame")
    return LandmarkTake(
        landmarks.astype(np.float32, copy=False),
        (int(size[0]), int(size[1])),
        times_s.astype(float),
        tracked.astype(bool),
    )


def kind_of_npz(path: Path) -> str:
    """`take`, `take with landmarks`, `landmarks` or `unknown`, by the arrays that a file holds."""
    with opened_archive(path) as stored:
        if "weights" in stored:
            return "take with landmarks" if "landmarks_norm" in stored else "take"
        return "landmarks" if "landmarks_norm" in stored and "tracked" in stored else "unknown"


def _channel_order(path: Path, names: list[str]) -> list[int]:
    """Where each of our channels stands in the file: other writers may have another order."""
    missing = [name for name in ARKIT if name not in names]
    if missing:
        raise TakeError(f"{path} is not a take: channel_names lacks {', '.join(missing[:3])}")
    return [names.index(name) for name in ARKIT]


def _take(stored: Archive, path: Path, suffix: str, order: list[int], landmarks: bool) -> Take:
    times_s = stored.array("times_s" + suffix, MAX_FRAMES)
    frames = len(times_s) if times_s.ndim == 1 else 0
    arrays = {}
    for name, dtype in ARRAYS.items():
        columns = len(stored.strings("channel_names", 10_000)) if name == "weights" else np.prod(_SHAPES[name] or 1)
        most = max(frames, 1) * int(columns)
        arrays[name] = times_s.astype(dtype) if name == "times_s" else stored.array(name + suffix, most).astype(dtype)
    width = len(stored.strings("channel_names", 10_000))
    if arrays["weights"].shape != (frames, width):
        raise TakeError(f"{path} is not a take: weights: expected (N, {width}), got {arrays['weights'].shape}")
    if order != list(range(width)):
        arrays["weights"] = arrays["weights"][:, order]
    np.clip(arrays["weights"], 0, 1, out=arrays["weights"])
    more: dict[str, object] = {}
    if landmarks and "landmarks_norm" + suffix in stored:
        found = stored.array("landmarks_norm" + suffix, max(frames, 1) * LANDMARKS * 3)
        more["landmarks_norm"] = found.astype(np.float32, copy=False)
    if "image_size_px" + suffix in stored:
        size = stored.array("image_size_px" + suffix, 2).ravel().tolist()
        if len(size) != 2 or not all(1 <= side < 1e6 for side in size):
            raise TakeError(f"{path} is not a take: image_size_px: expected a width and a height, got {size}")
        more["image_size_px"] = (int(size[0]), int(size[1]))
    if "profile_cm" + suffix in stored:
        more["profile_cm"] = stored.array("profile_cm" + suffix, LANDMARKS * 3).astype(np.float32)
    for name in ("source", "rig"):
        if name in stored:
            more[name] = stored.text(name)
    if "stages_ms" in stored and "stage_names" in stored:
        more["stage_names"] = tuple(stored.strings("stage_names", 100))
        times = max(frames, 1) * max(len(more["stage_names"]), 1)
        more["stages_ms"] = stored.array("stages_ms", times).astype(np.float32)
    return Take(**arrays, fps=float(stored.scalar("fps")), **more)
