"""The HTTP side: the page, signalling, downloads, health. Media never comes through here."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets
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
from .config import DEFAULT_ROOM, ROOM, ServeConfig
from .limits import RateLimit
from .metrics import exposition
from .workers import ServerFull, WorkerLost, Workers

log = logging.getLogger("animator")

PAGE = Path(__file__).parent / "page"
MAX_BODY_BYTES = 65_536
"""An offer with every codec and candidate of a browser has about 8 kB."""
ROLES = ("perform", "watch")
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=()",
    "Cache-Control": "no-cache",
}
SECURED = ("/config.json", "/offer", "/sessions", "/whip", "/whep", "/metrics")
"""Where the token is asked for: the page itself holds no secret, its settings hold a TURN server's password."""
CORS_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "OPTIONS, POST, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Expose-Headers": "Location, ETag",
    "Access-Control-Max-Age": "600",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class App:
    """Routes of one server over its workers."""

    def __init__(self, config: ServeConfig, workers: Workers, clock: Clock = monotonic_s) -> None:
        self._config, self._workers = config, workers
        self._limit = RateLimit(config.offers_per_minute, 60.0, clock)

    def application(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[self._guarded])
        app.add_routes(
            [
                web.get("/", self._page),
                web.get("/r/{room}", self._page),
                web.get("/config.json", self._page_config),
                web.get("/rigs/{name}.png", self._rig_picture),
                web.get("/rigs/{name}.glb", self._rig_model),
                web.post("/offer", self._offer),
                web.delete("/sessions/{session}", self._end),
                web.options("/sessions/{session}", self._options),
                web.get("/sessions/{session}/take.{kind:npz|csv}", self._take),
                web.post("/{protocol:whip|whep}/{room}", self._whip_or_whep),
                web.options("/{protocol:whip|whep}/{room}", self._options),
                web.get("/health", self._health),
                web.get("/metrics", self._metrics),
                web.static("/static", PAGE, follow_symlinks=False),
            ]
        )
        return app

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Token, origin, headers, and errors as one sentence of JSON."""
        try:
            self._check_origin(request)
            if request.path.startswith(SECURED) and request.method != "OPTIONS":  # browsers ask these bare
                self._check_token(request)
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
        if self._is_for_others(request):
            response.headers.update(CORS_HEADERS)
        return response

    def _check_token(self, request: web.Request) -> None:
        if self._config.token is None:
            return
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        given_bytes = given.encode(errors="surrogateescape")  # headers may hold any bytes
        if not hmac.compare_digest(given_bytes, self._config.token.encode()) or scheme.lower() != "bearer":
            raise web.HTTPUnauthorized(
                reason="This link needs its token: ask for the whole link.", headers={"WWW-Authenticate": "Bearer"}
            )

    def _check_origin(self, request: web.Request) -> None:
        """Another site's page must not use a visitor's browser to reach this server."""
        origin = request.headers.get("Origin")
        if origin is None or origin.partition("://")[2] == request.host or self._is_for_others(request):
            return
        raise web.HTTPForbidden(reason="This server answers its own page only.")

    def _is_for_others(self, request: web.Request) -> bool:
        """WHIP and WHEP are for other sites' pages too, where a token, which no browser adds by itself, is needed."""
        return self._config.token is not None and request.path.startswith(("/whip/", "/whep/", "/sessions/"))

    async def _page(self, request: web.Request) -> web.StreamResponse:
        room = request.match_info.get("room", DEFAULT_ROOM)
        _check_room(room)
        return web.FileResponse(PAGE / "index.html")

    async def _page_config(self, _request: web.Request) -> web.Response:
        servers = [
            {"urls": [server.url]} | ({"username": server.user, "credential": server.password} if server.user else {})
            for server in self._config.ice_servers
        ]
        return web.json_response(
            {
                "rigs": [_rig_for_page(name) for name in known_rigs()],
                "views": VIEWS,
                "channels": ARKIT,
                "ice_servers": servers,
                "three": (PAGE / "numbers.js").is_file(),
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

    async def _offer(self, request: web.Request) -> web.Response:
        self._check_rate(request)
        try:
            wish = json.loads(await request.read())
        except (ValueError, RecursionError) as error:
            raise web.HTTPBadRequest(reason="Wanted a JSON object with `sdp` and `type`.") from error
        if not isinstance(wish, dict) or not isinstance(wish.get("sdp"), str) or wish.get("type") != "offer":
            raise web.HTTPBadRequest(reason="Wanted a JSON object with `sdp`, a text, and `type`, `offer`.")
        room, role = wish.get("room", DEFAULT_ROOM), wish.get("role", "perform")
        _check_room(room)
        if role not in ROLES:
            raise web.HTTPBadRequest(reason=f"role: wanted {' or '.join(ROLES)}.")
        for name in ("view", "rig", "resume"):
            if not isinstance(wish.get(name), str | None):
                raise web.HTTPBadRequest(reason=f"{name}: wanted a text.")
        # Nothing but these goes further: a client must not choose its session's name.
        known = {name: wish.get(name) for name in ("sdp", "view", "rig", "resume")}
        session, answer = await self._join(room, role, known)
        return web.json_response({"sdp": answer, "type": "answer", "session": session})

    async def _whip_or_whep(self, request: web.Request) -> web.Response:
        """WHIP publishes a camera into a room, WHEP watches it (RFC 9725 and its draft)."""
        self._check_rate(request)
        room = request.match_info["room"]
        _check_room(room)
        if request.content_type != "application/sdp":
            raise web.HTTPUnsupportedMediaType(reason="Wanted a body of type application/sdp.")
        role = "perform" if request.match_info["protocol"] == "whip" else "watch"
        sdp = (await request.read()).decode("utf-8", "replace")
        session, answer = await self._join(room, role, {"sdp": sdp, "need_video": True})
        headers = {"Location": f"/sessions/{session}", "ETag": f'"{hashlib.sha256(session.encode()).hexdigest()[:16]}"'}
        return web.Response(status=201, text=answer, content_type="application/sdp", headers=headers)

    async def _options(self, request: web.Request) -> web.Response:
        """What WHIP asks of every server (RFC 9725): which body is taken, and by whom."""
        if "room" in request.match_info:
            _check_room(request.match_info["room"])
            return web.Response(status=204, headers={"Accept-Post": "application/sdp", "Allow": "OPTIONS, POST"})
        return web.Response(status=204, headers={"Allow": "DELETE, OPTIONS"})

    async def _join(self, room: str, role: str, wish: dict[str, Any]) -> tuple[str, str]:
        session = secrets.token_urlsafe(16)
        return session, await self._workers.join(session, room, role, wish)

    async def _end(self, request: web.Request) -> web.Response:
        if not await self._workers.end(request.match_info["session"]):
            raise web.HTTPNotFound(reason="There is no such session.")
        return web.Response(status=204)

    async def _take(self, request: web.Request) -> web.Response:
        session, kind = request.match_info["session"], request.match_info["kind"]
        data = await self._workers.take(session, kind)
        if data is None:
            raise web.HTTPNotFound(reason="There is no recording in this session.")
        types = {"npz": "application/octet-stream", "csv": "text/csv"}
        headers = {"Content-Disposition": f'attachment; filename="take.{kind}"'}
        return web.Response(body=data, content_type=types[kind], headers=headers)

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

    def _check_rate(self, request: web.Request) -> None:
        if not self._limit.allows(request.remote or ""):
            raise web.HTTPTooManyRequests(
                reason="Too many attempts from this address: wait a minute.", headers={"Retry-After": "60"}
            )


def _rig_for_page(name: str) -> dict[str, Any]:
    """What a page must know of an avatar to show it, and to draw it itself."""
    said = rig_description(name)
    placing = {key: said[key] for key in ("joints", "rig_from_face") if key in said}
    addresses = {"picture": f"/rigs/{name}.png", "model": f"/rigs/{name}.glb"}
    return {"name": name, "title": said.get("title", name)} | addresses | placing


def _check_room(room: object) -> None:
    if not isinstance(room, str) or not ROOM.fullmatch(room):
        raise web.HTTPNotFound(reason="A room's name has 1 to 64 letters, digits, - or _.")


def _refusal(status: int, sentence: str, headers: dict[str, str] | None = None) -> web.Response:
    kept = {k: v for k, v in (headers or {}).items() if k in ("Retry-After", "WWW-Authenticate", "Allow")}
    return web.json_response({"error": sentence}, status=status, headers=kept)
