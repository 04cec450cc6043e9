"""`animator watch`: a room of a server, in a window or a file."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from threading import Timer
from typing import Annotated

import typer

from . import network, options


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
    from ..config import size_from_text
    from ..display import has_display
    from ..errors import SettingError
    from ..filming import film, open_sink
    from ..pipeline import open_performance
    from ..remote.signalling import address_from_link
    from ..remote.watching import RemoteMotion, RemotePictures
    from ..rigging.library import load_rig

    if seconds is not None and not seconds > 0:
        raise SettingError(f"seconds: wanted more than 0, got {seconds:g}")
    if not numbers and (rig or background):
        raise SettingError("rig and background: the server draws the avatars; with --numbers they are drawn here")
    address = address_from_link(url, token, insecure=insecure)
    settings = options.gathered(
        config,
        show={
            "rig": rig,
            "view": "avatar" if numbers else "mesh",  # `mesh` is the picture itself: no face is looked for in it
            "size_px": size_from_text(size) if size else None,
            "background": background,
        },
    )
    on_screen = out is None and has_display()
    out = out or (None if on_screen else Path("out") / f"{address.room}.mp4")
    if numbers:
        load_rig(settings.show.rig)
        if settings.show.background is not None:
            from ..rendering.backdrop import background_from_text

            background_from_text(settings.show.background)
    sink = None if out is None else open_sink(out, 30.0)
    try:
        with ExitStack() as stack:
            say, show = stack.enter_context(network.status_line(f"joining {address.name} ..."))
            network.warn_if_insecure(address, say)
            source = (RemoteMotion if numbers else RemotePictures)(address, seconds=seconds, tell=say)
            stack.callback(source.close)
            performance = stack.enter_context(open_performance(source, settings))
            stack.callback(source.close)  # first, so that its reader's thread does not wait in vain
            say(f"watching {address.name}: " + ("q in the window ends it" if sink is None else "Ctrl-C ends it"))

            def status() -> str:
                state = "" if source.room.is_connected else "not connected   "
                return f"{state}{source.room.performers} performing   {source.room.viewers} watching"

            if sink is not None:
                try:
                    film(performance, settings, sink, lambda frames: show(f"{frames} frames   {status()}"))
                except KeyboardInterrupt:  # the usual end of what has none
                    if seconds is not None:
                        raise
            elif numbers:
                from ..on_screen import Screen

                screen = Screen(performance, settings)
                if seconds is not None:
                    ending = Timer(seconds, screen.quit)
                    stack.callback(ending.cancel)
                    ending.start()
                screen.run()
            else:
                from ..remote.window import show_pictures

                show_pictures(performance, settings.show.size_px or source.size_px, status)
    finally:
        if sink is not None and sink.frames and out.exists():
            typer.echo(f"wrote {out}")
    if sink is not None and not sink.frames:
        from ..errors import SourceError

        raise SourceError(f"nobody performed in {address.name}: nothing was written")
