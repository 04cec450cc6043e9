"""`animator rigs`: which avatars there are, and what one is made of."""

from __future__ import annotations

import typer

app = typer.Typer(help="The avatars: list them, look at one.", no_args_is_help=True)


@app.command("list")
def list_rigs() -> None:
    """The built-in avatars."""
    from rich.console import Console
    from rich.table import Table

    from ..rigging.library import known_rigs, rig_description

    table = Table("name", "what it is", "licence", box=None, header_style="bold")
    for name in known_rigs():
        said = rig_description(name)
        table.add_row(name, str(said.get("title", "")), str(said.get("licence", "")))
    Console().print(table)


@app.command("show")
def show_rig(
    name: str = typer.Argument(help="A name of `animator rigs list`, a folder with rig.toml, or a .glb file."),
) -> None:
    """What an avatar is made of: parts, joints, and which of the 52 channels move it."""
    from rich.console import Console
    from rich.table import Table

    from ..channels import ARKIT
    from ..rigging.library import load_rig

    rig = load_rig(name)
    driven = rig.mapping.any(axis=0)
    console = Console()
    console.print(f"[bold]{rig.name}[/bold]: {len(rig.positions):,} vertices, {len(rig.morph_names)} morph targets")
    table = Table("part", "vertices", "triangles", "material", "texture", box=None, header_style="bold")
    for part in rig.parts:
        texture = part.material.texture_rgba
        size = "-" if texture is None else f"{texture.shape[1]}x{texture.shape[0]}"
        table.add_row(part.name, f"{part.vertex_count:,}", f"{len(part.triangles):,}", part.material.name, size)
    console.print(table)
    joints = ", ".join(f"{role} = {rig.joints[index].name}" for role, index in rig.roles.items())
    console.print(f"joints: {joints or 'none'}")
    console.print(f"channels: {int(driven.sum())} of {len(ARKIT)} move it")
    if not driven.all():
        missing = (channel for channel, moves in zip(ARKIT, driven, strict=True) if not moves)
        console.print(f"without effect: {', '.join(missing)}")
