"""Pictures for the materials, painted by code."""

from __future__ import annotations

from .glb import Look
from .piece import Piece

SKIN = (0.91, 0.72, 0.62)


def looks(pieces: list[Piece]) -> dict[str, Look]:
    """A look for every material."""
    return {
        "face": Look(color=SKIN), "body": Look(color=SKIN), "shirt": Look(color=(0.2, 0.35, 0.5)),
        "mouth": Look(color=(0.30, 0.07, 0.07)), "eye": Look(color=(0.95, 0.95, 0.95)),
        "teeth": Look(color=(0.93, 0.9, 0.85)), "tongue": Look(color=(0.75, 0.36, 0.36)),
    }  # fmt: skip
