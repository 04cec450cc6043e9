from __future__ import annotations

import threading

import pytest

from animator.handover import Ahead
from animator.timing import BoundedQueue, Closed, LatestSlot, RateMeter, Stopwatch, paced


class FakeClock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def wait(self, seconds: float) -> None:
        self.now_s += seconds


def test_the_slot_keeps_only_the_newest() -> None:
    slot: LatestSlot[int] = LatestSlot()
    for item in range(5):
        slot.put(item)
    assert slot.get() == 4
    assert slot.skipped == 4
    with pytest.raises(TimeoutError):
        slot.get(timeout_s=0)


@pytest.mark.parametrize("make", [LatestSlot, lambda: BoundedQueue(3)], ids=["slot", "queue"])
def test_what_waits_when_closed_still_comes(make) -> None:
    hand_over = make()
    hand_over.put(1)
    hand_over.close()
    assert hand_over.get() == 1
    with pytest.raises(Closed):
        hand_over.get()
    with pytest.raises(Closed):
        hand_over.put(2)


def test_the_queue_holds_the_writer_back() -> None:
    queue: BoundedQueue[int] = BoundedQueue(2)
    written: list[int] = []

    def write() -> None:
        for item in range(10):
            queue.put(item)
            written.append(item)

    writer = threading.Thread(target=write)
    writer.start()
    read = [queue.get() for _ in range(10)]
    writer.join()
    assert read == list(range(10))
    assert queue._queue.maxsize == 2


def test_work_ahead_keeps_the_order_and_hands_on_errors() -> None:
    def items():
        yield from range(50)
        raise ValueError("the camera went away")

    ahead = Ahead(items(), BoundedQueue(4))
    got: list[int] = []
    with pytest.raises(ValueError, match="the camera went away"):
        got.extend(item for item in ahead)
    assert got == list(range(50))
    ahead.close()
    ahead.close()


def test_a_reader_that_leaves_stops_the_work() -> None:
    def forever():
        while True:
            yield 0

    ahead = Ahead(forever(), BoundedQueue(2))
    assert ahead.get() == 0
    ahead.close()
    assert not ahead._thread.is_alive()


def test_a_file_is_played_at_its_own_pace() -> None:
    clock = FakeClock()
    shown = []
    for item in paced(iter([3.0, 3.5, 4.0]), lambda t: t, clock, clock.wait):
        shown.append((item, clock.now_s))
        clock.now_s += 0.1  # some work
    assert shown == [(3.0, 0.0), (3.5, 0.5), (4.0, 1.0)]


def test_a_file_that_was_held_up_goes_on_at_its_pace_and_is_not_rushed() -> None:
    clock = FakeClock()
    shown = []
    for item in paced(iter([0.0, 0.25, 0.5, 0.75, 1.0]), lambda t: t, clock, clock.wait):
        shown.append((item, clock.now_s))
        if item == 0.25:
            clock.now_s += 60.0
        if item == 0.75:
            clock.now_s += 0.5  # late, but not by much: it catches up
    assert shown == [(0.0, 0.0), (0.25, 0.25), (0.5, 60.25), (0.75, 60.5), (1.0, 61.0)]


def test_the_stopwatch_adds_up() -> None:
    clock = FakeClock()
    watch = Stopwatch(clock)
    for seconds in (0.1, 0.3):
        with watch.measuring("track"):
            clock.now_s += seconds
    assert watch.total_s["track"] == pytest.approx(0.4)
    assert watch.lately_ms() == pytest.approx({"track": 200.0})


def test_the_rate_is_events_per_second() -> None:
    clock = FakeClock()
    meter = RateMeter(clock)
    assert meter.tick() == 0.0
    for _ in range(10):
        clock.now_s += 0.04
        rate = meter.tick()
    assert rate == pytest.approx(25.0)
