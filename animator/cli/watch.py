"""`animator watch`: a room of a server, in a window or a file."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Annotated

import typer

from . import network, options, work

if TYPE_CHECKING:
    from ..config import Config
    from ..pipeline import Performance
    from ..remote.signalling import Address
    from ..remote.watching import RemoteMotion, RemotePictures
    from ..stages import FrameSink


def watch(
    url: network.Link,
    numbers: Annotated[
        bool, typer.Option("--numbers", help="Receive numbers, not a video, and draw the avatars here.")
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Write a video, until Ctrl-C or for --seconds.")] = None,
    seconds: Annotated[float | None, typer.Option(help="End after so long.")] = None,
    token: network.Token = None,
    insecure: network.Insecure = False,
    rig: options.RigName = None,
    size: options.Size = None,
    background: options.Background = None,
    config: options.Settings = None,
) -> None:
    """Watch a room. Opens a window; without a display, or with --out, writes a video and says where."""
    from ..display import has_display
    from ..errors import SourceError
    from ..filming import open_sink
    from ..remote.signalling import address_from_link

    _check(seconds, numbers, rig, background)
    address = address_from_link(url, token, insecure=insecure)
    settings = _settings(config, numbers, rig, size, background)
    out = out or (None if has_display() else Path("out") / f"{address.room}.mp4")
    sink = None if out is None else open_sink(out, 30.0)
    try:
        _receive(address, settings, sink, numbers=numbers, seconds=seconds)
    finally:
        if sink is not None and sink.frames and out.exists():
            typer.echo(f"wrote {out}")
    if sink is not None and not sink.frames:
        raise SourceError(f"nobody performed in {address.name}: nothing was written")


def _check(seconds: float | None, numbers: bool, rig: str | None, background: str | None) -> None:
    from ..errors import SettingError

    if seconds is not None and not seconds > 0:
        raise SettingError(f"seconds: wanted more than 0, got {seconds:g}")
    if not numbers and (rig or background):
        raise SettingError("rig and background: the server draws the avatars; with --numbers they are drawn here")


def _settings(file: Path | None, numbers: bool, rig: str | None, size: str | None, background: str | None) -> Config:
    view = "avatar" if numbers else "mesh"  # `mesh` is the picture itself: no face is looked for in it
    settings = options.gathered(file, show=options.show_options(rig, view, size, background=background))
    if numbers:
        work.check_looks(settings.show)
    return settings


def _receive(
    address: Address, settings: Config, sink: FrameSink | None, *, numbers: bool, seconds: float | None
) -> None:
    """Join the room and show it until the end, in a window or into the sink."""
    from ..pipeline import open_performance
    from ..remote.watching import RemoteMotion, RemotePictures

    with ExitStack() as stack:
        say, show = stack.enter_context(network.status_line(f"joining {address.name} ..."))
        network.warn_if_insecure(address, say)
        source = (RemoteMotion if numbers else RemotePictures)(address, seconds=seconds, tell=say)
        stack.callback(source.close)
        performance = stack.enter_context(open_performance(source, settings))
        stack.callback(source.close)  # first, so that its reader's thread does not wait in vain
        say(f"watching {address.name}: " + ("q in the window ends it" if sink is None else "Ctrl-C ends it"))
        if sink is not None:
            _film(performance, settings, sink, source, show, seconds)
        elif numbers:
            _show_numbers(performance, settings, seconds)
        else:
            from ..remote.window import show_pictures

            show_pictures(performance, settings.show.size_px or source.size_px, lambda: _status(source))


def _film(
    performance: Performance,
    settings: Config,
    sink: FrameSink,
    source: RemoteMotion | RemotePictures,
    show: network.Tell,
    seconds: float | None,
) -> None:
    from ..filming import film

    try:
        film(performance, settings, sink, lambda frames: show(f"{frames} frames   {_status(source)}"))
    except KeyboardInterrupt:  # the usual end of what has none
        if seconds is not None:
            raise


def _show_numbers(performance: Performance, settings: Config, seconds: float | None) -> None:
    from ..on_screen import Screen

    screen = Screen(performance, settings)
    ending = Timer(seconds, screen.quit) if seconds is not None else None
    try:
        if ending is not None:
            ending.start()
        screen.run()
    finally:
        if ending is not None:
            ending.cancel()


def _status(source: RemoteMotion | RemotePictures) -> str:
    state = "" if source.room.is_connected else "not connected   "
    return f"{state}{source.room.performers} performing   {source.room.viewers} watching"
