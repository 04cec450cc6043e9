"""`animator serve`: a page for every device that can open a link."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options

# Defaults are named here for the help alone: each option is None unless given, so that a file's [serve] can count.
Host = Annotated[str | None, typer.Option(help="Address to listen at.", show_default="0.0.0.0")]
Port = Annotated[int | None, typer.Option(help="0 takes a free one.", show_default="8443")]
MaxSessions = Annotated[int | None, typer.Option(help="Performers and viewers together.", show_default="16")]
WorkerCount = Annotated[
    int | None, typer.Option("--workers", help="Worker processes; a room lives in one of them.", show_default="1")
]
Token = Annotated[str | None, typer.Option(help="Only links that carry it are let in.")]
IceServers = Annotated[
    list[str] | None,
    typer.Option(
        "--ice-server", metavar="URL[,USER,PASSWORD]", help="STUN or TURN server; may be given several times."
    ),
]
TurnSecret = Annotated[
    str | None,
    typer.Option(help="For TURN servers without USER,PASSWORD: their static-auth-secret; logins then expire."),
]
Cert = Annotated[Path | None, typer.Option(help="Certificate file, with --key.")]
Key = Annotated[Path | None, typer.Option(help="The certificate's key file.")]
SelfSigned = Annotated[
    bool, typer.Option("--self-signed", help="Make a certificate: phones need https for their camera.")
]
AllowHosts = Annotated[
    list[str] | None,
    typer.Option("--allow-host", metavar="NAME", help="A name that links may use, besides this machine's own."),
]
TrustedProxies = Annotated[
    list[str] | None,
    typer.Option("--trust-proxy", metavar="CIDR", help="Believe what this proxy says of its clients' addresses."),
]


def serve(
    host: Host = None,
    port: Port = None,
    rig: options.RigName = None,
    max_sessions: MaxSessions = None,
    workers: WorkerCount = None,
    token: Token = None,
    ice_servers: IceServers = None,
    turn_secret: TurnSecret = None,
    cert: Cert = None,
    key: Key = None,
    self_signed: SelfSigned = False,
    allow_hosts: AllowHosts = None,
    trusted_proxies: TrustedProxies = None,
    faces: options.Faces = None,
    tracker: options.TrackerName = None,
    smoothing: options.Smoothing = None,
    model: options.Model = None,
    config: options.Settings = None,
) -> None:
    """Serve a page that turns a browser's camera into a puppet, and rooms to watch it in."""
    import asyncio
    import logging

    from ..rigging.library import load_rig
    from ..server.serving import serve as run_server
    from ..server.settings import gathered, serve_config
    from ..tracking.model import find_or_fetch_model

    typed = {
        "host": host,
        "port": port,
        "rig": rig,
        "max_sessions": max_sessions,
        "workers": workers,
        "token": token,
        "ice_servers": tuple(ice_servers) if ice_servers else None,
        "turn_secret": turn_secret,
        "cert": str(cert) if cert else None,
        "key": str(key) if key else None,
        "self_signed": self_signed or None,
        "allow_hosts": tuple(allow_hosts) if allow_hosts else None,
        "trusted_proxies": tuple(trusted_proxies) if trusted_proxies else None,
    }
    table = gathered(typed, config)
    show = options.gathered(
        config, tracking={"faces": faces, "tracker": tracker}, solving={"smoothing": smoothing}, show={"rig": table.rig}
    )
    serving = serve_config(table, show)
    load_rig(show.show.rig)
    asyncio.run(run_server(serving, str(find_or_fetch_model(model, logging.getLogger("animator").info)), typer.echo))
