"""`animator bench`: what each stage costs on this machine."""

from __future__ import annotations

import json
import math
from typing import Annotated

import typer

from . import options


def bench(
    rig: options.RigName = "human",
    frames: Annotated[int, typer.Option(min=20, max=300, help="How many frames of each stage are counted.")] = 120,
    as_json: Annotated[bool, typer.Option("--json", help="Figures for programs.")] = False,
) -> None:
    """Time every stage beside MediaPipe's own tracker. Close other programs first."""
    from rich.console import Console
    from rich.table import Table

    from ..benching import YARDSTICK
    from ..benching import bench as time_all

    console = Console()
    with Console(stderr=True).status("starting ...") as status:
        rows = time_all(rig, frames, lambda what: status.update(f"timing: {what} ..."))
    if as_json:
        typer.echo(json.dumps([{"what": r.what, "wall_ms": _number(r.wall_ms), "cpu_ms": _number(r.cpu_ms),
                                "trouble": r.trouble or None} for r in rows]))  # fmt: skip
        return
    yardstick_ms = next((row.wall_ms for row in rows if row.what == YARDSTICK), math.nan)
    table = Table("640x480, one face", "ms a frame", "CPU ms", "frames a second", "to MediaPipe", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        if row.trouble:
            table.add_row(row.what, "-", "-", "-", row.trouble)
        else:
            share = "" if math.isnan(yardstick_ms) else f"{row.wall_ms / yardstick_ms:.2f}"
            table.add_row(row.what, f"{row.wall_ms:.2f}", f"{row.cpu_ms:.2f}", f"{1000 / row.wall_ms:.0f}", share)
    console.print(table)
    console.print("Milliseconds are medians; in the last row the stages run side by side, on threads of their own.")


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 3)
