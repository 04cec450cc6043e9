"""Who is let in: host, token, origin, rate, and who is who behind a proxy; workers only pretend."""

from __future__ import annotations

import json
import logging
import socket

import pytest

from animator.webrtc.config import IceServer

from .site import OFFER, SDP, TOKEN, Site, at, bearing


def test_the_token(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    asked = (
        ("POST", "/offer", {"json": OFFER}, 200),
        ("POST", "/whip/r", {"data": "v=0", "headers": SDP}, 201),
        ("POST", "/whep/r", {"data": "v=0", "headers": SDP}, 201),
        ("DELETE", "/sessions/none", {}, 404),
        ("GET", "/sessions/none/take.npz", {}, 404),
        ("GET", "/metrics", {}, 200),
        ("GET", "/config.json", {}, 200),  # it may hold the password of a TURN server
    )
    wrong = (
        {},
        bearing("wrong"),
        bearing(""),
        bearing(TOKEN + "x"),
        bearing(TOKEN[:-1]),
        bearing("\u00fc"),
        {"Authorization": TOKEN},
        {"Authorization": f"Basic {TOKEN}"},
    )

    async def test(site: Site) -> None:
        for method, path, options, good in asked:
            headers = options.get("headers", {})
            for given in wrong:
                answer = await site.ask(method, path, **options | {"headers": headers | given})
                assert answer.status == 401
                assert answer.headers["WWW-Authenticate"] == "Bearer"
                assert TOKEN not in answer.error
            answer = await site.ask(method, f"{path}?token={TOKEN}", **options)
            assert answer.status == 401  # an address is logged and shared: no token belongs into it
            for scheme in ("Bearer", "bearer"):
                given = {"Authorization": f"{scheme} {TOKEN}"}
                assert (await site.ask(method, path, **options | {"headers": headers | given})).status == good
        for path in ("/", "/health", "/static/app.js"):
            assert (await site.ask("GET", path)).status == 200
        raw = await site.raw(
            b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \xff\xfe\r\nConnection: close\r\n\r\n"
        )
        assert raw.startswith(b"HTTP/1.1 401")
        site.workers.trouble = RuntimeError("a fault")
        await site.ask("POST", "/offer", json=OFFER, headers=bearing(TOKEN))

    at(test, token=TOKEN)
    # What the test's own client logs of its requests is not the server's.
    assert not [record for record in caplog.records if TOKEN in record.getMessage() and record.name != "aiohttp.client"]
    assert TOKEN not in "".join(capfd.readouterr())


def test_without_a_token_everybody_is_let_in() -> None:
    async def test(site: Site) -> None:
        assert (await site.ask("GET", "/metrics")).status == 200
        assert (await site.ask("GET", "/metrics", headers=bearing("any"))).status == 200

    at(test)


def test_other_sites_are_refused() -> None:
    async def test(site: Site) -> None:
        asked = (
            ("POST", "/offer"),
            ("GET", "/"),
            ("GET", "/config.json"),
            ("DELETE", "/sessions/x"),
            ("POST", "/whip/r"),
        )
        for origin in ("https://evil.example", "null", f"http://{site.host}.evil.example", "http://127.0.0.1:1", ""):
            for method, path in asked:
                answer = await site.ask(method, path, headers={"Origin": origin})
                assert answer.status == 403
                assert answer.error
        for scheme in ("http", "https"):  # a proxy before us may speak https
            answer = await site.ask("POST", "/offer", json=OFFER, headers={"Origin": f"{scheme}://{site.host}"})
            assert answer.status == 200

    at(test)


def test_the_rate_is_limited_by_address() -> None:
    async def test(site: Site) -> None:
        paths = (("/offer", {"json": OFFER}), ("/whip/r", {"data": "v=0", "headers": SDP}), ("/whep/r", {"data": "x"}))
        for path, options in paths:
            assert (await site.ask("POST", path, **options)).status in (200, 201, 415)
        for path, options in paths:
            answer = await site.ask("POST", path, **options)
            assert answer.status == 429
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.error
        assert (await site.ask("GET", "/")).status == 200
        site.now_s = 61.0
        assert (await site.ask("POST", "/offer", json=OFFER)).status == 200

    at(test, offers_per_minute=3)


REBOUND = ("evil.example", "evil.example:8443", "localhost.evil.example", "evil-localhost", "127.0.0.1.evil.example",
           "", ":8443", "[::1", "a b", "127.1", "0x7f000001", "localhost:8443:1", "localhost@evil.example")  # fmt: skip
OURS = ("localhost", "LOCALHOST:8443", "localhost.", "a.localhost:1", "127.0.0.1", "[::1]:8443", "192.168.1.7:8443",
        "[fe80::1%25eth0]:80", socket.gethostname())  # fmt: skip


@pytest.mark.parametrize("token", [None, TOKEN])
def test_only_links_to_this_machine_are_served(token: str | None) -> None:
    async def test(site: Site) -> None:
        asked = (("GET", "/"), ("GET", "/config.json"), ("POST", "/offer"), ("POST", "/whip/r"), ("GET", "/metrics"))
        for host in REBOUND:
            for method, path in asked:
                answer = await site.ask(method, path, headers={"Host": host, "Origin": f"http://{host}"})
                assert (answer.status, host) == (421, host)
                assert "--allow-host" in answer.error
        for host in OURS:
            assert ((await site.ask("GET", "/", headers={"Host": host})).status, host) == (200, host)
        assert not site.workers.joined

    at(test, token=token)


def test_other_names_are_served_where_they_are_allowed() -> None:
    async def test(site: Site) -> None:
        for host, status in {
            "puppets.example.org": 200, "Puppets.Example.org:443": 200, "a.b.example.net": 200,
            "example.net": 421, "evilexample.net": 421, "x.puppets.example.org": 421,
        }.items():  # fmt: skip
            answer = await site.ask("POST", "/offer", json=OFFER, headers={"Host": host, "Origin": f"https://{host}"})
            assert (answer.status, host) == (status, host)

    at(test, allow_hosts=("puppets.example.org", "*.example.net"))


def test_requests_without_a_host_come_from_no_browser() -> None:
    async def test(site: Site) -> None:
        assert b" 200 " in (await site.raw(b"GET /health HTTP/1.0\r\n\r\n")).splitlines()[0]
        for more in (b"Host: localhost\r\nHost: evil.example", b"Origin: http://localhost"):
            said = await site.raw(b"GET /health HTTP/1.0\r\n" + more + b"\r\n\r\n")
            assert said.splitlines()[0].split()[1] in (b"400", b"403")

    at(test)


def test_an_origin_with_or_without_its_usual_port_is_the_same() -> None:
    async def test(site: Site) -> None:
        for host, origin, status in (
            ("localhost:443", "https://localhost", 200), ("localhost", "https://localhost:443", 200),
            ("localhost", "http://localhost:80", 200), ("localhost:443", "http://localhost", 403),
            ("localhost", "file://localhost", 403), ("localhost", "localhost", 403),
        ):  # fmt: skip
            answer = await site.ask("GET", "/config.json", headers={"Host": host, "Origin": origin})
            assert (answer.status, origin) == (status, origin)

    at(test)


async def offers_let_in(site: Site, *told: str) -> int:
    """Of so many offers, each with its X-Forwarded-For; one address may make two."""
    answers = [await site.ask("POST", "/offer", json=OFFER, headers={"X-Forwarded-For": hops}) for hops in told]
    return sum(answer.status == 200 for answer in answers)


def test_rates_count_clients_and_not_their_proxy() -> None:
    async def test(site: Site) -> None:
        assert await offers_let_in(site, "203.0.113.1", "203.0.113.2", "203.0.113.3") == 3
        assert await offers_let_in(site, "203.0.113.1", "203.0.113.1") == 1
        # What stands before the proxy's own entry is the client's claim.
        assert await offers_let_in(site, "1.1.1.1, 203.0.113.9", "2.2.2.2, 203.0.113.9", "3.3.3.3, 203.0.113.9") == 2
        # Two proxies in a row, ports, IPv6: networks of it are one client.
        assert await offers_let_in(site, "203.0.113.8, 127.0.0.7", "203.0.113.8:1234", "203.0.113.8") == 2
        assert await offers_let_in(site, "[2001:db8::1]:5", "2001:db8::2", "2001:db8::3") == 2

    at(test, offers_per_minute=2, trusted_proxies=("127.0.0.0/8",))


@pytest.mark.parametrize("trusted", [(), ("10.0.0.0/8",)])
def test_nobody_else_is_believed(trusted: tuple[str, ...]) -> None:
    async def test(site: Site) -> None:
        assert await offers_let_in(site, *(f"203.0.113.{i}" for i in range(6))) == 2

    at(test, offers_per_minute=2, trusted_proxies=trusted)


def test_nonsense_from_a_proxy_counts_for_the_proxy() -> None:
    async def test(site: Site) -> None:
        assert await offers_let_in(site, "", "unknown", "203.0.113.5, _hidden", "\u00fc, ,") == 2

    at(test, offers_per_minute=2, trusted_proxies=("127.0.0.1",))


@pytest.mark.parametrize(("trusted", "http_status"), [((), 200), (("127.0.0.1",), 403)])
def test_a_trusted_proxy_says_how_the_page_was_opened(trusted: tuple[str, ...], http_status: int) -> None:
    async def test(site: Site) -> None:
        for scheme, status in (("https", 200), ("http", http_status)):
            headers = {"Origin": f"{scheme}://{site.host}", "X-Forwarded-Proto": "https"}
            assert (await site.ask("GET", "/config.json", headers=headers)).status == status

    at(test, trusted_proxies=trusted)


def test_tokens_cannot_be_tried_one_after_another() -> None:
    async def test(site: Site) -> None:
        for number in range(3):
            assert (await site.ask("GET", "/metrics", headers=bearing(f"try{number}"))).status == 401
        for token in ("try4", TOKEN):
            answer = await site.ask("GET", "/metrics", headers=bearing(token))
            assert answer.status == 429
            assert int(answer.headers["Retry-After"]) > 0
        site.now_s = 61.0
        assert (await site.ask("GET", "/metrics", headers=bearing(TOKEN))).status == 200
        for _ in range(9):  # a page that has no token yet tries none
            assert (await site.ask("GET", "/config.json")).status == 401

    at(test, token=TOKEN, offers_per_minute=3)


def test_who_may_not_join_learns_no_login() -> None:
    login = IceServer("turn:relay.example", "someone", "pass-7")
    strangers = ({"Host": "evil.example"}, {"Origin": "https://evil.example"})

    async def with_token(site: Site) -> None:
        for headers in ({}, bearing("wrong"), *(bearing(TOKEN) | one for one in strangers)):
            for method, path in (("GET", "/config.json"), ("POST", "/whip/r"), ("OPTIONS", "/whip/r")):
                answer = await site.ask(method, path, headers=headers | SDP, data="v=0" if method == "POST" else None)
                if path == "/whip/r" and "Origin" in headers and "Authorization" in headers:
                    continue  # WHIP is for other sites' pages, too, if they bear the token
                assert "pass-7" not in answer.body.decode() + str(answer.headers)
        assert "pass-7" in (await site.ask("GET", "/config.json", headers=bearing(TOKEN))).body.decode()

    async def without(site: Site) -> None:
        for headers in strangers:
            assert b"pass-7" not in (await site.ask("GET", "/config.json", headers=headers)).body
        (server,) = json.loads((await site.ask("GET", "/config.json")).body)["ice_servers"]
        assert server["credential"] == "pass-7"

    at(with_token, token=TOKEN, ice_servers=(login,))
    at(without, ice_servers=(login,))
