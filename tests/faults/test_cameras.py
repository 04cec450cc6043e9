"""A camera that is unplugged, comes back as another, hangs in its driver, or belongs to another program."""

from __future__ import annotations

from contextlib import closing
from itertools import islice, pairwise
from pathlib import Path

import pytest

from animator import handover
from animator.config import Config
from animator.pipeline import Performance
from animator.sources import camera as camera_module
from animator.sources.camera import CameraSource
from animator.takes.npz import load_takes

from .conftest import grey

GONE = (None,) * 3
"""The read that fails, and two looks that find nothing."""


def test_one_that_comes_back_goes_on_in_time(plug_in, caplog: pytest.LogCaptureFixture) -> None:
    device = plug_in(*[grey(v) for v in (1, 2, 3)], *GONE, *[grey(v) for v in (9, 4, 5)])
    ticks = iter(range(100))
    with closing(CameraSource(0, clock=lambda: float(next(ticks)))) as source:
        frames = list(islice(source, 4))
    assert [int(frame.rgb[0, 0, 0]) for frame in frames] == [2, 3, 4, 5]  # the first of each opening only proves it
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert all(one.time_s < other.time_s for one, other in pairwise(frames))
    assert device.opened == device.released == 4
    said = [record.getMessage() for record in caplog.records if record.name == "animator"]
    assert said == [
        "camera 0 gives no more pictures: plug it in again, and it goes on; Ctrl-C ends",
        "camera 0 is back",
    ]


@pytest.mark.parametrize("command", ["run", "record"])
def test_a_take_goes_on_over_a_gap_and_another_size(
    command: str, plug_in, animator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which pictures are looked at is chance: of a camera the newest counts, and this one waits for nobody."""
    plug_in(*[grey(90)] * 4, *GONE, *[grey(90, (96, 64))] * 6)
    asked = []
    performance_of = Performance.__iter__

    def all_and_then_ctrl_c(self):
        for moment in performance_of(self):
            asked.append(moment.frame.size_px)
            yield moment
            if asked[-1] == (96, 64):
                raise KeyboardInterrupt

    monkeypatch.setattr(Performance, "__iter__", all_and_then_ctrl_c)
    files = ("--out", "a.mp4", "--take", "a.npz", "--view", "mesh") if command == "run" else ("-o", "a.npz")
    said = animator(command, "0", *files)
    assert said.code == (130 if command == "run" else 0)
    assert "Traceback" not in said.err
    assert said.err.count("plug it in again") == said.err.count("camera 0 is back") == 1
    take = load_takes(Path("a.npz"))[0]
    assert len(take) >= len(asked) > 0
    assert (take.times_s[1:] > take.times_s[:-1]).all()


def test_one_that_hangs_holds_nobody_up_who_leaves(plug_in, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_module, "RELEASE_S", 0.05)
    monkeypatch.setattr(handover, "JOIN_S", 0.05)
    device = plug_in(grey(1), grey(2))
    performance = Performance(CameraSource(0), Config(), lambda _settings: _NoTracker())
    assert performance.next_moment(10.0).index == 0
    assert device.hangs.wait(10.0)
    with pytest.raises(TimeoutError):
        performance.next_moment(0.0)
    performance.close()
    assert device.released == 0  # a driver must not lose the camera under a read


def test_one_that_another_program_has_is_one_line(plug_in, animator) -> None:
    plug_in(None)
    said = animator("run", "0", "--out", "a.mp4")
    assert said.code == 2
    assert said.one_line.startswith("camera 0 gives no picture: another program may be using it")
    assert not Path("a.mp4").exists()


def test_one_that_is_gone_for_good_ends_with_ctrl_c(plug_in) -> None:
    plug_in(grey(1), grey(2), *[None] * 1000)
    source = CameraSource(0)
    assert next(iter(source)).index == 0
    source.interrupt()
    assert list(source) == []
    source.close()


class _NoTracker:
    def track(self, _frame: object) -> tuple[()]:
        return ()

    def close(self) -> None: ...
