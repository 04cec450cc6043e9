"""What the documentation says is so: links lead somewhere, commands parse, examples run, figures are the true ones."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import pytest
import typer

from animator.cli.app import app
from animator.config import Config, config_from_toml

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("docs", "assets", "tools", "rigs")
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in ROOT.glob(f"{folder}/**/*.md"))])
QUICK_START, ASSETS = ROOT / "docs/quick-start.md", ROOT / "assets/README.md"

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@each_page
def test_links_and_images_lead_somewhere(page: Path):
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: there is no {link}"
        if heading:
            assert heading in headings(target), f"{page.name}: there is no heading {link}"


@each_page
def test_commands_parse(page: Path):
    for command in commands(page):
        parse(command)


@each_page
def test_scripts_and_make_targets_exist(page: Path):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    for line in shell_lines(page):
        if script := re.match(r"(?:\S*/)?python3? (?:-m (?P<module>(?:tools|tests)[.\w]+)|(?P<path>tools/\S+))", line):
            path = script["path"] or script["module"].replace(".", "/") + ".py"
            assert (ROOT / path).is_file(), f"{page.name}: {line}"
        if target := re.match(r"make ([a-z-]+)$", line):
            assert target[1] in targets, f"{page.name}: {line}"


@each_page
def test_python_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_video: Callable[..., Path]):
    """In a folder with `assets/`, and with `clip.mp4` standing for the reader's own video."""
    (tmp_path / "assets").symlink_to(ROOT / "assets")
    make_video("clip.mp4")
    monkeypatch.chdir(tmp_path)
    for number, code in enumerate(blocks(page, "python")):
        exec(compile(code, f"{page.name}, Python example {number + 1}", "exec"), {"__name__": "example"})


def test_settings_file_has_every_key_and_its_default(tmp_path: Path):
    text = next(block for block in blocks(QUICK_START, "toml") if "[tracking]" in block)
    file = tmp_path / "settings.toml"
    file.write_text(text, "utf-8")
    assert config_from_toml(file) == Config()
    said = set(re.findall(r"^(?:# )?(\w+) = ", text, re.MULTILINE))
    assert said == {f.name for stage in fields(Config) for f in fields(getattr(Config(), stage.name))}


def test_options_table_has_every_option():
    row = re.compile(r"^\| (?P<names>`-.*?) \|.*?\| (?P<run>x?) *\| (?P<record>x?) *\| (?P<play>x?) *\|", re.MULTILINE)
    rows = list(row.finditer(QUICK_START.read_text("utf-8")))
    known = typer.main.get_command(app).commands
    for command in ("run", "record", "play"):
        said = {name for r in rows if r[command] for name in re.findall(r"`(-[\w-]+)`", r["names"])}
        options = {name for p in known[command].params for name in p.opts if name[0] == "-"} - {"-h", "--help"}
        assert said == options, command


def test_check_sums_are_those_of_the_files():
    said = dict(re.findall(r"^\| `([\w.]+)` \| `([0-9a-f]{64})` \|", ASSETS.read_text("utf-8"), re.MULTILINE))
    files = [path for path in ASSETS.parent.iterdir() if path.name != "README.md" and path.name[0] != "."]
    assert said == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_sizes_are_those_of_the_files():
    said = re.findall(r"^\| `([\w.]+)` \|[^|]*\| ([\d,]+) \|", ASSETS.read_text("utf-8"), re.MULTILINE)
    assert len(said) == 5
    for name, size in said:
        assert int(size.replace(",", "")) == (ASSETS.parent / name).stat().st_size, name


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def links(page: Path) -> Iterator[str]:
    """What `[text](here)`, `![text](here)` and `src="here"` point to."""
    text = prose(page)
    yield from re.findall(r"\]\(([^)\s]+)\)", text)
    yield from re.findall(r"(?:src|href)=\"([^\"]+)\"", text)


def headings(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def shell_lines(page: Path) -> Iterator[str]:
    """Every line of a shell block or of an indented one, and every inline piece of code."""
    for language in ("sh", "bash", "console"):
        for block in blocks(page, language):
            yield from (line.strip().removeprefix("$ ") for line in block.splitlines())
    yield from re.findall(r"^    (\S.*)", prose(page), re.MULTILINE)
    yield from re.findall(r"`([^`\n]+)`", prose(page))


def commands(page: Path) -> Iterator[str]:
    """The command lines of this program: what follows its name, however it is started."""
    for line in shell_lines(page):
        if found := re.match(r"(?:[A-Z_]+=\S+ )*(?:(?:\S*/)?animator|(?:\S*/)?python3? main\.py) (\S.*)", line):
            yield found[1]


def parse(command: str) -> None:
    """Raise if the program would not understand this command line; nothing is run."""
    words = shlex.split(command, comments=True)
    group, context = typer.main.get_command(app), None
    while hasattr(group, "commands"):
        try:
            context = group.make_context(group.name, words, parent=context)
            words = [*context._protected_args, *context.args]
        except typer.Exit:
            return  # --help, --version
        if not words:
            return
        assert words[0] in group.commands, f"there is no command {words[0]!r}: animator {command}"
        group, words = group.commands[words[0]], words[1:]
    try:
        group.make_context(group.name, words, parent=context)
    except typer.Exit:
        return
    except Exception as error:
        raise AssertionError(f"animator {command}: {error}") from error
