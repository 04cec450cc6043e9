"""The soaks' own measure: it sees a leak, and takes neither noise nor a pool that fills for one."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from .watching import BOUNDS, Record, Soaked, judge, warm_up_s

HOUR_S = 3600.0
TIMES_S = np.arange(0, HOUR_S, 5.0)


@pytest.mark.parametrize(("a_mb_an_hour", "flat"), [(0.0, True), (10.0, True), (40.0, False), (400.0, False)])
def test_a_leak_is_told_from_noise(a_mb_an_hour: float, flat: bool) -> None:
    chance = np.random.default_rng(0)
    values = 300 + a_mb_an_hour * TIMES_S / HOUR_S + 15 * chance.normal(size=len(TIMES_S))
    values[chance.integers(0, len(values), 40)] += 200  # now and then somebody is there
    verdict = judge(BOUNDS["memory"], TIMES_S, values, warm_up_s(HOUR_S))
    assert verdict.passed == flat
    assert verdict.an_hour == pytest.approx(a_mb_an_hour, abs=5)


def test_what_fills_in_the_warm_up_is_no_leak() -> None:
    values = np.minimum(TIMES_S, 600.0)
    assert judge(BOUNDS["memory"], TIMES_S, values, warm_up_s(HOUR_S)).an_hour == 0


def test_too_little_is_no_verdict() -> None:
    with pytest.raises(ValueError, match="wanted at least 4 samples"):
        judge(BOUNDS["memory"], [1.0, 2.0], [1.0, 2.0], 0.0)


def test_latency_is_told_beside_how_busy_the_machine_is(tmp_path: Path) -> None:
    record = Record("run", HOUR_S, path=tmp_path / "run.jsonl")
    for time_s in TIMES_S:
        busy = 1 + time_s / 600
        record.add({"time_s": float(time_s), "latency": 20 * busy, "yardstick": 3 * busy})
    for kept in (record, Record.load(tmp_path / "run.jsonl")):
        (verdict,) = kept.verdicts()
        assert verdict.an_hour == pytest.approx(0, abs=1e-6)


@pytest.mark.skipif(sys.platform != "linux", reason="open files are counted in /proc")
def test_a_program_is_counted_with_its_children(tmp_path: Path) -> None:
    soaked = Soaked(tmp_path)
    script = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)\n"
        "print('on')\nchild.wait()"
    )
    try:
        program = soaked.start("two", "-c", script)
        while "on" not in (tmp_path / "two.log").read_text() and program.poll() is None:
            pass
        held = soaked.sample()
    finally:
        soaked.kill()
    assert held["threads"] >= 3  # the first has two, its own and the counter's
    assert held["memory"] > 5
    assert soaked.ended()
