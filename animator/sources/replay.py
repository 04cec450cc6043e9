"""A take as a source of motion."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..data import Motion
from ..errors import TakeError
from ..takes.json_layouts import load_json
from ..takes.live_link_csv import load_csv
from ..takes.npz import load_takes
from ..takes.take import Take


class ReplaySource:
    """Plays recorded motion: every performer of a `.npz` take, or the one of a Live Link Face CSV or a JSON.

    Performers who were recorded together share their times."""

    live = False

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.takes = _loaded(path)
        if not len(self.takes[0]):
            raise TakeError(f"{path} holds no frames")
        self.fps = self.takes[0].fps
        self.frame_count: int | None = min(len(take) for take in self.takes)

    def __iter__(self) -> Iterator[tuple[Motion, ...]]:
        for frame in range(self.frame_count):
            yield tuple(take.motion(frame, track_id) for track_id, take in enumerate(self.takes))

    def close(self) -> None:
        """Nothing is held open."""


def _loaded(path: Path) -> tuple[Take, ...]:
    """Every performer of a take, by the file's ending."""
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return (load_csv(path),)
    return (load_json(path),) if suffix == ".json" else load_takes(path, landmarks=False)
