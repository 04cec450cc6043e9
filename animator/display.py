"""Whether a window can be opened here."""

from __future__ import annotations

import os
import sys


def has_display() -> bool:
    """True where there is a screen: always on macOS and Windows, by DISPLAY elsewhere.

    VTK opens windows by X alone; a Wayland desktop sets DISPLAY too, for its own X server."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY"))
