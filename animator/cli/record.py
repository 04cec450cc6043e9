"""`animator record`: a performance into a take, as fast as it comes."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

import typer

from . import options, work


def record(
    source: options.Source = None,
    *,
    out: Annotated[Path, typer.Option("-o", "--out", help="The take: .npz, .csv or .landmarks.npz.")],
    faces: options.Faces = None,
    detection_confidence: options.Detection = None,
    tracking_confidence: options.Tracking = None,
    presence_confidence: options.Presence = None,
    tracker: options.TrackerName = None,
    smoothing: options.Smoothing = None,
    calibrate: options.Calibrate = None,
    fps: Annotated[float | None, typer.Option(help="Asked of a camera.")] = None,
    fov: options.Fov = None,
    send: options.Send = None,
    model: options.Model = None,
    config: options.Settings = None,
) -> None:
    """Record a performance without drawing it. Ctrl-C ends it and finishes the file."""
    from ..pipeline import open_performance
    from ..recording import record_into
    from ..sending import sending_to
    from ..sources import open_source

    work.check_not_itself(source, out)

    settings = options.gathered(
        config,
        tracking=options.tracking_options(
            faces, detection_confidence, tracking_confidence, presence_confidence, tracker
        ),
        calibrate=calibrate,
        solving={"smoothing": smoothing, "vertical_fov_deg": fov},
    )
    with ExitStack() as stack:
        opened = stack.enter_context(closing(open_source(source, fps=fps)))
        sender = stack.enter_context(sending_to(send or ()))
        recorder = stack.enter_context(record_into(out, opened.fps))
        performance = stack.enter_context(open_performance(opened, settings, model=model, live=bool(send) or None))
        performance.listen(recorder)
        performance.listen(sender)
        with work.progress_bar(opened.name, opened.frame_count) as progress:
            try:
                for frames, _moment in enumerate(performance, start=1):
                    progress(frames)
            except KeyboardInterrupt:
                if not opened.live:
                    raise
    typer.echo(f"wrote {out} ({performance.frames} frames, a face in {performance.frames_with_face})")
    work.say_what_came(performance)
