"""Takes as JSON in the two layouts that other programs read: NVIDIA Audio2Face's and the BEAT data set's.

    audio2face : exportFps, numPoses, numFrames, facsNames, weightMat [frame][channel], and the head as the one joint:
                 joints, rotations [frame][joint][x, y, z, w], translations [frame][joint][3], in centimetres
    beat       : names (51 in the alphabet's order, no tongue), frames [{weights, time, rotation [x, y, z, w]}]

Neither holds gaze or confidence. Audio2Face's has one rate and no times: a take of uneven times is resampled first.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..channels import ARKIT, INDEX
from ..data import Array
from ..errors import TakeError
from ..foreign import json_from, text_of
from .editing import resampled
from .files import written_beside
from .npz import MAX_FRAMES
from .take import Take, take_from_arrays

LAYOUTS = ("audio2face", "beat")
BEAT_NAMES = tuple(sorted(name for name in ARKIT if name != "tongueOut"))
_EVEN = 1e-3
"""A step that differs by more than this share from the others makes times uneven."""


def save_json(path: Path, take: Take, layout: str = "audio2face") -> None:
    """Write one performer in one of `LAYOUTS`."""
    if layout not in LAYOUTS:
        raise TakeError(f"layout: wanted {' or '.join(LAYOUTS)}, got {layout!r}")
    with written_beside(path) as scratch, scratch.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(_audio2face(take) if layout == "audio2face" else _beat(take))


def load_json(path: Path) -> Take:
    """Read one performer in either layout; raises TakeError with what is wrong."""
    try:
        said = json_from(text_of(path))
    except (OSError, ValueError) as error:
        raise TakeError(f"cannot read {path}: {error}") from error
    if isinstance(said, dict) and "weightMat" in said:
        read = _from_audio2face
    elif isinstance(said, dict) and "frames" in said and "names" in said:
        read = _from_beat
    else:
        raise TakeError(f"{path} is no take: wanted `weightMat` (Audio2Face) or `names` and `frames` (BEAT)")
    try:
        return read(said, path)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise TakeError(f"{path} is no take: {type(error).__name__} {error}") from error


def _audio2face(take: Take) -> Iterator[str]:
    """The file, a frame at a time: an hour's numbers as Python's own would take 1.2 GB."""
    steps = np.diff(take.times_s)
    if len(steps) and np.abs(steps * take.fps - 1).max() > _EVEN:
        take = resampled(take, take.fps)
    head = {
        "exportFps": take.fps,
        "trackPath": take.source,
        "numPoses": len(ARKIT),
        "numFrames": len(take),
        "facsNames": ARKIT,
    }
    yield json.dumps(head)[:-1] + ', "weightMat": ['
    yield from _lines(_rows(take.weights))
    yield '], "joints": ["head"], "rotations": ['
    yield from _lines(f"[{row}]" for row in _rows(_xyzw(take)))
    yield '], "translations": ['
    yield from _lines(f"[{row}]" for row in _rows(take.translations_cm))
    yield "]}"


def _beat(take: Take) -> Iterator[str]:
    columns = take.weights[:, [INDEX[name] for name in BEAT_NAMES]]
    frames = zip(_rows(columns), (take.times_s - take.times_s[0]).tolist(), _rows(_xyzw(take)), strict=True)
    yield f'{{"names": {json.dumps(BEAT_NAMES)}, "frames": ['
    yield from _lines(
        f'{{"weights": {weights}, "time": {time_s:.9g}, "rotation": {turn}}}' for weights, time_s, turn in frames
    )
    yield "]}"


def _lines(items: Iterable[str]) -> Iterator[str]:
    """Items with what stands between them in a JSON list."""
    for number, item in enumerate(items):
        yield item if number == 0 else ",\n" + item


def _rows(values: Array) -> Iterator[str]:
    """Each row as a JSON list, with the digits that its kind of number has."""
    digits = "%.9g" if values.dtype == np.float32 else "%.17g"
    form = "[" + ", ".join([digits] * values.shape[1]) + "]"
    return (form % tuple(row.tolist()) for row in values)


def _xyzw(take: Take) -> Array:
    return take.rotations_wxyz[:, [1, 2, 3, 0]]


def _from_audio2face(said: dict[str, Any], path: Path) -> Take:
    names = [str(name) for name in said.get("facsNames", ARKIT[: len(said["weightMat"][0])])]
    weights = _table(said["weightMat"], len(names), path, "weightMat")
    fps = float(said.get("exportFps", 30))
    if not 1e-3 < fps < 1e6:
        raise TakeError(f"{path} is no take: exportFps: expected a rate, got {fps}")
    for key, count in (("numFrames", len(weights)), ("numPoses", len(names))):
        if key in said and int(said[key]) != count:
            raise TakeError(f"{path} is no take: {key} says {said[key]}, but there are {count}")
    arrays = {"times_s": np.arange(len(weights)) / fps, "weights": _ordered(weights, names, path)}
    joints = [str(joint).lower() for joint in said.get("joints") or []]
    if "head" in joints and said.get("rotations"):
        head = joints.index("head")
        arrays["rotations_wxyz"] = _wxyz([frame[head] for frame in said["rotations"]], path)
        if said.get("translations"):
            places = [frame[head] for frame in said["translations"]]
            arrays["translations_cm"] = _table(places, 3, path, "translations")
    return take_from_arrays(arrays, fps)


def _from_beat(said: dict[str, Any], path: Path) -> Take:
    names, frames = [str(name) for name in said["names"]], said["frames"]
    if not frames:
        raise TakeError(f"{path} is no take: it has no frames")
    weights = _table([frame["weights"] for frame in frames], len(names), path, "weights")
    times_s = np.array([float(frame["time"]) for frame in frames])
    if not (np.abs(times_s) < 1e9).all():  # false for NaN, too
        raise TakeError(f"{path} is no take: it holds times that are none")
    step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 1 / 60
    arrays = {"times_s": times_s, "weights": _ordered(weights, names, path)}
    turns = [frame.get("rotation") or [] for frame in frames]
    if all(len(turn) == 4 for turn in turns):
        arrays["rotations_wxyz"] = _wxyz(turns, path)
    return take_from_arrays(arrays, round(1 / step_s, 3) if step_s > 0 else 60.0)


def _table(rows: Any, width: int, path: Path, what: str) -> Array:
    """(N, width) float64."""
    if not 0 < len(rows) <= MAX_FRAMES or any(len(row) != width for row in rows):
        raise TakeError(f"{path} is no take: {what}: expected rows of {width} numbers")
    return np.array(rows, np.float64)


def _ordered(weights: Array, names: list[str], path: Path) -> Array:
    """(N, 52) by our order, whatever the file's; a channel that it has not is 0."""
    if not np.isfinite(weights).all():
        raise TakeError(f"{path} is no take: it holds weights that are not finite")
    known = {name.lower(): channel for channel, name in enumerate(ARKIT)}
    found = [(column, known[name.lower()]) for column, name in enumerate(names) if name.lower() in known]
    if not found:
        raise TakeError(f"{path} is no take: none of its names is one of ARKit's 52")
    ordered = np.zeros((len(weights), len(ARKIT)))
    for column, channel in found:
        ordered[:, channel] = weights[:, column]
    return np.clip(ordered, 0, 1)


def _wxyz(turns: Any, path: Path) -> Array:
    """(N, 4) unit quaternions of rows x, y, z, w."""
    wxyz = _table(turns, 4, path, "rotations")[:, [3, 0, 1, 2]]
    if not (np.abs(wxyz) < 1e6).all():  # false for NaN, too
        raise TakeError(f"{path} is no take: it holds rotations that are none")
    lengths = np.linalg.norm(wxyz, axis=1, keepdims=True)
    if not (lengths > 1e-6).all():
        raise TakeError(f"{path} is no take: it holds rotations of length 0")
    return wxyz / lengths
