"""What names an ICE server, and what does not."""

from __future__ import annotations

import pytest

from animator.errors import SettingError
from animator.webrtc.config import IceServer, unhelpful


@pytest.mark.parametrize(
    ("text", "url", "user", "password"),
    [
        ("stun:stun.example.org", "stun:stun.example.org", None, None),
        (" stun:192.0.2.7:3478 ", "stun:192.0.2.7:3478", None, None),
        ("turn:a.example,me,pass,with,commas", "turn:a.example", "me", "pass,with,commas"),
        ("turn:a.example:80?transport=tcp,me,x", "turn:a.example:80?transport=tcp", "me", "x"),
        ("turns:a.example:443,me,x", "turns:a.example:443", "me", "x"),
    ],
)
def test_good_ones(text: str, url: str, user: str | None, password: str | None) -> None:
    server = IceServer.from_text(text)
    assert server == IceServer(url, user, password)
    assert server.is_relay == (user is not None)


@pytest.mark.parametrize(
    "text",
    [
        "", "stun.example.org", "http://a.example", "stun:", "stun:a:0", "stun:a:65536", "stun:a:99999999",
        "stun:a?transport=udp", "stuns:a", "turn:a", "turn:a,me", "turn:a,,", "turn:a,me,",
        "turns:a?transport=udp,me,x",
        "turn:a?transport=sctp,me,x", "stun:a b", "stun:[::1]",
    ],
)  # fmt: skip
def test_bad_ones_are_named_in_one_line(text: str) -> None:
    with pytest.raises(SettingError) as caught:
        IceServer.from_text(text)
    assert "\n" not in str(caught.value)


def test_the_password_is_not_printed() -> None:
    assert "secret" not in repr(IceServer("turn:a", "me", "secret"))


@pytest.mark.parametrize(
    ("kinds", "complained_of"),
    [
        (("host", "srflx", "relay"), []),
        (("host", "srflx"), ["turn:a"]),
        (("relay",), ["stun:a"]),
        (("host",), ["stun:a", "turn:a"]),
        ((), ["stun:a", "turn:a"]),
    ],
)
def test_servers_that_gave_no_address_are_told_of(kinds: tuple[str, ...], complained_of: list[str]) -> None:
    servers = [IceServer.from_text(text) for text in ("stun:a", "turn:a,me,secret", "stun:b", "turn:b,me,secret")]
    sdp = "".join(f"a=candidate:1 1 udp 2 10.0.0.1 5 typ {kind} generation 0\r\n" for kind in kinds)
    said = unhelpful(servers, "v=0\r\n" + sdp)
    assert len(said) == len(complained_of)
    for sentence, url in zip(said, complained_of, strict=True):
        assert url in sentence
        assert "secret" not in sentence
    assert unhelpful([], sdp) == []
