"""Every route and refusal of the HTTP side, with workers that only pretend."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families
from yarl import URL

from animator.channels import ARKIT
from animator.errors import ProtocolError
from animator.rendering.framing import VIEWS
from animator.rigging.library import known_rigs
from animator.server import app as app_module
from animator.server.app import MAX_BODY_BYTES, PAGE, App
from animator.server.config import ServeConfig
from animator.server.workers import ServerFull, WorkerLost
from animator.webrtc.config import IceServer

TOKEN = "a-secret-of-ours"
OFFER = {"sdp": "v=0\r\n", "type": "offer"}
SDP = {"Content-Type": "application/sdp"}


class FakeWorkers:
    """Remembers what it was asked and answers, or raises, as told."""

    def __init__(self) -> None:
        self.joined: list[tuple[str, str, str, dict[str, Any]]] = []
        self.alive = 1
        self.trouble: Exception | None = None
        self.takes: dict[str, bytes] = {}

    @property
    def sessions(self) -> int:
        return len(self.joined)

    async def join(self, session: str, room: str, role: str, wish: dict[str, Any]) -> str:
        if self.trouble is not None:
            raise self.trouble
        self.joined.append((session, room, role, wish))
        return "v=0 answer"

    async def end(self, session: str) -> bool:
        before = len(self.joined)
        self.joined = [joined for joined in self.joined if joined[0] != session]
        return len(self.joined) < before

    async def take(self, session: str, kind: str) -> bytes | None:
        return self.takes.get(f"{session}.{kind}")

    async def totals(self) -> tuple[dict[str, float], dict[str, float]]:
        return {"frames_in": 7}, {"track": 1.5}


class Site:
    """The application on a port of its own, and a browser of sorts."""

    def __init__(self, **settings: Any) -> None:
        self.workers, self.now_s = FakeWorkers(), 0.0
        self._config = replace(ServeConfig(offers_per_minute=1000), **settings)

    async def __aenter__(self) -> Site:
        app = App(self._config, self.workers, clock=lambda: self.now_s)
        self._runner = web.AppRunner(app.application(), access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.host = f"127.0.0.1:{self._runner.addresses[0][1]}"
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._http.close()
        await self._runner.cleanup()

    async def ask(self, method: str, path: str, **options: Any) -> Answer:
        """One request; the path is sent as it stands."""
        url = URL(f"http://{self.host}{path}", encoded=True)
        async with self._http.request(method, url, allow_redirects=False, **options) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def raw(self, request: bytes) -> bytes:
        """Bytes that no decent client sends."""
        reader, writer = await asyncio.open_connection(*self.host.split(":"))
        writer.write(request)
        data = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return data


class Answer:
    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def error(self) -> str:
        """The sentence of a refusal."""
        said = json.loads(self.body)
        assert list(said) == ["error"]
        assert said["error"]
        assert "\n" not in said["error"]
        return said["error"]


def at(test: Callable[[Site], Any], **settings: Any) -> None:
    """Run `test(site)`."""

    async def visit() -> None:
        async with asyncio.timeout(30), Site(**settings) as site:
            await test(site)

    asyncio.run(visit())


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_pages_and_their_files() -> None:
    async def test(site: Site) -> None:
        for path in ("/", "/r/studio", "/r/A-b_9"):
            page = await site.ask("GET", path)
            assert page.status == 200
            assert page.headers["Content-Type"].startswith("text/html")
            assert page.body == (PAGE / "index.html").read_bytes()
        script = await site.ask("GET", "/static/app.js")
        assert script.status == 200
        assert "javascript" in script.headers["Content-Type"]
        for name in ("a b", "ü", "x" * 65, "..", "%2e%2e", "a%2Fb"):
            answer = await site.ask("GET", f"/r/{name}" if name.isascii() and " " not in name else "/r/%C3%BC")
            assert answer.status == 404
            assert answer.error

    at(test)


def test_the_page_learns_what_it_needs() -> None:
    async def test(site: Site) -> None:
        config = json.loads((await site.ask("GET", "/config.json", headers=bearing(TOKEN))).body)
        assert config["rigs"][0].keys() >= {"name", "title", "picture"}
        assert {rig["name"] for rig in config["rigs"]} == set(known_rigs())
        assert config["views"] == list(VIEWS)
        assert config["channels"] == list(ARKIT)
        assert config["token_required"] is True
        assert config["three"] == (PAGE / "numbers.js").is_file()
        assert config["version"]
        assert config["ice_servers"] == [
            {"urls": ["stun:a.example:3478"]},
            {"urls": ["turn:b.example"], "username": "u", "credential": "p"},
        ]

    servers = (IceServer("stun:a.example:3478"), IceServer("turn:b.example", "u", "p"))
    at(test, token=TOKEN, ice_servers=servers)


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e%2f%2e%2e%2fcli%2fapp.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/..%5capp.py",
        "/static/%00",
        "/static/",
        "/static",
        "/static/there-is-none",
    ],
)
def test_no_other_file_is_given(path: str) -> None:
    async def test(site: Site) -> None:
        answer = await site.ask("GET", path)
        assert answer.status in (400, 403, 404)
        assert b"import" not in answer.body
        assert b"root:" not in answer.body

    at(test)


def test_links_out_of_the_page_folder_are_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page, secret = tmp_path / "page", tmp_path / "secret.txt"
    page.mkdir()
    secret.write_text("secret")
    (page / "fine.js").write_text("fine")
    os.symlink(secret, page / "link.txt")
    monkeypatch.setattr(app_module, "PAGE", page)

    async def test(site: Site) -> None:
        assert (await site.ask("GET", "/static/fine.js")).body == b"fine"
        answer = await site.ask("GET", "/static/link.txt")
        assert answer.status in (403, 404)
        assert b"secret" not in answer.body

    at(test)


def test_pictures_of_known_avatars_only() -> None:
    async def test(site: Site) -> None:
        answer = await site.ask("GET", f"/rigs/{known_rigs()[0]}.png")
        assert answer.status == 200
        assert answer.body.startswith(b"\x89PNG")
        for name in (
            "nobody",
            "..",
            "%2e%2e%2fhuman",
            "..%2f..%2fdocs%2fimages%2fview-avatar",
            "%2fetc%2fpasswd",
            "%00",
        ):
            answer = await site.ask("GET", f"/rigs/{name}.png")
            assert answer.status == 404
            assert answer.error

    at(test)


def test_an_offer_is_answered() -> None:
    async def test(site: Site) -> None:
        answer = await site.ask("POST", "/offer", json=OFFER | {"room": "r", "role": "watch", "view": "mask"})
        said = json.loads(answer.body)
        (joined,) = site.workers.joined
        assert answer.status == 200
        assert said == {"sdp": "v=0 answer", "type": "answer", "session": joined[0]}
        assert joined[1:3] == ("r", "watch")
        assert joined[3]["view"] == "mask"
        await site.ask("POST", "/offer", json=OFFER)
        assert site.workers.joined[1][1:3] == ("main", "perform")
        assert len({session for session, *_ in site.workers.joined}) == 2

    at(test)


def test_a_client_decides_nothing_else() -> None:
    async def test(site: Site) -> None:
        extra = {"session": "mine", "need_video": True, "anything": 1}
        await site.ask("POST", "/offer", json=OFFER | extra)
        session, _, _, wish = site.workers.joined[0]
        assert session != "mine"
        assert not wish.keys() & extra.keys()

    at(test)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 60_000, 400),
        (b"[]", 400),
        (b"null", 400),
        (b'"text"', 400),
        (b"{}", 400),
        (json.dumps({"type": "offer"}).encode(), 400),
        (json.dumps({"sdp": 5, "type": "offer"}).encode(), 400),
        (json.dumps({"sdp": "v=0", "type": "answer"}).encode(), 400),
        (json.dumps(OFFER | {"role": "admin"}).encode(), 400),
        (json.dumps(OFFER | {"role": ["watch"]}).encode(), 400),
        (json.dumps(OFFER | {"view": 3}).encode(), 400),
        (json.dumps(OFFER | {"rig": ["human"]}).encode(), 400),
        (json.dumps(OFFER | {"resume": {}}).encode(), 400),
        (json.dumps(OFFER | {"room": "../etc"}).encode(), 404),
        (json.dumps(OFFER | {"room": ""}).encode(), 404),
        (json.dumps(OFFER | {"room": None}).encode(), 404),
        (json.dumps(OFFER | {"room": "x" * 65}).encode(), 404),
        (json.dumps(OFFER | {"room": "\ud800"}).encode(), 404),
        (json.dumps({"sdp": "x" * 1_000_000, "type": "offer"}).encode(), 413),
        (b"x" * (MAX_BODY_BYTES + 1), 413),
    ],
    ids=lambda value: str(value[:40]) if isinstance(value, bytes) else value,
)
def test_bad_offers(body: bytes, status: int) -> None:
    async def test(site: Site) -> None:
        answer = await site.ask("POST", "/offer", data=body, headers={"Content-Type": "application/json"})
        assert answer.status == status
        assert answer.error
        assert not site.workers.joined

    at(test)


@pytest.mark.parametrize(
    ("trouble", "status", "retry"),
    [
        (ServerFull("This server is full."), 503, True),
        (WorkerLost("This part has died."), 503, True),
        (ProtocolError("the offer has no video"), 400, False),
        (RuntimeError("a fault with a secret in it"), 500, False),
    ],
)
def test_trouble_has_a_sentence(trouble: Exception, status: int, retry: bool, caplog: pytest.LogCaptureFixture) -> None:
    async def test(site: Site) -> None:
        site.workers.trouble = trouble
        for path, options in (("/offer", {"json": OFFER}), ("/whip/r", {"data": "v=0", "headers": SDP})):
            answer = await site.ask("POST", path, **options)
            assert answer.status == status
            assert (answer.headers.get("Retry-After") is not None) == retry
            assert answer.error == str(trouble) or status == 500
            assert "secret" not in answer.error

    at(test)


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
            b"GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\nConnection: close\r\n\r\n"
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


@pytest.mark.parametrize(("protocol", "role"), [("whip", "perform"), ("whep", "watch")])
def test_whip_and_whep(protocol: str, role: str) -> None:
    async def test(site: Site) -> None:
        answer = await site.ask("POST", f"/{protocol}/r", data="v=0 offer", headers=SDP)
        session, room, joined_as, wish = site.workers.joined[0]
        assert answer.status == 201
        assert answer.headers["Content-Type"].startswith("application/sdp")
        assert answer.body == b"v=0 answer"
        assert answer.headers["Location"] == f"/sessions/{session}"
        assert answer.headers["ETag"].startswith('"')
        assert session not in answer.headers["ETag"]
        assert (room, joined_as, wish["sdp"]) == ("r", role, "v=0 offer")
        assert wish["need_video"] is True
        upper = {"Content-Type": "Application/SDP; charset=nonsense"}
        assert (await site.ask("POST", f"/{protocol}/r", data=b"\xff", headers=upper)).status == 201
        for kind in ("application/json", "text/plain", "application/sdp-x"):
            answer = await site.ask("POST", f"/{protocol}/r", data="v=0", headers={"Content-Type": kind})
            assert answer.status == 415
            assert answer.error
        assert (await site.ask("POST", f"/{protocol}/r", data="x" * 70_000, headers=SDP)).status == 413
        assert (await site.ask("POST", f"/{protocol}/a.b", data="v=0", headers=SDP)).status == 404
        for method in ("GET", "PUT", "PATCH"):
            answer = await site.ask(method, f"/{protocol}/r")
            assert answer.status == 405
            assert answer.headers["Allow"] == "OPTIONS,POST"
            assert answer.error
        assert (await site.ask("PATCH", f"/sessions/{session}")).status == 405

    at(test)


@pytest.mark.parametrize("token", [None, TOKEN])
def test_options_of_whip(token: str | None) -> None:
    async def test(site: Site) -> None:
        for path in ("/whip/r", "/whep/r"):
            answer = await site.ask("OPTIONS", path)
            assert answer.status == 204
            assert answer.headers["Accept-Post"] == "application/sdp"
        assert (await site.ask("OPTIONS", "/whip/a.b")).status == 404
        foreign = {"Origin": "https://studio.example", "Access-Control-Request-Method": "POST"}
        for path in ("/whip/r", "/sessions/x"):
            answer = await site.ask("OPTIONS", path, headers=foreign)
            assert answer.status == (403 if token is None else 204)
            assert ("Access-Control-Allow-Origin" in answer.headers) == (token is not None)
        if token is not None:
            asking = {"Origin": "https://studio.example"} | SDP
            assert (await site.ask("POST", "/whip/r", data="v=0", headers=asking)).status == 401
            answer = await site.ask("POST", "/whip/r", data="v=0", headers=asking | bearing(token))
            assert answer.status == 201
            assert "Location" in answer.headers["Access-Control-Expose-Headers"]
            assert "Access-Control-Allow-Credentials" not in answer.headers
            assert (await site.ask("GET", "/config.json", headers=foreign)).status == 403

    at(test, token=token)


def test_sessions_end_and_give_their_takes() -> None:
    async def test(site: Site) -> None:
        session = json.loads((await site.ask("POST", "/offer", json=OFFER)).body)["session"]
        for kind in ("npz", "csv"):
            assert (await site.ask("GET", f"/sessions/{session}/take.{kind}")).status == 404
        site.workers.takes = {f"{session}.npz": b"PK", f"{session}.csv": b"Timecode"}
        answer = await site.ask("GET", f"/sessions/{session}/take.csv")
        assert (answer.status, answer.body) == (200, b"Timecode")
        assert answer.headers["Content-Type"].startswith("text/csv")
        assert answer.headers["Content-Disposition"] == 'attachment; filename="take.csv"'
        assert (await site.ask("GET", f"/sessions/{session}/take.npz")).body == b"PK"
        for path in (f"/sessions/{session}/take.exe", f"/sessions/{session}/../take.npz", "/sessions/x/take.npz"):
            assert (await site.ask("GET", path)).status == 404
        answer = await site.ask("DELETE", f"/sessions/{session}")
        assert (answer.status, answer.body) == (204, b"")
        answer = await site.ask("DELETE", f"/sessions/{session}")
        assert answer.status == 404
        assert answer.error

    at(test)


def test_health_and_metrics() -> None:
    async def test(site: Site) -> None:
        await site.ask("POST", "/offer", json=OFFER)
        health = json.loads((await site.ask("GET", "/health")).body)
        assert (health["status"], health["sessions"], health["workers"]) == ("ok", 1, 1)
        answer = await site.ask("GET", "/metrics")
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        families = {family.name: family for family in text_string_to_metric_families(answer.body.decode())}
        assert families["animator_frames_in"].samples[0].value == 7
        assert families["animator_sessions"].samples[0].value == 1
        assert families["animator_stage_seconds"].samples[0].labels == {"stage": "track"}
        assert families["animator_stage_seconds"].type == "counter"

    at(test)


def test_every_answer_carries_the_security_headers() -> None:
    async def test(site: Site) -> None:
        site.workers.trouble = RuntimeError("a fault")
        asked = (
            ("GET", "/"),
            ("GET", "/static/app.js"),
            ("GET", "/static/none"),
            ("GET", "/config.json"),
            ("GET", "/nowhere"),
            ("GET", "/r/a.b"),
            ("GET", "/metrics"),
            ("GET", "/health"),
            ("PUT", "/offer"),
            ("POST", "/offer"),
            ("OPTIONS", "/whip/r"),
            ("DELETE", "/sessions/x"),
            ("HEAD", "/"),
        )
        for method, path in asked:
            answer = await site.ask(method, path)
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'self'" in policy
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert "camera=(self)" in answer.headers["Permissions-Policy"]
        fault = await site.ask("POST", "/offer", json=OFFER)
        assert fault.status == 500
        assert fault.headers["Content-Security-Policy"]

    at(test)
