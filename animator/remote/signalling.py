"""The hand-shake with an `animator serve`: a few HTTP requests, made on threads. Media never comes through here."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from ..errors import AnimatorError, ProtocolError, SettingError, SourceError
from ..webrtc.config import IceServer

T = TypeVar("T")

HTTP_TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 256 * 1024
DEFAULT_ROOM = "main"
_MAY_PASS = (429, 502, 503, 504)
"""What a server says that is full, being restarted or asked too often."""


class Unreachable(SourceError):  # noqa: N818 - it is a SourceError that can tell more
    """A server cannot be reached or has refused; `may_pass` tells whether it is worth trying again."""

    def __init__(self, sentence: str, *, may_pass: bool) -> None:
        super().__init__(sentence)
        self.may_pass = may_pass


@dataclass(frozen=True, slots=True)
class Address:
    """A room of a server, as its link says."""

    server: str
    """`https://HOST:PORT`, and the path that a proxy may have put before the server's own."""
    room: str = DEFAULT_ROOM
    token: str | None = field(default=None, repr=False)
    insecure: bool = False
    """Take any certificate: the connection is encrypted, but whoever is in between can read it."""

    @property
    def host(self) -> str:
        """HOST:PORT, for messages."""
        return urlsplit(self.server).netloc.rpartition("@")[2]

    @property
    def name(self) -> str:
        """What a person would call it."""
        return f"room {self.room} at {self.host}"


def address_from_link(link: str, token: str | None = None, *, insecure: bool = False) -> Address:
    """What `animator serve` prints: http(s)://HOST:PORT/, with /r/ROOM, with #token=TOKEN. `token` wins over that."""
    try:
        parts = urlsplit(link.strip())
        parts.port  # noqa: B018 - raises where it is no number
    except ValueError as error:
        raise SettingError(f"{link!r} is not a link: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingError(f"wanted the server's link, such as https://192.168.1.5:8443/r/main, not {link!r}")
    path = re.fullmatch(r"(?P<before>.*?)(?:/r/(?P<room>[^/]*))?/?", parts.path)
    room = path["room"] or DEFAULT_ROOM
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", room):
        raise SettingError(f"{room!r} cannot be a room: its name has 1 to 64 letters, digits, - or _")
    in_link = parse_qs(parts.fragment).get("token", [None])[0]
    return Address(f"{parts.scheme}://{parts.netloc}{path['before']}", room, token or in_link, insecure)


@dataclass(frozen=True, slots=True)
class Joined:
    """The server's answer to an offer."""

    session: str
    answer: str


async def ice_servers_of(address: Address) -> tuple[IceServer, ...]:
    """The STUN and TURN servers that the server names."""
    config = await _apart(lambda: _request("GET", address, "/config.json"))
    found = []
    try:
        for server in config["ice_servers"]:
            found += [IceServer(url, server.get("username"), server.get("credential")) for url in server["urls"]]
    except (KeyError, TypeError, AttributeError, AnimatorError):
        raise Unreachable(f"{address.host} answers, but is not an `animator serve`", may_pass=False) from None
    return tuple(found)


async def join(address: Address, offer: str, wish: dict[str, Any]) -> Joined:
    """Hand in an offer; raises Unreachable with one sentence. The room is in the address, too, for a balancer.

    wish : role and whatever else goes beside the offer"""
    body = {"sdp": offer, "type": "offer", "room": address.room} | wish
    answer = await _apart(lambda: _request("POST", address, f"/offer?room={address.room}", body))
    if not isinstance(answer.get("sdp"), str) or not isinstance(answer.get("session"), str):
        raise ProtocolError(f"{address.host} answered the offer with something else than an answer")
    return Joined(answer["session"], answer["sdp"])


async def leave(address: Address, session: str) -> None:
    """End a session."""
    await _apart(lambda: _request("DELETE", address, f"/sessions/{session}?room={address.room}"))


def printable(text: str, most: int = 200) -> str:
    """What a stranger says, as one line that does nothing to a terminal."""
    return "".join(c if c.isprintable() else " " for c in text[: 4 * most]).strip()[:most]


async def _apart(work: Callable[[], T]) -> T:
    """Run on a thread that nobody waits for at the end: a server that is silent must not hold up Ctrl-C."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)

    def run() -> None:
        try:
            outcome = (work(), None)
        except Exception as error:
            outcome = (None, error)
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, daemon=True).start()
    return await done


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A POST that is redirected would arrive as a GET, and a token must not go elsewhere."""

    def redirect_request(self, *_arguments: object) -> None:
        return None


def _request(method: str, address: Address, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    headers = {"Accept": "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    if address.token:
        headers["Authorization"] = f"Bearer {address.token}"
    data = None if body is None else json.dumps(body).encode()
    try:
        request = urllib.request.Request(address.server + path, data, headers, method=method)
        handlers = [_NoRedirects(), urllib.request.HTTPSHandler(context=_tls(address))]
        with urllib.request.build_opener(*handlers).open(request, timeout=HTTP_TIMEOUT_S) as response:
            text = response.read(MAX_ANSWER_BYTES)
        answer = json.loads(text) if text else {}
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(address, error) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _no_answer(address, error) from None
    if not isinstance(answer, dict):
        raise Unreachable(f"{address.host} answers, but is not an `animator serve`", may_pass=False)
    return answer


def _tls(address: Address) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if address.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _refusal(address: Address, error: urllib.error.HTTPError) -> Unreachable:
    """One sentence of a status, with the server's own where it gave one."""
    try:
        said = str(json.loads(error.read(4096))["error"])
    except (ValueError, KeyError, TypeError, OSError):
        said = error.reason if isinstance(error.reason, str) else ""
    said = printable(said)
    if error.code in (401, 403):
        remedy = "wrong token: check it" if address.token else "use the whole link with #token=..., or --token"
        said = f"{said.rstrip('.')} ({remedy})"
    elif 300 <= error.code < 400:
        said = f"it redirects to {printable(str(error.headers.get('Location')))}: use that link"
    elif error.code in (404, 405):
        said = f"{said.rstrip('.')} (is this the link that `animator serve` printed?)"
    return Unreachable(f"{address.host} refuses with {error.code}: {said}", may_pass=error.code in _MAY_PASS)


def _no_answer(address: Address, error: Exception) -> Unreachable:
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return Unreachable(
            f"the certificate of {address.host} is not one that this machine trusts ({reason.verify_message}): "
            "if the server is your own and made its certificate itself, add --insecure",
            may_pass=False,
        )
    if isinstance(reason, ssl.SSLError):
        return Unreachable(f"{address.host} does not speak https: try http:// ({reason.reason})", may_pass=False)
    if isinstance(error, ValueError):
        return Unreachable(f"{address.host} answers, but is not an `animator serve`", may_pass=False)
    if isinstance(reason, http.client.RemoteDisconnected | http.client.BadStatusLine):
        return Unreachable(f"{address.host} hangs up: if it serves https, begin the link with https://", may_pass=True)
    said = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return Unreachable(f"{address.host} cannot be reached: {said}", may_pass=True)
