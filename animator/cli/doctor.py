"""`animator doctor`: what works here and with what is named, the remedy if not; and what the solver sees."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from . import options

if TYPE_CHECKING:
    from ..doctor import Wishes

_LOOK = {"ok": "[green]ok[/green]", "warn": "[yellow]warn[/yellow]", "bad": "[red]bad[/red]"}
_COLOUR = {"good": "green", "fair": "default", "weak": "yellow", "unseen": "red"}
BAR = 20
"""Characters of a correlation of 1."""


def doctor(
    rig: options.RigName = None,
    profile: Annotated[
        str | None, typer.Option("--profile", metavar="NAME", help="Look at this calibration, too.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Where `animator serve` is to listen. Without it 8080 is looked at.")
    ] = None,
    stun: Annotated[
        list[str] | None,
        typer.Option("--stun", metavar="stun:HOST[:PORT]", help="Ask this server. May be given several times."),
    ] = None,
    turn: Annotated[
        list[str] | None,
        typer.Option(
            "--turn",
            metavar="turn:HOST[:PORT],USER,PASSWORD",
            help="Ask this server for an address. May be given several times; without a login with --turn-secret.",
        ),
    ] = None,
    turn_secret: Annotated[
        str | None, typer.Option("--turn-secret", metavar="SECRET", help="As `animator serve --turn-secret`.")
    ] = None,
    solver: Annotated[
        bool, typer.Option("--solver", help="How well the solver sees each channel, as measured; nothing else.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The same as JSON, for programs.")] = False,
) -> None:
    """Examine this machine, and what is named. The exit code is 1 if anything is bad: needed by all, or named."""
    if solver:
        _print_scores(as_json)
        return
    from ..doctor import Wishes

    wishes = Wishes(rig, profile, port, tuple(stun or ()), tuple(turn or ()), turn_secret)
    if not _print_findings(wishes, as_json):
        raise typer.Exit(1)


def _print_findings(wishes: Wishes, as_json: bool) -> bool:
    """Whether nothing is bad."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ..doctor import examine

    console = Console(stderr=as_json)
    table = Table("", "what", "found", "remedy", box=None, header_style="bold")
    findings = []
    with console.status("looking around ..."):
        for finding in examine(wishes):
            findings.append(finding)
            table.add_row(_LOOK[finding.verdict], Text(finding.what), Text(finding.detail), Text(finding.remedy))
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        console.print(table)
    return all(finding.verdict != "bad" for finding in findings)


def _print_scores(as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from ..solving.honesty import FAIR, GOOD, load_scores

    scores = load_scores()
    if as_json:
        channels = [asdict(channel) | {"verdict": channel.verdict} for channel in scores.channels]
        said = {"frames": scores.frames, "people": scores.people, "is_current": scores.is_current, "channels": channels}
        typer.echo(json.dumps(said, indent=1))
        return
    table = Table("channel", "correlation", "", "error", "verdict", box=None, header_style="bold")
    for channel in scores.channels:
        colour = _COLOUR[channel.verdict]
        if channel.correlation is None:
            table.add_row(channel.name, "-", "", "-", f"[{colour}]{channel.verdict}[/{colour}]")
            continue
        bar = "█" * round(BAR * max(channel.correlation, 0.0))
        figures = f"{channel.correlation:.2f}", bar, f"{channel.error:.3f}"
        table.add_row(channel.name, *figures, f"[{colour}]{channel.verdict}[/{colour}]")
    console = Console(highlight=False)
    console.print(table)
    counts = ", ".join(f"{len(names)} {verdict}" for verdict, names in scores.by_verdict())
    console.print(
        f"{counts}: correlation with exact truth on {scores.frames:,} frames of {scores.people} people never learned "
        f"from. Good is {GOOD} and more, fair {FAIR} and more; unseen: no landmark shows it, or no better than chance. "
        "A channel that those people seldom moved is measured roughly: compare its left and right."
    )
    if not scores.is_current:
        console.print(
            "The face model here is not the one that was measured: python -m tests.bench.bench_solver --write-scores"
        )
