"""Logins for TURN servers that expire: coturn's `use-auth-secret`.

The TURN server and we share a secret. A login's name says until when it is good, its password is the name's
HMAC-SHA1 by that secret, so whoever gets hold of one can use it for some hours, and never make another.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ..errors import SettingError
from ..webrtc.config import IceServer

GOOD_FOR_S = 12 * 3600
"""A login is asked for again when a relay is renewed, so it must outlast a stay."""


@dataclass(frozen=True, slots=True)
class SharedSecret:
    """TURN servers that share one secret with us."""

    urls: tuple[str, ...]
    """`turn:HOST[:PORT][?transport=udp|tcp]` or `turns:HOST[:PORT]`."""
    secret: str = field(repr=False)
    """`static-auth-secret` in coturn's settings."""

    def __post_init__(self) -> None:
        if not self.secret or not self.secret.isprintable():
            raise SettingError("turn_secret: wanted the text that the TURN server has as its static-auth-secret")
        if not self.urls:
            raise SettingError("turn_secret: there is no TURN server without USER,PASSWORD that it could be for")
        self.servers()

    def servers(self, now_s: Callable[[], float] = time.time) -> tuple[IceServer, ...]:
        """The servers with a login of their own for one client; `now_s`: seconds since 1970."""
        # Each name is another: a TURN server's `user-quota` then counts clients.
        user = f"{int(now_s()) + GOOD_FOR_S}:{secrets.token_hex(4)}"
        digest = hmac.new(self.secret.encode(), user.encode(), hashlib.sha1).digest()
        password = base64.b64encode(digest).decode()
        return tuple(IceServer(url, user, password) for url in self.urls)
