"""Commands that are stopped, or whose reader goes away; those about signals run for real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from animator.cli import work as work_module
from animator.takes.npz import load_takes
from tests.conftest import ROOT

from .helpers import SMALL, Said, files_in, frames_of

FINISH_S = 60.0
"""How long a test waits for a program before it fails; none of them ever should."""
STOPPED_AT = 5
TELLING = f"""
import sys
from contextlib import contextmanager
from animator.cli import main, work

@contextmanager
def telling(what, total):
    yield lambda frames: print("frame", flush=True) if frames == {STOPPED_AT} else None

work.progress_bar = telling
raise SystemExit(main())
"""


def test_ctrl_c_before_anything_was_made_leaves_nothing(animator, make_video, monkeypatch) -> None:
    def interrupt(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(work_module, "progress_bar", interrupt)
    said = animator("run", make_video(frames=2), "--out", "a.mp4", *SMALL)
    assert (said.code, said.one_line) == (130, "stopped")
    assert files_in(Path()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "a service manager"])
def test_a_run_that_is_stopped_leaves_files_that_open(tmp_path: Path, performance_path: Path, by: int) -> None:
    video, take = tmp_path / "a.mp4", tmp_path / "a.npz"
    command = ["run", str(performance_path), "--out", str(video), "--take", str(take)]
    environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    with subprocess.Popen(
        [sys.executable, "-c", TELLING, *command],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment | {"PYTHONPATH": str(ROOT)},
    ) as program:  # fmt: skip
        assert program.stdout.readline() == "frame\n"
        program.send_signal(by)
        out, err = program.communicate(timeout=FINISH_S)
    said = Said(program.returncode, out, err)
    assert (said.code, said.one_line) == (130, "stopped")
    assert said.out.splitlines() == [f"wrote {video}", f"wrote {take}"]
    assert files_in(tmp_path) == ["a.mp4", "a.npz"]
    assert STOPPED_AT <= frames_of(video) <= len(load_takes(take)[0]) < 300


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes of this kind")
def test_a_reader_that_goes_away_gets_no_traceback() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", "from animator.cli import main; raise SystemExit(main(['rigs', 'list']))"],
        stdout=write, stderr=subprocess.PIPE, text=True, env=dict(os.environ) | {"PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    os.close(write)
    assert done.stderr == ""
