"""`animator play`: a take drives an avatar."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options
from .performing import Outputs, perform

if TYPE_CHECKING:
    from ..config import Config
    from ..takes.take import Take


def play(
    take: Annotated[str, typer.Argument(metavar="TAKE", help="A take: .npz, .csv, .json or .landmarks.npz.")],
    rig: options.RigName = None,
    out: options.Out = None,
    mirror: options.Mirror = False,
    size: options.Size = None,
    fps: options.Fps = None,
    background: options.Background = None,
    send: options.Send = None,
    config: options.Settings = None,
) -> None:
    """Play a take in a window with a time line; without a display, or with --out, into a video."""
    from ..display import has_display
    from ..errors import TakeError

    if Path(take).suffix.lower() not in (".npz", ".csv", ".json"):
        raise TakeError(f"{take} is not a take: wanted .npz, .csv, .json or .landmarks.npz (for a video: animator run)")
    settings = options.gathered(
        config,
        show=options.show_options(rig, "avatar", size, fps, background, mirror=mirror),
    )
    recorded = _recorded(take) if out is None and has_display() else None
    if recorded is None:
        perform(take, settings, Outputs(film=out, send=send or ()))
    else:
        _show(recorded, Path(take).name, settings, send or ())


def _recorded(path: str) -> tuple[Take, ...] | None:
    """The takes in a file; None for a landmark take, which is solved while it is shown."""
    from ..sources.opening import open_source

    return getattr(open_source(path), "takes", None)


def _show(takes: tuple[Take, ...], name: str, settings: Config, send: Sequence[str]) -> None:
    from ..playing import Player
    from ..sending import sending_to

    with sending_to(send) as sender:
        Player(takes, name, settings, tell=sender).run()
