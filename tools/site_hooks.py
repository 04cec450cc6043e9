"""What the site needs beyond docs/ itself: pages that live elsewhere in the repository, links that lead to them, and
the reference, of which docs/reference.md only tells the order.

mkdocs calls this (see mkdocs.yml). The pages stay plain Markdown, which reads as well on a code host.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
ELSEWHERE = {
    "assets/README.md": "assets.md",
    "tools/README.md": "tools.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
}
"""Pages that do not lie in docs/, and their names on the site."""
HOME = {site: repository for repository, site in ELSEWHERE.items()}
LINK = re.compile(r"(?P<picture>!?)\[(?P<text>(?:!\[[^\]]*\]\([^)]*\)|[^\[\]])*)\]\((?P<to>[^)\s]+)\)")
FENCE = re.compile(r"(^```.*?^```)", re.DOTALL | re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    from mkdocs.structure.files import File

    for repository, site in ELSEWHERE.items():
        files.append(File.generated(config, site, content=(ROOT / repository).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, **_others: object) -> str:
    here = HOME.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    if page.file.src_uri == "reference.md":
        markdown = with_reference(markdown)
    pieces = FENCE.split(markdown)  # every other one is a block of code
    return "".join(piece if i % 2 else for_site(piece, here) for i, piece in enumerate(pieces))


def for_site(text: str, here: str) -> str:
    """Links of the page `here`, a path in the repository, as the site has them. What it does not have stays text."""

    def changed(found: re.Match[str]) -> str:
        said = for_site(found["text"], here)
        path, mark, heading = found["to"].partition("#")
        if not path or re.match(r"\w+:", path):
            return f"{found['picture']}[{said}]({found['to']})"
        target = posixpath.normpath(posixpath.join(posixpath.dirname(here), path))
        site = ELSEWHERE.get(target, target.removeprefix("docs/") if target.startswith("docs/") else None)
        if site is None or (ROOT / target).is_dir():
            return said
        return f"{found['picture']}[{said}]({site}{mark}{heading})"

    return LINK.sub(changed, text)


def with_reference(markdown: str) -> str:
    """Tables of public names, `| [`Name`](file) | what it is |`, are followed by what the docstrings say of each."""
    from animator import _HOMES

    def described(found: re.Match[str]) -> str:
        names = re.findall(r"^\| `(\w+)`", found[0], re.MULTILINE)
        return found[0] + "".join(f"\n::: animator.{_HOMES[name]}.{name}\n" for name in names)

    return re.sub(r"(?:^\|.*\n)+", described, markdown, flags=re.MULTILINE)
