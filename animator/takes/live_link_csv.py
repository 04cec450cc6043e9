"""Takes as the CSV that Live Link Face writes: 52 channels and head and eye angles, with a timecode.

Columns are read by name, never by place, as apps and versions differ. Angles are radians with yaw + to
the subject's right and pitch + down; the rotation is Rz(-roll) @ Ry(-yaw) @ Rx(pitch). What this format
cannot hold (head translation, confidence, several performers) is not written and reads back as rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..channels import ARKIT
from ..data import Array
from ..errors import TakeError
from ..foreign import text_of
from ..maths.rotations import matrix_from_wxyz, wxyz_from_matrix
from .files import written_beside
from .take import Take

_RIGHT_BEFORE_LEFT = {
    "jawLeft": "jawRight",
    "jawRight": "jawLeft",
    "mouthLeft": "mouthRight",
    "mouthRight": "mouthLeft",
}
CHANNEL_COLUMNS = tuple(_RIGHT_BEFORE_LEFT.get(name, name) for name in ARKIT)
"""The app's CSV lists JawRight before JawLeft and MouthRight before MouthLeft, unlike its packets."""
ANGLE_COLUMNS = tuple(part + angle for part in ("Head", "LeftEye", "RightEye") for angle in ("Yaw", "Pitch", "Roll"))
TIMECODE_RATES = (30, 60)
"""Frames a second of a timecode; frames between carry three decimals. The file does not say which: a frame number
of 30 or more tells 60. The app writes 60, and so do we where that can be told."""

DAY_S = 24 * 3600.0
Progress = Callable[[int], None]
"""Called with the number of finished frames."""
_BLOCK = 2000
"""Frames that are turned into text at once."""
_SWAPPED = [ARKIT.index(_RIGHT_BEFORE_LEFT.get(name, name)) for name in ARKIT]
_LATERAL_SWAPPED = tuple(_RIGHT_BEFORE_LEFT.get(name, name) for name in CHANNEL_COLUMNS)

_TIMECODE = re.compile(r"(\d+):(\d\d):(\d\d):(\d\d(?:\.\d+)?)$")


def save_csv(path: Path, take: Take, *, swap_sides: bool = False, progress: Progress = lambda _frames: None) -> None:
    """Write one performer.

    swap_sides : exchange what stands under Left and Right of Jaw and Mouth, see `load_csv`"""
    angles = np.concatenate(
        [_angles_from_matrix(m) for m in (matrix_from_wxyz(take.rotations_wxyz), *eye_matrices(take))], axis=1
    )
    channels = [ARKIT.index(name) for name in (_LATERAL_SWAPPED if swap_sides else CHANNEL_COLUMNS)]
    rate = TIMECODE_RATES[int(take.duration_s > 0.6)]  # by then a frame number above 30 has come
    count = len(ARKIT) + len(ANGLE_COLUMNS)
    # One format for a whole row: 61 numbers in 25 us, against 90 us one by one through csv.writer.
    row = f"%s,{count}," + ",".join(["%.10f"] * count) + "\n"
    with written_beside(path) as scratch, scratch.open("w", newline="", encoding="utf-8") as file:
        names = [name[0].upper() + name[1:] for name in CHANNEL_COLUMNS]
        file.write(",".join(["Timecode", "BlendShapeCount", *names, *ANGLE_COLUMNS]) + "\n")
        for first in range(0, len(take), _BLOCK):
            block = slice(first, first + _BLOCK)
            values = np.concatenate([take.weights[block][:, channels].astype(np.float64), angles[block]], axis=1)
            codes = _timecodes(take.times_s[block] - take.times_s[0], rate)
            file.writelines(row % (code, *numbers) for code, numbers in zip(codes, values.tolist(), strict=True))
            progress(min(first + _BLOCK, len(take)))


def load_csv(path: Path, *, swap_sides: bool = False) -> Take:
    """Read one performer; raises TakeError with the line that is wrong.

    swap_sides : take JawLeft for JawRight and MouthLeft for MouthRight, and the other way round"""
    try:
        lines = text_of(path).splitlines()
    except (OSError, ValueError) as error:
        raise TakeError(f"cannot read {path}: {error}") from error
    header = [name.strip().lower() for name in lines[0].split(",")] if lines else []
    missing = [name for name in ("Timecode", *ARKIT[:-1]) if name.lower() not in header]
    if missing:
        raise TakeError(f"{path} is not a Live Link Face CSV: it has no column {missing[0]}")
    body = [(number, line) for number, line in enumerate(lines[1:], start=2) if line.strip()]
    if not body:
        raise TakeError(f"{path} is a Live Link Face CSV without a single frame")
    for number, line in body:
        if line.count(",") != len(header) - 1:
            raise TakeError(f"{path}, line {number}: expected {len(header)} columns, got {line.count(',') + 1}")
    place = header.index("timecode")
    times_s = _times([(number, line.split(",", place + 1)[place]) for number, line in body], path)
    wanted = [name.lower() for name in (*ARKIT, *ANGLE_COLUMNS)]
    columns = {name: header.index(name) for name in wanted if name in header}
    numbers = _numbers(path, header, body, list(columns.values()))
    values = np.zeros((len(body), len(wanted)))
    values[:, [wanted.index(name) for name in columns]] = numbers
    weights = np.clip(values[:, : len(ARKIT)], 0, 1).astype(np.float32)
    if swap_sides:
        weights = weights[:, _SWAPPED]
    angles = values[:, len(ARKIT) :].reshape(-1, 3, 3)
    head, left, right = (_matrix_from_angles(angles[:, i]) for i in range(3))
    steps = np.diff(times_s)
    return Take(
        times_s,
        weights,
        wxyz_from_matrix(head),
        np.tile([0.0, 0.0, -50.0], (len(body), 1)),
        np.stack([_gaze_from_matrix(left), _gaze_from_matrix(right)], axis=1),
        np.ones(len(body), np.float32),
        fps=float(round(1 / np.median(steps), 3)) if len(steps) else 30.0,
        source=path.name,
    )


def _numbers(path: Path, header: list[str], body: list[tuple[int, str]], columns: list[int]) -> Array:
    """(N, C) float64: some columns of every line."""
    try:
        # NumPy's own reader takes 29 us a line of 61 numbers, Python's float 39, before they are arrays.
        found = np.loadtxt((line for _, line in body), float, delimiter=",", usecols=columns, ndmin=2, comments=None)
        if np.isfinite(found).all():
            return found
    except ValueError:
        pass
    for number, line in body:  # something is wrong somewhere: now find out where
        cells = line.split(",")
        for column in columns:
            try:
                is_number = bool(np.isfinite(float(cells[column])))
            except ValueError:
                is_number = False
            if not is_number:
                said = f"{header[column]}: expected a number, got {cells[column]!r}"
                raise TakeError(f"{path}, line {number}: {said}") from None
    raise TakeError(f"{path} is not a Live Link Face CSV: NumPy cannot read its numbers")


def eye_matrices(take: Take) -> tuple[Array, Array]:
    """(N, 3, 3) each: the left and the right eye in the head."""
    return _matrix_from_gaze(take.gaze_rad[:, 0]), _matrix_from_gaze(take.gaze_rad[:, 1])


def _matrix_from_gaze(gaze_rad: Array) -> Array:
    """Eyes have no torsion: R = Rx(down) @ Ry(left)."""
    left, down = gaze_rad[:, 0], -gaze_rad[:, 1]
    return _matrix_about("x", down) @ _matrix_about("y", left)


def _gaze_from_matrix(matrix: Array) -> Array:
    """The inverse of `_matrix_from_gaze`: (N, 3, 3) -> (N, 2) yaw (+ left), pitch (+ up)."""
    left = np.arctan2(matrix[:, 0, 2], matrix[:, 0, 0])
    down = np.arctan2(matrix[:, 2, 1], matrix[:, 1, 1])
    return np.stack([left, -down], axis=1)


def _angles_from_matrix(matrix: Array) -> Array:
    """(N, 3, 3) -> (N, 3) yaw (+ right), pitch (+ down), roll of R = Rz(-roll) @ Ry(-yaw) @ Rx(pitch)."""
    about_y = np.arcsin(np.clip(-matrix[:, 2, 0], -1, 1))
    about_x = np.arctan2(matrix[:, 2, 1], matrix[:, 2, 2])
    about_z = np.arctan2(matrix[:, 1, 0], matrix[:, 0, 0])
    return np.stack([-about_y, about_x, -about_z], axis=1)


def _matrix_from_angles(angles_rad: Array) -> Array:
    """The inverse of `_angles_from_matrix`."""
    yaw, pitch, roll = angles_rad.T
    return _matrix_about("z", -roll) @ _matrix_about("y", -yaw) @ _matrix_about("x", pitch)


def _matrix_about(axis: str, angles_rad: Array) -> Array:
    wxyz = np.zeros((len(angles_rad), 4))
    wxyz[:, 0], wxyz[:, 1 + "xyz".index(axis)] = np.cos(angles_rad / 2), np.sin(angles_rad / 2)
    return matrix_from_wxyz(wxyz)


def _timecodes(times_s: Array, rate: int) -> list[str]:
    """HH:MM:SS:FF.mmm of seconds since the first frame, (N,)."""
    frames, sub = np.divmod(np.round(times_s * rate * 1000).astype(np.int64), 1000)
    seconds, frame = np.divmod(frames, rate)
    rows = zip(
        *(part.tolist() for part in (seconds // 3600, seconds // 60 % 60, seconds % 60, frame, sub)), strict=True
    )
    return [f"{h:02d}:{m:02d}:{s:02d}:{f:02d}.{part:03d}" for h, m, s, f, part in rows]


def _times(codes: list[tuple[int, str]], path: Path) -> Array:
    """Seconds of each timecode. Its rate is not in the file: 60 where a frame number reaches 30, else 30."""
    parts = []
    for line, code in codes:
        match = _TIMECODE.match(code.strip())
        if match is None:
            raise TakeError(f"{path}, line {line}: Timecode: expected HH:MM:SS:FF.mmm, got {code!r}")
        parts.append([float(group) for group in match.groups()])
    hours, minutes, seconds, frames = np.array(parts).T
    rate = TIMECODE_RATES[int(frames.max() >= 30)]
    times_s = hours * 3600 + minutes * 60 + seconds + frames / rate
    # A timecode is the time of day: at midnight it begins again.
    times_s += DAY_S * np.concatenate([[0], np.cumsum(np.diff(times_s) < -DAY_S / 2)])
    falls = np.flatnonzero(np.diff(times_s) <= 0)
    if len(falls):
        raise TakeError(f"{path}, line {codes[falls[0] + 1][0]}: Timecode does not rise: {codes[falls[0] + 1][1]}")
    return times_s - times_s[0]
