"""Processes that end under their work harm that work alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from animator import logs
from animator.batch.engine import WorkFailed, WorkLost
from animator.batch.local import LocalEngine, LocalHandle

from . import work_that_fails as fails


@pytest.fixture
def engine() -> Iterator[LocalEngine]:
    engine = LocalEngine(2)
    yield engine
    engine.close()


def until_over(engine: LocalEngine, *handles: LocalHandle) -> None:
    left = {handle.key for handle in handles}
    while left:
        left -= {handle.key for handle in engine.over(10.0)}


def test_results_go_from_work_to_work(engine: LocalEngine):
    first = [engine.submit(0, fails.add, 1, 2), engine.submit(0, fails.add, 3)]
    until_over(engine, *first)
    both = engine.submit(0, fails.add, *first, 4)
    until_over(engine, both)
    assert both.result() == 10


def test_a_lost_process_costs_its_own_work_and_is_replaced(engine: LocalEngine, tmp_path: Path):
    bad = engine.submit(0, fails.crash)
    good = [engine.submit(1, fails.add, number) for number in range(4)]
    until_over(engine, bad, *good)
    assert [handle.result() for handle in good] == [0, 1, 2, 3]
    with pytest.raises(WorkLost, match="ended by SIGSEGV"):
        bad.result()
    once = engine.submit(0, fails.end_once, tmp_path / "marker")
    until_over(engine, once)
    again = engine.submit(0, fails.end_once, tmp_path / "marker")
    until_over(engine, again)
    assert again.result() in engine.pids


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system keeps no process to a core")
def test_as_many_processes_as_cores_have_one_each(tmp_path: Path):
    ours = os.sched_getaffinity(0)
    if len(ours) < 2:
        pytest.skip("there is one core")
    two = set(sorted(ours)[:2])
    os.sched_setaffinity(0, two)
    try:
        for jobs, width in ((2, 1), (1, 2)):
            with closing(LocalEngine(jobs)) as engine:
                marker = tmp_path / f"here-{jobs}"
                handles = [engine.submit(0, fails.where, marker, jobs) for _ in range(jobs)]
                until_over(engine, *handles)
                seen = [handle.result() for handle in handles]
                assert {core for *cores, _ in seen for core in cores} == two
                assert [(len(cores), everywhere) for *cores, everywhere in seen] == [(width, 2)] * jobs
                if jobs == 2:  # who takes another's place takes its core
                    bad = engine.submit(0, fails.crash)
                    until_over(engine, bad)
                    again = [engine.submit(0, fails.where, tmp_path / "again", 2) for _ in range(2)]
                    until_over(engine, *again)
                    assert {handle.result()[0] for handle in again} == two
    finally:
        os.sched_setaffinity(0, ours)


@pytest.mark.parametrize(("verbosity", "heard"), [("", ["animator batch: a word of ours"]), ("2", ["INFO: Created"])])
def test_only_our_own_words_reach_the_terminal(
    verbosity: str, heard: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.setenv(logs.VERBOSE, verbosity)
    with closing(LocalEngine(1)) as engine:
        until_over(engine, engine.submit(0, fails.chatter))
    lines = capfd.readouterr().err.splitlines()
    if verbosity:
        assert any(line.startswith(heard[0]) for line in lines)
        assert any(line.endswith("a reference is missing") for line in lines)
    else:
        assert lines == heard


def test_what_goes_wrong_is_one_line(engine: LocalEngine):
    handle = engine.submit(0, fails.refuse)
    until_over(engine, handle)
    with pytest.raises(WorkFailed, match=r"^ValueError: first line$") as raised:
        handle.check()
    assert not raised.value.final


def test_closing_leaves_no_process_and_no_file(tmp_path: Path):
    engine = LocalEngine(1)
    handle = engine.submit(0, fails.add, 1)
    until_over(engine, handle)
    engine.close()
    engine.close()
    assert not engine.pids
    assert not handle.file.parent.exists()
