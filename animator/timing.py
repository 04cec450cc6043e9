"""Clock, hand-over between threads, pacing and the stopwatch of the corridor's stages."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from queue import Empty, Full, Queue
from typing import Generic, TypeVar

T = TypeVar("T")

Clock = Callable[[], float]
monotonic_s: Clock = time.monotonic
"""Seconds that only rise; the default of everything that needs a clock."""


LATE_S = 0.5
"""A file that is shown live and comes this late goes on from there."""


class Closed(Exception):  # noqa: N818 - a signal, not an error
    """Nothing more will come."""


class LatestSlot(Generic[T]):
    """Holds only the newest item: a slow reader skips, it never lags."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._full = self._closed = False
        self.skipped = 0
        """Items that were replaced before anyone took them."""

    def put(self, item: T) -> None:
        """Replace whatever is waiting. Raises Closed once the reader has gone."""
        with self._changed:
            if self._closed:
                raise Closed
            self.skipped += self._full
            self._item, self._full = item, True
            self._changed.notify_all()

    def get(self, timeout_s: float | None = None) -> T:
        """The newest item, waiting for it; raises TimeoutError, or Closed after the last one."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._full or self._closed, timeout_s):
                raise TimeoutError
            if not self._full:
                raise Closed
            item, self._item, self._full = self._item, None, False
            return item

    def close(self) -> None:
        """No more items; one that waits can still be taken. May be called by either side."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class BoundedQueue(Generic[T]):
    """Hands over every item in order and holds the writer back when the reader is slow: nothing grows."""

    _POLL_S = 0.1

    def __init__(self, length: int) -> None:
        self._queue: Queue[T] = Queue(length)
        self._closed = threading.Event()

    def put(self, item: T) -> None:
        """Append, waiting for room. Raises Closed once the reader has gone."""
        while not self._closed.is_set():
            try:
                return self._queue.put(item, timeout=self._POLL_S)
            except Full:
                continue
        raise Closed

    def get(self, timeout_s: float | None = None) -> T:
        """The next item, waiting for it; raises TimeoutError, or Closed after the last one."""
        left_s = float("inf") if timeout_s is None else timeout_s
        while True:
            finished = self._closed.is_set()  # read before the attempt: what was put before closing still comes
            try:
                return self._queue.get(block=not finished, timeout=min(self._POLL_S, left_s))
            except Empty:
                left_s -= self._POLL_S
                if finished:
                    raise Closed from None
                if left_s <= 0:
                    raise TimeoutError from None

    def close(self) -> None:
        """No more items; those that wait can still be taken. May be called by either side."""
        self._closed.set()


def paced(
    items: Iterable[T], time_of: Callable[[T], float], clock: Clock, wait: Callable[[float], None]
) -> Iterator[T]:
    """Give each item no sooner than its own time after the first one's, as a player does with a file.

    What comes later than LATE_S is shown from there on at its pace: a film that a busy machine held up is not rushed
    through afterwards. (On one with 30 programs for two cores it ran behind by 43 s, and took minutes to catch up.)"""
    start_s = first_s = None
    for item in items:
        if start_s is None:
            start_s, first_s = clock(), time_of(item)
        ahead_s = (time_of(item) - first_s) - (clock() - start_s)
        if ahead_s > 0:
            wait(ahead_s)
        elif ahead_s < -LATE_S:
            start_s -= ahead_s
        yield item


class Stopwatch:
    """Seconds spent in each stage, over all and lately. Safe to use from several threads."""

    LATELY = 30
    """Runs of a stage that `lately_ms` looks back on."""

    def __init__(self, clock: Clock = time.perf_counter) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self.total_s: dict[str, float] = defaultdict(float)
        self.runs: dict[str, int] = defaultdict(int)
        self._lately: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=self.LATELY))

    @contextmanager
    def measuring(self, stage: str) -> Iterator[None]:
        """Add the time inside the block to `stage`."""
        start_s = self._clock()
        try:
            yield
        finally:
            spent_s = self._clock() - start_s
            with self._lock:
                self._add(stage, spent_s)

    def lately_ms(self) -> dict[str, float]:
        """Mean milliseconds of each stage's last runs, in the order the stages first ran."""
        with self._lock:
            return {stage: 1000 * sum(spent) / len(spent) for stage, spent in self._lately.items() if spent}

    def _add(self, stage: str, spent_s: float) -> None:
        """Take one run; called with the lock held."""
        self.total_s[stage] += spent_s
        self.runs[stage] += 1
        self._lately[stage].append(spent_s)


class RateMeter:
    """Events per second over the last second or so."""

    def __init__(self, clock: Clock = monotonic_s, keep: int = 30) -> None:
        self._clock, self._times = clock, deque(maxlen=keep)

    def tick(self) -> float:
        """Count one event and tell the rate."""
        self._times.append(self._clock())
        span_s = self._times[-1] - self._times[0]
        return (len(self._times) - 1) / span_s if span_s > 0 else 0.0
