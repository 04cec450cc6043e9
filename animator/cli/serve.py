"""`animator serve`: a page for every device that can open a link."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options


def serve(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "0.0.0.0",
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8443,
    rig: options.RigName = None,
    max_sessions: Annotated[int, typer.Option(help="Performers and viewers together.")] = 16,
    workers: Annotated[int, typer.Option(help="Worker processes; a room lives in one of them.")] = 1,
    token: Annotated[str | None, typer.Option(help="Only links that carry it are let in.")] = None,
    ice_server: Annotated[
        list[str] | None,
        typer.Option(metavar="URL[,USER,PASSWORD]", help="STUN or TURN server; may be given several times."),
    ] = None,
    cert: Annotated[Path | None, typer.Option(help="Certificate file, with --key.")] = None,
    key: Annotated[Path | None, typer.Option(help="The certificate's key file.")] = None,
    self_signed: Annotated[
        bool, typer.Option("--self-signed", help="Make a certificate: phones need https for their camera.")
    ] = False,
    faces: options.Faces = None,
    smoothing: options.Smoothing = None,
    model: options.Model = None,
    config: options.Settings = None,
) -> None:
    """Serve a page that turns a browser's camera into a puppet, and rooms to watch it in."""
    import asyncio
    import logging

    from ..rigging.library import load_rig
    from ..server.config import ServeConfig
    from ..server.serving import serve as run_server
    from ..tracking.model import find_or_fetch_model
    from ..webrtc.config import IceServer

    settings = options.gathered(config, tracking={"faces": faces}, solving={"smoothing": smoothing}, show={"rig": rig})
    load_rig(settings.show.rig)
    serving = ServeConfig(
        host=host,
        port=port,
        max_sessions=max_sessions,
        workers=workers,
        token=token,
        ice_servers=tuple(IceServer.from_text(text) for text in ice_server or ()),
        cert=cert,
        key=key,
        self_signed=self_signed,
        show=settings,
    )
    asyncio.run(run_server(serving, str(find_or_fetch_model(model, logging.getLogger("animator").info)), typer.echo))
