"""Memory of forgotten pictures is used again, and never that of one that somebody still holds."""

from __future__ import annotations

import threading

import numpy as np

from animator.recycling import LEAST_BYTES, MOST_KEPT_BYTES, Recycler

SHAPE = (200, 300, 3)


def place(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def test_what_was_forgotten_is_used_again() -> None:
    recycler = Recycler()
    first = recycler.empty(SHAPE)
    where = place(first)
    del first
    assert place(recycler.empty(SHAPE)) == where


def test_arrays_that_are_held_never_share_memory() -> None:
    recycler = Recycler()
    held = [recycler.empty(SHAPE) for _ in range(5)]
    for number, array in enumerate(held):
        array[:] = number
    assert [int(array.max()) for array in held] == [int(array.min()) for array in held] == list(range(5))


def test_a_view_or_a_buffer_holds_the_memory() -> None:
    recycler = Recycler()
    whole = recycler.empty(SHAPE)
    where, view = place(whole), whole[10:, ::2][3:]
    whole[:] = 7
    del whole
    buffer = memoryview(view)
    del view
    other = recycler.empty(SHAPE)
    other[:] = 9
    assert place(other) != where
    assert np.asarray(buffer).max() == 7
    del buffer
    assert place(recycler.empty(SHAPE)) == where


def test_small_arrays_and_other_types_are_as_asked_for() -> None:
    recycler = Recycler()
    small, wide = recycler.empty((4, 4)), recycler.empty((LEAST_BYTES, 2), np.float32)
    assert small.shape == (4, 4)
    assert wide.shape == (LEAST_BYTES, 2)
    assert wide.dtype == np.float32
    assert wide.flags.c_contiguous
    assert wide.flags.writeable
    np.testing.assert_array_equal(recycler.copy(np.arange(LEAST_BYTES)), np.arange(LEAST_BYTES))


def test_little_is_kept_waiting() -> None:
    recycler = Recycler()
    shape = (MOST_KEPT_BYTES // 4,)
    many = [recycler.empty(shape) for _ in range(6)]
    many.clear()
    kept = sum(len(memory) for waiting in recycler._free.values() for memory in waiting)
    assert 0 < kept <= MOST_KEPT_BYTES
    assert not recycler._held
    for width in range(20):
        recycler.empty((LEAST_BYTES + width,))
    assert len(recycler._free) <= 4


def test_threads_take_and_forget_at_once() -> None:
    recycler, wrong = Recycler(), []

    def work(number: int) -> None:
        for _ in range(300):
            array = recycler.empty((LEAST_BYTES,))
            array[:] = number
            if array.min() != number or array.max() != number:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
