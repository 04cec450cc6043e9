"""Network addresses as people type them, `vmc://192.168.1.7:39539?names=vrm1`, and datagram sockets on them."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from .errors import AnimatorError, SettingError, SinkError

_SWITCH = {"on": True, "off": False}


@dataclass(frozen=True, slots=True)
class Address:
    """One end of a link."""

    scheme: str
    """The protocol, in lower case."""
    host: str
    """A name or an IP address without brackets; empty where the URL has none."""
    port: int
    path: str
    """With its first slash, or empty."""
    options: Mapping[str, str]
    """What stands after the question mark."""

    @property
    def place(self) -> str:
        """`HOST:PORT`, for people."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def choice(self, name: str, allowed: Sequence[str]) -> str:
        """One of `allowed`; the first unless the URL says otherwise."""
        value = self.options.get(name, allowed[0])
        if value not in allowed:
            raise SettingError(f"{self.scheme}: wanted {name}={'|'.join(allowed)}, got {name}={value}")
        return value

    def switch(self, name: str, default: bool) -> bool:
        """`on` or `off`."""
        value = self.options.get(name)
        if value is not None and value not in _SWITCH:
            raise SettingError(f"{self.scheme}: wanted {name}=on or {name}=off, got {name}={value}")
        return default if value is None else _SWITCH[value]

    def several(self, name: str, allowed: Sequence[str]) -> frozenset[str]:
        """Some of `allowed`, separated by commas; none unless the URL says otherwise."""
        values = frozenset(filter(None, self.options.get(name, "").split(",")))
        if not values <= set(allowed):
            raise SettingError(f"{self.scheme}: wanted {name}= of {','.join(allowed)}, got {self.options[name]}")
        return values

    def number(self, name: str, default: int, lowest: int, highest: int) -> int:
        """A whole number within limits."""
        text = self.options.get(name, str(default))
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not lowest <= int(text) <= highest:
            raise SettingError(f"{self.scheme}: wanted {name}={lowest}..{highest}, got {name}={text}")
        return int(text)


def scheme_of(url: str) -> str:
    """The part before `://` in lower case; empty where there is none."""
    return url.partition("://")[0].lower() if "://" in url else ""


def address_from_url(url: str, port: int | None, options: Sequence[str]) -> Address:
    """Read a URL.

    port    : what a URL without one means; None demands one
    options : the names that may stand after the question mark
    raises  : SettingError with what was wanted"""
    scheme = scheme_of(url)
    try:
        parts = urlsplit(url)
        found = parts.port
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError as error:
        raise SettingError(f"{url}: wanted {scheme}://HOST:PORT ({error})") from None
    if (found is None and port is None) or not scheme or parts.username is not None or parts.fragment:
        raise SettingError(f"{url}: wanted {scheme or 'PROTOCOL'}://HOST:PORT")
    given = dict(pairs)
    unknown = sorted(set(given) - set(options))
    if unknown or len(given) != len(pairs):
        known = f"it has {', '.join(sorted(options))}" if options else "it has none"
        raise SettingError(f"{url}: {scheme} has no option {', '.join(unknown) or 'twice'}; {known}")
    return Address(scheme, parts.hostname or "", port if found is None else found, parts.path, given)


def _looked_up(host: str, port: int) -> tuple[int, int, tuple]:
    """(family, kind, place). Of several IPv4: `localhost` may be ::1, where most of these programs do not listen."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    family, kind, _, _, place = min(found, key=lambda one: one[0] != socket.AF_INET)
    return family, kind, place


def connected_socket(host: str, port: int, name: str) -> socket.socket:
    """A socket that sends to one place and never waits. Raises SinkError."""
    try:
        family, kind, place = _looked_up(host, port)
        found = socket.socket(family, kind)
        try:
            found.setblocking(False)
            found.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            found.connect(place)
        except OSError:
            found.close()
            raise
    except (OSError, UnicodeError) as error:
        raise SinkError(f"cannot send to {name}: {getattr(error, 'strerror', None) or error}") from None
    return found


def bound_socket(host: str, port: int, name: str, error_type: type[AnimatorError]) -> socket.socket:
    """A socket that listens and never waits; an empty host is every IPv4 address of this machine.

    Raises `error_type`."""
    try:
        family, kind, place = _looked_up(host or "0.0.0.0", port)
        found = socket.socket(family, kind)
        try:
            found.setblocking(False)
            found.bind(place)
        except OSError:
            found.close()
            raise
    except (OSError, UnicodeError) as error:
        raise error_type(f"cannot listen on {name}: {getattr(error, 'strerror', None) or error}") from None
    return found


def may_connect(origin: str | None, allowed: frozenset[str]) -> bool:
    """Whether a page of this `Origin` may use a WebSocket here: a browser would let pages of any site try.

    Programs, which send none, may, and pages of this machine, and those that were named (`*`: all)."""
    if origin is None or origin in allowed or "*" in allowed:
        return True
    try:
        return urlsplit(origin).hostname in ("localhost", "127.0.0.1", "::1")
    except ValueError:
        return False
