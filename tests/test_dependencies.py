"""What the program stands on is declared, used, locked, free to pass on, and found where everybody finds it."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions

import pytest

from tools import list_licences

from .conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCK = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))

NAMES = {"vtkmodules": "vtk", "cv2": "opencv-contrib-python", "skimage": "scikit-image"}
"""Where the name of an import does not tell its package, and several packages may bring it, or none is here."""
OURS = {"animator", "tests", "tools", "main", "slow_to_load"}
"""The last is a module that a test writes for itself."""
PROGRAMS = {"ruff", "pytest-xdist", "mkdocs-material", "mkdocs", "mkdocstrings", "pymdown-extensions"}
"""Packages that are started, or named in a settings file, not imported."""
BROUGHT = {"yarl", "click", "pylibsrtp"}
"""What tests may use of a declared package's own packages: aiohttp's addresses, typer's commands, aiortc's SRTP."""


def plain(name: str) -> str:
    """A package's name as every index spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(lines: list[str]) -> set[str]:
    return {plain(re.match(r"[\w.-]+", line)[0]) for line in lines} - {"animator"}


def with_extras(*names: str) -> set[str]:
    """All that is declared for these extras, and for those that they name in turn."""
    found = declared(PROJECT["dependencies"])
    for name in names:
        found |= declared(EXTRAS[name])
        for line in EXTRAS[name]:
            if more := re.match(r"animator\[(.+)\]", line):
                found |= with_extras(*more[1].split(","))
    return found


@cache
def imported(folder: str) -> frozenset[tuple[str, str]]:
    """(file, package): what a folder's Python files import of others."""
    return frozenset(_imported(folder))


def _imported(folder: str) -> Iterator[tuple[str, str]]:
    homes = packages_distributions()
    for path in sorted((ROOT / folder).rglob("*.py")):
        if "node_modules" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            # pytest.importorskip("name") and importlib.import_module("name") are imports, too
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("importorskip", "import_module"):
                names += [a.value for a in node.args[:1] if isinstance(a, ast.Constant) and a.value[0] != "."]
            for top in {name.split(".")[0] for name in names} - OURS - set(sys.stdlib_module_names):
                package = NAMES.get(top) or next(iter(homes.get(top, [top])))
                yield path.relative_to(ROOT).as_posix(), plain(package)


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("animator", ("plot", "cluster", "draco", "virtual-camera")),
        ("tests", ("test", "virtual-camera", "tools")),
        ("tools", ("test", "tools", "docs")),
        ("docs/examples", ("test",)),
    ],
)
def test_every_import_is_declared(folder: str, extras: tuple[str, ...]) -> None:
    allowed = with_extras(*extras) | (BROUGHT if folder != "animator" else set())
    assert {(file, package) for file, package in imported(folder) if package not in allowed} == set()


def test_the_program_itself_needs_no_extra_but_where_it_says_so() -> None:
    """An optional package is imported in its one home alone."""
    optional = with_extras("plot", "cluster", "draco", "virtual-camera") - declared(PROJECT["dependencies"])
    homes = {(package, file) for file, package in imported("animator") if package in optional}
    assert {package for package, _ in homes} == optional
    assert len({file for _, file in homes}) == len(optional) == 4


@pytest.mark.parametrize("group", [None, *EXTRAS])
def test_every_declared_package_is_used(group: str | None) -> None:
    wanted = declared(PROJECT["dependencies"] if group is None else EXTRAS[group]) - PROGRAMS
    folders = ("tests", "tools", "docs") if group in ("test", "docs", "tools") else ("animator",)
    used = {package for folder in folders for _, package in imported(folder)}
    assert wanted - used == set()


@pytest.mark.parametrize("line", [*PROJECT["dependencies"], *(line for lines in EXTRAS.values() for line in lines)])
def test_every_range_has_a_floor(line: str) -> None:
    assert line.startswith("animator[") or ">=" in line


def test_the_lock_is_of_what_is_declared() -> None:
    (ours,) = (package for package in LOCK["package"] if package["name"] == "animator")
    locked = {(d["name"], d.get("specifier", "")) for d in ours["metadata"]["requires-dist"]} - {("animator", "")}
    said = set()
    for line in [*PROJECT["dependencies"], *(line for lines in EXTRAS.values() for line in lines)]:
        name, bounds = re.match(r"([\w.-]+)(?:\[.*?\])?(.*)", line).groups()
        said.add((plain(name), bounds.replace(" ", "")))
    assert locked == said - {("animator", "")}, "run: make lock"


def test_the_lock_names_only_the_public_index() -> None:
    hosts = set(re.findall(r"\b\w+://[^/\"]*", (ROOT / "uv.lock").read_text("utf-8")))
    assert hosts == {"https://pypi.org", "https://files.pythonhosted.org"}
    sources = {str(package["source"]) for package in LOCK["package"] if package["name"] != "animator"}
    assert sources == {str({"registry": "https://pypi.org/simple"})}


def test_pip_installs_what_is_locked() -> None:
    lines = (ROOT / "tools/constraints.txt").read_text("utf-8").splitlines()
    pinned = {tuple(line.split(";")[0].strip().split("==")) for line in lines if not line.startswith("#")}
    locked = {(package["name"], package["version"]) for package in LOCK["package"] if package["name"] != "animator"}
    assert pinned == locked, "run: make lock"


def test_licences_are_listed_as_they_are() -> None:
    """Names and versions by the lock; terms by the packages, for those that are here."""
    text = list_licences.PAGE.read_text("utf-8")
    rows = dict(re.findall(r"^\| ([\w-]+) \| [\d.]+(?: or [\d.]+)* \| (.+) \|$", text, re.MULTILINE))
    assert set(rows) == set().union(*(list_licences.closure(extra) for extra in (None, *list_licences.OPTIONAL)))
    for name, version in list_licences.closure().items():
        assert f"| {name} | {version} | {rows[name]} |" in text, "run: make licences"
    for name, said in rows.items():
        try:
            assert list_licences.licence(name) == said, f"{name}: run: make licences"
        except LookupError:
            continue  # another version is installed here, which tells less, or none is


def test_a_plain_install_may_be_passed_on_under_mit() -> None:
    text = list_licences.PAGE.read_text("utf-8")
    may = list_licences.FREE | list_licences.FILE_BY_FILE
    for name, said in re.findall(r"^\| ([\w-]+) \| [\d.]+.*? \| (.+) \|$", text, re.MULTILINE):
        if not set(re.split(r" (?:AND|OR) ", said)) <= may:
            assert name == "pyvirtualcam", f"{name} comes under {said}: is it fit for a plain install?"
            assert name not in list_licences.closure()
            assert f"**{name}** is under the GPL" in text
