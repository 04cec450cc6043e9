"""What comes on a data channel is checked, counted and never trusted."""

from __future__ import annotations

from typing import Any

import pytest
from aiortc.exceptions import InvalidStateError

from animator.webrtc.data_channels import (
    BAD_PER_S,
    CONTROL_PER_S,
    MAX_MESSAGE_BYTES,
    MOTION_BACKLOG_BYTES,
    Budget,
    DataChannels,
)


class Channel:
    """aiortc's, as far as it is used."""

    def __init__(self, label: str, state: str = "open") -> None:
        self.label, self.readyState = label, state
        self.bufferedAmount = 0
        self.sent: list[Any] = []
        self.listeners: dict[str, Any] = {}
        self.closed = False

    def on(self, event: str, listener: Any) -> None:
        self.listeners[event] = listener

    def send(self, payload: Any) -> None:
        if self.readyState != "open":
            raise InvalidStateError
        self.sent.append(payload)

    def close(self) -> None:
        self.closed = True


class Desk:
    """DataChannels with both channels, and all that it told."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.told: list[tuple[str, Any]] = []

        def telling(what: str) -> Any:
            return lambda *value: self.told.append((what, *value))

        self.channels = DataChannels(
            lambda: self.now_s,
            on_control=telling("control"),
            on_motion=telling("motion"),
            on_bad=telling("bad"),
            on_flood=telling("flood"),
            on_open=telling("open"),
        )
        self.control, self.motion = Channel("control"), Channel("motion")
        self.channels.adopt(self.control)
        self.channels.adopt(self.motion)
        assert self.told == [("open",)]
        self.told.clear()

    def receive(self, message: Any, channel: str = "control") -> tuple[str, Any]:
        getattr(self, channel).listeners["message"](message)
        return self.told[-1]


def test_good_messages_come_through() -> None:
    desk = Desk()
    assert desk.receive('{"type": "ping", "t": 1.5}') == ("control", {"type": "ping", "t": 1.5})
    assert desk.receive(b"\x01\x02", "motion") == ("motion", b"\x01\x02")
    assert desk.channels.received == 2


@pytest.mark.parametrize(
    "message",
    [
        "", "{", "[]", "3", "null", '"text"', "[" * 16_000, '{"a":' * 3000, '{"t": NaN}', '{"t": -Infinity}',
        "9" * 5000, "x" * (MAX_MESSAGE_BYTES + 1), '{"a": "' + "é" * (MAX_MESSAGE_BYTES // 2) + '"}', b"{}", "\ud800",
    ],
    ids=range(15),
)  # fmt: skip
def test_garbage_is_reported_and_goes_no_further(message: str | bytes) -> None:
    desk = Desk()
    kind, why = desk.receive(message)
    assert kind == "bad"
    assert why
    assert "\n" not in why
    assert desk.receive("{}") == ("control", {})


def test_motion_must_be_binary_and_small() -> None:
    desk = Desk()
    assert desk.receive("text", "motion") == ("bad", "a motion message must be binary")
    assert desk.receive(bytes(MAX_MESSAGE_BYTES + 1), "motion") == ("bad", "a motion message is larger than 16 kB")


def test_too_many_messages_are_dropped_and_a_flood_ends_it() -> None:
    desk = Desk()
    for _ in range(int(CONTROL_PER_S)):
        assert desk.receive("{}")[0] == "control"
    assert desk.receive("{}") == ("bad", "too many control messages")
    desk.now_s += 1.0
    assert desk.receive("{}")[0] == "control"
    for _ in range(int(CONTROL_PER_S + 10 * BAD_PER_S)):
        desk.receive("{}")
    assert desk.told[-1] == ("flood", "too many control messages")


def test_other_channels_are_closed() -> None:
    desk = Desk()
    for channel in (Channel("chat"), Channel("control"), Channel("")):
        desk.channels.adopt(channel)
        assert channel.closed
        assert desk.told[-1][0] == "bad"
    assert not desk.control.closed


def test_old_motion_is_not_queued() -> None:
    desk = Desk()
    assert desk.channels.send_motion(b"1")
    desk.motion.bufferedAmount = MOTION_BACKLOG_BYTES + 1
    assert not desk.channels.send_motion(b"2")
    assert (desk.motion.sent, desk.channels.skipped_motion) == ([b"1"], 1)
    desk.motion.bufferedAmount, desk.motion.readyState = 0, "closed"
    assert not desk.channels.send_motion(b"3")
    desk.control.bufferedAmount = 10**6
    assert not desk.channels.send_control({"type": "pong"})


def test_a_listener_that_fails_does_not_harm_the_channel() -> None:
    def fail(_message: Any) -> None:
        raise KeyError("type")

    desk = Desk()
    desk.channels._on_control = fail
    desk.control.listeners["message"]("{}")
    assert desk.receive(b"", "motion") == ("motion", b"")


def test_a_budget_fills_up_again_but_not_above_its_burst() -> None:
    now_s = 0.0
    budget = Budget(2.0, 3.0, lambda: now_s)
    assert [budget.spend() for _ in range(4)] == [True, True, True, False]
    now_s = 0.5
    assert [budget.spend() for _ in range(2)] == [True, False]
    now_s = 100.0
    assert [budget.spend() for _ in range(4)] == [True, True, True, False]
