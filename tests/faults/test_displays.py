"""Displays that die, windows that are closed, and ways to OpenGL that lead nowhere."""

from __future__ import annotations

import asyncio
import ctypes.util
import json
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from animator.takes.npz import load_takes
from tests.cli.helpers import SMALL, frames_of
from tests.displays import virtual_display
from tests.server.live import Server, until, visiting
from tests.server.visits import needs_ice

from .programs import Program, left_in

ON_SCREEN = """
import os
import animator.on_screen as on_screen

os.chdir({folder!r})
draw, drawn, keys = on_screen.Screen._draw, [], {keys!r}

def draw_and_tell(screen):
    draw(screen)
    drawn.append(1)
    print("frame", len(drawn), flush=True)
    for event, symbol in keys.get(len(drawn), ()):
        screen._window.interactor.SetKeySym(symbol)
        screen._window.interactor.InvokeEvent(event)

on_screen.Screen._draw = draw_and_tell
"""
RECORD = ("KeyPressEvent", "r")
CLOSE = ("ExitEvent", "")
PLAYER = """
import animator.playing
from animator.rendering import window

class Window(window.Window):
    def pump(self):
        super().pump()
        print("frame 1", flush=True)

animator.playing.Window = Window
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="X servers and their OpenGL are Linux's here")


@pytest.fixture
def display() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    with virtual_display() as opened:
        yield opened


def on_screen(folder: Path, **keys: list[tuple[str, str]]) -> str:
    """Python that has a window tell its pictures, and these events come at the picture `at_N`."""
    return ON_SCREEN.format(folder=str(folder), keys={int(name[3:]): events for name, events in keys.items()})


def is_whole(take: Path) -> bool:
    """Whether it can be read, and its time rises to the end."""
    (read,) = load_takes(take)
    return len(read) >= 10 and bool((np.diff(read.times_s) > 0).all())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_display_that_dies_ends_the_window_and_the_take_is_whole(
    display, how: signal.Signals, tmp_path: Path, performance_path: Path
) -> None:
    name, server = display
    take = tmp_path / "a.npz"
    before = on_screen(tmp_path)
    with Program("run", performance_path, "--take", take, before=before, env={"DISPLAY": name}) as program:
        program.until_frame(10)
        server.send_signal(how)
        said = program.end()
    assert said.code == 2
    assert said.one_line.startswith(f"the display {name!r} has gone")
    assert said.out.splitlines() == [f"wrote {take}"]
    assert left_in(tmp_path) == [take.name]
    assert is_whole(take)


def test_a_desktop_that_ends_kills_the_display_and_says_so_at_once(
    display, tmp_path: Path, performance_path: Path
) -> None:
    """Whichever comes first: the take is whole."""
    name, server = display
    take = tmp_path / "a.npz"
    with Program("run", performance_path, "--take", take, before=on_screen(tmp_path), env={"DISPLAY": name}) as program:
        program.until_frame(10)
        server.kill()
        program.process.terminate()
        said = program.end()
    assert (said.code, said.one_line.split(" ")[0]) in ((2, "the"), (130, "stopped")), said.err
    assert left_in(tmp_path) == [take.name]
    assert is_whole(take)


def test_a_take_that_was_begun_in_a_window_outlives_its_display(
    display, tmp_path: Path, performance_path: Path
) -> None:
    name, server = display
    before = on_screen(tmp_path, at_3=[RECORD])
    with Program("run", performance_path, before=before, env={"DISPLAY": name}) as program:
        program.until_frame(20)
        server.kill()
        said = program.end()
    assert said.code == 2
    assert said.one_line.startswith("the display")
    (take,) = (tmp_path / "out").iterdir()
    assert take.suffix == ".npz"
    assert is_whole(take)


def test_a_display_that_dies_under_a_film_ends_it_whole(display, tmp_path: Path, performance_path: Path) -> None:
    """Where there is a display VTK draws by it, although no window is wanted."""
    name, server = display
    film, take = tmp_path / "a.mp4", tmp_path / "a.npz"
    arguments = ("run", performance_path, "--out", film, "--take", take, *SMALL)
    with Program(*arguments, env={"DISPLAY": name}) as program:
        program.until_frame(10)
        server.kill()
        said = program.end()
    assert said.code == 2
    assert said.one_line.startswith("the display")
    assert said.out.splitlines() == [f"wrote {film}", f"wrote {take}"]
    assert left_in(tmp_path) == [film.name, take.name]
    assert 10 <= frames_of(film) <= len(load_takes(take)[0])


def test_a_player_whose_display_dies_ends_in_a_line(display, performance_path: Path) -> None:
    name, server = display
    with Program("play", performance_path.with_suffix(".npz"), before=PLAYER, env={"DISPLAY": name}) as program:
        program.until_frame(1)
        server.kill()
        said = program.end()
    assert said.code == 2
    assert said.one_line.startswith("the display")


def test_a_window_that_is_closed_while_it_records_leaves_whole_takes(
    display, tmp_path: Path, performance_path: Path
) -> None:
    """The one that was asked for on the command line, and the one begun in the window."""
    asked = tmp_path / "a.npz"
    before = on_screen(tmp_path, at_2=[RECORD], at_20=[CLOSE])
    with Program("run", performance_path, "--take", asked, before=before, env={"DISPLAY": display[0]}) as program:
        said = program.end()
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [f"wrote {asked}"]
    (begun,) = (tmp_path / "out").iterdir()
    assert is_whole(asked)
    assert is_whole(begun)
    assert left_in(tmp_path) == ["a.npz", "out"]


@needs_ice
def test_a_worker_whose_display_dies_is_replaced(display, model_path: Path) -> None:
    """A server that was started from a desktop whose user logs out."""
    name, x_server = display
    settings = json.dumps({"offers_per_minute": 1000})
    env = {"DISPLAY": name, "ANIMATOR_MODEL": str(model_path)}
    server = Server("-m", "tests.server.running", settings, env=env)

    async def performed(then: Callable[[], Awaitable[None]]) -> None:
        async with visiting(server) as visit:
            await (await visit.perform()).picture()
            await then()

    async def dies() -> None:
        x_server.kill()
        await until(lambda: "another takes its place" in "".join(server.err))

    async def goes_on() -> None: ...

    try:
        server.wait_until_ready()
        asyncio.run(performed(dies))
        asyncio.run(performed(goes_on))
    finally:
        server.stop()
    said = "".join(server.err)
    assert "animator worker: the display" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("setting", "leads_to"),
    [
        ("VTK_DEFAULT_OPENGL_WINDOW", "vtkNoSuchWindow"),
        ("VTK_EGL_DEVICE_INDEX", "63"),
        ("LIBGL_DRIVERS_PATH", "{nowhere}"),
        ("__EGL_VENDOR_LIBRARY_DIRS", "{nowhere}"),
    ],
)
def test_a_way_to_opengl_that_leads_nowhere_is_one_line(
    tmp_path: Path, performance_path: Path, setting: str, leads_to: str
) -> None:
    """VTK would fall back on OSMesa where that is installed, except from a window or a device that was named."""
    if "nowhere" in leads_to and ctypes.util.find_library("OSMesa"):
        pytest.skip("OSMesa is here, and draws in its place")
    leads_to = leads_to.format(nowhere=tmp_path / "nowhere")
    arguments = ("run", performance_path, "--out", tmp_path / "a.mp4", "--take", tmp_path / "a.npz", *SMALL)
    with Program(*arguments, env={setting: leads_to}) as program:
        said = program.end()
    assert said.code == 2
    assert said.one_line.startswith(f"there is no OpenGL to draw with by {setting}={leads_to}: unset it, or install")
    assert not (tmp_path / "a.mp4").exists()


def test_without_egl_osmesa_draws(tmp_path: Path, performance_path: Path) -> None:
    if not ctypes.util.find_library("OSMesa"):
        pytest.skip("libosmesa6 is not here")
    film = tmp_path / "a.png"
    env = {"__EGL_VENDOR_LIBRARY_DIRS": str(tmp_path / "nowhere")}
    with Program("run", performance_path.with_suffix(".npz"), "--out", film, *SMALL, env=env) as program:
        said = program.end()
    assert (said.code, said.out) == (0, f"wrote {film}"), said.err
