"""Which of the 52 channels reach what in an avatar, and how that was found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..channels import ARKIT, INDEX
from ..data import Array, Expression, Gaze, HeadPose, Motion
from ..rig import Rig
from ..takes.files import check_writable, written_beside
from .expressions import MorphDriver
from .naming import CHANNEL_BY_SPELLING, plain
from .presets import SOURCES
from .skeleton import jaw_is_morphed

LOOK_RAD = np.radians(25.0)
_LOOKS = {"eyeLookUp": (0.0, LOOK_RAD), "eyeLookDown": (0.0, -LOOK_RAD)}
LEAST = 0.01


@dataclass(frozen=True, slots=True)
class Reach:
    """What one channel at 1 moves."""

    channel: str
    targets: tuple[str, ...]
    """Morphs, expressions and joints with their shares: `mouth-open`, `expression oh 0.4`, `joint LeftEye`."""
    how: str
    """`name`, `Perfect Sync`, `preset`, `guess`, `joint`, or `` where nothing moves."""


def reach_of(rig: Rig) -> list[Reach]:
    """Every channel's, in ARKit's order, as the avatar is really driven."""
    driver = MorphDriver(rig)
    return [_reach(rig, driver, channel) for channel in ARKIT]


def _reach(rig: Rig, driver: MorphDriver, channel: str) -> Reach:
    index, targets, hows = INDEX[channel], [], []
    for row in np.flatnonzero(np.abs(rig.mapping[:, index]) > LEAST):
        name = rig.morph_names[row]
        targets.append(name + _share(float(rig.mapping[row, index])))
        hows.append("name" if CHANNEL_BY_SPELLING.get(plain(name)) == index else "guess")
    said = rig.expressions
    if said is not None:
        values = driver.values(_alone(channel)) - driver.values(_alone(None))
        # Some presets show only together with other channels of their kind.
        with_kin = driver.values(_alone(channel, with_kin=True))
        values = np.where([bool(preset) for preset in said.presets], with_kin, values)
        acting = said.binds.any(1)
        acting[[look.expression for look in said.looks]] = True
        for row in np.flatnonzero((values > LEAST) & acting):
            # A preset is credited to the channels that it mainly shows, not to all that touch its formula.
            preset = said.presets[row]
            if preset and channel not in SOURCES.get(preset, ()):
                continue
            targets.append(f"expression {said.names[row]}" + _share(float(values[row])))
            hows.append("preset" if preset else "Perfect Sync")
    for role in _joints_of(rig, channel):
        targets.append(f"joint {rig.joints[rig.roles[role]].name}")
        hows.append("joint")
    return Reach(channel, tuple(dict.fromkeys(targets)), hows[0] if hows else "")


def _alone(channel: str | None, *, with_kin: bool = False) -> Motion:
    """One channel at 1, and the gaze that goes with a look; with its kin, all that a face does then."""
    gaze = np.zeros((2, 2))
    for stem, angles in _LOOKS.items():
        if channel is not None and channel.startswith(stem):
            gaze[:] = angles
    if channel in ("eyeLookOutLeft", "eyeLookInRight"):
        gaze[:, 0] = LOOK_RAD
    if channel in ("eyeLookInLeft", "eyeLookOutRight"):
        gaze[:, 0] = -LOOK_RAD
    expression = Expression.rest() if channel is None else Expression.of(**{channel: 1.0})
    if with_kin and channel in SOURCES["surprised"]:
        expression = Expression.of(**{"jawOpen": 0.2} | dict.fromkeys(SOURCES["surprised"], 1.0))
    return Motion(0.0, 0, HeadPose.rest(), Gaze(gaze), expression)


def _joints_of(rig: Rig, channel: str) -> list[str]:
    """Roles that a channel moves by a joint."""
    if channel.startswith("eyeLook") and (rig.look_at is None or not rig.look_at.by_expressions):
        role = "leftEye" if channel.endswith("Left") else "rightEye"
        return [role] if role in rig.roles else []
    if channel == "jawOpen" and "jaw" in rig.roles:
        return [] if jaw_is_morphed(rig) else ["jaw"]
    return []


def _share(value: float) -> str:
    return "" if abs(value - 1) < LEAST else f" {value:.2g}"


def write_table(rig: Rig, path: Path) -> None:
    """The mapping as a `mapping.csv` to begin with: every morph and expression that has a name of its own.

    Presets that follow a formula are named in comments: a line for one replaces its formula."""
    lines = ["morph,channel,gain"]
    for names, gains in _tables(rig):
        for name, row in zip(names, gains, strict=True):
            for index in np.flatnonzero(row):
                lines.append(f"{_cell(name)},{ARKIT[index]},{row[index]:.4g}")
            if not row.any():
                lines.append(f"# {_cell(name)},CHANNEL,1")
    check_writable(path)
    with written_beside(path) as beside:
        beside.write_text("\n".join(dict.fromkeys(lines)) + "\n", "utf-8")


def _tables(rig: Rig) -> list[tuple[tuple[str, ...], Array]]:
    tables = [(rig.morph_names, rig.mapping)]
    if rig.expressions is not None:
        tables.append((rig.expressions.names, rig.expressions.gains))
    return tables


def _cell(name: str) -> str:
    """A name as CSV wants it."""
    return '"' + name.replace('"', '""') + '"' if set(name) & set(',"\n#') else name
