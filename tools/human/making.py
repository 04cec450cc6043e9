"""What the scripts that make the built-in avatars do alike: an option, a file, a line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from animator.resources import rigs_folder

from .glb import write_glb
from .piece import Piece

Made = tuple[list[Piece], bytes]
"""An avatar's pieces and its finished file."""


def make(name: str, about: str, made: Callable[[], Made]) -> None:
    """Write `NAME.glb` into the folder that the command line names, or into the avatar's own, and say what it is.

    about : for --help"""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=rigs_folder() / name, metavar="FOLDER")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    pieces, data = made()
    write_glb(folder / f"{name}.glb", data)
    vertices, triangles = sum(len(p.positions) for p in pieces), sum(len(p.triangles) for p in pieces)
    print(f"{folder / f'{name}.glb'}: {vertices} vertices, {triangles} triangles, {len(data) / 2**20:.2f} MB")
