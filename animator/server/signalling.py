"""How clients join and leave by HTTP: offers, WHIP, WHEP, sessions and their recordings."""

from __future__ import annotations

import asyncio
import json
import math
import re
import secrets
from typing import Any

from aiohttp import web

from ..webrtc.config import IceServer
from .access import Access
from .config import DEFAULT_ROOM, ROOM, ServeConfig
from .workers import Workers

ROLES = ("perform", "watch")
BODY_S = 10.0
"""A body that takes longer to arrive is not waited for."""
WISHES = ("view", "rig", "resume")
MAX_WAIT_S = 25.0
"""For how long a request may wait for a session's end: proxies give up after 30 to 60 s."""
FATES = {
    "ended": "This session has ended.",
    "worker-lost": "The part of the server that held this session has died and starts again: connect once more.",
}
_SDP = "application/sdp"
_DIRECTION = re.compile(r"^a=(sendrecv|sendonly|recvonly|inactive)\s*$", re.MULTILINE)
_MEDIA = re.compile(r"^m=", re.MULTILINE)
_DIRECTIONS = {"whip": ("sendonly", "sendrecv"), "whep": ("recvonly", "sendrecv")}
"""What an offer may want of its video (RFC 9725, and the draft of WHEP)."""
_RECORDINGS = {"npz": "application/octet-stream", "csv": "text/csv"}


class Signalling:
    """The handlers; what they make lives in the workers."""

    def __init__(self, config: ServeConfig, workers: Workers, access: Access) -> None:
        self._config, self._workers, self._access = config, workers, access

    def routes(self) -> list[web.RouteDef]:
        """Where they answer."""
        found = [
            web.post("/offer", self._offer),
            web.get("/sessions/{session}", self._is_there),
            web.delete("/sessions/{session}", self._end),
            web.patch("/sessions/{session}", self._no_patch),
            web.options("/sessions/{session}", self._session_options),
            web.get("/sessions/{session}/take.npz", self._take),
            web.get("/sessions/{session}/take.csv", self._take),
        ]
        for protocol in _DIRECTIONS:
            found += [
                web.post(f"/{protocol}/{{room}}", self._whip_or_whep),
                web.get(f"/{protocol}/{{room}}", self._nothing_to_see),
                web.options(f"/{protocol}/{{room}}", self._endpoint_options),
            ]
        return found

    async def _offer(self, request: web.Request) -> web.Response:
        self._access.check_rate(request)
        try:
            wish = json.loads(await _body(request))
        except (ValueError, RecursionError) as error:
            raise web.HTTPBadRequest(reason="Wanted a JSON object with `sdp` and `type`.") from error
        if not isinstance(wish, dict) or not isinstance(wish.get("sdp"), str) or wish.get("type") != "offer":
            raise web.HTTPBadRequest(reason="Wanted a JSON object with `sdp`, a text, and `type`, `offer`.")
        room, role = _room_of(request, wish), wish.get("role", "perform")
        if role not in ROLES:
            raise web.HTTPBadRequest(reason=f"role: wanted {' or '.join(ROLES)}.")
        for name in WISHES:
            if not isinstance(wish.get(name), str | None):
                raise web.HTTPBadRequest(reason=f"{name}: wanted a text.")
        if not isinstance(wish.get("puppet", False), bool):
            raise web.HTTPBadRequest(reason="puppet: wanted true or false.")
        # Nothing but these goes further: a client must not choose its session's name.
        known = {name: wish.get(name) for name in ("sdp", *WISHES)} | {"puppet": wish.get("puppet", False)}
        session, answer = await self._join(room, role, known)
        return web.json_response({"sdp": answer, "type": "answer", "session": session})

    async def _whip_or_whep(self, request: web.Request) -> web.Response:
        """WHIP publishes a camera into a room, WHEP watches it (RFC 9725 and its draft)."""
        self._access.check_rate(request)
        room, protocol = request.match_info["room"], request.path.split("/")[1]
        check_room(room)
        if request.content_type != _SDP:
            raise web.HTTPUnsupportedMediaType(reason=f"Wanted a body of type {_SDP}.")
        sdp = (await _body(request)).decode("utf-8", "replace")
        wanted = _DIRECTIONS[protocol]
        if (direction := video_direction(sdp)) not in (None, *wanted):
            raise web.HTTPBadRequest(reason=f"The offer's video is {direction}; wanted {' or '.join(wanted)}.")
        role = "perform" if protocol == "whip" else "watch"
        session, answer = await self._join(room, role, {"sdp": sdp, "need_video": True})
        # No ETag: it would say that connections can be changed by PATCH. The room is for a balancer's eyes.
        made = web.Response(status=201, text=answer, content_type=_SDP)
        made.headers["Location"] = f"/sessions/{session}?room={room}"
        for server in self._config.ice_servers_now():
            made.headers.add("Link", link_of(server))
        return made

    async def _nothing_to_see(self, request: web.Request) -> web.Response:
        check_room(request.match_info["room"])
        return web.Response(status=204)

    async def _endpoint_options(self, request: web.Request) -> web.Response:
        """What WHIP asks of every server (RFC 9725): which body is taken, and by whom."""
        check_room(request.match_info["room"])
        return web.Response(status=204, headers={"Accept-Post": _SDP, "Allow": "GET, HEAD, OPTIONS, POST"})

    async def _session_options(self, _request: web.Request) -> web.Response:
        return web.Response(status=204, headers={"Allow": "DELETE, GET, HEAD, OPTIONS"})

    async def _join(self, room: str, role: str, wish: dict[str, Any]) -> tuple[str, str]:
        session = secrets.token_urlsafe(16)
        return session, await self._workers.join(session, room, role, wish)

    async def _is_there(self, request: web.Request) -> web.Response:
        if "wait" in request.query:
            return await self._when_it_ends(request)
        if not self._workers.has(request.match_info["session"]):
            raise no_session()
        return web.Response(status=204)

    async def _when_it_ends(self, request: web.Request) -> web.Response:
        """Held back until the session is over: a worker that has died can tell its clients no more, we can."""
        fate = await self._workers.fate(request.match_info["session"], _wait_s(request))
        if fate is None:
            raise no_session()
        if fate == "live":
            return web.Response(status=204)
        return web.json_response({"error": FATES[fate], "state": fate}, status=410)

    async def _end(self, request: web.Request) -> web.Response:
        if not await self._workers.end(request.match_info["session"]):
            raise no_session()
        return web.Response(status=204)

    async def _no_patch(self, _request: web.Request) -> web.Response:
        """Offers name all their candidates, and so do our answers (RFC 9725: 501 where PATCH is for nothing)."""
        raise web.HTTPNotImplemented(reason="Sessions here are not changed: send all candidates with the offer.")

    async def _take(self, request: web.Request) -> web.Response:
        session, kind = request.match_info["session"], request.path.rpartition(".")[2]
        data = await self._workers.take(session, kind)
        if data is None:
            raise web.HTTPNotFound(reason="There is no recording in this session.")
        headers = {"Content-Disposition": f'attachment; filename="take.{kind}"'}
        return web.Response(body=data, content_type=_RECORDINGS[kind], headers=headers)


def check_room(room: object) -> None:
    """Raise unless a room may be called so."""
    if not isinstance(room, str) or not ROOM.fullmatch(room):
        raise web.HTTPNotFound(reason="A room's name has 1 to 64 letters, digits, - or _.")


def no_session() -> web.HTTPNotFound:
    """The answer to whoever asks for a session that is not there."""
    return web.HTTPNotFound(reason="There is no such session.")


def video_direction(sdp: str) -> str | None:
    """What an offer wants of its first video; None where it has none."""
    session, *sections = _MEDIA.split(sdp.replace("\r\n", "\n"))
    for section in sections:
        if section.startswith("video"):
            found = _DIRECTION.search(section) or _DIRECTION.search(session)
            return found[1] if found else "sendrecv"
    return None


def link_of(server: IceServer) -> str:
    """A Link header's value for a STUN or TURN server, as WHIP has it."""
    parts = [f"<{server.url}>", 'rel="ice-server"']
    if server.user:
        login = (("username", server.user), ("credential", server.password or ""))
        parts += [f"{name}={_quoted(value)}" for name, value in login] + ['credential-type="password"']
    return "; ".join(parts)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _room_of(request: web.Request, wish: dict[str, Any]) -> str:
    """The room, from the query, where a balancer sees it, or from the body."""
    asked = request.query.getall("room", [])
    named = [*asked, wish["room"]] if "room" in wish else asked
    for room in named:
        check_room(room)
    if len(set(named)) > 1:
        raise web.HTTPBadRequest(reason="room: the address says another one than the body.")
    return named[0] if named else DEFAULT_ROOM


def _wait_s(request: web.Request) -> float:
    try:
        wait_s = float(request.query["wait"])
    except ValueError:
        wait_s = math.nan
    if not 0 <= wait_s <= MAX_WAIT_S:
        raise web.HTTPBadRequest(reason=f"wait: wanted seconds, from 0 to {MAX_WAIT_S:g}.")
    return wait_s


async def _body(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(BODY_S):
            return await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout(reason="The request did not arrive in time.") from None
