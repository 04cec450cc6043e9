"""`animator run`: a face drives an avatar, in a window or into a file."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import SettingError
from . import options, work

if TYPE_CHECKING:
    from ..config import Config
    from ..remote.publishing import WhipSink
    from ..sinks.virtual_camera import VirtualCameraSink

log = logging.getLogger("animator")


def run(
    source: options.Source = None,
    rig: options.RigName = None,
    view: options.View = None,
    out: options.Out = None,
    take: Annotated[Path | None, typer.Option(help="Record the motion too: .npz, .csv or .landmarks.npz.")] = None,
    faces: options.Faces = None,
    detection_confidence: options.Detection = None,
    tracking_confidence: options.Tracking = None,
    presence_confidence: options.Presence = None,
    tracker: options.TrackerName = None,
    smoothing: options.Smoothing = None,
    calibrate: options.Calibrate = None,
    profile: options.ProfileName = None,
    mirror: options.Mirror = False,
    size: options.Size = None,
    fps: options.Fps = None,
    background: options.Background = None,
    fov: options.Fov = None,
    model: options.Model = None,
    config: options.Settings = None,
    whip: Annotated[str | None, typer.Option(metavar="URL", help="Publish the picture to a WHIP endpoint too.")] = None,
    token: Annotated[str | None, typer.Option(help="What the WHIP endpoint wants as its bearer token.")] = None,
    send: options.Send = None,
    virtual_camera: Annotated[
        bool, typer.Option("--virtual-camera", help="Show the avatar as a webcam to other programs.")
    ] = False,
) -> None:
    """Animate an avatar from a camera, a video, a recording or another tracker.

    Opens a window; without a display, or with --out, writes a video and says where."""
    from ..config import size_from_text

    settings = options.gathered(
        config,
        tracking=options.tracking_options(
            faces, detection_confidence, tracking_confidence, presence_confidence, tracker
        ),
        calibrate=calibrate,
        solving={"smoothing": smoothing, "vertical_fov_deg": fov, "profile": profile},
        show={
            "rig": rig,
            "view": view,
            "size_px": size_from_text(size) if size else None,
            "fps": fps,
            "background": background,
            "mirror": mirror or None,
        },
    )
    if token is not None and whip is None:
        raise SettingError("token: it is for --whip URL, which is not there")
    perform(
        source, settings, out=out, take=take, model=model, whip=whip, token=token,
        send=send or (), virtual_camera=virtual_camera,
    )  # fmt: skip


def perform(
    source: str | None,
    settings: Config,
    *,
    out: Path | None,
    take: Path | None,
    model: Path | None,
    whip: str | None = None,
    token: str | None = None,
    send: Sequence[str] = (),
    virtual_camera: bool = False,
) -> None:
    """Open everything, checking every input before any output is made; then show or film."""
    from ..display import has_display
    from ..filming import film, open_sink, several
    from ..pipeline import is_motion_source, open_performance
    from ..puppets import check_picture
    from ..recording import record_into
    from ..rendering.framing import check_view
    from ..rigging.library import load_rig
    from ..sending import sending_to
    from ..sources import open_source

    work.check_not_itself(source, out, take)
    on_screen = out is None and has_display()
    keeps_up = on_screen or whip is not None or bool(send) or virtual_camera
    check_view(settings.show.view)
    load_rig(settings.show.rig)
    if settings.show.background is not None:
        from ..rendering.backdrop import background_from_text

        background_from_text(settings.show.background)
    sink = performance = None
    try:
        with ExitStack() as stack:
            opened = open_source(
                source, size_px=settings.show.size_px, fps=settings.show.fps, loop_performance=keeps_up
            )
            stack.enter_context(closing(opened))
            if not on_screen:
                check_picture(settings.show.view, not is_motion_source(opened))
            out = out or (None if keeps_up else work.default_out(opened))
            sink = None if out is None else open_sink(out, settings.show.fps or opened.fps)
            recorder = None if take is None else stack.enter_context(
                record_into(take, opened.fps, source=opened.name, rig=str(settings.show.rig))
            )
            sender = stack.enter_context(sending_to(send)) if send else None
            camera = stack.enter_context(_virtual_camera(settings.show.fps or opened.fps)) if virtual_camera else None
            performance = stack.enter_context(open_performance(opened, settings, model=model, live=keeps_up or None))
            for listener in (None if recorder is None else recorder.fed_by(performance), sender):
                if listener is not None:
                    performance.listen(listener)
            published = None if whip is None else stack.enter_context(_published(whip, token, opened.fps))
            pictures = several(sink, published, camera)
            if on_screen and not (published is None and camera is None):
                from ..remote.window import PublishingScreen

                PublishingScreen(performance, settings, pictures).run()
            elif on_screen:
                from ..on_screen import show

                show(performance, settings)
            else:
                with work.progress_bar(opened.name, opened.frame_count) as progress:
                    if sink is None and published is None and camera is None:  # numbers alone: nothing is drawn
                        for frames, _moment in enumerate(performance, start=1):
                            progress(frames)
                    else:
                        film(performance, settings, pictures, progress)
    finally:  # after Ctrl-C, too, a person wants to know where it is
        if sink is not None and sink.frames and out.exists():
            typer.echo(f"wrote {out}")
        if take is not None and performance is not None and performance.frames and take.exists():
            typer.echo(f"wrote {take}")
    work.say_what_came(performance)


def _virtual_camera(fps: float) -> closing[VirtualCameraSink]:
    from ..sinks.virtual_camera import VirtualCameraSink

    return closing(VirtualCameraSink(fps))


def _published(url: str, token: str | None, fps: float) -> closing[WhipSink]:
    """Connect to the endpoint, and say so."""
    from ..remote.publishing import WhipSink

    sink = WhipSink(url, token, fps)
    log.info("publishing to the WHIP endpoint: Ctrl-C ends it")
    return closing(sink)
