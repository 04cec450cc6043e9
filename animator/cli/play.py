"""`animator play`: a take drives an avatar."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options
from .run import perform


def play(
    take: Annotated[str, typer.Argument(metavar="TAKE", help="A take: .npz, .csv or .landmarks.npz.")],
    rig: options.RigName = None,
    out: options.Out = None,
    mirror: options.Mirror = False,
    size: options.Size = None,
    fps: options.Fps = None,
    background: options.Background = None,
    send: options.Send = None,
    config: options.Settings = None,
) -> None:
    """Play a take in a window; without a display, or with --out, into a video."""
    from ..config import size_from_text
    from ..errors import TakeError

    if Path(take).suffix.lower() not in (".npz", ".csv"):
        raise TakeError(f"{take} is not a take: wanted .npz, .csv or .landmarks.npz (for a video: animator run)")
    settings = options.gathered(
        config,
        show={
            "rig": rig,
            "view": "avatar",
            "size_px": size_from_text(size) if size else None,
            "fps": fps,
            "background": background,
            "mirror": mirror or None,
        },
    )
    perform(take, settings, out=out, take=None, model=None, send=send or ())
