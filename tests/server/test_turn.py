"""Logins that expire, as coturn's `use-auth-secret` checks them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import shutil
import socket
from pathlib import Path

import pytest
from aioice import stun, turn

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


@pytest.mark.skipif(shutil.which("turnserver") is None, reason="there is no turnserver (Debian's coturn)")
def test_coturn_takes_our_logins_until_they_expire_and_no_others(tmp_path: Path) -> None:
    async def allocate(port: int, user: str, password: str) -> bool:
        try:
            relay, _ = await turn.create_turn_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", port), user, password)
        except stun.TransactionFailed:
            return False
        relay.close()
        return True

    async def test() -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        coturn = await asyncio.create_subprocess_exec(
            "turnserver", "-n", "--use-auth-secret", "--static-auth-secret=north", "--realm=puppets.example.org",
            f"--listening-port={port}", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--allow-loopback-peers",
            "--no-tls", "--no-dtls", "--no-cli", "--no-stdout-log", f"--log-file={tmp_path}/log",
            f"--pidfile={tmp_path}/pid", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            cwd=tmp_path,
        )  # fmt: skip
        try:
            url = (f"turn:127.0.0.1:{port}",)
            (good,) = SharedSecret(url, "north").servers()
            async with asyncio.timeout(30):
                while True:  # it takes a moment to start
                    try:
                        async with asyncio.timeout(2):
                            assert await allocate(port, good.user, good.password)
                        break
                    except (TimeoutError, stun.TransactionTimeout, ConnectionError):
                        continue
                (old,) = SharedSecret(url, "north").servers(lambda: 1000.0)
                (others,) = SharedSecret(url, "south").servers()
                for bad in (old, others):
                    assert not await allocate(port, bad.user, bad.password)
        finally:
            coturn.terminate()
            await coturn.wait()

    asyncio.run(test())
