"""How often one address may knock."""

from __future__ import annotations

import ipaddress
from collections import deque

from ..timing import Clock

MAX_ADDRESSES = 10_000
"""Addresses remembered at most: a flood from many must not fill the memory."""


class RateLimit:
    """At most `count` events in any `window_s` from one address."""

    def __init__(self, count: int, window_s: float, clock: Clock) -> None:
        self._count, self._window_s, self._clock = count, window_s, clock
        self._seen: dict[str, deque[float]] = {}

    def allows(self, address: str) -> bool:
        """Count one event and tell whether it may pass."""
        if self.is_over(address):
            return False
        now_s, address = self._clock(), one_client(address)
        if address not in self._seen and len(self._seen) >= MAX_ADDRESSES:
            self._forget(now_s)
        self._seen.setdefault(address, deque()).append(now_s)
        return True

    def is_over(self, address: str) -> bool:
        """Whether the next event would be one too many; counts nothing."""
        now_s, times = self._clock(), self._seen.get(one_client(address), deque())
        while times and now_s - times[0] > self._window_s:
            times.popleft()
        return len(times) >= self._count

    def _forget(self, now_s: float) -> None:
        """Drop whoever was not seen in the window, or else everybody: better a limit too loose than none of it."""
        self._seen = {a: t for a, t in self._seen.items() if t and now_s - t[-1] <= self._window_s}
        if len(self._seen) >= MAX_ADDRESSES:
            self._seen.clear()


def one_client(address: str) -> str:
    """What stands for a client: of IPv6 the /64 network, in which anybody may have as many addresses as they like."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
