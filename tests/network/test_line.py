"""A server and a client in two network namespaces, with a bad line between them. Needs root."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from tests.server.live import Server, wait_for

from .helpers import Visitor, longest_gap_s, now_s, visiting
from .line import NEAR_IP, Ends, NoLineError, netem_line, tun_line

LOSS, DELAY_S, OUTAGE_S = 0.05, 0.04, 3.0
LONG_OUTAGE_S = 7.0
PICTURES = 60
"""Four seconds of the client's camera, when none is lost."""


@pytest.fixture(params=[netem_line, tun_line], ids=["netem", "tun"])
def ends(request: pytest.FixtureRequest) -> Iterator[Ends]:
    open_line: Callable[[], AbstractContextManager[Ends]] = request.param
    line = open_line()
    try:
        ends = line.__enter__()
    except NoLineError as reason:
        pytest.skip(f"two network namespaces with a line between them cannot be had here: {reason}")
    try:
        yield ends
    finally:
        line.__exit__(None, None, None)


@pytest.fixture
def server(ends: Ends) -> Iterator[Server]:
    server = Server("main.py", "serve", "--host", NEAR_IP, "--port", "0", within=ends.near)
    try:
        yield server.wait_until_ready()
    finally:
        server.stop()
    assert "Traceback" not in "".join(server.err)


def outage(ends: Ends, seconds: float) -> float:
    """Nothing goes through for so long; the moment when it does again."""
    ends.line.cut()
    end_s = now_s() + seconds
    wait_for(lambda: now_s() >= end_s, seconds + 5)
    ends.line.mend()
    return now_s()


def goes_on(visitor: Visitor, since_s: float) -> float:
    """Pictures and motion come as before, in the same session; after how many seconds the first of each had come."""
    visitor.wait_for("picture", PICTURES, since_s)
    visitor.wait_for("motion", PICTURES, since_s)
    assert not visitor.lines("closed")
    assert len(visitor.lines("joined")) == 1
    return max(visitor.lines(what, since_s)[0]["time_s"] for what in ("picture", "motion")) - since_s


def test_a_session_outlives_a_bad_line(ends: Ends, server: Server) -> None:
    with visiting(server.url, ends.far) as performer:
        performer.wait_for("picture", 10)
        performer.wait_for("motion", 10)
        assert performer.lines("joined")[0]["route"] == ["host", "host"]

        ends.line.weaken(LOSS, DELAY_S)
        weak_s = now_s()
        goes_on(performer, weak_s)
        gap_s = longest_gap_s(performer, "picture", weak_s, now_s())
        print(f"longest gap between pictures on the bad line: {gap_s:.2f} s")
        for length_s in (OUTAGE_S, LONG_OUTAGE_S):
            first_s = goes_on(performer, outage(ends, length_s))
            print(f"first picture and motion {first_s:.2f} s after {length_s:g} s without a line")
