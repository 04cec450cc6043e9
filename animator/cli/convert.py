"""`animator convert`: a take into the format of another program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import SettingError, SinkError, SourceError, TakeError
from . import work

if TYPE_CHECKING:
    from ..takes.take import Take

READS = (".npz", ".csv", ".json")
WRITES = (".npz", ".csv", ".json", ".glb", ".vrma", ".bvh")


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A take: .npz, Live Link Face's .csv, or .json.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="By its ending: .npz, .csv, .json, .glb, .vrma or .bvh.")],
    fps: Annotated[float | None, typer.Option(help="A constant rate, 1 to 1000; else the take's own times.")] = None,
    start: Annotated[float | None, typer.Option(help="From this second on.")] = None,
    end: Annotated[float | None, typer.Option(help="Up to this second.")] = None,
    performer: Annotated[
        int | None, typer.Option(help="Only this one, counted from 1; else all: one file each where it holds one.")
    ] = None,
    smooth: Annotated[
        float, typer.Option(metavar="SECONDS", help="Smooth by a bell this wide (0.03 is a little), without delay.")
    ] = 0.0,
    rig: Annotated[str, typer.Option("--rig", help="The avatar in a .glb: a name, a folder or a .glb file.")] = "human",
    layout: Annotated[str, typer.Option(help="Of a .json: audio2face or beat.")] = "audio2face",
    presets: Annotated[
        bool, typer.Option("--presets", help="In a .vrma: VRM's vowels, blinks and moods, for avatars without 52.")
    ] = False,
    swap_sides: Annotated[
        bool, typer.Option("--swap-sides", help="Of a .csv: exchange Left and Right of Jaw and Mouth.")
    ] = False,
) -> None:
    """Convert a take, whole or in part, for another program."""
    from ..takes.files import check_writable
    from ..takes.finishing import LANDMARKS_SUFFIX, numbered

    if out.suffix.lower() not in WRITES or out.name.lower().endswith(LANDMARKS_SUFFIX):
        raise SinkError(f"cannot write {out}: wanted a name that ends in {', '.join(WRITES)}")
    work.check_not_itself(str(source), out)
    takes = chosen(source, read_takes(source, swap_sides, landmarks=out.suffix.lower() == ".npz"), performer)
    takes = [edited(take, fps, start, end, smooth) for take in takes]
    paths = (out,) if out.suffix.lower() == ".npz" else numbered(out, len(takes))
    for path in paths:
        work.check_not_itself(str(source), path)
        check_writable(path)
    with work.progress_bar(f"{source.name} to {out.name}", len(takes[0])) as progress:
        if out.suffix.lower() == ".npz":
            from ..takes.npz import save_takes

            save_takes(out, takes)
        else:
            for path, take in zip(paths, takes, strict=True):
                _write(path, take, rig, layout, presets, swap_sides, progress)
    for path in paths:
        typer.echo(f"wrote {path} ({len(takes[0])} frames, {takes[0].duration_s:.2f} s)")


def read_takes(path: Path, swap_sides: bool = False, *, landmarks: bool = False) -> list[Take]:
    """Every performer of a take in any format that can be read; landmarks only if they are wanted."""
    if not path.exists():
        raise SourceError(f"there is no {path}: wanted a take, {', '.join(READS)}")
    suffix = path.suffix.lower()
    if suffix == ".csv":
        from ..takes.live_link_csv import load_csv

        return [load_csv(path, swap_sides=swap_sides)]
    if suffix == ".json":
        from ..takes.json_layouts import load_json

        return [load_json(path)]
    if suffix != ".npz":
        raise SourceError(f"cannot convert {path}: wanted a take, {', '.join(READS)}")
    from ..takes.npz import kind_of_npz, load_takes

    if kind_of_npz(path) == "landmarks":
        raise TakeError(f"{path} holds landmarks, not motion: solve it first (animator record {path.name} -o take.npz)")
    return list(load_takes(path, landmarks=landmarks))


def chosen(path: Path, takes: list[Take], performer: int | None) -> list[Take]:
    """All takes, or the one that was asked for, counted from 1."""
    if not len(takes[0]):
        raise TakeError(f"{path} holds no frames")
    if performer is None:
        return takes
    if not 1 <= performer <= len(takes):
        raise SettingError(f"performer: {path} has 1 to {len(takes)}, got {performer}")
    return [takes[performer - 1]]


def edited(take: Take, fps: float | None, start: float | None, end: float | None, smooth: float) -> Take:
    """A part of a take, smoothed, at another rate: in that order."""
    from ..takes.editing import resampled, sliced, smoothed

    if start is not None or end is not None:
        take = sliced(take, start, end)
    take = smoothed(take, smooth)
    return take if fps is None else resampled(take, fps)


def _write(
    path: Path, take: Take, rig: str, layout: str, presets: bool, swap_sides: bool, progress: Callable[[int], None]
) -> None:
    suffix = path.suffix.lower()
    if suffix == ".csv":
        from ..takes.live_link_csv import save_csv

        save_csv(path, take, swap_sides=swap_sides, progress=progress)
        return
    if suffix == ".json":
        from ..takes.json_layouts import save_json

        save_json(path, take, layout)
    elif suffix == ".bvh":
        from ..takes.bvh import save_bvh

        save_bvh(path, take)
    elif suffix == ".glb":
        from ..exporting import save_glb_take

        save_glb_take(path, take, rig)
    else:
        from ..exporting import save_vrma

        save_vrma(path, take, presets=presets)
    progress(len(take))
