"""The program in this process, and files for it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animator.cli import main
from animator.data import LANDMARKS, Expression, Motion
from animator.takes.npz import LandmarkTake, save_landmark_take, save_takes
from animator.takes.take import take_from_motions
from animator.topology import canonical_face

from .helpers import Said


@pytest.fixture
def animator(capsys, monkeypatch, tmp_path: Path) -> Callable[..., Said]:
    """Runs a command in an empty folder of its own, without a display."""
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("ANIMATOR_MODEL", raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    stop = signal.getsignal(signal.SIGTERM)

    def run(*arguments: object) -> Said:
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    yield run
    signal.signal(signal.SIGTERM, stop)


@pytest.fixture
def take_path(tmp_path: Path) -> Path:
    motions = [Motion(index / 30, 0, expression=Expression.of(jawOpen=index / 10)) for index in range(6)]
    save_takes(tmp_path / "in.npz", [take_from_motions(motions, 30.0)])
    return tmp_path / "in.npz"


@pytest.fixture
def landmarks_path(tmp_path: Path) -> Path:
    landmarks = np.full((LANDMARKS, 3), 0.5, np.float32)
    landmarks[:468] = canonical_face().positions_cm * [0.02, -0.03, -0.02] + [0.5, 0.5, 0.0]
    save_landmark_take(
        tmp_path / "in.landmarks.npz",
        LandmarkTake(np.repeat(landmarks[None], 6, 0), (120, 80), np.arange(6) / 30, np.ones(6, bool)),
    )
    return tmp_path / "in.landmarks.npz"
