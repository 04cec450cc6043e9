"""A sink that works on a thread of its own writes the same, and its errors are heard."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from animator.data import Frame
from animator.errors import SinkError
from animator.sinks.behind import WAITING_PICTURES, WriteBehind
from animator.timing import Stopwatch


class Notes:
    """A sink that keeps what it gets; it can be told to wait, or to fail at a picture."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.got: list[int] = []
        self.closed = 0
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self._fails_at = fails_at

    def write(self, frame: Frame) -> None:
        assert self.may_go_on.wait(10)
        if frame.index == self._fails_at:
            raise SinkError("no room")
        self.got.append(frame.index)

    def close(self) -> None:
        self.closed += 1


def picture(index: int) -> Frame:
    return Frame(np.zeros((4, 4, 3), np.uint8), index / 30, index)


def test_every_picture_comes_once_and_in_order() -> None:
    notes, watch = Notes(), Stopwatch()
    behind = WriteBehind(notes, watch)
    for index in range(100):
        behind.write(picture(index))
    behind.close()
    assert notes.got == list(range(100))
    assert notes.closed == 1
    assert watch.runs["encode"] == 100


def test_the_caller_is_ahead_by_a_few_pictures_only() -> None:
    notes = Notes()
    notes.may_go_on.clear()
    behind = WriteBehind(notes, Stopwatch())
    for index in range(WAITING_PICTURES + 1):
        behind.write(picture(index))
    further = threading.Thread(target=lambda: [behind.write(picture(9)), behind.write(picture(10))])
    further.start()
    further.join(0.3)
    assert further.is_alive()
    notes.may_go_on.set()
    further.join(10)
    behind.close()
    assert notes.got == [0, 1, 2, 9, 10]


def test_an_error_is_raised_where_the_pictures_come_from() -> None:
    notes = Notes(fails_at=1)
    behind = WriteBehind(notes, Stopwatch())

    def write_many() -> None:
        for index in range(100):
            behind.write(picture(index))

    with pytest.raises(SinkError, match="no room"):
        write_many()
    behind.close()
    assert notes.got == [0]
    assert notes.closed == 1


def test_the_last_pictures_error_is_raised_by_close() -> None:
    behind = WriteBehind(Notes(fails_at=0), Stopwatch())
    behind.write(picture(0))
    with pytest.raises(SinkError, match="no room"):
        behind.close()


def test_without_a_picture_only_the_sink_is_closed() -> None:
    notes = Notes()
    behind = WriteBehind(notes, Stopwatch())
    behind.close()
    behind.close()
    assert notes.closed == 2
