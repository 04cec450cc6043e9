"""The program as a process of its own, told of from outside at which picture it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.cli.helpers import Said
from tests.conftest import ROOT

END_S = 120.0
"""How long a test waits for a program before it fails; none ever should."""
TELLING = """
import sys
from contextlib import contextmanager
from animator.cli import main, work

make = work.progress_bar

@contextmanager
def telling(what, total):
    def tell(frames):
        print("frame", frames, flush=True)
    yield tell

work.progress_bar = telling
"""
END = "raise SystemExit(main())\n"


class Program:
    """`animator` with these arguments; it says each picture on stdout. `before` is Python that runs first."""

    def __init__(self, *arguments: object, before: str = "", env: dict[str, str] | None = None) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", TELLING + before + END, *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment | {"PYTHONPATH": str(ROOT)} | (env or {}),
        )  # fmt: skip

    def until_frame(self, number: int) -> None:
        """Wait until it is at this picture; fails if it ends before."""
        for line in self.process.stdout:
            if line.split() == ["frame", str(number)]:
                return
        raise AssertionError(f"it ended before picture {number}: {self.process.communicate(timeout=END_S)[1]}")

    def end(self) -> Said:
        """What came of it, once it has ended; its pictures left out."""
        try:
            out, err = self.process.communicate(timeout=END_S)
        finally:
            self.process.kill()
        lines = [line for line in out.splitlines() if not line.startswith("frame ")]
        return Said(self.process.returncode, "\n".join(lines), err)

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.process.kill()
        self.process.communicate()


def left_in(folder: Path) -> list[str]:
    """Names of the files in a folder, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())
