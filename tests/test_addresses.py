"""Network addresses as people type them."""

from __future__ import annotations

import socket

import pytest

from animator.addresses import address_from_url, bound_socket, connected_socket, may_connect, scheme_of
from animator.errors import SettingError, SinkError, SourceError


def test_a_url_is_taken_apart() -> None:
    address = address_from_url("VMC://Host.local:39540/a/b?names=vrm0&mirror=on", 1, ("names", "mirror"))
    assert (address.scheme, address.host, address.port, address.path) == ("vmc", "host.local", 39540, "/a/b")
    assert address.options == {"names": "vrm0", "mirror": "on"}
    assert address.place == "host.local:39540"
    assert address_from_url("vmc://:5", 1, ()).host == ""
    assert address_from_url("vmc://h", 39539, ()).port == 39539
    assert address_from_url("vmc://[::1]:7", 1, ()).place == "[::1]:7"
    assert [scheme_of(text) for text in ("WS://x", "clip.mp4", "C:\\clip.mp4")] == ["ws", "", ""]


@pytest.mark.parametrize(
    "url",
    ["vmc://h:x", "vmc://h:70000", "vmc://u@h:1", "vmc://h:1#f", "vmc://[h:1", "vmc://h:1?a", "vmc://h:1?a=1&a=2", "h"],
)
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(SettingError, match=r"wanted|has no option"):
        address_from_url(url, 1, ("a",))


def test_options_are_checked() -> None:
    address = address_from_url("p://h:1?c=x&s=maybe&n=7&m=a,b", None, ("c", "s", "n", "m", "o"))
    assert address.choice("o", ("first", "second")) == "first"
    assert address.choice("c", ("y", "x")) == "x"
    assert address.number("n", 1, 0, 9) == 7
    assert address.switch("o", True) is True
    assert address.several("m", ("a", "b", "c")) == {"a", "b"}
    assert address.several("o", ("a",)) == frozenset()
    for wrong in (
        lambda: address.choice("c", ("y",)), lambda: address.switch("s", True), lambda: address.number("n", 1, 0, 5),
        lambda: address.number("c", 1, 0, 5), lambda: address.several("m", ("a",)),
    ):  # fmt: skip
        with pytest.raises(SettingError, match="p: wanted"):
            wrong()


def test_sockets_never_wait_and_what_cannot_be_had_is_told() -> None:
    with bound_socket("127.0.0.1", 0, "here", SourceError) as listening:
        place = listening.getsockname()
        with pytest.raises(BlockingIOError):
            listening.recv(1)
        with pytest.raises(SourceError, match="cannot listen on there: Address already in use"):
            bound_socket(*place, "there", SourceError)
        with connected_socket(*place, "here") as sending:
            assert not sending.getblocking()
            sending.send(b"x")
    with pytest.raises(SinkError, match="cannot send to there"):
        connected_socket("no.such.host.invalid", 1, "there")


@pytest.mark.parametrize(
    ("origin", "allowed", "may"),
    [
        (None, "", True), ("http://localhost:5", "", True), ("http://[::1]", "", True), ("null", "", False),
        ("https://a.example", "", False), ("https://a.example", "https://a.example", True), ("null", "*", True),
        ("https://127.0.0.1.example", "", False),
    ],
)  # fmt: skip
def test_who_may_connect(origin: str | None, allowed: str, may: bool) -> None:
    assert may_connect(origin, frozenset(filter(None, [allowed]))) is may


def test_of_several_addresses_ipv4_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """`localhost` is ::1 first on many systems, and Unreal, say, listens on IPv4."""
    kind = socket.SOCK_DGRAM
    found = [(socket.AF_INET6, kind, 17, "", ("::1", 9, 0, 0)), (socket.AF_INET, kind, 17, "", ("127.0.0.1", 9))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: found)
    with connected_socket("localhost", 9, "here") as sending:
        assert sending.getpeername() == ("127.0.0.1", 9)
