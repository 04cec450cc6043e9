"""Work that runs ahead on a thread of its own and is taken from another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from typing import Any, Generic, TypeVar

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


class LoopThread:
    """An event loop on a thread of its own."""

    START_S = 10.0

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns or raises; TimeoutError after 10 s."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(self.START_S)

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Let `work` go on by itself."""
        asyncio.run_coroutine_threadsafe(work, self.loop)

    def close(self) -> None:
        """Cancel what still goes on and end the thread. May be called twice."""
        if self.loop.is_closed():
            return
        with suppress(TimeoutError):  # something that hangs ends with the program: the thread is a daemon
            self.run(self._cancel())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(JOIN_S)
        if not self._thread.is_alive():
            self.loop.close()

    @staticmethod
    async def _cancel() -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
