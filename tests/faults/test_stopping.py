"""SIGTERM in the middle of everything: while libraries are loaded, while it records, while files are finished."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from animator.cli.stopping import stop_in_order
from animator.takes.finishing import recover
from animator.takes.npz import load_takes
from tests.cli.helpers import frames_of

from .programs import Program, left_in

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")

WHILE_LOADING = """
import os, signal
from importlib.abc import MetaPathFinder

class Stopper(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == {name!r}:
            os.kill(os.getpid(), signal.{by})

sys.meta_path.insert(0, Stopper())
"""
TWICE = """
import os, signal
from animator.takes import npz
write = npz.write_archive

def again(*arguments, **options):
    os.kill(os.getpid(), signal.SIGTERM)
    return write(*arguments, **options)

npz.write_archive = again
"""


@pytest.fixture
def handlers_as_they_were():
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def import_and_wait() -> None:
    import slow_to_load  # noqa: F401

    signal.pause()


def test_a_library_is_loaded_whole_before_the_stop_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, handlers_as_they_were: None
) -> None:
    (tmp_path / "slow_to_load.py").write_text(
        "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\nwhole = [n for n in range(10_000)]\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    stop_in_order()
    with pytest.raises(KeyboardInterrupt):
        import_and_wait()
    assert len(sys.modules.pop("slow_to_load").whole) == 10_000


@pytest.mark.parametrize(("library", "by"), [("pyvista", "SIGTERM"), ("av", "SIGINT")])
def test_a_stop_while_it_starts_is_one_line_and_leaves_nothing(
    tmp_path: Path, face_clip: Path, library: str, by: str
) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    arguments = ("run", face_clip, "--out", folder / "a.mp4", "--take", folder / "a.npz", "--size", "64x48")
    with Program(*arguments, before=WHILE_LOADING.format(name=library, by=by)) as program:
        said = program.end()
    assert (said.code, said.one_line) == (130, "stopped")
    assert left_in(folder) == []


@pytest.mark.parametrize("at", [1, 40])
def test_a_stop_while_it_sends_films_and_records_leaves_both_whole(
    tmp_path: Path, performance_path: Path, at: int
) -> None:
    film, take = tmp_path / "a.mp4", tmp_path / "a.npz"
    arguments = ("run", performance_path, "--view", "mesh", "--out", film, "--take", take, "--send", "ws://:0")
    with Program(*arguments) as program:
        program.until_frame(at)
        program.process.send_signal(signal.SIGTERM)
        said = program.end()
    assert (said.code, said.one_line) == (130, "stopped")
    assert left_in(tmp_path) == ["a.mp4", "a.npz"]
    assert at <= frames_of(film) <= len(load_takes(take)[0])


def test_a_second_stop_while_the_take_is_finished_loses_nothing(tmp_path: Path, performance_path: Path) -> None:
    take = tmp_path / "a.npz"
    with Program("record", performance_path, "-o", take, before=TWICE) as program:
        program.until_frame(20)
        program.process.send_signal(signal.SIGTERM)
        said = program.end()
    assert said.code == 130
    assert said.one_line == "stopped"
    recover(tmp_path)
    assert left_in(tmp_path) == ["a.npz"]
    assert len(load_takes(take)[0]) >= 20
