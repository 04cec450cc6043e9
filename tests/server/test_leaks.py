"""What a worker holds before and after a hundred clients: sessions, rooms, tasks, threads, files.

Its event loop is the test's own, so that tasks can be counted; drawing and tracking are left out."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
import threading
from typing import Any

import aioice.ice
import pytest

from animator.errors import AnimatorError
from animator.server import worker as worker_module
from animator.server.config import ServeConfig
from animator.server.governor import LADDER
from animator.server.worker import Worker
from animator.server.worker_link import BEAT_EVERY_S
from animator.webrtc.peer import Peer

from .live import until

JOINS, TOGETHER = 100, 10
PROMISE_S, LOOK_S, CLOSE_S = 15.0, 0.5, 1.5
"""Who vanishes is freed within the first; a silence is looked for every second of these and ended in the third."""

needs_ice = pytest.mark.skipif(
    not aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True),
    reason="peers cannot connect here: there is no network interface but the loopback",
)


class FakeStudio:
    """Draws nothing."""

    overloaded, step, failure, busy_s = False, LADDER[0], None, 0.0

    def __init__(self, *_what: Any) -> None:
        self.outputs: list[Any] = []
        self.add, self.remove = self.outputs.append, self.outputs.remove

    def wake(self) -> None: ...

    def close(self) -> None: ...


def held(worker: Worker) -> dict[str, int]:
    """Counts of whatever a client may leave behind."""
    return {
        "sessions": len(worker._sessions),
        "watches": len(worker._watching),
        "requests": len(worker._tasks),
        "rooms": len(worker._rooms.all()),
        "outputs": len(worker._studio.outputs),
        "tasks": len(asyncio.all_tasks()),
        "threads": threading.active_count(),
        "files": len(os.listdir("/proc/self/fd")),
    }


async def visit(worker: Worker, number: int) -> None:
    """Come, stay until the connection stands, and go: by goodbye, by DELETE, or without a word."""
    role = ("perform", "watch")[number % 2]
    client = Peer(None, receive=role == "watch")
    offer = await client.offer(video=role == "watch")
    wish = {"session": f"s{number}", "room": f"r{number % 3}", "role": role, "sdp": offer}
    await client.accept(await worker._do_join(wish))
    assert await client.connected()
    if number % 3 == 0:
        await until(lambda: client.send_control({"type": "bye"}))
    elif number % 3 == 1:
        await worker._do_end(f"s{number}")
    await client.close()
    with pytest.raises(AnimatorError):
        await worker._do_join(wish | {"session": f"bad{number}", "sdp": "v=0"})


@needs_ice
@pytest.mark.skipif(sys.platform != "linux", reason="open files are counted in /proc")
def test_a_hundred_clients_leave_nothing_in_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "Studio", FakeStudio)

    async def test() -> None:
        ours, theirs = multiprocessing.Pipe()
        worker = Worker(theirs, ServeConfig(), "model")
        running = asyncio.create_task(worker.run())
        await until(lambda: hasattr(worker, "_wire"))
        await asyncio.gather(*(visit(worker, -1 - number) for number in range(TOGETHER)))  # pools fill, once
        await until(lambda: not worker._sessions)
        before = held(worker)
        for first in range(0, JOINS, TOGETHER):
            await asyncio.gather(*(visit(worker, first + number) for number in range(TOGETHER)))
        await until(lambda: all(count <= before[name] for name, count in held(worker).items() if name != "threads"))
        # The pool of helpers may still fill; it has a bound and is the worker's own.
        assert held(worker)["threads"] <= before["threads"] + worker_module.THREADS
        ours.send(("quit", 0, None))
        await running
        ours.close()

    async def limited() -> None:
        async with asyncio.timeout(120):
            await test()

    asyncio.run(limited())


def test_who_vanishes_is_freed_in_time() -> None:
    """By the settings that a server has; that they act, and when, tests of the peer and of the server show."""
    assert ServeConfig().silent_s + LOOK_S + CLOSE_S <= PROMISE_S
    assert BEAT_EVERY_S < PROMISE_S
