"""Options that several commands share, and the settings made of them."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import SettingError

if TYPE_CHECKING:
    from ..config import Config

Source = Annotated[
    str | None,
    typer.Argument(
        metavar="SOURCE",
        help="Camera number, video, picture, folder of pictures, http/rtsp URL, take, landmark take, "
        "or vmc://:39539, livelink://:11111, ifacialmocap://:49983 to be driven over the network. "
        "None: the webcam, else the bundled performance.",
        show_default=False,
    ),
]
RigName = Annotated[
    str | None,
    typer.Option("--rig", help="Avatar: a name of `animator rigs list`, a folder with rig.toml, a .vrm, .glb, .gltf."),
]
View = Annotated[str | None, typer.Option(help="avatar, mask, mesh or side-by-side.")]
Faces = Annotated[int | None, typer.Option(help="How many faces at most, 1 to 8.")]
Detection = Annotated[float | None, typer.Option("--detection-confidence", help="0..1, to find a face.")]
Tracking = Annotated[float | None, typer.Option("--tracking-confidence", help="0..1, to keep following it.")]
Presence = Annotated[float | None, typer.Option("--presence-confidence", help="0..1, that it is still a face.")]
TrackerName = Annotated[
    str | None, typer.Option("--tracker", help="litert (the default) or mediapipe: what runs the networks.")
]
Smoothing = Annotated[float | None, typer.Option(help="0 (quick) to 1 (calm).")]
Calibrate = Annotated[
    str | None,
    typer.Option(
        metavar="SECONDS|auto|none", help="How the neutral face is learned: from the first seconds, as it goes, or not."
    ),
]
ProfileName = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="Whose face the first is: loaded if kept before, else kept now."),
]
Fov = Annotated[float | None, typer.Option("--fov", help="The camera's vertical field of view in degrees.")]
Model = Annotated[Path | None, typer.Option(help="The face model file; found or fetched by itself when not given.")]
Settings = Annotated[Path | None, typer.Option("--config", help="Settings from a TOML file; options win over it.")]
Size = Annotated[str | None, typer.Option(metavar="WxH", help="Size of the video or the window.")]
Fps = Annotated[float | None, typer.Option(help="Constant frame rate of what is made; asked of a camera too.")]
Background = Annotated[
    str | None, typer.Option(help="#rrggbb, a colour's name, two as `top,bottom`, or a picture file.")
]
Mirror = Annotated[bool, typer.Option("--mirror", help="Show picture and avatar as a mirror would.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write a video (.mp4 .m4v .mov .mkv .webm .avi) or a picture.")]

Send = Annotated[
    list[str] | None,
    typer.Option(
        "--send",
        metavar="URL",
        help="Send the motion too: vmc://HOST:PORT, livelink://HOST:PORT, ifacialmocap://HOST:PORT, ws://HOST:PORT. "
        "May be given several times.",
    ),
]


def tracking_options(
    faces: int | None, detection: float | None, tracking: float | None, presence: float | None, tracker: str | None
) -> dict[str, object]:
    """The options of TrackingConfig under its own names."""
    return {
        "faces": faces,
        "detection_confidence": detection,
        "tracking_confidence": tracking,
        "presence_confidence": presence,
        "tracker": tracker,
    }


def show_options(
    rig: str | None = None,
    view: str | None = None,
    size: str | None = None,
    fps: float | None = None,
    background: str | None = None,
    *,
    mirror: bool = False,
) -> dict[str, object]:
    """The options of ShowConfig under its own names; None is what was not given."""
    from ..config import size_from_text

    return {
        "rig": rig,
        "view": view,
        "size_px": size_from_text(size) if size else None,
        "fps": fps,
        "background": background,
        "mirror": mirror or None,
    }


def gathered(
    settings: Path | None = None,
    *,
    tracking: dict[str, object] | None = None,
    calibrate: str | None = None,
    solving: dict[str, object] | None = None,
    show: dict[str, object] | None = None,
) -> Config:
    """The settings of the file, if any, with every option over them that was given (is not None)."""
    from ..config import Config, config_from_toml

    config = config_from_toml(settings) if settings else Config()
    solving = dict(solving or {})
    if calibrate is not None:
        solving["calibrate"] = _calibrate(calibrate)

    def given(values: dict[str, object] | None) -> dict[str, object]:
        return {name: value for name, value in (values or {}).items() if value is not None}

    return replace(
        config,
        tracking=replace(config.tracking, **given(tracking)),
        solving=replace(config.solving, **given(solving)),
        show=replace(config.show, **given(show)),
    )


def _calibrate(text: str) -> str | float:
    if text in ("auto", "none"):
        return text
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not seconds > 0:
        raise SettingError(f"calibrate: wanted seconds, auto or none, got {text!r}")
    return seconds
