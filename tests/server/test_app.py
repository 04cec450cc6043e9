"""The page, its files, what it learns of the server, and what every answer carries; workers only pretend."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from animator.channels import ARKIT
from animator.rendering.framing import VIEWS
from animator.rigging.library import known_rigs
from animator.server import app as app_module
from animator.server.app import PAGE
from animator.webrtc.config import IceServer

from .site import OFFER, TOKEN, Site, at, bearing


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
        assert families["animator_stage_seconds"].samples[0].labels["stage"] == "track"
        assert families["animator_stage_seconds"].type == "histogram"

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
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        fault = await site.ask("POST", "/offer", json=OFFER)
        assert fault.status == 500
        assert fault.headers["Content-Security-Policy"]

    at(test)
