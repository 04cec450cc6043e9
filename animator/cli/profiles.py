"""`animator profiles`: whose faces are kept here."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="The people whose faces are kept: list, show, delete.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="A name of `animator profiles list`.")]


@app.command("list")
def list_profiles() -> None:
    """The profiles there are, and where."""
    from ..solving.profile import known_profiles, profile_folder

    names = known_profiles()
    for name in names:
        typer.echo(name)
    if not names:
        typer.echo(f"no profiles in {profile_folder()}: `animator run --profile NAME` makes one")


@app.command("show")
def show_profile(name: Name) -> None:
    """Where a profile is, and what it holds."""
    from ..errors import SettingError
    from ..solving.profile import known_profiles, load_profile, profile_path

    path = profile_path(name)
    if not path.exists():
        there = ", ".join(known_profiles()) or "none"
        raise SettingError(f"profile: there is no {name!r}; there are: {there}")
    profile = load_profile(path)
    typer.echo(f"{path} ({path.stat().st_size:,} bytes)")
    typer.echo(f"neutral face: {len(profile.neutral_cm)} points")
    for channel, reach in profile.ranges.items():
        typer.echo(f"{channel}: a whole one reaches {reach:.2f} before it is scaled")
    if not profile.ranges:
        typer.echo("ranges: none yet (four blinks tell)")


@app.command("delete")
def delete_profile(name: Name) -> None:
    """Forget a person."""
    from ..solving.profile import delete_profile

    typer.echo(f"deleted {delete_profile(name)}")
