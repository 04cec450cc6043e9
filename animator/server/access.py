"""Who may ask, and who is asking: the Host header, the Origin, the token, the address behind a proxy."""

from __future__ import annotations

import hmac
import ipaddress
import re
import socket
from collections.abc import Iterable

from aiohttp import web

from ..timing import Clock
from .certificates import names_in
from .config import ServeConfig
from .limits import RateLimit

SECURED = ("/config.json", "/offer", "/sessions", "/whip", "/whep", "/metrics")
"""Where the token is asked for: the page itself holds no secret, its settings hold a TURN server's password."""
_FOR_OTHERS = ("/whip/", "/whep/", "/sessions/")
_HOST = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<name>[^:\[\]]+))(?::(?P<port>\d{1,5}))?")
_HOP = re.compile(r"(?:\[(?P<v6>[^\]]+)\](?::\d+)?|(?P<v4>[\d.]+):\d+|(?P<bare>.+))")
_PORTS = {"http": "80", "https": "443"}
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Access:
    """Lets requests in, or raises the answer that turns them away."""

    def __init__(self, config: ServeConfig, clock: Clock) -> None:
        self._config = config
        self._names = own_names(config)
        self._proxies = [ipaddress.ip_network(text) for text in config.trusted_proxies]
        self._limit = RateLimit(config.offers_per_minute, 60.0, clock)
        self._wrong = RateLimit(config.offers_per_minute, 60.0, clock)

    def check(self, request: web.Request) -> None:
        """Raise unless host, origin and, where one is needed, token are right."""
        self._check_host(request)
        self._check_origin(request)
        if request.path.startswith(SECURED) and request.method != "OPTIONS":  # browsers ask these bare
            self._check_token(request)

    def check_rate(self, request: web.Request) -> None:
        """Count an attempt to join; raise if there were too many from this address."""
        if not self._limit.allows(self.client_of(request)):
            raise _too_many()

    def client_of(self, request: web.Request) -> str:
        """The client's address: that of the connection or, where that is a trusted proxy's, what the proxy says.

        Each proxy appends whom it heard, so the last entry that is no trusted proxy's is the client: what stands
        before it is the client's own claim."""
        told = request.remote or ""
        address = _address(told)
        if address is None or not self._is_proxy(address):
            return told
        for hop in reversed(",".join(request.headers.getall("X-Forwarded-For", [])).split(",")):
            match = _HOP.fullmatch(hop.strip())
            before = _address(match["v6"] or match["v4"] or match["bare"]) if match else None
            if before is None:
                break
            address = before
            if not self._is_proxy(address):
                break
        return str(address)

    def is_for_others(self, request: web.Request) -> bool:
        """WHIP and WHEP are for other sites' pages too, where a token, which no browser adds by itself, is needed."""
        return self._config.token is not None and request.path.startswith(_FOR_OTHERS)

    def _check_host(self, request: web.Request) -> None:
        """A page of another site, whose name was made to lead here (DNS rebinding), has that name as its Host.

        Only browsers are to be kept out by this, and they always send one; an address, unlike a name, leads
        nobody elsewhere."""
        given = request.headers.getall("Host", [])
        if len(given) > 1:
            raise web.HTTPBadRequest(reason="There is more than one Host header.")
        if given and not self._is_ours(given[0]):
            raise web.HTTPMisdirectedRequest(
                reason="This server is not known by that name: who runs it may allow it with --allow-host."
            )

    def _is_ours(self, host: str) -> bool:
        name, _ = host_and_port(host)
        if name is None:
            return False
        if _address(name) is not None or name in self._names or name.endswith(".localhost"):
            return True
        return any(own.startswith("*.") and name.endswith(own[1:]) for own in self._names)

    def _check_origin(self, request: web.Request) -> None:
        """Another site's page must not use a visitor's browser to reach this server."""
        origin = request.headers.get("Origin")
        if origin is None or self.is_for_others(request):
            return
        scheme, _, place = origin.partition("://")
        if not self._may_be(scheme, request) or not _same_place(place, request.headers.get("Host", ""), scheme):
            raise web.HTTPForbidden(reason="This server answers its own page only.")

    def _may_be(self, scheme: str, request: web.Request) -> bool:
        """Whether our page may have been opened by this scheme."""
        if scheme not in _PORTS:
            return False
        if self._config.secure:
            return scheme == "https"
        address = _address(request.remote or "")
        if address is not None and self._is_proxy(address):
            said = request.headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip().lower()
            if said in _PORTS:
                return scheme == said
        return True  # a proxy that says nothing may speak https

    def _check_token(self, request: web.Request) -> None:
        if self._config.token is None:
            return
        client = self.client_of(request)
        if self._wrong.is_over(client):  # nobody tries tokens until one fits
            raise _too_many()
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        given_bytes = given.encode(errors="surrogateescape")  # headers may hold any bytes
        if not hmac.compare_digest(given_bytes, self._config.token.encode()) or scheme.lower() != "bearer":
            if given:
                self._wrong.allows(client)
            raise web.HTTPUnauthorized(
                reason="This link needs its token: ask for the whole link.", headers={"WWW-Authenticate": "Bearer"}
            )

    def _is_proxy(self, address: Address) -> bool:
        return any(address in network for network in self._proxies)


def own_names(config: ServeConfig) -> frozenset[str]:
    """Names, small letters, that links may call this server by; one with `*.` stands for all below it."""
    machine = socket.gethostname()
    names: Iterable[str] = ["localhost", machine, f"{machine.partition('.')[0]}.local", config.host]
    if config.cert is not None:
        names = [*names, *names_in(config.cert)]
    return frozenset(name.lower().rstrip(".") for name in [*names, *config.allow_hosts])


def host_and_port(text: str) -> tuple[str | None, str | None]:
    """A Host header's parts, the name in small letters; (None, None) where it is none."""
    match = _HOST.fullmatch(text.strip())
    if match is None:
        return None, None
    return (match["v6"] or match["name"]).lower().rstrip("."), match["port"]


def _same_place(place: str, host: str, scheme: str) -> bool:
    name, port = host_and_port(place)
    own_name, own_port = host_and_port(host)
    usual = _PORTS[scheme]
    return name is not None and (name, port or usual) == (own_name, own_port or usual)


def _address(text: str | None) -> Address | None:
    """An address without its zone, an IPv4 one in IPv6's clothes as itself; None for anything else."""
    try:
        address = ipaddress.ip_address((text or "").partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _too_many() -> web.HTTPTooManyRequests:
    return web.HTTPTooManyRequests(
        reason="Too many attempts from this address: wait a minute.", headers={"Retry-After": "60"}
    )
