"""How a server may be set up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from animator.errors import SettingError
from animator.server.config import ROOM, ServeConfig


def test_the_defaults_can_be_used() -> None:
    config = ServeConfig()
    assert not config.secure
    assert config.token is None
    assert ServeConfig(self_signed=True).secure


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"port": -1}, "port"),
        ({"port": 65_536}, "port"),
        ({"max_sessions": 0}, "max_sessions"),
        ({"max_sessions": 1001}, "max_sessions"),
        ({"workers": 0}, "workers"),
        ({"workers": 65}, "workers"),
        ({"offers_per_minute": 0}, "offers_per_minute"),
        ({"silent_s": 0.0}, "silent"),
        ({"silent_s": float("nan")}, "silent"),
        ({"token": ""}, "token"),
        ({"token": "two words"}, "token"),
        ({"token": "line\nbreak"}, "token"),
        ({"token": "schlüssel"}, "token"),
        ({"cert": Path("c.pem")}, "both or neither"),
        ({"key": Path("k.pem")}, "both or neither"),
        ({"cert": Path("none.pem"), "key": Path("none.pem")}, "there is no file"),
        ({"cert": Path("c.pem"), "key": Path("k.pem"), "self_signed": True}, "self_signed"),
        ({"allow_hosts": ("https://a.example",)}, "allow_hosts"),
        ({"allow_hosts": ("a.example:8443",)}, "allow_hosts"),
        ({"allow_hosts": ("*",)}, "allow_hosts"),
        ({"allow_hosts": ("",)}, "allow_hosts"),
        ({"trusted_proxies": ("proxy.example",)}, "trusted_proxies"),
        ({"trusted_proxies": ("10.0.0.5/8",)}, "trusted_proxies.*host bits"),
        ({"trusted_proxies": ("",)}, "trusted_proxies"),
    ],
)
def test_what_cannot_be_is_named(settings: dict[str, Any], word: str) -> None:
    with pytest.raises(SettingError, match=word) as error:
        ServeConfig(**settings)
    assert "\n" not in str(error.value)


def test_the_token_is_not_shown() -> None:
    assert "secret-7" not in repr(ServeConfig(token="secret-7"))


@pytest.mark.parametrize("name", ["main", "A-b_9", "x" * 64])
def test_names_of_rooms(name: str) -> None:
    assert ROOM.fullmatch(name)


@pytest.mark.parametrize("name", ["", "x" * 65, "a b", "a/b", "..", "é", "a\n", "\u0661"])
def test_names_that_no_room_has(name: str) -> None:
    assert not ROOM.fullmatch(name)
