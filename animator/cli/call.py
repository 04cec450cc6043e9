"""`animator call`: perform in a room of a server, from the terminal."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import SettingError
from . import network, options, work

if TYPE_CHECKING:
    from ..config import Config
    from ..pipeline import Performance
    from ..remote.signalling import Address

WAYS = ("motion", "video")
VIDEO_SIZE_PX = (640, 480)
"""Of the puppet's video, unless the settings file says otherwise: the size of the room's stage."""
Way = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="motion|video",
        help="What is sent: numbers, about 10 kbit/s, or the avatar's video, drawn here.",
    ),
]


def call(
    url: network.Link,
    source: options.Source = None,
    way: Way = "motion",
    token: network.Token = None,
    insecure: network.Insecure = False,
    rig: options.RigName = None,
    background: options.Background = None,
    faces: options.Faces = None,
    detection_confidence: options.Detection = None,
    tracking_confidence: options.Tracking = None,
    presence_confidence: options.Presence = None,
    tracker: options.TrackerName = None,
    smoothing: options.Smoothing = None,
    calibrate: options.Calibrate = None,
    profile: options.ProfileName = None,
    mirror: options.Mirror = False,
    size: Annotated[str | None, typer.Option(metavar="WxH", help="Asked of a camera.")] = None,
    fps: Annotated[float | None, typer.Option(help="Asked of a camera.")] = None,
    fov: options.Fov = None,
    model: options.Model = None,
    config: options.Settings = None,
) -> None:
    """Perform in a room: the face is followed here, and the camera's pictures never leave this machine.

    Numbers are sent, or with --as video the picture of an avatar that is drawn here."""
    from ..config import size_from_text
    from ..pipeline import open_performance
    from ..remote.signalling import address_from_link
    from ..sources import open_source

    _check_way(way, {"rig": rig, "background": background, "mirror": mirror or None})
    address = address_from_link(url, token, insecure=insecure)
    settings = options.gathered(
        config,
        tracking=options.tracking_options(
            faces, detection_confidence, tracking_confidence, presence_confidence, tracker
        ),
        calibrate=calibrate,
        solving={"smoothing": smoothing, "vertical_fov_deg": fov, "profile": profile},
        show=options.show_options(rig, background=background, mirror=mirror),
    )
    if way == "video":
        settings = _for_video(settings)
    with ExitStack() as stack:
        size_px = size_from_text(size) if size else None
        opened = open_source(source, size_px=size_px, fps=fps, loop_performance=True)
        stack.enter_context(closing(opened))
        performance = stack.enter_context(open_performance(opened, settings, model=model, live=True))
        say, show = stack.enter_context(network.status_line(f"joining {address.name} ..."))
        network.warn_if_insecure(address, say)
        if way == "video":
            _send_video(address, performance, settings, say, show)
        else:
            _send_motion(address, performance, say, show)
    work.say_what_came(performance)


def _check_way(way: str, drawing: dict[str, object]) -> None:
    if way not in WAYS:
        raise SettingError(f"as: wanted {' or '.join(WAYS)}, got {way!r}")
    given = [name for name, value in drawing.items() if value is not None]
    if way == "motion" and given:
        raise SettingError(f"{given[0]}: whoever watches draws the avatar; with --as video it is drawn here")


def _for_video(settings: Config) -> Config:
    """The avatar alone, whatever the file says of views: the camera's picture stays here."""
    from dataclasses import replace

    show = replace(settings.show, view="avatar", size_px=settings.show.size_px or VIDEO_SIZE_PX, fps=None)
    work.check_looks(show)
    return replace(settings, show=show)


def _send_motion(address: Address, performance: Performance, say: network.Tell, show: network.Tell) -> None:
    from ..remote.calling import Call

    with closing(Call(address, say)) as joined:
        joined.open()
        say(f"performing in {address.name}: Ctrl-C ends it")
        rate = network.KilobitsPerSecond()

        def tell(_moment: object) -> None:
            show(network.state_of(joined.room, joined.fps, rate.of(joined.room.sent_bytes)))

        joined.perform(performance, tell)


def _send_video(
    address: Address, performance: Performance, settings: Config, say: network.Tell, show: network.Tell
) -> None:
    from ..filming import film
    from ..remote.calling import VideoCall

    joined = VideoCall(address, min(30.0, performance.source.fps), say)
    joined.open()
    say(f"performing in {address.name}, as video: Ctrl-C ends it")
    rate = network.KilobitsPerSecond()
    film(  # closes the call, however it ends
        performance,
        settings,
        joined,
        lambda _frames: show(network.state_of(joined.room, joined.fps, rate.of(joined.sent_bytes))),
    )
