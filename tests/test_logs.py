"""The log on its way to the terminal: no flood, nothing native, JSON on request."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import threading

import pytest

from animator import logs
from animator.logs import BURST, WINDOW_S, AsJson, Calm, Terminal
from animator.quiet import quiet_stderr
from tests.conftest import ROOT


def record(message: str, *values: object, level: int = logging.WARNING) -> logging.LogRecord:
    return logging.LogRecord("animator.x", level, __file__, 1, message, values, None)


class At:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_flood_is_a_few_lines_and_a_count() -> None:
    clock = At()
    calm = Calm(clock)
    assert [calm.filter(record("lost %d", number)) for number in range(1000)] == [True] * BURST + [False] * (
        1000 - BURST
    )
    assert calm.left_out() == 1000 - BURST
    clock.now_s = WINDOW_S
    after = record("lost %d", 7)
    assert calm.filter(after)
    assert after.getMessage() == f"lost 7 ({1000 - BURST} more like it were left out)"
    assert calm.left_out() == 0


def test_what_is_said_seldom_is_said() -> None:
    clock = At()
    calm = Calm(clock)
    for _ in range(50):
        clock.now_s += WINDOW_S / BURST
        said = record("lost")
        assert calm.filter(said)
        assert said.getMessage() == "lost"


def test_kinds_do_not_silence_each_other() -> None:
    calm = Calm(At())
    for _ in range(BURST * 2):
        calm.filter(record("this"))
    assert calm.filter(record("that"))
    assert calm.filter(record("this", level=logging.ERROR))


def test_kinds_without_end_take_no_memory() -> None:
    calm = Calm(At())
    for number in range(5 * logs.MOST_KINDS):
        calm.filter(record(f"kind {number}"))
    assert len(calm._kinds) <= logs.MOST_KINDS + 1


def test_at_the_end_it_is_told_how_much_was_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    handler = Terminal(logging.Formatter("animator: %(message)s"))
    for _ in range(BURST + 3):
        handler.handle(record("lost"))
    handler.close()
    lines = sys.stderr.getvalue().splitlines()
    assert lines == ["animator: lost"] * BURST + [
        "animator: 3 more lines like those above were left out (-v tells when)"
    ]


def test_json_holds_what_text_holds_and_the_fault() -> None:
    try:
        raise ValueError("no\nline")
    except ValueError:
        said = record("a %s", "b\nc")
        said.exc_info = sys.exc_info()
    line = AsJson().format(said)
    assert "\n" not in line
    told = json.loads(line)
    assert (told["level"], told["logger"], told["message"]) == ("warning", "animator.x", "a b\nc")
    assert told["time"].endswith("Z")
    assert "ValueError: no" in told["error"]


@pytest.mark.parametrize(("said", "level"), [("", 0), ("0", 0), ("1", 1), ("2", 2), ("9", 2), ("yes", 0), ("-1", 0)])
def test_the_environment_tells_how_much(monkeypatch: pytest.MonkeyPatch, said: str, level: int) -> None:
    monkeypatch.setenv(logs.VERBOSE, said)
    assert logs.verbosity() == level


def test_what_libraries_warn_of_is_theirs_unless_asked(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    for verbose, heard in (("", ""), ("2", "out of reach")):
        monkeypatch.setenv(logs.VERBOSE, verbose)
        logs.set_up()
        logging.getLogger("aioice.ice").warning("out of reach")
        assert heard in capsys.readouterr().err
        logging.getLogger("asyncio").error("a task has failed")  # a fault of ours: always
        assert "a task has failed" in capsys.readouterr().err


def test_setting_up_twice_says_everything_once(capsys) -> None:
    logs.set_up()
    logs.set_up()
    logging.getLogger("animator").warning("one")
    logging.getLogger("asyncio").error("two")
    assert capsys.readouterr().err == "animator: one\nanimator: two\n"


def test_native_words_are_muted_and_come_back(capfd) -> None:
    os.write(2, b"before\n")
    with quiet_stderr(), quiet_stderr():
        os.write(2, b"chatter\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "before\nafter\n"


def test_muting_from_many_threads_leaves_the_terminal_as_it_was(capfd) -> None:
    def mute() -> None:
        for _ in range(200):
            with quiet_stderr():
                os.write(2, b"chatter\n")

    threads = [threading.Thread(target=mute) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_everything_is_heard_when_asked_for(capfd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(logs.VERBOSE, "2")
    with quiet_stderr():
        os.write(2, b"chatter\n")
    assert capfd.readouterr().err == "chatter\n"


def test_python_s_words_are_heard_while_native_ones_are_muted() -> None:
    script = """
import os, sys
from animator import logs
from animator.quiet import quiet_stderr
logs.keep_stderr_apart()
with quiet_stderr():
    os.write(2, b"chatter\\n")
    print("ours", file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == "ours\n"
