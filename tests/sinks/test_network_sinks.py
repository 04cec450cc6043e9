"""Senders: at the rate that was asked for, each name looked up once, and nobody who is slow holds anybody up."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import closing

import aiohttp
import pytest
from aiohttp import web

from animator.data import Expression, Motion
from animator.protocols.live_link import decode
from animator.sinks.network import UdpSink, open_sender
from animator.sinks.websocket import STALL_S, ServingSink
from animator.stages import MotionSink

JAW = Motion(0.0, 0, expression=Expression.of(jawOpen=0.5, eyeBlinkLeft=1.0))


@pytest.fixture
def listener():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        found.settimeout(20)
        yield found


def port(listener: socket.socket) -> int:
    return listener.getsockname()[1]


@pytest.mark.parametrize(
    "url",
    [
        "vmc://127.0.0.1:9?fps=30", "livelink://127.0.0.1:9?mirror=on", "ifacialmocap://:0?listen=127.0.0.1",
        "ifacialmocap://127.0.0.1:9", "ws://:0?fps=30", "ws://127.0.0.1:9",
    ],
)  # fmt: skip
def test_every_sender_is_a_sink_that_closes_twice(url: str) -> None:
    sink = open_sender(url)
    assert isinstance(sink, MotionSink)
    sink.write([JAW], 0.0)
    sink.write([], 1.0)
    sink.close()
    sink.close()


@pytest.mark.parametrize("source_fps", [30, 60, 144])
@pytest.mark.parametrize("fps", [10, 25, 30, 50])
def test_a_rate_is_kept_to_on_average(fps: int, source_fps: int, listener: socket.socket) -> None:
    with closing(open_sender(f"livelink://127.0.0.1:{port(listener)}?fps={fps}")) as sink:
        for frame in range(4 * source_fps):
            sink.write([JAW], frame / source_fps)
        assert sink.sink.messages == pytest.approx(4 * min(fps, source_fps), abs=1)
        for frame in range(10):  # after a jump back it goes on
            sink.write([JAW], frame / source_fps)
        assert sink.sink.messages > 4 * min(fps, source_fps)


def test_a_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch, listener: socket.socket) -> None:
    looked_up, real = [], socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: looked_up.append(a) or real(*a, **k))
    with closing(open_sender(f"livelink://127.0.0.1:{port(listener)}")) as sink:
        for frame in range(50):
            sink.write([JAW], frame / 60)
        assert len(looked_up) == 1
        assert sink._socket.getblocking() is False
    assert decode(listener.recv(2000)).subject == "animator"


class Stuck:
    """A socket whose line is full."""

    def send(self, _message: bytes) -> int:
        raise BlockingIOError

    def close(self) -> None:
        pass


def test_what_a_full_line_does_not_take_is_dropped() -> None:
    with closing(open_sender("livelink://127.0.0.1:9")) as sink:
        assert isinstance(sink, UdpSink)
        sink._socket.close()
        sink._socket = Stuck()
        for frame in range(100):
            sink.write([JAW], frame / 60)
        assert (sink.messages, sink.refused) == (0, 100)


def test_a_reader_who_takes_nothing_holds_nobody_up_and_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("animator.sinks.websocket.STALL_S", 0.2)
    assert STALL_S > 1
    with closing(open_sender("ws://:0")) as sink, socket.create_connection(("127.0.0.1", sink.port)) as lazy:
        assert isinstance(sink, ServingSink)
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.sendall(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert lazy.recv(12) == b"HTTP/1.1 101"

        async def listen() -> tuple[float, int]:
            url = f"http://127.0.0.1:{sink.port}/"
            async with aiohttp.ClientSession() as session, session.ws_connect(url) as connected:
                number, newest = 0, -1.0
                while sink.readers > 1 or newest < number - 2:  # until the lazy one has been let go
                    number += 1
                    sink.write([JAW] * 8, float(number))
                    newest = (await connected.receive_json(timeout=20))["time_s"]
                return newest, number

        newest, number = asyncio.run(listen())
        assert newest >= number - 2


def test_a_server_that_comes_later_is_found_and_one_that_goes_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("animator.sinks.websocket.RETRY_S", 0.05)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        place = found.getsockname()[1]
    with closing(open_sender(f"ws://127.0.0.1:{place}/faces?fps=60")) as sink:
        for _ in range(2):
            assert "jawOpen" in asyncio.run(first_message(place, sink))


async def first_message(place: int, sink: MotionSink) -> str:
    """What a server hears first that listens at /faces."""
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def connected(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            heard.put_nowait(message.data)
        return socket

    app = web.Application()
    app.router.add_get("/faces", connected)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", place).start()
    done = threading.Event()

    def write() -> None:
        time_s = 0.0
        while not done.wait(0.02):
            time_s += 0.02
            sink.write([JAW], time_s)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        return await asyncio.wait_for(heard.get(), 30)
    finally:
        done.set()
        thread.join()
        await runner.cleanup()
