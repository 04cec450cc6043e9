"""Two real peers on this machine, and pictures that can be told apart after they were encoded."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aioice.ice
import numpy as np
import pytest

from animator.data import Array
from animator.webrtc.outbound import Fanout
from animator.webrtc.peer import Listeners, Peer

DEADLINE_S = 10.0
SIZE_PX = (128, 96)


def run(test: Coroutine[Any, Any, Any]) -> Any:
    """Run to the end, or fail after a while rather than hang."""

    async def limited() -> Any:
        return await asyncio.wait_for(test, 3 * DEADLINE_S)

    return asyncio.run(limited())


needs_ice = pytest.mark.skipif(
    not aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True),
    reason="peers cannot connect here: there is no network interface but the loopback",
)


def picture(grey: int) -> Array:
    """(96, 128, 3) uint8 of one grey; codecs keep it within a few levels."""
    return np.full((SIZE_PX[1], SIZE_PX[0], 3), grey, np.uint8)


async def until(done: Callable[[], bool], timeout_s: float = DEADLINE_S) -> None:
    """Wait for something that gives no event."""
    async with asyncio.timeout(timeout_s):
        while not done():
            await asyncio.sleep(0.01)


@contextmanager
def publishing(fanout: Fanout, fps: float = 60.0, grey_of: Callable[[int], int] = lambda i: 60 + 10 * (i % 12)) -> Any:
    """A render thread that publishes for as long as the block runs."""
    ended = threading.Event()

    def work() -> None:
        index = 0
        while not ended.wait(1 / fps):
            fanout.publish(picture(grey_of(index)), index / fps)
            index += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


async def introduce(offering: Peer, answering: Peer, **offer: Any) -> None:
    """Let the two connect."""
    await offering.accept(await answering.answer(await offering.offer(**offer)))
    assert await offering.connected(DEADLINE_S)
    assert await answering.connected(DEADLINE_S)


@asynccontextmanager
async def pair(offering: Peer, answering: Peer, **offer: Any) -> AsyncIterator[tuple[Peer, Peer]]:
    """Both connected, and closed in the end."""
    try:
        await introduce(offering, answering, **offer)
        yield offering, answering
    finally:
        await offering.close()
        await answering.close()


class Heard:
    """Keeps what a peer's listeners were told."""

    def __init__(self) -> None:
        self.control: list[dict[str, Any]] = []
        self.motion: list[bytes] = []
        self.bad: list[str] = []
        self.closed: list[str] = []
        self.video: list[Any] = []
        self.opened = asyncio.Event()
        self.listeners = Listeners(
            on_open=self.opened.set,
            on_control=self.control.append,
            on_motion=self.motion.append,
            on_video=self.video.append,
            on_bad=self.bad.append,
            on_closed=self.closed.append,
        )
