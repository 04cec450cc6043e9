"""The site of docs/ builds without a warning, leaves no page out, and asks no other host for anything."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import animator
from tools import site_hooks

from .conftest import ROOT

ASKING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "video": "src"}
"""What a browser fetches unasked, and where it says so."""
HARMLESS = ("canonical", "next", "prev")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs", reason="mkdocs is not here: pip install 'animator[docs]'")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder


class Fetched(HTMLParser):
    """What a page fetches by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if ASKING.get(tag) in said and said.get("rel") not in HARMLESS:
            self.addresses.append(said[ASKING[tag]] or "")


def test_every_page_is_there(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html").as_posix() for path in ROOT.glob("docs/*.md")}
    wanted = pages - {"README.html"} | {"index.html"} | {name.replace(".md", ".html") for name in site_hooks.HOME}
    assert {path.relative_to(site).as_posix() for path in site.rglob("*.html")} == wanted | {"404.html"}


def test_nothing_comes_from_another_host(site: Path) -> None:
    for path in site.rglob("*.html"):
        page = Fetched()
        page.feed(path.read_text("utf-8"))
        assert page.addresses
        assert [a for a in page.addresses if re.match(r"(?:\w+:)?//", a)] == [], path.name
    for path in site.rglob("*.css"):
        assert re.findall(r"url\([\"']?(?:\w+:)?//[^)]*|@import[^;]*//[^;]*", path.read_text("utf-8")) == [], path.name


def test_every_public_name_is_described(site: Path) -> None:
    names = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/reference.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(names) == animator.__all__
    text = (site / "reference.html").read_text("utf-8")
    for name in names:
        assert f'id="animator.{animator._HOMES[name]}.{name}"' in text


def test_links_between_pages_hold_on_the_site_too(site: Path) -> None:
    """Strict building checks what mkdocs knows; this follows every link, also those of pages that lie elsewhere."""
    for path in site.rglob("*.html"):
        if path.name == "404.html":
            continue
        for link in re.findall(r'<a[^>]* href="([^"#:]*)(?:#[^"]*)?"', path.read_text("utf-8")):
            assert not link or (path.parent / link).exists(), f"{path.name} -> {link}"


@pytest.mark.parametrize(
    ("said", "here", "becomes"),
    [
        ("[a](../assets/README.md#x)", "docs/solver.md", "[a](assets.md#x)"),
        ("[a](../docs/solver.md)", "assets/README.md", "[a](solver.md)"),
        ("![a](docs/images/plot.png)", "CHANGELOG.md", "![a](images/plot.png)"),
        ("[`a`](../animator/data.py)", "docs/solver.md", "`a`"),
        ("[a](https://example.org/)", "docs/solver.md", "[a](https://example.org/)"),
        ("[a](#there)", "docs/solver.md", "[a](#there)"),
        ("[![p](images/plot.png)](takes.md)", "docs/solver.md", "[![p](images/plot.png)](takes.md)"),
    ],
)
def test_links_of_the_repository_become_links_of_the_site(said: str, here: str, becomes: str) -> None:
    assert site_hooks.for_site(said, here) == becomes
