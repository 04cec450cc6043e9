"""A take in a real window on a virtual X server. The script runs in a process of its own, as drivers may crash."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np

from animator.playing import lively
from animator.takes.npz import load_takes
from tests.conftest import ROOT
from tests.rendering.test_window import display  # noqa: F401 - a fixture

SCRIPT = """
import faulthandler
faulthandler.enable()
import numpy as np
from pathlib import Path
from animator.config import Config, ShowConfig
from animator.playing import Player
from animator.takes.npz import load_takes

told, said, time_s = [], [], [0.0]
player = Player(load_takes(Path("assets/performance.npz")), "performance.npz",
                Config(show=ShowConfig(size_px=(480, 360))), tell=told.append, clock=lambda: time_s[0])
line, interactor, playback = player.time_line, player.window.interactor, player.playback

def press(*symbols):
    for symbol in symbols:
        interactor.SetKeySym(symbol)
        interactor.InvokeEvent("KeyPressEvent")

def mouse(seconds, y, event):
    interactor.SetEventInformation(round(line._x_of(seconds)), y)
    interactor.InvokeEvent(event)

def drag(start_s, end_s, y):
    mouse(start_s, y, "LeftButtonPressEvent")
    mouse(end_s, y, "MouseMoveEvent")
    mouse(end_s, y, "LeftButtonReleaseEvent")

acts = [
    lambda: said.append(playback.frame),
    lambda: time_s.__setitem__(0, 1.0),
    lambda: said.append(playback.frame),
    lambda: press("space"),
    lambda: drag(3.0, 7.4, 34),
    lambda: said.append(round(playback.position_s, 1)),
    lambda: press("Right", "Right", "Left"),
    lambda: said.append(playback.playing),
    lambda: (playback.seek(2.0), press("i"), playback.seek(8.0), press("o")),
    lambda: drag(8.0, 9.0, 18),
    lambda: said.append((round(playback.in_s, 1), round(playback.out_s, 1))),
    lambda: playback.seek(7.4),
    lambda: said.append(player.picture()),
    lambda: press("n"),
    lambda: said.append((player._puppets.rig.name, player.picture())),
    lambda: (drag(1.0, 1.0, 200), said.append(round(playback.position_s, 1))),
    lambda: press("l", "Up", "question", "question", "m", "comma", "x", "End", "q"),
]
queue = iter(acts)
player.run(lambda: next(queue)())
first, shown = said.pop(5), said.pop(5)
print(said, player.window.is_open, len(told))
print(np.abs(first[:250].astype(int) - shown[1][:250]).mean() > 2, shown[0], first.shape)
print((first[-30:].mean(axis=(0, 1)) < 110).all(), len(np.unique(first[-60:].reshape(-1, 3), axis=0)) > 50)
"""


def test_a_person_can_pause_step_scrub_and_change_avatars(display: str) -> None:  # noqa: F811
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=dict(os.environ) | {"DISPLAY": display, "PYTHONPATH": str(ROOT)}, cwd=ROOT,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    state, avatar, line = done.stdout.strip().splitlines()
    assert state.startswith("[0, 30, 7.4, False, (2.0, 9.0), 7.4] False ")
    assert int(state.split()[-1]) >= 5  # every new frame is told
    assert avatar == "True mask (360, 480, 3)"
    assert line == "True True"


def test_the_time_line_shows_where_the_face_moves() -> None:
    (take,) = load_takes(ROOT / "assets" / "performance.npz")
    level = lively(take)
    assert level.shape == (len(take),)
    assert (level >= 0).all()
    assert (level <= 1).all()
    assert level[:10].max() < 0.1 < np.median(level[60:270])


COMMAND = """
import sys
from animator.cli import main
from animator.playing import Player

run, drawn = Player.run, []

def briefly(player):
    def after():
        drawn.append(player.playback.frame)
        if len(drawn) == 3:
            player.quit()
    run(player, after)

Player.run = briefly
code = main(["play", sys.argv[1], "--size", "320x240", "--send", "vmc://127.0.0.1:9"])
print(code, len(drawn))
"""


def test_the_command_opens_the_player(display: str) -> None:  # noqa: F811
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "assets/performance.npz"],
        env=dict(os.environ) | {"DISPLAY": display, "PYTHONPATH": str(ROOT)}, cwd=ROOT,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["0 3"], done.stderr
