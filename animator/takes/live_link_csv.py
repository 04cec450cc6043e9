"""Takes as the CSV that Live Link Face writes: 52 channels and head and eye angles, with a timecode.

Columns are read by name, never by place, as apps and versions differ. Angles are radians with yaw + to
the subject's right and pitch + down; the rotation is Rz(-roll) @ Ry(-yaw) @ Rx(pitch). What this format
cannot hold (head translation, confidence, several performers) is not written and reads back as rest.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np

from ..channels import ARKIT
from ..data import Array
from ..errors import TakeError
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

_TIMECODE = re.compile(r"(\d+):(\d\d):(\d\d):(\d\d(?:\.\d+)?)$")


def save_csv(path: Path, take: Take) -> None:
    """Write one performer."""
    angles = np.concatenate([_angles_from_matrix(m) for m in _head_and_eyes(take)], axis=1)
    with written_beside(path) as scratch, scratch.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        names = [name[0].upper() + name[1:] for name in CHANNEL_COLUMNS]
        writer.writerow(["Timecode", "BlendShapeCount", *names, *ANGLE_COLUMNS])
        rate = TIMECODE_RATES[int(take.duration_s > 0.6)]  # by then a frame number above 30 has come
        columns = take.weights[:, [ARKIT.index(name) for name in CHANNEL_COLUMNS]]
        for time_s, weights, row in zip(take.times_s, columns, angles, strict=True):
            values = (f"{value:.10f}" for value in (*weights, *row))
            writer.writerow([_timecode(time_s - take.times_s[0], rate), len(ARKIT) + len(ANGLE_COLUMNS), *values])


def load_csv(path: Path) -> Take:
    """Read one performer; raises TakeError with the line that is wrong."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TakeError(f"cannot read {path}: {error}") from error
    header = [name.strip().lower() for name in rows[0]] if rows else []
    missing = [name for name in ("Timecode", *ARKIT[:-1]) if name.lower() not in header]
    if missing:
        raise TakeError(f"{path} is not a Live Link Face CSV: it has no column {missing[0]}")
    body = [(line, row) for line, row in enumerate(rows[1:], start=2) if row]
    if not body:
        raise TakeError(f"{path} is a Live Link Face CSV without a single frame")
    for line, row in body:
        if len(row) != len(header):
            raise TakeError(f"{path}, line {line}: expected {len(header)} columns, got {len(row)}")
    times_s = _times([(line, row[header.index("timecode")]) for line, row in body], path)
    values = _numbers(path, header, body)

    def column(name: str) -> Array:
        return values[:, header.index(name.lower())] if name.lower() in header else np.zeros(len(body))

    weights = np.clip(np.stack([column(name) for name in ARKIT], axis=1), 0, 1).astype(np.float32)
    angles = np.stack([column(name) for name in ANGLE_COLUMNS], axis=1).reshape(-1, 3, 3)
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
    )


def _numbers(path: Path, header: list[str], body: list[tuple[int, list[str]]]) -> Array:
    values = np.zeros((len(body), len(header)))
    for i, (line, row) in enumerate(body):
        for j, cell in enumerate(row):
            if header[j] == "timecode":
                continue
            try:
                values[i, j] = float(cell)
            except ValueError:
                values[i, j] = np.nan
            if not np.isfinite(values[i, j]):
                raise TakeError(f"{path}, line {line}: {header[j]}: expected a number, got {cell!r}") from None
    return values


def _head_and_eyes(take: Take) -> tuple[Array, Array, Array]:
    """(N, 3, 3) each: the head in camera space, the left and the right eye in the head."""
    eyes = [_matrix_from_gaze(take.gaze_rad[:, eye]) for eye in range(2)]
    return matrix_from_wxyz(take.rotations_wxyz), *eyes


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


def _timecode(time_s: float, rate: int) -> str:
    thousandths = round(time_s * rate * 1000)
    frames, sub = divmod(thousandths, 1000)
    seconds, frame = divmod(frames, rate)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{frame:02d}.{sub:03d}"


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
    falls = np.flatnonzero(np.diff(times_s) <= 0)
    if len(falls):
        raise TakeError(f"{path}, line {codes[falls[0] + 1][0]}: Timecode does not rise: {codes[falls[0] + 1][1]}")
    return times_s - times_s[0]
