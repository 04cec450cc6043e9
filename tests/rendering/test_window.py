"""A real window on a virtual X server: keys, sliders, resizing and a clean end.

The script runs in a process of its own, so that a driver that crashes fails one test and not the run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.conftest import ROOT
from tests.displays import virtual_display

OPENING = """
import faulthandler, sys
faulthandler.enable()
import numpy as np
from animator.data import Motion
from animator.rendering.backdrop import Background
from animator.rendering.scene import Appearance
from animator.rendering.window import Key, Slider, Window
from animator.rigging.deform import Deformer
from animator.rigging.library import load_rig

heard = []
rig = load_rig("human")
keys = {name: Key(f"does {name}", lambda name=name: heard.append(name)) for name in ("q", "space", "question")}
sliders = [
    Slider("calm", 0.0, 1.0, 0.25, lambda value: heard.append(("calm", value))),
    Slider("faces", 1, 8, 1, lambda value: heard.append(("faces", value)), whole=True),
]
window = Window(rig, (400, 300), Background(), 50.0, keys, sliders)
motion = Motion(0.0, 0)
look = [Appearance(0, Deformer(rig).deform(motion), motion.pose)]
picture = np.full((120, 160, 3), (200, 30, 30), np.uint8)
interactor = window._interactor

def press(symbol):
    interactor.SetKeySym(symbol)
    interactor.InvokeEvent("KeyPressEvent")

def draw(view="avatar"):
    window.pump()
    window.draw(view, picture, look)
"""


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """A virtual X server's."""
    with virtual_display() as (name, _server):
        yield name


@pytest.fixture
def run_window(display: str) -> Callable[[str], str]:
    """Runs a script after `OPENING` under the virtual display; gives what it printed."""

    def run(script: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", OPENING + script],
            env=dict(os.environ) | {"DISPLAY": display, "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


def test_keys_are_heard_unknown_ones_are_not_and_the_windows_frame_closes_it(run_window) -> None:
    said = run_window("""
draw()
for symbol in ("space", "x", "question", "q"):
    press(symbol)
    draw()
print(heard, window.is_open)
interactor.InvokeEvent("ExitEvent")
print(window.is_open)
window.close()
""")
    assert said.splitlines() == ["['space', 'question', 'q'] True", "False"]


def test_a_slider_tells_its_value_once_when_it_is_let_go_by_mouse_or_not(run_window) -> None:
    said = run_window("""
draw()
for widget, value in zip(window._sliders, (0.75, 3.4)):
    widget.InvokeEvent("StartInteractionEvent")
    widget.GetRepresentation().SetValue(value)
    widget.InvokeEvent("InteractionEvent")
    widget.InvokeEvent("EndInteractionEvent")
    draw()
print(heard, [widget.GetRepresentation().GetValue() for widget in window._sliders])
heard.clear()
look_of = window._sliders[0].GetRepresentation()
y = round(look_of.GetPoint1Coordinate().GetComputedDisplayValue(window._controls)[1])
x0 = look_of.GetPoint1Coordinate().GetComputedDisplayValue(window._controls)[0]
x1 = look_of.GetPoint2Coordinate().GetComputedDisplayValue(window._controls)[0]
draw()
interactor.SetEventInformation(round(x0 + 0.75 * (x1 - x0)), y)
interactor.InvokeEvent("LeftButtonPressEvent")
interactor.SetEventInformation(round(x0 + 0.9 * (x1 - x0)), y)
interactor.InvokeEvent("MouseMoveEvent")
interactor.InvokeEvent("LeftButtonReleaseEvent")
draw()
print(len(heard), heard[0][0], round(heard[0][1], 1))
window.close()
""")
    assert said.splitlines() == ["[('calm', 0.75), ('faces', 3)] [0.75, 3.0]", "1 calm 0.9"]


def test_what_is_shown_can_be_kept_without_controls(run_window) -> None:
    said = run_window("""
draw("mesh")
window.set_status("status")
window.toggle_help()
draw("mesh")
kept = window.screenshot()
print(kept.shape, kept.dtype, (kept == (200, 30, 30)).all())
window.toggle_help()
window.toggle_sliders()
window.toggle_sliders()
draw("side-by-side")
print(len(np.unique(window.screenshot().reshape(-1, 3), axis=0)) > 50)
window.close()
""")
    assert said.splitlines() == ["(300, 400, 3) uint8 True", "True"]


def test_a_window_may_be_resized_and_show_another_avatar(run_window) -> None:
    said = run_window("""
draw()
window._window.SetSize(640, 200)
for view in ("mask", "side-by-side", "avatar"):
    draw(view)
window.scene.use_rig(load_rig("human"))
draw()
print(window.screenshot().shape)
window.close()
""")
    assert said == "(200, 640, 3)"


def test_a_performance_runs_on_screen_until_q(display: str, make_video) -> None:
    script = f"""
import faulthandler
faulthandler.enable()
import animator.on_screen as on_screen
from animator.cli import main

drawn = []
draw = on_screen.Screen._draw

def press_in_turn(screen):
    draw(screen)
    drawn.append(1)
    keys = dict(enumerate(["v", "v", "v", "v", "n", "m", "h", "t", "c", "question", "q"], start=2))
    if len(drawn) in keys:
        screen._window._interactor.SetKeySym(keys[len(drawn)])
        screen._window._interactor.InvokeEvent("KeyPressEvent")

on_screen.Screen._draw = press_in_turn
raise SystemExit(main(["run", {str(make_video(frames=6))!r}]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=dict(os.environ) | {"DISPLAY": display, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "no face was found" in done.stderr
