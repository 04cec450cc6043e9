"""`animator doctor`: what works here, what does not, and the remedy."""

from __future__ import annotations

import typer

_LOOK = {"works": "[green]works[/green]", "missing": "[red]missing[/red]", "optional": "[yellow]not here[/yellow]"}


def doctor() -> None:
    """Examine this machine. The exit code is 1 if something that every use needs is missing."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ..doctor import examine

    console = Console()
    table = Table("", "what", "found", "remedy", box=None, header_style="bold")
    healthy = True
    with console.status("looking around ..."):
        for finding in examine():
            healthy &= finding.verdict != "missing"
            remedy = "" if finding.verdict == "works" else finding.remedy
            table.add_row(_LOOK[finding.verdict], finding.what, Text(finding.detail), Text(remedy))
    console.print(table)
    if not healthy:
        raise typer.Exit(1)
