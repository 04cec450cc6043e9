"""`animator rigs`: which avatars there are, what moves one, making one of a photo, and writing one for others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..rig import Material

app = typer.Typer(
    help="The avatars: list them, look at one, check it, make one of a photo, export it.", no_args_is_help=True
)


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


RigArgument = Annotated[
    str,
    typer.Argument(
        metavar="RIG", help="A name of `animator rigs list`, a folder with rig.toml, or a .vrm, .glb or .gltf file."
    ),
]


@app.command("show")
def show_rig(name: RigArgument) -> None:
    """What an avatar is made of, and what its file says of its maker and licence."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from ..channels import ARKIT
    from ..rigging.library import load_rig
    from ..rigging.reach import reach_of

    rig = load_rig(name)
    console = Console(highlight=False)
    console.print(
        f"[bold]{escape(rig.name)}[/bold]: {len(rig.positions):,} vertices, {len(rig.morph_names)} morph targets"
    )
    for key, value in rig.about:
        console.print(f"{key}: {escape(value)}")
    table = Table("part", "vertices", "triangles", "material", "texture", "maps", box=None, header_style="bold")
    for part in rig.parts:
        texture = part.material.texture_rgba
        size = "-" if texture is None else f"{texture.shape[1]}x{texture.shape[0]}"
        count = f"{part.vertex_count:,}", f"{len(part.triangles):,}"
        table.add_row(escape(part.name), *count, escape(part.material.name), size, _maps_of(part.material))
    console.print(table)
    joints = ", ".join(f"{role} = {escape(rig.joints[index].name)}" for role, index in rig.roles.items())
    console.print(f"joints: {joints or 'none'}")
    missing = [reach.channel for reach in reach_of(rig) if not reach.targets]
    console.print(f"channels: {len(ARKIT) - len(missing)} of {len(ARKIT)} move it")
    if missing:
        console.print(f"without effect: {', '.join(missing)}")
    for note in rig.notes:
        console.print(f"note: {escape(note)}")


def _maps_of(material: Material) -> str:
    """What pictures say of it besides its colour."""
    maps = material.maps
    if maps is None:
        return "-"
    said = {"normal": maps.normal, "gloss": maps.surface, "occlusion": maps.occlusion, "glow": maps.glow}
    return ", ".join(name for name, overlay in said.items() if overlay is not None)


@app.command("check")
def check_rig(
    name: RigArgument,
    write: Annotated[
        Path | None, typer.Option("--write", metavar="CSV", help="Write the mapping as a table to begin with.")
    ] = None,
) -> None:
    """Which of the 52 channels reach what, what is missing, and what was guessed."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from ..rigging.library import load_rig
    from ..rigging.reach import reach_of, write_table

    rig = load_rig(name)
    reaches = reach_of(rig)
    table = Table("channel", "reaches", "by", box=None, header_style="bold")
    for reach in reaches:
        table.add_row(reach.channel, escape(", ".join(reach.targets)) or "-", reach.how or "nothing")
    console = Console(highlight=False)
    console.print(table)
    missing = [reach.channel for reach in reaches if not reach.targets]
    console.print(f"{len(reaches) - len(missing)} of {len(reaches)} channels reach {escape(rig.name)}")
    if missing:
        console.print(f"missing: {', '.join(missing)}")
    for note in rig.notes:
        console.print(f"note: {escape(note)}")
    if write is not None:
        write_table(rig, write)
        console.print(f"wrote {escape(str(write))}: beside the model as mapping.csv it overrides what is above")


@app.command("photo")
def rig_of_a_photo(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="A portrait from the front: .jpg, .png or .webp.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FOLDER", help="The new avatar's folder.")],
    name: Annotated[str | None, typer.Option(help="What it is called; else the folder's name.")] = None,
    largest: Annotated[bool, typer.Option("--largest", help="Of several faces take the largest.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the avatar that is there.")] = False,
    model: Annotated[Path | None, typer.Option(help="The face model file, if not the known one.")] = None,
) -> None:
    """Make an avatar of the person in a photo."""
    from ..photo.making import rig_from_photo

    rig_from_photo(photo, out, name, largest=largest, overwrite=force, model_path=model, tell=typer.echo)
    typer.echo(f"wrote {out}: try it with  animator run --rig {out}")


@app.command("export")
def export_rig(
    vrm: Annotated[Path, typer.Option("--vrm", metavar="OUT.vrm", help="Write it as a VRM 1.0 with Perfect Sync.")],
    name: Annotated[str, typer.Argument(metavar="RIG", help="A name, a folder with rig.toml, a .glb file.")] = "human",
) -> None:
    """Write an avatar for other programs."""
    from ..rigging.vrm_export import export_vrm

    count = export_vrm(name, vrm)
    typer.echo(f"wrote {vrm}: VRM 1.0, {count} of the 52 channels as expressions")
