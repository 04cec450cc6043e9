"""Starts a server and keeps it until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import io
import signal
import ssl
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote

import segno
from aiohttp import web

from ..errors import SinkError
from ..websockets import STRANGERS
from .app import App, can_draw_numbers
from .certificates import context_from_files, machine_addresses, self_signed_context
from .config import ServeConfig
from .workers import Workers

SHUTDOWN_S = 2.0
"""How long requests under way may take when the server stops."""
IDLE_S = 20.0
"""How long a connection may take to send a request's head: nobody holds one open by a byte now and then."""
LINGER_S = 2.0
"""How long the rest of a refused request is read, so that the client sees the answer."""
Tell = Callable[[str], None]


async def serve(config: ServeConfig, model: str, tell: Tell = print) -> None:
    """Serve until SIGINT or SIGTERM; every session is ended properly.

    raises : SinkError if the port cannot be had, SettingError for a bad certificate, RenderError or another
             AnimatorError where workers cannot start"""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    workers = Workers(config, model)
    runner = http_runner(App(config, workers))
    await runner.setup()
    try:
        port = await _listen(runner, config)  # what cannot be had is said before anything is loaded
        tell("starting: loading the face model and opening OpenGL ...")
        if await _before(stopped, workers.start()):
            tell(welcome(config, port))
            failure = await _before(stopped, workers.failure())
            if failure is not None:
                raise failure
    finally:
        await runner.cleanup()
        await workers.stop()


def http_runner(app: App) -> web.AppRunner:
    """Keeps no log of requests, as a path may hold what others should not read, nor of what is no request, as a
    scanner would fill it; waits for nobody long."""
    return web.AppRunner(
        app.application(),
        access_log=None,
        logger=STRANGERS,
        shutdown_timeout=SHUTDOWN_S,
        keepalive_timeout=IDLE_S,
        lingering_time=LINGER_S,
    )


async def _before(stopped: asyncio.Event, work: Coroutine[Any, Any, Any]) -> Any:
    """What comes of `work`; None, with the work cancelled, once the server is told to stop."""
    tasks = [asyncio.ensure_future(work), asyncio.ensure_future(stopped.wait())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return tasks[0].result() if tasks[0].done() else None
    finally:
        for task in tasks:
            task.cancel()


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
    everywhere = config.host == "0.0.0.0"
    hosts = machine_addresses() if everywhere else [config.host]
    scheme = "https" if config.secure else "http"
    secret = (
        f"#token={quote(config.token, safe='')}" if config.token else ""
    )  # behind #, so that no server's log ever sees it
    named = [f"[{host}]" if ":" in host else host for host in hosts]
    return [f"{scheme}://{host}:{port}/{secret}" for host in named]


def welcome(config: ServeConfig, port: int) -> str:
    """What is printed: links, a QR code, what phones need, and what is not there."""
    found = links(config, port)
    picture = io.StringIO()
    with contextlib.redirect_stdout(picture):
        segno.make(found[0], error="m").terminal(compact=True)
    lines = ["", picture.getvalue().rstrip("\n"), "", *(f"  {link}" for link in found), ""]
    if not config.secure:
        lines.append("  Cameras open on this machine only (localhost): for phones and others use --self-signed.")
    elif config.self_signed:
        lines.append("  Browsers warn of the self-made certificate once: choose to go on.")
    if not can_draw_numbers():
        lines.append("  Pages are given video only: the part that draws avatars itself was not built (make page).")
    lines.append("  Ctrl-C stops the server.")
    return "\n".join(lines)
