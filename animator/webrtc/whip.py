"""Publishing to a WHIP endpoint and receiving from a WHEP one: HTTP for the hand-shake, then a Peer."""

from __future__ import annotations

import asyncio
import http.client
import logging
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from ..errors import AnimatorError, ProtocolError, SinkError, SourceError
from .config import IceServer
from .descriptions import MAX_SDP_BYTES
from .encoding import CODECS
from .outbound import Fanout
from .peer import CONNECT_S, Listeners, Peer

log = logging.getLogger("animator")

HTTP_TIMEOUT_S = 10.0
MAX_REDIRECTS = 5
_SDP = "application/sdp"


@dataclass(slots=True)
class Session:
    """A stream that is being published or received. Close it: the server is told, then the connection ends."""

    peer: Peer
    _url: str = field(repr=False)  # whoever knows it can end the session, so it is never shown
    _token: str | None = field(repr=False)

    async def close(self) -> None:
        """May be called twice; a server that does not answer only leaves a line in the log."""
        url, self._url = self._url, ""
        try:
            if url:
                await asyncio.to_thread(_request, "DELETE", url, None, self._token)
        except ProtocolError as error:
            log.warning("the session could not be ended in good order: %s", error)
        finally:
            await self.peer.close()


async def publish(
    puppet: Fanout,
    url: str,
    *,
    token: str | None = None,
    listeners: Listeners | None = None,
    ice_servers: Sequence[IceServer] = (),
    codecs: Sequence[str] = CODECS,
    connect_s: float = CONNECT_S,
) -> Session:
    """Send a puppet to a WHIP endpoint; returns once the connection stands. Raises SinkError.

    token     : what goes into `Authorization: Bearer`
    connect_s : seconds that the connection may take"""
    peer = Peer(puppet, listeners=listeners, ice_servers=ice_servers, codecs=codecs)
    return await _begin(peer, url, token, connect_s, SinkError, "publish to")


async def watch(
    url: str,
    *,
    token: str | None = None,
    listeners: Listeners | None = None,
    ice_servers: Sequence[IceServer] = (),
    codecs: Sequence[str] = CODECS,
    connect_s: float = CONNECT_S,
) -> Session:
    """Receive from a WHEP endpoint: the pictures are `session.peer.pictures`. Raises SourceError."""
    peer = Peer(receive=True, listeners=listeners, ice_servers=ice_servers, codecs=codecs)
    return await _begin(peer, url, token, connect_s, SourceError, "receive from")


async def _begin(
    peer: Peer, url: str, token: str | None, connect_s: float, error_class: type[AnimatorError], doing: str
) -> Session:
    session = Session(peer, "", token)
    try:
        offer = await peer.offer(channels=False)
        posted_to, location, answer = await asyncio.to_thread(_post_offer, url, offer, token)
        session._url = urljoin(posted_to, location)
        session._token = token if _origin(session._url) == _origin(url) else None
        await peer.accept(answer)
        if not await peer.connected(connect_s):
            raise ProtocolError(f"it took the offer, but no connection came about within {connect_s:g} s")
    except BaseException as error:
        await session.close()
        if isinstance(error, ProtocolError):
            raise error_class(f"cannot {doing} {_shown(url)}: {error}") from error
        raise
    return session


def _post_offer(url: str, offer: str, token: str | None) -> tuple[str, str, str]:
    """(URL that took the offer, Location, answer)."""
    first = url
    for _ in range(MAX_REDIRECTS + 1):
        # A token is for the server that it was given for, not for one that this server names.
        status, headers, body = _request("POST", url, offer, token if _origin(url) == _origin(first) else None)
        location = headers.get("Location")
        if status in (307, 308) and location:
            url = urljoin(url, location)
            continue
        if status not in (200, 201):
            raise ProtocolError(f"it answered {status}, wanted 201 Created")
        if headers.get_content_type() != _SDP:
            raise ProtocolError(f"it answered with {headers.get_content_type()}, wanted {_SDP}")
        if not location:
            raise ProtocolError("it named no session (no Location header)")
        if status == 200:
            log.warning("%s answered 200 where WHIP wants 201; going on", _shown(url))
        return url, location, body.decode("utf-8", "replace")
    raise ProtocolError(f"it redirected more than {MAX_REDIRECTS} times")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: object) -> None:
        return None


def _request(method: str, url: str, body: str | None, token: str | None) -> tuple[int, http.client.HTTPMessage, bytes]:
    """(status, headers, body); statuses of failure are raised as ProtocolError, redirects are given as they are."""
    if _origin(url)[0] not in ("http", "https") or not _origin(url)[1]:
        raise ProtocolError("wanted an http:// or https:// address")
    headers = {"Content-Type": _SDP, "Accept": _SDP} if body is not None else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else body.encode()
    try:
        request = urllib.request.Request(url, data, headers, method=method)
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=HTTP_TIMEOUT_S) as response:
            text = response.read(MAX_SDP_BYTES + 1)
            return response.status, response.headers, text
    except urllib.error.HTTPError as error:
        with error:
            if 300 <= error.code < 400:
                return error.code, error.headers, b""
        if error.code in (401, 403):
            raise ProtocolError(f"it refused with {error.code}: check the token") from None
        raise ProtocolError(f"it answered {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise ProtocolError(f"it cannot be reached: {error.reason}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        # The error may quote the address or the token, so only its kind is told.
        raise ProtocolError(f"it cannot be reached: {type(error).__name__}") from None


def _origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host, port: whom one talks to. Empty where the address is none."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", "", None


def _shown(url: str) -> str:
    """What may be printed of an address: its path may hold a stream's key."""
    scheme, host, _ = _origin(url)
    return f"{scheme}://{host}/..." if host else "the given address"
