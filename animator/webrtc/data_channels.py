"""The two data channels: `control` carries JSON both ways, `motion` carries whatever is newest."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from aiortc import RTCDataChannel
from aiortc.exceptions import InvalidStateError

from ..timing import Clock

log = logging.getLogger("animator")

MAX_MESSAGE_BYTES = 16 * 1024
CONTROL_PER_S, MOTION_PER_S = 50.0, 250.0
"""Messages that a peer may send, with as many again at once."""
BAD_PER_S = 10.0
"""Messages that break a rule and are forgiven, with ten seconds' worth at once."""
MOTION_BACKLOG_BYTES = 4 * 1024
"""Motion that waits is old: nothing is added to more than this."""
CONTROL_BACKLOG_BYTES = 256 * 1024
"""A peer that leaves this much unread gets no more."""


class Budget:
    """So many events a second, and `burst` at once."""

    def __init__(self, per_s: float, burst: float, clock: Clock) -> None:
        self._per_s, self._burst, self._clock = per_s, burst, clock
        self._left, self._then_s = burst, clock()

    def spend(self) -> bool:
        """Take one; False if there is none."""
        now_s = self._clock()
        self._left = min(self._burst, self._left + (now_s - self._then_s) * self._per_s)
        self._then_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


class DataChannels:
    """Sends and checks the messages of one peer. All on the event loop.

    on_control : called with each JSON object
    on_motion  : called with each binary message
    on_bad     : called with one sentence for each message that breaks a rule; the message goes no further
    on_flood   : called with one sentence once there are too many of these
    on_open    : called once `control` can be sent on"""

    def __init__(
        self,
        clock: Clock,
        *,
        on_control: Callable[[dict[str, Any]], None],
        on_motion: Callable[[bytes], None],
        on_bad: Callable[[str], None],
        on_flood: Callable[[str], None],
        on_open: Callable[[], None],
    ) -> None:
        self._on_control, self._on_motion, self._on_bad = on_control, on_motion, on_bad
        self._on_flood, self._on_open = on_flood, on_open
        self._channels: dict[str, RTCDataChannel] = {}
        self._budgets = {
            "control": Budget(CONTROL_PER_S, CONTROL_PER_S, clock),
            "motion": Budget(MOTION_PER_S, MOTION_PER_S, clock),
        }
        self._forgiveness = Budget(BAD_PER_S, 10 * BAD_PER_S, clock)
        self.received = 0
        """Messages that came, good or bad."""
        self.skipped_motion = 0
        """Motion messages that were not sent because older ones still waited."""

    @property
    def has_control(self) -> bool:
        """Whether there is or was a control channel."""
        return "control" in self._channels

    def adopt(self, channel: RTCDataChannel) -> None:
        """Use a channel if it is one of ours and the first of its name; close it otherwise."""
        name = channel.label
        if name not in self._budgets or name in self._channels:
            channel.close()
            self._bad("an unknown data channel was closed: they are called control and motion, one of each")
            return
        self._channels[name] = channel
        channel.on("message", self._receive_control if name == "control" else self._receive_motion)
        if name == "control":
            if channel.readyState == "open":
                self._on_open()
            else:
                channel.on("open", self._on_open)

    def send_control(self, message: dict[str, Any]) -> bool:
        """Send an object as JSON; False where the channel is not open or the peer has stopped reading."""
        return self._send("control", json.dumps(message, separators=(",", ":")), CONTROL_BACKLOG_BYTES)

    def send_motion(self, payload: bytes) -> bool:
        """Send a binary message unless older ones still wait; tells whether it did."""
        sent = self._send("motion", payload, MOTION_BACKLOG_BYTES)
        self.skipped_motion += not sent
        return sent

    def _send(self, name: str, payload: str | bytes, backlog_bytes: int) -> bool:
        channel = self._channels.get(name)
        if channel is None or channel.readyState != "open" or channel.bufferedAmount > backlog_bytes:
            return False
        try:
            channel.send(payload)
        except (InvalidStateError, ValueError):  # it closed meanwhile, or the peer takes no message of this size
            return False
        return True

    def _receive_control(self, text: str | bytes) -> None:
        if not self._admit("control", text, str):
            return
        try:
            message = json.loads(text, parse_constant=_refuse)
        except (ValueError, RecursionError):
            self._bad("a control message is not JSON")
            return
        if isinstance(message, dict):
            self._tell(self._on_control, message)
        else:
            self._bad("a control message must be a JSON object")

    def _receive_motion(self, payload: bytes | str) -> None:
        if self._admit("motion", payload, bytes):
            self._tell(self._on_motion, payload)

    def _admit(self, name: str, payload: str | bytes, want: type) -> bool:
        self.received += 1
        if not self._budgets[name].spend():
            self._bad(f"too many {name} messages")
        elif not isinstance(payload, want):
            self._bad(f"a {name} message must be {'text' if want is str else 'binary'}")
        elif len(payload) > MAX_MESSAGE_BYTES or (
            want is str and len(payload.encode(errors="replace")) > MAX_MESSAGE_BYTES
        ):
            self._bad(f"a {name} message is larger than {MAX_MESSAGE_BYTES // 1024} kB")
        else:
            return True
        return False

    def _bad(self, why: str) -> None:
        if self._forgiveness.spend():
            self._tell(self._on_bad, why)
        else:
            self._on_flood(why)

    @staticmethod
    def _tell(listener: Callable[[Any], None], what: Any) -> None:
        try:
            listener(what)
        except Exception:  # a listener's slip must not end the connection, which aiortc's receiving task is
            log.exception("a listener of a data channel failed")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
