"""Work that runs ahead on a thread of its own and is taken from another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Generic, TypeVar

from .timing import BoundedQueue, Closed, LatestSlot

T = TypeVar("T")

JOIN_S = 5.0
"""A thread that has not ended by then is stuck in a driver; it is a daemon and dies with the program."""


class Ahead(Generic[T]):
    """Iterates over `items` on a thread from the first `get` on; whoever takes them gets its exception too.

    slot : what lies between: LatestSlot skips, BoundedQueue waits"""

    def __init__(self, items: Iterator[T], slot: LatestSlot[T] | BoundedQueue[T]) -> None:
        self._items, self._slot = items, slot
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._begun = self._closed = False

    def get(self, timeout_s: float | None = None) -> T:
        """The next item; raises TimeoutError, Closed after the last one, or what the thread raised."""
        if not self._begun and not self._closed:
            self._begun = True
            self._thread.start()
        try:
            return self._slot.get(timeout_s)
        except Closed:
            if self._error is not None:
                error, self._error = self._error, None
                raise error from None
            raise

    def __iter__(self) -> Iterator[T]:
        while True:
            try:
                item = self.get()
            except Closed:
                return
            yield item

    def close(self) -> None:
        """Stop the thread and wait for it. May be called twice."""
        self._closed = True
        self._slot.close()
        if self._begun and self._thread is not threading.current_thread():
            self._thread.join(JOIN_S)

    def _work(self) -> None:
        try:
            for item in self._items:
                self._slot.put(item)
        except Closed:
            pass  # the reader has gone
        except BaseException as error:  # whatever it is, it is the reader's to hear
            self._error = error
        finally:
            self._slot.close()
