"""Messages between two processes, each way on a thread of its own: a full pipe never holds up an event loop."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

MAX_WAITING = 256
"""Messages that wait for the other side; one that leaves more unread is not well."""
JOIN_S = 1.0


class Wire:
    """One end of a pipe. Made on the event loop that it speaks to.

    heard : called on the loop with each message
    lost  : called on the loop, once, when the other end is gone"""

    def __init__(self, pipe: Connection, heard: Callable[[Any], None], lost: Callable[[], None]) -> None:
        self._pipe, self._heard, self._lost = pipe, heard, lost
        self._loop = asyncio.get_running_loop()
        self._waiting: queue.Queue[Any] = queue.Queue(MAX_WAITING)
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._write)]
        for thread in self._threads:
            thread.start()

    def send(self, message: object) -> bool:
        """Queue a message; False if the other side has stopped reading."""
        try:
            self._waiting.put_nowait(message)
        except queue.Full:
            return False
        return True

    def close(self) -> None:
        """Give the pipe back; call it once the other process is gone. What waits is dropped."""
        with suppress(queue.Empty):
            while True:
                self._waiting.get_nowait()
        self._waiting.put(None)
        for thread in self._threads:
            thread.join(JOIN_S)
        self._pipe.close()

    def _read(self) -> None:
        with suppress(EOFError, OSError):
            while True:
                self._tell(self._heard, self._pipe.recv())
        self._tell(self._lost)

    def _write(self) -> None:
        with suppress(OSError):  # `_read` notices too
            while (message := self._waiting.get()) is not None:
                self._pipe.send(message)

    def _tell(self, listener: Callable[..., None], *what: Any) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(listener, *what)
