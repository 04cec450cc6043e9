"""What came of a command, and of the files that it wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av

SMALL = ("--size", "64x48")


@dataclass(frozen=True)
class Said:
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def one_line(self) -> str:
        """The only line on stderr, if it is one of ours."""
        (line,) = self.err.splitlines()
        assert line.startswith("animator: ")
        return line.removeprefix("animator: ")


def frames_of(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
