"""The HTTP API as OpenAPI 3.1 describes it; tests/server/test_openapi.py holds it against the routes."""

from __future__ import annotations

from typing import Any

from .. import __version__
from ..rendering.framing import VIEWS
from .config import DEFAULT_ROOM, ROOM
from .signalling import FATES, MAX_WAIT_S

Part = dict[str, Any]

_TEXT = {"type": "string"}
_SDP = {"application/sdp": {"schema": _TEXT | {"description": "A session description (RFC 8866)."}}}
_ROOM = {"type": "string", "pattern": f"^{ROOM.pattern}$"}
_REFUSALS = {
    "400": "What was sent cannot be used.",
    "401": "The token is missing or wrong.",
    "403": "Another site's page asked.",
    "404": "There is no such thing.",
    "408": "The body did not arrive in time.",
    "410": "It has ended; `state` says how.",
    "409": "The one before is still on its way.",
    "413": "The body is too large: 64 kB are taken, of an avatar what `avatar_mb` of /config.json says.",
    "415": "The body has another type than wanted.",
    "421": "The Host header names no machine that is served here.",
    "429": "Too many attempts from this address.",
    "501": "Sessions are not changed: all candidates belong into the offer and come with the answer.",
    "503": "The server is full, or the part of it that is needed starts again.",
}
_OPEN = ("400", "403", "421")
"""Refusals that any request may meet."""
_SECURED = (*_OPEN, "401", "429")
_JOINING = (*_SECURED, "404", "408", "413", "503")


def description() -> Part:
    """The document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "animator serve",
            "version": __version__,
            "summary": "Signalling for rooms of puppets; media goes by WebRTC.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "security": [{}, {"token": []}],
        "paths": _pages()
        | _joining()
        | _whip("whip", "Publish a camera")
        | _whip("whep", "Watch the stage")
        | _state(),
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "What --token says, if it is given."}
            },
            "schemas": {"Offer": _offer_schema(), "Answer": _answer_schema(), "Refusal": _refusal_schema()},
        },
    }


def _pages() -> Part:
    html = {"text/html": {"schema": _TEXT}}
    page = _operation("The page", {"200": _answer("HTML.", html)}, (*_OPEN, "404"), secured=False)
    file = {"200": _answer("The file.", {"*/*": {}})}
    found = (*_OPEN, "404")
    return {
        "/": {"get": page},
        "/r/{room}": {"parameters": [_in_path("room", _ROOM)], "get": page},
        "/static/{filename}": _with("filename", _operation("A part of the page", file, found, secured=False)),
        "/rigs/{name}.png": _with("name", _operation("An avatar's picture", file, found, secured=False)),
        "/rigs/{name}.glb": _with("name", _operation("An avatar's model, glTF", file, found, secured=False)),
        "/config.json": {
            "get": _operation("What the page must know; ICE servers with logins", _json("Settings.", _object(
                rigs={"type": "array", "items": {"type": "object"}}, views={"type": "array", "items": _TEXT},
                channels={"type": "array", "items": _TEXT}, ice_servers={"type": "array", "items": {"type": "object"}},
                three={"type": "boolean"}, avatar_mb={"type": "integer", "minimum": 0},
                version=_TEXT, token_required={"type": "boolean"},
            )), _SECURED)
        },
        "/openapi.json": {"get": _operation("This description", _json("OpenAPI 3.1.", {"type": "object"}), _OPEN,
                                            secured=False)},
    }  # fmt: skip


def _joining() -> Part:
    ref = {"$ref": "#/components/schemas/Offer"}
    offer = _operation("Join a room", _json("Joined.", {"$ref": "#/components/schemas/Answer"}), _JOINING)
    offer["requestBody"] = {"required": True, "content": {"application/json": {"schema": ref}}}
    offer["parameters"] = [
        {"name": "room", "in": "query", "schema": _ROOM, "description": "Where a balancer sees it; as in the body."}
    ]
    ended = _operation("Leave", {"204": _answer("It has ended.")}, (*_SECURED, "404", "503"))
    there = _operation("Whether a session goes on", {"204": _answer("It does.")}, (*_SECURED, "404", "410"))
    there["parameters"] = [
        {"name": "wait", "in": "query", "schema": {"type": "number", "minimum": 0, "maximum": MAX_WAIT_S},
         "description": "Seconds to wait for its end, of which 410 tells; without it an ended session is 404."}
    ]  # fmt: skip
    patch = _operation("Not supported", {}, (*_SECURED, "501"))
    options = _operation("What is allowed (CORS)", {"204": _answer("See the headers.")}, _OPEN, secured=False)
    takes = {
        f"/sessions/{{session}}/take.{kind}": _with("session", _operation(
            f"The last recording, .{kind}", {"200": _answer("A file.", {media: {"schema": _TEXT}})},
            (*_SECURED, "404", "503"),
        ))
        for kind, media in (("npz", "application/octet-stream"), ("csv", "text/csv"))
    }  # fmt: skip
    return {
        "/offer": {"post": offer},
        "/sessions/{session}": {
            "parameters": [_in_path("session", _TEXT)],
            "get": there, "delete": ended, "patch": patch, "options": options,
        },
        "/sessions/{session}/avatar": {"parameters": [_in_path("session", _TEXT)], "put": _avatar()},
        **takes,
    }  # fmt: skip


def _avatar() -> Part:
    lines = {"type": "array", "items": _TEXT}
    count = {"type": "integer", "minimum": 0}
    said = _object(about={"type": "array", "items": lines}, vertices=count, morphs=count, channels=count, notes=lines)
    put = _operation(
        "Wear an avatar of one's own, for this session", _json("What it says of itself.", said), (*_JOINING, "409")
    )
    put["requestBody"] = {
        "required": True,
        "content": {"application/octet-stream": {"schema": _TEXT | {"description": "A .vrm, .glb or .gltf file."}}},
    }
    return put


def _whip(protocol: str, summary: str) -> Part:
    made = _answer("Joined.", _SDP)
    made["headers"] = {
        "Location": {"required": True, "schema": _TEXT, "description": "The session: DELETE it to leave."},
        "Link": {"schema": _TEXT, "description": 'ICE servers, rel="ice-server", one header each.'},
    }
    post = _operation(f"{summary} ({protocol.upper()})", {"201": made}, (*_JOINING, "415"))
    post["requestBody"] = {"required": True, "content": _SDP}
    nothing = {"204": _answer("Nothing.")}
    return {
        f"/{protocol}/{{room}}": {
            "parameters": [_in_path("room", _ROOM)],
            "post": post,
            "get": _operation("Reserved", nothing, (*_SECURED, "404")),
            "options": _operation("What is taken (CORS)", nothing, (*_OPEN, "404"), secured=False),
        }
    }


def _state() -> Part:
    counts = {"type": "integer", "minimum": 0}
    health = _object(status={"const": "ok"}, sessions=counts, workers=counts, version=_TEXT)
    text = {"200": _answer("Prometheus text.", {"text/plain": {"schema": _TEXT}})}
    return {
        "/health": {"get": _operation("Whether it lives", _json("It does.", health), _OPEN, secured=False)},
        "/metrics": {"get": _operation("Counters", text, _SECURED)},
    }


def _operation(summary: str, answers: Part, refusals: tuple[str, ...], *, secured: bool = True) -> Part:
    refused = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    told = {status: _answer(_REFUSALS[status], refused) for status in sorted(set(refusals))}
    return {"summary": summary, "responses": answers | told} | ({} if secured else {"security": []})


def _answer(text: str, content: Part | None = None) -> Part:
    return {"description": text} | ({"content": content} if content else {})


def _json(text: str, schema: Part) -> Part:
    return {"200": _answer(text, {"application/json": {"schema": schema}})}


def _with(name: str, operation: Part) -> Part:
    return {"parameters": [_in_path(name, _TEXT)], "get": operation}


def _in_path(name: str, schema: Part) -> Part:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _object(**properties: Part) -> Part:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _offer_schema() -> Part:
    more = {
        "room": _ROOM | {"default": DEFAULT_ROOM},
        "role": {"enum": ["perform", "watch"], "default": "perform"},
        "view": {"enum": list(VIEWS)},
        "rig": _TEXT | {"description": "An avatar's name."},
        "puppet": {
            "type": "boolean",
            "default": False,
            "description": "The video is a puppet: shown as it is.",
        },
        "resume": _TEXT | {"description": "A session of one's own that this one replaces."},
    }
    needed = _object(sdp=_TEXT, type={"const": "offer"})
    return needed | {"properties": needed["properties"] | more}


def _answer_schema() -> Part:
    return _object(sdp=_TEXT, type={"const": "answer"}, session=_TEXT)


def _refusal_schema() -> Part:
    refusal = _object(error=_TEXT | {"description": "One sentence."})
    refusal["properties"]["state"] = {"enum": list(FATES)}
    return refusal
