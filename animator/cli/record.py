"""`animator record`: a performance into a take, as fast as it comes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import SettingError
from . import options, work

if TYPE_CHECKING:
    from ..config import Config


def record(
    source: options.Source = None,
    *,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="The take: .npz, .csv or .landmarks.npz.")] = None,
    landmarks: Annotated[
        bool, typer.Option("--landmarks", help="Keep the 478 landmarks in the .npz, so that it can be solved again.")
    ] = False,
    recover: Annotated[
        bool,
        typer.Option(
            "--recover",
            help="Finish what a killed program left. SOURCE: a folder, a take or its .journal; none: here and in out/.",
        ),
    ] = False,
    faces: options.Faces = None,
    detection_confidence: options.Detection = None,
    tracking_confidence: options.Tracking = None,
    presence_confidence: options.Presence = None,
    tracker: options.TrackerName = None,
    smoothing: options.Smoothing = None,
    calibrate: options.Calibrate = None,
    profile: options.ProfileName = None,
    fps: Annotated[float | None, typer.Option(help="Asked of a camera.")] = None,
    fov: options.Fov = None,
    send: options.Send = None,
    model: options.Model = None,
    config: options.Settings = None,
) -> None:
    """Record a performance without drawing it. Ctrl-C ends it and finishes the file."""
    if recover:
        _recover(source, out)
        return
    if out is None:
        raise SettingError("out: wanted the take's name: -o take.npz")
    settings = options.gathered(
        config,
        tracking=options.tracking_options(
            faces, detection_confidence, tracking_confidence, presence_confidence, tracker
        ),
        calibrate=calibrate,
        solving={"smoothing": smoothing, "vertical_fov_deg": fov, "profile": profile},
    )
    _record(source, settings, out, landmarks=landmarks, send=send or (), fps=fps, model=model)


def _record(
    source: str | None,
    settings: Config,
    out: Path,
    *,
    landmarks: bool,
    send: Sequence[str],
    fps: float | None,
    model: Path | None,
) -> None:
    """Open everything, checking every input before any output is made; then record to the end."""
    from ..pipeline import is_motion_source, open_performance
    from ..recording import record_into
    from ..sending import sending_to
    from ..sources import open_source

    work.check_not_itself(source, out)
    with ExitStack() as stack:
        opened = stack.enter_context(closing(open_source(source, fps=fps, solve_again=True)))
        sender = stack.enter_context(sending_to(send))
        if landmarks and is_motion_source(opened):
            raise SettingError(f"landmarks: {opened.name} has motion but no pictures or landmarks to keep")
        recorder = stack.enter_context(record_into(out, opened.fps, landmarks=landmarks, source=opened.name))
        performance = stack.enter_context(open_performance(opened, settings, model=model, live=bool(send) or None))
        performance.listen(recorder.fed_by(performance))
        performance.listen(sender)
        with work.progress_bar(opened.name, opened.frame_count) as progress:
            try:
                for frames, _moment in enumerate(performance, start=1):
                    progress(frames)
                    if recorder.broken is not None:
                        break
            except KeyboardInterrupt:
                if not opened.live:
                    raise
    typer.echo(f"wrote {out} ({performance.frames} frames, a face in {performance.frames_with_face})")
    work.say_what_came(performance)


def _recover(where: str | None, out: Path | None) -> None:
    """Finish the recordings of programs that were killed."""
    from ..recording import spoken
    from ..takes.finishing import recover
    from ..takes.journal import SUFFIX, journal_beside

    places = [Path("."), Path("out")] if where is None else [Path(where)]
    if where is not None and not places[0].is_dir() and not where.endswith(SUFFIX):
        places = [journal_beside(places[0])]
    if out is not None and (where is None or places[0].is_dir()):
        raise SettingError("out: with --recover it is for one journal: animator record --recover FILE.journal -o TAKE")
    if where is not None and not places[0].exists():
        raise SettingError(f"recover: there is no {places[0]}; nothing was left there by a recording")
    found = [finished for place in places if place.exists() for finished in recover(place, out=out)]
    for finished in found:
        typer.echo(spoken(finished))
    if not found:
        typer.echo("nothing to recover: no recording was cut short here")
