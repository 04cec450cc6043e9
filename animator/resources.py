"""Where the shipped `assets/` and `rigs/` lie: in a checkout beside the package, in a wheel inside it."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_SHIPPED = _PACKAGE / "_shipped"
ROOT = _SHIPPED if _SHIPPED.is_dir() else _PACKAGE.parent


def asset_path(name: str) -> Path:
    """The path of a file in `assets/`."""
    return ROOT / "assets" / name


def rigs_folder() -> Path:
    """The folder that holds one folder per built-in rig."""
    return ROOT / "rigs"
