"""`animator run`: a face drives an avatar, in a window or into a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import SettingError
from . import options
from .performing import Outputs, perform


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
    settings = options.gathered(
        config,
        tracking=options.tracking_options(
            faces, detection_confidence, tracking_confidence, presence_confidence, tracker
        ),
        calibrate=calibrate,
        solving={"smoothing": smoothing, "vertical_fov_deg": fov, "profile": profile},
        show=options.show_options(rig, view, size, fps, background, mirror=mirror),
    )
    if token is not None and whip is None:
        raise SettingError("token: it is for --whip URL, which is not there")
    outputs = Outputs(out, take, whip, token, send or (), virtual_camera)
    perform(source, settings, outputs, model)
