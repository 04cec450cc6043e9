"""`animator batch`: folders of films become takes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import SettingError
from . import options

if TYPE_CHECKING:
    from ..batch import FilmResult, Status

SHOWN = 8
"""Films under way that have a bar of their own."""


def batch(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Videos, folders, patterns such as 'takes/*.mp4', or a .txt file with one of these a line.",
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder of the results and of report.html.")],
    formats: Annotated[
        str | None, typer.Option("--format", help="Of npz, csv, glb and mp4 (the avatar as a video), with commas.")
    ] = None,
    rig: options.RigName = None,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler, tcp://HOST:8786; none: this machine.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(help="Processes on this machine; none: as many as cores.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Leave alone what an earlier run has finished.")] = False,
    part: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Longer films are tracked in parts of about so long.")
    ] = None,
    thumbnails: Annotated[
        bool, typer.Option("--thumbnails/--no-thumbnails", help="Pictures of the films in the report.")
    ] = True,
    faces: options.Faces = None,
    detection_confidence: options.Detection = None,
    tracking_confidence: options.Tracking = None,
    presence_confidence: options.Presence = None,
    tracker: options.TrackerName = None,
    smoothing: options.Smoothing = None,
    calibrate: options.Calibrate = None,
    mirror: options.Mirror = False,
    size: options.Size = None,
    fps: options.Fps = None,
    background: options.Background = None,
    fov: options.Fov = None,
    model: options.Model = None,
    config: options.Settings = None,
) -> int:
    """Make takes, and videos of an avatar if asked, of every film; exit code 1 if some failed."""
    from ..batch import BatchConfig, run

    if cluster is not None and jobs is not None:
        raise SettingError("jobs: they are for this machine; a cluster has as many as its workers")
    wanted = [name.strip().lower() for name in (formats or ("npz,mp4" if rig else "npz")).split(",") if name.strip()]
    given = {"cluster": cluster, "jobs": jobs, "part_s": part}
    settings = BatchConfig(
        tuple(dict.fromkeys(wanted)), resume=resume, thumbnails=thumbnails,
        **{name: value for name, value in given.items() if value is not None},
    )  # fmt: skip
    gathered = options.gathered(
        config,
        tracking=options.tracking_options(
            faces, detection_confidence, tracking_confidence, presence_confidence, tracker
        ),
        calibrate=calibrate,
        solving={"smoothing": smoothing, "vertical_fov_deg": fov},
        show=options.show_options(rig, None, size, fps, background, mirror=mirror),
    )
    with _progress() as progress:
        results = run(inputs, out, settings, gathered, model=model, progress=progress)
    _say(results, out)
    return int(any(result.status != "done" for result in results))


@contextmanager
def _progress() -> Iterator[Callable[[Status], None]]:
    """Bars on stderr: all films, and those under way."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[said]}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
        overall = bars.add_task("all films", total=None, said="")
        films: dict[str, int] = {}

        def show(status: Status) -> None:
            said = f"{status.films_over} of {status.films} films"
            said += f", {status.films_failed} failed" if status.films_failed else ""
            bars.update(overall, completed=status.frames, total=status.frames_expected or None, said=said)
            current = {name: rest for name, *rest in status.under_way[:SHOWN]}
            for name in films.keys() - current.keys():
                bars.remove_task(films.pop(name))
            for name, (stage, done, frames) in current.items():
                if name not in films:
                    films[name] = bars.add_task(name, said="")
                bars.update(films[name], completed=done, total=frames or None, said=STAGES.get(stage, stage))

        yield show


STAGES = {"survey": "looking", "track": "tracking", "solve": "solving", "draw": "drawing"}


def _say(results: Sequence[FilmResult], out: Path) -> None:
    """A table of what came, and each failure by its name."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("film", overflow="fold")
    for name in ("frames", "with a face", "people", "fps"):
        table.add_column(name, justify="right")
    table.add_column("problem", overflow="fold")
    for result in results:
        share = f"{result.frames_with_face / result.frames:.0%}" if result.frames else ""
        rate = "before" if result.resumed else f"{result.frames_per_second:.0f}" if result.frames else ""
        problem = result.problem or ""
        cells = (result.name, str(result.frames), share, str(result.performers), rate, problem)
        table.add_row(*(cell.replace("[", "\\[") for cell in cells))
    Console(highlight=False).print(table)
    bad = [result for result in results if result.status != "done"]
    for result in bad:
        print(f"animator: {result.status}: {result.film}: {result.problem}", file=sys.stderr)
    typer.echo(f"wrote {out / 'report.html'} ({len(results) - len(bad)} of {len(results)} films well)")
