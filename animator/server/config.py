"""How a server is set up."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path

from ..config import Config
from ..errors import SettingError
from ..webrtc.config import IceServer
from .turn import SharedSecret

DEFAULT_PORT = 8443
MAX_AVATAR_MB = 512
ROOM = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What a room may be called."""
DEFAULT_ROOM = "main"
TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]+")
"""What a bearer token may hold (RFC 6750)."""
HOST = re.compile(r"(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})")
"""A machine's name without a port; `*.` stands for any name below it."""


@dataclass(frozen=True, slots=True)
class ServeConfig:
    """Settings of one server."""

    host: str = "0.0.0.0"
    port: int = DEFAULT_PORT
    max_sessions: int = 16
    """Performers and viewers together; one more is turned away with 503."""
    workers: int = 1
    """Worker processes; a room lives in one of them."""
    token: str | None = field(default=None, repr=False)
    """What every request must bear; None lets everybody in."""
    ice_servers: tuple[IceServer, ...] = ()
    """STUN and TURN servers; none means that the two ends must reach each other directly."""
    turn: SharedSecret | None = None
    """TURN servers whose logins are made for each client, and expire."""
    cert: Path | None = None
    key: Path | None = None
    self_signed: bool = False
    """Make a certificate for this machine's addresses: phones give their camera to https pages only."""
    allow_hosts: tuple[str, ...] = ()
    """Names, besides this machine's own, that links may call this server by."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks of proxies, whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    offers_per_minute: int = 30
    """From one address; more are answered with 429."""
    avatar_mb: int = 64
    """Of a visitor's own avatar, at most; 0 takes none."""
    silent_s: float = 12.0
    """A client that gives no sign of life for so long is gone."""
    show: Config = field(default_factory=Config)
    """What a session starts with; each may change its own."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise SettingError(f"port: wanted 0 to 65535, got {self.port}")
        if not 1 <= self.max_sessions <= 1000:
            raise SettingError(f"max_sessions: wanted 1 to 1000, got {self.max_sessions}")
        if not 1 <= self.workers <= 64:
            raise SettingError(f"workers: wanted 1 to 64, got {self.workers}")
        if self.offers_per_minute < 1:
            raise SettingError(f"offers_per_minute: wanted 1 or more, got {self.offers_per_minute}")
        if not 0 <= self.avatar_mb <= MAX_AVATAR_MB:
            raise SettingError(f"avatar_mb: wanted 0 to {MAX_AVATAR_MB}, got {self.avatar_mb}")
        if not self.silent_s > 0:
            raise SettingError(f"silent_s: wanted more than 0 seconds, got {self.silent_s}")
        if self.token is not None and not TOKEN.fullmatch(self.token):
            raise SettingError("token: wanted letters, digits and -._~+/= (it travels in links and headers)")
        self._check_certificate()
        for name in self.allow_hosts:
            if not HOST.fullmatch(name):
                raise SettingError(f"allow_hosts: wanted a machine's name, without https:// and port, got {name!r}")
        for network in self.trusted_proxies:
            _check_network(network)

    def _check_certificate(self) -> None:
        if (self.cert is None) != (self.key is None):
            raise SettingError("cert and key: wanted both or neither")
        if self.cert is not None and self.self_signed:
            raise SettingError("self_signed: wanted either a certificate of your own or one made here, got both")
        for path in (self.cert, self.key):
            if path is not None and not path.is_file():
                raise SettingError(f"cert and key: there is no file {path}")

    @property
    def secure(self) -> bool:
        """Whether pages are served by https."""
        return self.self_signed or self.cert is not None

    def ice_servers_now(self) -> tuple[IceServer, ...]:
        """What one client, or one of our own connections, is to use, with logins that are good from now on."""
        return self.ice_servers + (() if self.turn is None else self.turn.servers())


def _check_network(text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        raise SettingError(
            f"trusted_proxies: wanted an address or a network such as 10.0.0.0/8, got {text!r} ({error})"
        ) from None
