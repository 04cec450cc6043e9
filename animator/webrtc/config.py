"""Which servers help two peers to find each other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..errors import SettingError

_URL = re.compile(
    r"(?P<scheme>stun|turn|turns):(?P<host>[A-Za-z0-9._-]+)(?::(?P<port>\d{1,5}))?(?:\?transport=(?P<transport>udp|tcp))?"
)
_WANTED = "stun:HOST[:PORT], or turn:HOST[:PORT][?transport=udp|tcp],USER,PASSWORD, or turns: in place of turn:"


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server. Raises SettingError unless it is one that can be used."""

    url: str
    """`stun:HOST[:PORT]`, `turn:HOST[:PORT][?transport=udp|tcp]` or `turns:HOST[:PORT]`."""
    user: str | None = None
    """The name that a TURN server knows us by."""
    password: str | None = field(default=None, repr=False)
    """Goes with the name; kept out of what is printed."""

    def __post_init__(self) -> None:
        match = _URL.fullmatch(self.url)
        if match is None:
            raise SettingError(f"an ICE server must be {_WANTED}, not {self.url!r}")
        if match["port"] and not 1 <= int(match["port"]) <= 65535:
            raise SettingError(f"the port of {self.url!r} must be 1 to 65535, not {match['port']}")
        if match["scheme"] == "stun":
            if match["transport"]:
                raise SettingError(f"{self.url!r}: STUN has no transport to choose, leave ?transport= out")
        elif not (self.user and self.password):
            raise SettingError(f"{self.url!r}: a TURN server needs a user and a password: {_WANTED}")
        if match["scheme"] == "turns" and match["transport"] == "udp":
            raise SettingError(f"{self.url!r}: TURN over TLS goes by tcp only")

    @property
    def is_relay(self) -> bool:
        """Whether it is a TURN server."""
        return self.url.startswith("turn")

    @classmethod
    def from_text(cls, text: str) -> IceServer:
        """`URL[,user,password]`; the password may hold commas."""
        url, *login = text.strip().split(",", 2)
        if len(login) == 1:
            raise SettingError(f"{url!r}: a user without a password; an ICE server must be {_WANTED}")
        return cls(url, *login)


def unhelpful(servers: Iterable[IceServer], sdp: str) -> list[str]:
    """A sentence about the STUN and about the TURN server that our own description shows to have given no address.

    Of several only the first of each kind is used; why it gave none, aioice tells nobody."""
    found = {match[1] for match in re.finditer(r"^a=candidate:.* typ (\w+)", sdp, re.MULTILINE)}
    first = {server.is_relay: server.url for server in reversed(list(servers))}
    complaints = []
    if False in first and "srflx" not in found:
        complaints.append(f"the STUN server {first[False]} did not tell us our address: it cannot be reached")
    if True in first and "relay" not in found:
        complaints.append(
            f"the TURN server {first[True]} gives us no address: it is out of reach, or refuses this user and password"
        )
    return complaints
