"""Folders for what must not outlive its owner: gone when they are closed, or when the next server starts."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from ..takes.journal import lock

LOCK = "lock"


class Scratch:
    """A new folder below the system's temporary one, which nobody else may look into; held until it is closed."""

    def __init__(self, prefix: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix))
        self._lock = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        lock(self._lock)

    def close(self) -> None:
        """Remove it. May be called twice."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
            shutil.rmtree(self.path, ignore_errors=True)


def sweep(prefix: str) -> None:
    """Remove the folders whose owners were killed: nobody holds them any longer."""
    if os.name == "nt":  # where nobody can tell whether its owner still lives
        return
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            held = os.open(folder / LOCK, os.O_RDWR)
            try:
                if lock(held):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(held)
