"""Takes as `.npz`: every number as it was, by the names of the file contract.

One take is one performer. When several were recorded together the arrays of the second carry the suffix
`_2`, those of the third `_3`, and so on; `channel_names`, `fps` and `format_version` stand once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..channels import ARKIT
from ..data import LANDMARKS, Array, check_shape
from ..errors import ShapeError, TakeError
from .files import written_beside
from .take import Take

FORMAT_VERSION = 1

_ARRAYS = {
    "times_s": np.float64,
    "weights": np.float32,
    "rotations_wxyz": np.float64,
    "translations_cm": np.float64,
    "gaze_rad": np.float64,
    "confidence": np.float32,
}


@dataclass(frozen=True, slots=True)
class LandmarkTake:
    """What a tracker saw: one performer's landmarks, to be solved again."""

    landmarks_norm: Array
    """(N, 478, 3) float32; frames without a face hold 0."""
    image_size_px: tuple[int, int]
    times_s: Array
    """(N,) float64, rising."""
    tracked: Array
    """(N,) bool."""


def save_takes(path: str | Path, takes: Sequence[Take]) -> None:
    """Write the takes of performers who were recorded together."""
    path = Path(path)
    if not takes:
        raise TakeError(f"cannot write {path}: there is no performer to write")
    arrays: dict[str, Array] = {}
    for number, take in enumerate(takes, start=1):
        suffix = "" if number == 1 else f"_{number}"
        arrays |= {name + suffix: np.asarray(getattr(take, name), dtype) for name, dtype in _ARRAYS.items()}
        if take.landmarks_norm is not None:
            arrays["landmarks_norm" + suffix] = np.asarray(take.landmarks_norm, np.float32)
            arrays["image_size_px" + suffix] = np.asarray(take.image_size_px, np.int64)
    with written_beside(path) as scratch:
        np.savez_compressed(
            scratch,
            **arrays,
            channel_names=np.array(ARKIT),
            fps=np.float64(takes[0].fps),
            format_version=np.int64(FORMAT_VERSION),
        )


def load_takes(path: str | Path) -> tuple[Take, ...]:
    """Every performer's take in a file, first to last; raises TakeError with what is wrong."""
    path = Path(path)
    with _opened(path) as stored:
        if "weights" not in stored:
            raise TakeError(f"{path} is not a take: it has no `weights` (found: {', '.join(stored) or 'nothing'})")
        version = int(_get(stored, path, "format_version"))
        if not 1 <= version <= FORMAT_VERSION:
            raise TakeError(
                f"{path} has format version {version}; this program reads up to {FORMAT_VERSION}: update it"
            )
        order = _channel_order(path, [str(name) for name in _get(stored, path, "channel_names")])
        suffixes = ["", *(f"_{n}" for n in range(2, len(stored)) if f"weights_{n}" in stored)]
        return tuple(_take(stored, path, suffix, order) for suffix in suffixes)


def save_landmark_take(path: Path, take: LandmarkTake) -> None:
    """Write `.landmarks.npz`."""
    with written_beside(path) as scratch:
        np.savez_compressed(
            scratch,
            landmarks_norm=np.asarray(take.landmarks_norm, np.float32),
            image_size_px=np.asarray(take.image_size_px, np.int64),
            times_s=np.asarray(take.times_s, np.float64),
            tracked=np.asarray(take.tracked, bool),
        )


def load_landmark_take(path: Path) -> LandmarkTake:
    """Read `.landmarks.npz`; raises TakeError with what is wrong."""
    with _opened(path) as stored:
        landmarks = _get(stored, path, "landmarks_norm")
        size, times_s, tracked = (_get(stored, path, name) for name in ("image_size_px", "times_s", "tracked"))
    try:
        check_shape("landmarks_norm", landmarks, None, LANDMARKS, 3)
        check_shape("image_size_px", size, 2)
        check_shape("times_s", times_s, len(landmarks))
        check_shape("tracked", tracked, len(landmarks))
    except ShapeError as error:
        raise TakeError(f"{path} is not a landmark take: {error}") from error
    if not (np.isfinite(landmarks).all() and np.isfinite(times_s).all() and (size > 0).all()):
        raise TakeError(f"{path} is not a landmark take: it holds values that are not finite")
    if len(times_s) > 1 and not (np.diff(times_s) > 0).all():
        raise TakeError(f"{path} is not a landmark take: times_s must rise from frame to frame")
    return LandmarkTake(
        landmarks.astype(np.float32), (int(size[0]), int(size[1])), times_s.astype(float), tracked.astype(bool)
    )


def kind_of_npz(path: Path) -> str:
    """`take`, `landmarks` or `unknown`, by the arrays that a file holds."""
    with _opened(path) as stored:
        if "weights" in stored:
            return "take"
        return "landmarks" if "landmarks_norm" in stored and "tracked" in stored else "unknown"


@contextmanager
def _opened(path: Path) -> Iterator[np.lib.npyio.NpzFile]:
    try:
        with path.open("rb") as file:  # numpy forgets to close what it opened when the archive is damaged
            stored = np.load(file, allow_pickle=False)
            if not hasattr(stored, "files"):
                raise TakeError(f"{path} is not a take: wanted an .npz archive, got a single array")
            with stored:
                yield stored
    except TakeError:
        raise
    except FileNotFoundError as error:
        raise TakeError(f"there is no file {path}") from error
    except Exception as error:  # zipfile, zlib and numpy raise a dozen kinds for damaged bytes
        raise TakeError(f"{path} is not a readable .npz file: {error or type(error).__name__}") from error


def _get(stored: np.lib.npyio.NpzFile, path: Path, name: str) -> Array:
    if name not in stored:
        raise TakeError(f"{path} is not a take: it has no `{name}`")
    return stored[name]


def _channel_order(path: Path, names: list[str]) -> list[int]:
    """Where each of our channels stands in the file: other writers may have another order."""
    missing = [name for name in ARKIT if name not in names]
    if missing:
        raise TakeError(f"{path} is not a take: channel_names lacks {', '.join(missing[:3])}")
    return [names.index(name) for name in ARKIT]


def _take(stored: np.lib.npyio.NpzFile, path: Path, suffix: str, order: list[int]) -> Take:
    arrays = {name: _get(stored, path, name + suffix).astype(dtype) for name, dtype in _ARRAYS.items()}
    if arrays["weights"].ndim != 2 or arrays["weights"].shape[1] != len(order):
        raise TakeError(f"{path} is not a take: weights: expected (N, {len(order)}), got {arrays['weights'].shape}")
    arrays["weights"] = np.clip(arrays["weights"][:, order], 0, 1)
    landmarks = size = None
    if "landmarks_norm" + suffix in stored:
        landmarks = stored["landmarks_norm" + suffix].astype(np.float32)
        width, height = _get(stored, path, "image_size_px" + suffix)
        size = (int(width), int(height))
    return Take(**arrays, fps=float(_get(stored, path, "fps")), landmarks_norm=landmarks, image_size_px=size)
