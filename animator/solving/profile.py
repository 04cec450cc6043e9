"""A person, remembered: one small JSON file, for any machine.

A profile holds the neutral face in the head frame on the canonical face's scale, so neither the picture's size nor
the place before the camera is in it. The camera's field of view is: taken 15 degrees wrong, a person's neutral moves
nearly as far as to the next person (`likeness`), so tell `--fov` when the camera changes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..data import LANDMARKS, Array
from ..errors import SettingError, SinkError, TakeError
from ..foreign import json_from, text_of

FORMAT, FORMAT_VERSION = "animator profile", 1
SUFFIX = ".json"
MAX_BYTES = 1_000_000
"""A profile has 11 kB."""
MAX_CM = 50.0
"""No point of a head is farther from its origin."""
RANGE_LIMITS = (0.2, 1.0)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DEVICES = re.compile(r"(?i)con|prn|aux|nul|(com|lpt)[0-9]")
"""Names that Windows keeps for itself, with any suffix."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a person."""

    name: str
    neutral_cm: Array
    """(478, 3) float32: the face at rest; head frame, on the canonical face's scale."""
    ranges: Mapping[str, float] = field(default_factory=dict)
    """How far this person's channels go, as solved: `eyeBlink`, what a whole blink reaches, 0.2 to 1."""


def check_name(name: str) -> str:
    """The name, if a file may have it; raises SettingError."""
    if not _NAME.fullmatch(name) or _DEVICES.fullmatch(name):
        raise SettingError(f"profile: wanted a name of 1 to 64 letters, digits, - and _, got {name!r}")
    return name


def profile_folder() -> Path:
    """Where profiles are kept: the user's data folder, by the system's own custom."""
    from platformdirs import user_data_path

    return user_data_path("animator") / "profiles"


def profile_path(name: str) -> Path:
    """The file of a profile; it need not be there. Raises SettingError for a name that no file may have."""
    return profile_folder() / f"{check_name(name)}{SUFFIX}"


def known_profiles() -> list[str]:
    """The names of all profiles there are, readable or not, sorted."""
    folder = profile_folder()
    return sorted(path.stem for path in folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []


def delete_profile(name: str) -> Path:
    """Remove a profile; returns where it was. Raises SettingError if there is none."""
    path = profile_path(name)
    try:
        path.unlink()
    except FileNotFoundError as error:
        there = ", ".join(known_profiles()) or "none"
        raise SettingError(f"profile: there is no {name!r}; there are: {there}") from error
    except OSError as error:
        raise SinkError(f"cannot delete the profile {path}: {error}") from error
    return path


def save_profile(path: Path, profile: Profile) -> None:
    """Write a profile, never half; raises SinkError."""
    said = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "name": profile.name,
        "ranges": {name: round(float(reach), 4) for name, reach in profile.ranges.items()},
        "neutral_cm": np.round(profile.neutral_cm.astype(np.float64), 4).tolist(),
    }
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(said, separators=(",", ":")) + "\n", "utf-8")
        os.replace(beside, path)
    except OSError as error:
        raise SinkError(f"cannot write the profile {path}: {error}") from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def load_profile(path: Path) -> Profile:
    """Read a profile; raises TakeError, in one line, if it is missing, damaged or from a newer program."""
    try:
        return _profile_from(json_from(text_of(path, MAX_BYTES)))
    except (OSError, ValueError, TypeError, OverflowError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise TakeError(f"cannot use the profile {path}: {reason}") from error


def _profile_from(said: Any) -> Profile:
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise ValueError("it is no profile of animator's")
    version = said.get("format_version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise ValueError(f"format_version: wanted a whole number, got {version!r}")
    if version > FORMAT_VERSION:
        raise ValueError(f"it has format version {version}, this program reads up to {FORMAT_VERSION}: update animator")
    neutral_cm = np.array(said.get("neutral_cm"), np.float64)
    if neutral_cm.shape != (LANDMARKS, 3):
        raise ValueError(f"neutral_cm: wanted {LANDMARKS} points, got shape {neutral_cm.shape}")
    if not (np.abs(neutral_cm) < MAX_CM).all():  # nan is not, either
        raise ValueError(f"neutral_cm: wanted numbers within {MAX_CM:g} cm")
    return Profile(str(said.get("name", "")), neutral_cm.astype(np.float32), _ranges_from(said.get("ranges", {})))


def _ranges_from(said: Any) -> dict[str, float]:
    low, high = RANGE_LIMITS
    if not isinstance(said, dict):
        raise ValueError(f"ranges: wanted names and numbers, got {type(said).__name__}")
    for name, reach in said.items():
        if isinstance(reach, bool) or not isinstance(reach, int | float) or not low <= reach <= high:
            raise ValueError(f"ranges: {name}: wanted {low} to {high}, got {reach!r}")
    return {name: float(reach) for name, reach in said.items()}
