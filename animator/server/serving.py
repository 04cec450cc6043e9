"""Starts a server and keeps it until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import io
import signal
import ssl
from collections.abc import Callable

import segno
from aiohttp import web

from ..errors import SinkError
from .app import App
from .certificates import context_from_files, machine_addresses, self_signed_context
from .config import ServeConfig
from .workers import Workers

Tell = Callable[[str], None]


async def serve(config: ServeConfig, model: str, tell: Tell = print) -> None:
    """Serve until SIGINT or SIGTERM; every session is ended properly.

    raises : SinkError if the port cannot be had"""
    workers = Workers(config, model)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    tell("starting: loading the face model and opening OpenGL ...")
    try:
        await workers.start()
        runner = web.AppRunner(App(config, workers).application(), access_log=None)
        await runner.setup()
        try:
            port = await _listen(runner, config)
            tell(welcome(config, port))
            await stopped.wait()
        finally:
            await runner.cleanup()
    finally:
        await workers.stop()


async def _listen(runner: web.AppRunner, config: ServeConfig) -> int:
    site = web.TCPSite(runner, config.host, config.port, ssl_context=_tls(config))
    try:
        await site.start()
    except OSError as error:
        raise SinkError(
            f"cannot serve at {config.host}:{config.port}: {error.strerror or error}; choose another --port"
        ) from error
    return runner.addresses[0][1]


def _tls(config: ServeConfig) -> ssl.SSLContext | None:
    if config.cert is not None and config.key is not None:
        return context_from_files(config.cert, config.key)
    return self_signed_context() if config.self_signed else None


def links(config: ServeConfig, port: int) -> list[str]:
    """The page's addresses, the one for other devices first."""
    everywhere = config.host in ("0.0.0.0", "::")
    hosts = machine_addresses() if everywhere else [config.host]
    scheme = "https" if config.secure else "http"
    secret = f"#token={config.token}" if config.token else ""  # behind #, so that no server's log ever sees it
    return [f"{scheme}://{host}:{port}/{secret}" for host in hosts]


def welcome(config: ServeConfig, port: int) -> str:
    """What is printed: links, a QR code, and what phones need."""
    found = links(config, port)
    picture = io.StringIO()
    with contextlib.redirect_stdout(picture):
        segno.make(found[0], error="m").terminal(compact=True)
    lines = ["", picture.getvalue().rstrip("\n"), "", *(f"  {link}" for link in found), ""]
    if not config.secure:
        lines.append("  Cameras open on this machine only (localhost): for phones and others use --self-signed.")
    elif config.self_signed:
        lines.append("  Browsers warn of the self-made certificate once: choose to go on.")
    lines.append("  Ctrl-C stops the server.")
    return "\n".join(lines)
