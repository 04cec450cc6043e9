"""The system's clock may be set at any moment: nothing that lasts is measured by it."""

from __future__ import annotations

import ast
import time
from pathlib import Path

import numpy as np

import animator as package
from animator.takes.npz import load_takes

WALL_CLOCKS = {("time", "time"), ("time", "time_ns"), ("datetime", "now"), ("datetime", "utcnow"), ("date", "today")}
MAY_LOOK = {
     # when a report was written
    "on_screen.py", "playing.py",  # names of files
    "server/certificates.py", "server/turn.py",  # days and hours that others count, too
    "sinks/network.py",  # Live Link's time code is the time of day, read once
}  # fmt: skip


def wall_clock_readers() -> set[str]:
    """Files of the package that read the time of day."""
    root, found = Path(package.__file__).parent, set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Attribute):
                continue
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            if (owner, node.attr) in WALL_CLOCKS:
                found.add(path.relative_to(root).as_posix())
    return found


def test_only_names_and_dates_are_made_of_the_time_of_day() -> None:
    assert wall_clock_readers() <= MAY_LOOK


def test_a_recording_does_not_notice_a_clock_that_is_set_back(animator, face_clip: Path, monkeypatch) -> None:
    assert animator("record", face_clip, "-o", "a.npz").code == 0
    real, calls = time.time, []

    def set_back() -> float:
        calls.append(1)
        return real() - 3600.0 * len(calls)

    monkeypatch.setattr(time, "time", set_back)
    assert animator("record", face_clip, "-o", "b.npz").code == 0
    before, after = (load_takes(Path(name))[0] for name in ("a.npz", "b.npz"))
    np.testing.assert_array_equal(before.times_s, after.times_s)
    np.testing.assert_array_equal(before.weights, after.weights)
