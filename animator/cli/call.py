"""`animator call`: perform in a room of a server, from the terminal."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import Annotated

import typer

from . import network, options, work


def call(
    url: network.Link,
    source: options.Source = None,
    token: network.Token = None,
    insecure: network.Insecure = False,
    faces: options.Faces = None,
    detection_confidence: options.Detection = None,
    tracking_confidence: options.Tracking = None,
    presence_confidence: options.Presence = None,
    smoothing: options.Smoothing = None,
    calibrate: options.Calibrate = None,
    size: Annotated[str | None, typer.Option(metavar="WxH", help="Asked of a camera.")] = None,
    fps: Annotated[float | None, typer.Option(help="Asked of a camera.")] = None,
    fov: options.Fov = None,
    model: options.Model = None,
    config: options.Settings = None,
) -> None:
    """Perform in a room: the face is followed here, and only numbers leave this machine, about 10 kbit/s of them."""
    from ..config import size_from_text
    from ..pipeline import open_performance
    from ..remote.calling import Call
    from ..remote.signalling import address_from_link
    from ..sources import open_source

    address = address_from_link(url, token, insecure=insecure)
    settings = options.gathered(
        config,
        tracking=options.tracking_options(faces, detection_confidence, tracking_confidence, presence_confidence),
        calibrate=calibrate,
        solving={"smoothing": smoothing, "vertical_fov_deg": fov},
    )
    with ExitStack() as stack:
        size_px = size_from_text(size) if size else None
        opened = open_source(source, size_px=size_px, fps=fps, loop_performance=True)
        stack.enter_context(closing(opened))
        performance = stack.enter_context(open_performance(opened, settings, model=model, live=True))
        say, show = stack.enter_context(network.status_line(f"joining {address.name} ..."))
        network.warn_if_insecure(address, say)
        joined = stack.enter_context(closing(Call(address, say)))
        joined.open()
        say(f"performing in {address.name}: Ctrl-C ends it")
        rate = network.KilobitsPerSecond()

        def tell(_moment: object) -> None:
            room = joined.room
            state = "connected" if room.is_connected else "not connected"
            kbit_s = rate.of(room.sent_bytes)
            show(f"{state}   {joined.fps:4.1f} fps   {kbit_s:4.1f} kbit/s   {room.viewers} watching")

        joined.perform(performance, tell)
    work.say_what_came(performance)
