"""`animator plot`: a take as a picture of curves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import SettingError, SinkError


def plot(
    take: Annotated[Path, typer.Argument(metavar="TAKE", help="A take: .npz, Live Link Face's .csv, or .json.")],
    *,
    out: Annotated[Path, typer.Option("-o", "--out", help="The picture: .png, .svg or .pdf.")],
    against: Annotated[
        Path | None, typer.Option("--against", metavar="TAKE", help="Draw another take's curves behind them.")
    ] = None,
    start: Annotated[float | None, typer.Option(help="From this second on.")] = None,
    end: Annotated[float | None, typer.Option(help="Up to this second.")] = None,
    performer: Annotated[int, typer.Option(help="Which one, counted from 1.")] = 1,
) -> None:
    """Draw the channels that move, the head's angles and the gaze over time."""
    from ..plotting import PICTURE_SUFFIXES, plot_take
    from .convert import chosen, edited, read_takes

    if out.suffix.lower() not in PICTURE_SUFFIXES:
        raise SinkError(f"cannot write {out}: wanted a name that ends in {', '.join(PICTURE_SUFFIXES)}")
    shown = [
        edited(chosen(path, read_takes(path), performer)[0], None, start, end, 0.0)
        for path in (take, against)
        if path is not None
    ]
    if any(len(one) < 2 for one in shown):
        raise SettingError("plot: wanted at least two frames; choose a longer part")
    plot_take(out, *shown, titles=[path.name for path in (take, against) if path is not None])
    typer.echo(f"wrote {out}")
