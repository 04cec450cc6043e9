"""What `animator serve` prints once it is ready."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from animator.server import app as app_module
from animator.server.config import ServeConfig
from animator.server.serving import links, welcome

from .site import Site, at


def test_links_lead_to_this_machine_and_carry_the_token_where_no_log_sees_it() -> None:
    assert links(ServeConfig(host="127.0.0.1"), 81) == ["http://127.0.0.1:81/"]
    assert links(ServeConfig(host="::1", token="a/b+c", self_signed=True), 81) == ["https://[::1]:81/#token=a%2Fb%2Bc"]
    everywhere = links(ServeConfig(), 81)
    assert "http://127.0.0.1:81/" in everywhere


def test_phones_are_told_what_they_need() -> None:
    assert "--self-signed" in welcome(ServeConfig(), 81)
    assert "warn" in welcome(ServeConfig(self_signed=True), 81)
    said = welcome(ServeConfig(host="127.0.0.1"), 81)
    assert "http://127.0.0.1:81/" in said
    assert "█" in said  # a QR code


@pytest.mark.parametrize("built", [True, False])
def test_a_page_without_the_bundle_is_told_and_offers_video(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, built: bool
) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")
    if built:
        (tmp_path / "numbers.js").write_text("export {};")
    monkeypatch.setattr(app_module, "PAGE", tmp_path)
    assert ("video only" in welcome(ServeConfig(host="127.0.0.1"), 81)) == (not built)

    async def test(site: Site) -> None:
        assert json.loads((await site.ask("GET", "/config.json")).body)["three"] is built
        assert (await site.ask("GET", "/static/numbers.js")).status == (200 if built else 404)

    at(test)
