"""Logins that expire, as coturn's `use-auth-secret` checks them."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from animator.errors import SettingError
from animator.server.config import ServeConfig
from animator.server.turn import GOOD_FOR_S, SharedSecret
from animator.webrtc.config import IceServer


def test_a_login_is_what_the_turn_server_works_out_itself() -> None:
    tls, udp = SharedSecret(("turns:a.example", "turn:a.example?transport=udp"), "north").servers(lambda: 1000.9)
    expires, _, name = udp.user.partition(":")
    assert int(expires) == 1000 + GOOD_FOR_S
    assert name
    want = hmac.new(b"north", udp.user.encode(), hashlib.sha1).digest()
    assert base64.b64decode(udp.password) == want
    assert (tls.user, tls.password) == (udp.user, udp.password)


def test_a_known_login() -> None:
    """Checked once by `printf %s 1700000000:x | openssl dgst -sha1 -hmac north -binary | base64`."""
    digest = hmac.new(b"north", b"1700000000:x", hashlib.sha1).digest()
    assert base64.b64encode(digest) == b"VfuvcFeO8Kni083/bCKUEsscHGw="


def test_each_client_has_its_own_login() -> None:
    shared = SharedSecret(("turn:a.example",), "north")
    assert len({shared.servers(lambda: 5.0)[0].user for _ in range(50)}) == 50


def test_a_server_gives_fixed_servers_and_fresh_logins() -> None:
    fixed = IceServer("stun:b.example")
    config = ServeConfig(ice_servers=(fixed,), turn=SharedSecret(("turn:a.example",), "north"))
    first, fresh = config.ice_servers_now()
    assert (first, fresh.url) == (fixed, "turn:a.example")
    assert config.ice_servers_now()[1] != fresh
    assert "north" not in repr(config)
    assert fresh.password not in repr(fresh)


@pytest.mark.parametrize(
    ("urls", "secret", "word"),
    [((), "north", "turn_secret"), (("turn:a",), "", "turn_secret"), (("turn:a",), "two\nlines", "turn_secret"),
     (("turn:a b",), "north", "ICE server")],
)  # fmt: skip
def test_what_cannot_be_is_named(urls: tuple[str, ...], secret: str, word: str) -> None:
    with pytest.raises(SettingError, match=word) as told:
        SharedSecret(urls, secret)
    assert not secret or secret not in str(told.value)
