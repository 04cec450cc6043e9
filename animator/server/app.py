"""The HTTP side: the page, signalling, downloads, health. Media never comes through here."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from .. import __version__
from ..channels import ARKIT
from ..errors import AnimatorError
from ..rendering.framing import VIEWS
from ..resources import rigs_folder
from ..rigging.library import known_rigs, rig_description
from ..timing import Clock, monotonic_s
from .access import Access
from .avatars import Avatars
from .config import DEFAULT_ROOM, ServeConfig
from .metrics import exposition
from .openapi import description
from .signalling import Signalling, check_room
from .workers import ServerFull, WorkerLost, Workers

log = logging.getLogger("animator")

PAGE = Path(__file__).parent / "page"
MAX_BODY_BYTES = 65_536
"""An offer with every codec and candidate of a browser has about 8 kB."""
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; connect-src 'self' blob:; img-src 'self' data: blob:; "
    "media-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=()",
    "Cache-Control": "no-cache",
}
OWN_HEADERS = {"Cross-Origin-Resource-Policy": "same-origin"}
CORS_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "DELETE, GET, OPTIONS, PATCH, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Expose-Headers": "Link, Location",
    "Access-Control-Max-Age": "600",
}
KEPT_HEADERS = ("Retry-After", "WWW-Authenticate", "Allow")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class App:
    """Routes of one server over its workers."""

    def __init__(self, config: ServeConfig, workers: Workers, clock: Clock = monotonic_s) -> None:
        self._config, self._workers = config, workers
        self._access = Access(config, clock)
        self._signalling = Signalling(config, workers, self._access)
        self._avatars = Avatars(config, workers, self._access)

    def application(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[self._guarded])
        app.add_routes(
            [
                web.get("/", self._page),
                web.get("/r/{room}", self._page),
                web.get("/config.json", self._page_config),
                web.get("/openapi.json", self._openapi),
                web.get("/rigs/{name}.png", self._rig_picture),
                web.get("/rigs/{name}.glb", self._rig_model),
                *self._signalling.routes(),
                web.get("/health", self._health),
                web.get("/metrics", self._metrics),
                web.get("/static/{filename}", self._static),
            ]
        )
        self._avatars.add_to(app)
        return app

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Access, headers, and errors as one sentence of JSON."""
        try:
            self._access.check(request)
            response = await handler(request)
        except web.HTTPException as error:
            text = error.text if error.content_type == "application/json" else error.reason
            response = _refusal(error.status, text or error.reason, dict(error.headers))
        except (ServerFull, WorkerLost) as error:
            response = _refusal(503, str(error), {"Retry-After": "5"})
        except AnimatorError as error:
            response = _refusal(400, str(error))
        except Exception:  # a fault of ours: the client gets a sentence, the log the rest
            log.exception("a request failed")
            response = _refusal(500, "Something went wrong on the server; its log tells more.")
        response.headers.update(SECURITY_HEADERS)
        response.headers.update(CORS_HEADERS if self._access.is_for_others(request) else OWN_HEADERS)
        return response

    async def _page(self, request: web.Request) -> web.StreamResponse:
        room = request.match_info.get("room", DEFAULT_ROOM)
        check_room(room)
        return web.FileResponse(PAGE / "index.html")

    async def _static(self, request: web.Request) -> web.StreamResponse:
        """A file of the page's folder, looked up by name: nothing of a request becomes a path."""
        named = {path.name: path for path in PAGE.iterdir() if path.is_file() and not path.is_symlink()}
        path = named.get(request.match_info["filename"])
        if path is None:
            raise web.HTTPNotFound(reason="There is no such file.")
        return web.FileResponse(path)

    async def _openapi(self, _request: web.Request) -> web.Response:
        return web.json_response(description())

    async def _page_config(self, _request: web.Request) -> web.Response:
        servers = [
            {"urls": [server.url]} | ({"username": server.user, "credential": server.password} if server.user else {})
            for server in self._config.ice_servers_now()
        ]
        return web.json_response(
            {
                "rigs": [_rig_for_page(name) for name in known_rigs()],
                "views": VIEWS,
                "channels": ARKIT,
                "ice_servers": servers,
                "three": can_draw_numbers(),
                "avatar_mb": self._config.avatar_mb,
                "version": __version__,
                "token_required": self._config.token is not None,
            }
        )

    async def _rig_picture(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        picture = rigs_folder() / name / "picture.png" if name in known_rigs() else None  # no other name is a path
        if picture is None or not picture.is_file():
            raise web.HTTPNotFound(reason="There is no such avatar.")
        return web.FileResponse(picture)

    async def _rig_model(self, request: web.Request) -> web.StreamResponse:
        """The avatar itself, for a page that draws it."""
        name = request.match_info["name"]
        model = rigs_folder() / name / str(rig_description(name)["model"]) if name in known_rigs() else None
        if model is None or not model.is_file():
            raise web.HTTPNotFound(reason="There is no such avatar.")
        return web.FileResponse(model, headers={"Content-Type": "model/gltf-binary"})

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {"status": "ok", "sessions": self._workers.sessions, "workers": self._workers.alive, "version": __version__}
        )

    async def _metrics(self, _request: web.Request) -> web.Response:
        totals, stages = await self._workers.totals()
        gauges = {"sessions": self._workers.sessions, "workers": self._workers.alive}
        return web.Response(
            body=exposition(totals, gauges, stages), headers={"Content-Type": "text/plain; version=0.0.4"}
        )


def can_draw_numbers() -> bool:
    """Whether the part of the page is here that draws avatars itself; `make page` builds it into the package."""
    return (PAGE / "numbers.js").is_file()


def _rig_for_page(name: str) -> dict[str, Any]:
    """What a page must know of an avatar to show it, and to draw it itself."""
    said = rig_description(name)
    placing = {key: said[key] for key in ("joints", "rig_from_face") if key in said}
    addresses = {"picture": f"/rigs/{name}.png", "model": f"/rigs/{name}.glb"}
    return {"name": name, "title": said.get("title", name)} | addresses | placing


def _refusal(status: int, sentence: str, headers: dict[str, str] | None = None) -> web.Response:
    kept = {k: v for k, v in (headers or {}).items() if k in KEPT_HEADERS}
    response = web.json_response({"error": sentence}, status=status, headers=kept)
    if status in (408, 413):
        response.force_close()  # what is still to come is not waited for
    return response
