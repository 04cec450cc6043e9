"""Real connections between two peers on this machine."""

from __future__ import annotations

import asyncio
import gc
import os
import threading

import pytest

from animator.errors import ProtocolError, SettingError
from animator.webrtc.outbound import Fanout
from animator.webrtc.peer import CONNECT_S, Peer

from .helpers import Heard, introduce, needs_ice, pair, publishing, run, until


@needs_ice
def test_messages_go_both_ways() -> None:
    async def test() -> None:
        here, there = Heard(), Heard()
        async with pair(Peer(listeners=here.listeners), Peer(listeners=there.listeners), video=False) as (a, b):
            await here.opened.wait()
            await there.opened.wait()
            assert a.send_control({"type": "set", "view": "mask"})
            assert b.send_control({"type": "welcome"})
            await until(lambda: {"type": "set", "view": "mask"} in there.control and here.control)
            await until(lambda: a.send_motion(b"\x00\x01") and b.send_motion(b"\x02"))
            await until(lambda: there.motion and here.motion)
            assert there.motion[0] == b"\x00\x01"
            assert here.motion[0] == b"\x02"
        assert here.closed == ["closed"]
        assert len(there.closed) == 1

    run(test())


@needs_ice
def test_it_leaves_nothing_behind() -> None:
    async def test() -> None:
        fanout = Fanout(asyncio.get_running_loop())

        async def visit() -> None:
            async with pair(Peer(receive=True), Peer(fanout)) as (viewer, _server):
                await until(lambda: viewer.pictures.received > 0)

        with publishing(fanout):
            await visit()
            gc.collect()
            await until(lambda: len(asyncio.all_tasks()) == 2)
            threads, files = threading.active_count(), len(os.listdir("/proc/self/fd"))
            for _ in range(10):
                await asyncio.gather(*[visit() for _ in range(3)])
            await until(lambda: len(asyncio.all_tasks()) == 2)
            gc.collect()
            assert threading.active_count() <= threads
            assert len(os.listdir("/proc/self/fd")) <= files
            assert fanout.subscribers == 0
            assert not fanout._tracks

    run(test())
