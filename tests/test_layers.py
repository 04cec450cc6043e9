"""Imports run one way, and each heavy dependency has its home."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import draw_architecture

PACKAGE = Path(__file__).resolve().parents[1] / "animator"

LAYERS = [
    {
        "errors", "channels", "data", "stages", "resources", "topology", "rig", "display", "addresses", "recycling",
        "foreign", "logs", "quiet",
    },
    {"maths", "timing", "handover", "websockets"},
    {"protocols", "takes"},
    {"sources", "tracking", "solving", "rigging", "rendering", "sinks", "webrtc"},
    {
        "config", "pipeline", "puppets", "filming", "recording", "sending", "on_screen", "remote", "exporting",
        "plotting", "playing", "photo", "benching",
    },
    {"batch", "server"},
    {"doctor", "cli"},
]  # fmt: skip
"""From the bottom up. The package's own `__init__` stands above all: it names what users import."""
FREE_WITHIN = (0, 1, 4, 6)
"""Layers whose members may import each other; in the others, siblings never do."""

HOMES = {
    "mediapipe": {"tracking/mediapipe_faces.py"},
    "ai_edge_litert": {"tracking/litert_faces.py"},
    "pyvista": {"rendering/"},
    "vtk": {"rendering/"},
    "av": {"sources/video.py", "sources/film_parts.py", "sinks/video.py", "webrtc/", "doctor/"},
    "cv2": {
        "sources/camera.py", "sources/images.py", "sinks/images.py", "rendering/overlay.py",
        "rendering/compositing.py", "rigging/pictures.py", "photo/", "tracking/litert_faces.py",
    },
    "aiortc": {"webrtc/"},
    "cv2_enumerate_cameras": {"doctor/cameras.py"},
    "aiohttp": {"server/", "websockets.py", "sinks/websocket.py", "sources/websocket.py"},
    "pythonosc": {"protocols/osc.py"},
    "pyvirtualcam": {"sinks/virtual_camera.py"},
    "dask": {"batch/cluster.py"},
    "distributed": {"batch/cluster.py"},
    "matplotlib": {"plotting.py"},
}  # fmt: skip
FILES = sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def unit(path: Path) -> str:
    """The name that a file goes by in LAYERS."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path, text: str | None = None) -> Iterator[tuple[str, bool]]:
    """(module, ours): what a file, or `text` in its place, imports; ours are named from the package."""
    depth = len(path.relative_to(PACKAGE).parts)
    for node in ast.walk(ast.parse(text or path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or "", False
        elif isinstance(node, ast.ImportFrom):
            above = list(path.relative_to(PACKAGE).parts[: depth - node.level])
            names = [node.module] if node.module else [alias.name for alias in node.names]
            yield from ((".".join([*above, name]), True) for name in names)


def layer(name: str) -> int:
    return next(i for i, members in enumerate(LAYERS) if name in members)


@pytest.mark.parametrize("path", [p for p in FILES if p.parent != PACKAGE or p.name != "__init__.py"], ids=name_of)
def test_imports_run_downward(path: Path) -> None:
    here = unit(path)
    for module, ours in imports(path):
        there = module.split(".")[0]
        if not ours or there in ("", here, "__init__", "__version__"):
            continue
        allowed = layer(there) < layer(here) or (layer(there) == layer(here) and layer(here) in FREE_WITHIN)
        assert allowed, f"{path.name} ({here}) must not import {module}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_heavy_dependencies_stay_at_home(path: Path) -> None:
    place = name_of(path)
    for module, ours in imports(path):
        homes = HOMES.get(module.split(".")[0])
        if not ours and homes is not None:
            assert any(place.startswith(home) for home in homes), f"{place} imports {module}; its home is {homes}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_stay_readable(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 400


def test_the_architecture_is_told_as_it_is() -> None:
    """The page's table of floors is LAYERS, and the picture is drawn from it."""
    rows = re.findall(r"^\| \w+ \| (`.*?`) \| (yes|no) \|", draw_architecture.PAGE.read_text("utf-8"), re.MULTILINE)
    assert [set(re.findall(r"`(\w+)`", rooms)) for rooms, _ in rows] == LAYERS
    assert tuple(floor for floor, (_, free) in enumerate(rows) if free == "yes") == FREE_WITHIN
    assert draw_architecture.PICTURE.read_text("utf-8") == draw_architecture.picture(), (
        "draw it again: python -m tools.draw_architecture"
    )


def test_every_room_has_its_floor() -> None:
    """LAYERS names what is there, each once, and nothing that has moved."""
    rooms = {unit(path) for path in FILES} - {"__init__"}
    named = [room for floor in LAYERS for room in floor]
    assert sorted(named) == sorted(rooms)


def test_a_violation_would_be_seen() -> None:
    text = "from ..tracking.config import TrackingConfig\nimport mediapipe\n"
    found = list(imports(PACKAGE / "solving" / "imagined.py", text))
    assert found == [("tracking.config", True), ("mediapipe", False)]
    assert layer("tracking") == layer("solving")
    assert layer("solving") not in FREE_WITHIN
