"""What names an ICE server, and what does not."""

from __future__ import annotations

import pytest

from animator.errors import SettingError
from animator.webrtc.config import IceServer


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
    assert IceServer.from_text(text) == IceServer(url, user, password)


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
