"""Clients that no browser is: slow ones, endless ones, nonsense. Each is answered or cut off, and others are served."""

from __future__ import annotations

import asyncio

import pytest

from animator.server import serving, signalling

from .site import OFFER, SDP, Site, at

WAIT_S = 10.0
"""How long a test waits for a connection to be cut, which takes a fraction of a second."""
HEAD = b"POST /offer HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "IDLE_S", 0.3)
    monkeypatch.setattr(serving, "LINGER_S", 0.3)
    monkeypatch.setattr(signalling, "BODY_S", 0.3)


async def said_to(site: Site, *parts: bytes) -> bytes:
    """All that a connection was told before the server cut it."""
    reader, writer = await asyncio.open_connection(*site.host.split(":"))
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await asyncio.wait_for(reader.read(), WAIT_S)
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("start", [b"", b"G", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: b"])
def test_who_never_ends_a_head_is_cut_off(start: bytes) -> None:
    async def test(site: Site) -> None:
        assert await said_to(site, start) == b""

    at(test)


def test_a_head_that_comes_by_the_byte_is_cut_off() -> None:
    async def test(site: Site) -> None:
        reader, writer = await asyncio.open_connection(*site.host.split(":"))
        reading = asyncio.create_task(reader.read())
        for byte in b"GET / HTTP/1.1\r\nX: " + b"y" * 10_000:
            if reading.done():
                break
            writer.write(bytes([byte]))
            await asyncio.wait({reading}, timeout=0.02)
        assert reading.done()
        assert reading.result() == b""
        writer.close()

    at(test)


def test_an_idle_connection_is_cut_off_after_its_answer() -> None:
    async def test(site: Site) -> None:
        said = await said_to(site, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /he")
        assert said.startswith(b"HTTP/1.1 200")
        assert said.count(b"HTTP/1.1") == 1

    at(test)


@pytest.mark.parametrize("body", [b"Content-Length: 900\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"])
def test_a_body_that_never_ends_is_refused(body: bytes) -> None:
    async def test(site: Site) -> None:
        said = await said_to(site, HEAD + body)
        assert said.startswith(b"HTTP/1.1 408")
        assert b"in time" in said
        assert not site.workers.joined

    at(test)


def test_bodies_that_are_too_large_are_refused() -> None:
    async def test(site: Site) -> None:
        endless = (b"10000\r\n" + b"x" * 65_536 + b"\r\n",) * 20
        said = await said_to(site, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *endless)
        assert said.startswith(b"HTTP/1.1 413") or said == b""
        for path, options in (("/offer", {}), ("/whip/r", {"headers": SDP}), ("/whep/r", {"headers": SDP})):
            answer = await site.ask("POST", path, data=b"v=0\r\n" * 200_000, **options)
            assert answer.status == 413
            assert answer.error
        assert not site.workers.joined

    at(test)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",  # TLS at a plain port
        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nSec\x9bX: 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"y" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    ],
    ids=lambda value: str(value[:60]),
)
def test_nonsense_is_answered_or_cut_off_and_not_logged(
    request_bytes: bytes, capfd: pytest.CaptureFixture, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(site: Site) -> None:
        said = await said_to(site, request_bytes)
        assert said[:12] in (b"", b"HTTP/1.1 400", b"HTTP/1.0 400", b"HTTP/1.1 413", b"HTTP/1.1 431")
        assert not site.workers.joined

    at(test)
    assert caplog.records == []
    assert capfd.readouterr().err == ""


def test_a_crowd_that_says_nothing_keeps_nobody_out() -> None:
    async def test(site: Site) -> None:
        crowd = [await asyncio.open_connection(*site.host.split(":")) for _ in range(200)]
        for _, writer in crowd:
            writer.write(b"POST /offer HTTP/1.1\r\n")
        assert (await site.ask("POST", "/offer", json=OFFER)).status == 200
        async with asyncio.timeout(WAIT_S):
            assert [await reader.read() for reader, _ in crowd] == [b""] * 200
        for _, writer in crowd:
            writer.close()

    at(test)
