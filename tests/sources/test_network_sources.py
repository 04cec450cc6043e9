"""Motion from the network over real sockets: requests, floods, strangers, ports that are taken."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import aiohttp
import numpy as np
import pytest

from animator.data import Expression, Motion
from animator.errors import ProtocolError, SettingError, SourceError
from animator.pipeline import is_motion_source
from animator.protocols import ifacialmocap, live_link
from animator.protocols.live_link import LiveLinkReader, LiveLinkWriter
from animator.protocols.reading import Heard
from animator.protocols.vmc import VmcReader, VmcWriter
from animator.sinks.network import open_sender
from animator.sources.datagrams import UdpReceiver
from animator.sources.network import MESSAGE_BURST, MOST_SENDERS, NetworkSource
from animator.sources.network_urls import open_network_source
from animator.sources.opening import open_source
from animator.sources.stream import TcpReceiver
from animator.stages import MotionSource
from tests.protocols.faces import talking_face

JAW = Motion(0.0, 0, expression=Expression.of(jawOpen=0.5))


@pytest.fixture(autouse=True)
def _log_reaches_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("animator"), "propagate", True)


class Scripted:
    """A receiver that gives what was written down for it, then stops the source."""

    def __init__(self, messages: list[tuple[float, bytes, str]]) -> None:
        self._messages, self.now_s = iter(messages), 0.0
        self.source: NetworkSource | None = None
        self.closed = False

    def receive(self, timeout_s: float) -> tuple[bytes, str] | None:
        if timeout_s == 0:  # between messages the line is empty
            return None
        at_s, message, sender = next(self._messages, (self.now_s, b"", ""))
        if not sender:
            self.source.interrupt()
            return None
        self.now_s = at_s
        return message, sender

    def close(self) -> None:
        self.closed = True


def scripted(messages: list[tuple[float, bytes, str]], **options) -> NetworkSource:
    receiver = Scripted(messages)
    receiver.source = NetworkSource("script", receiver, LiveLinkReader, clock=lambda: receiver.now_s, **options)
    return receiver.source


def packets(count: int, writer: LiveLinkWriter | None = None) -> list[bytes]:
    writer = writer or LiveLinkWriter("animator", 0.0)
    return [writer.write([motion], motion.time_s)[0] for motion in talking_face(count)]


@pytest.mark.parametrize("scheme", ["vmc", "livelink", "ifacialmocap", "ws"])
def test_every_protocol_is_a_source_by_its_url(scheme: str) -> None:
    with closing(open_source(f"{scheme}://127.0.0.1:0" if scheme != "ws" else "ws://:0")) as source:
        assert isinstance(source, MotionSource)
        assert is_motion_source(source)
        assert source.live
        assert source.receiver.port > 0
    source.close()


def test_what_does_not_make_sense_is_counted_told_now_and_then_and_does_no_harm(caplog) -> None:
    good = packets(400)
    messages = []
    for i, packet in enumerate(good):
        messages += [(i / 30, packet, "10.0.0.7:1"), (i / 30, b"\x1b[2Jrubbish" * 3, "10.0.0.9:1")]
    source = scripted(messages)
    with caplog.at_level(logging.WARNING):
        assert len(list(source)) == 400
    assert source.refused == 400
    assert 1 <= len(caplog.records) <= 3
    assert "messages were not taken; the last from 10.0.0.9:1: not a Live Link packet" in caplog.records[0].message


def test_a_flood_is_dropped_before_it_is_read() -> None:
    reads = 0

    class Counting(LiveLinkReader):
        def read(self, message: bytes, now_s: float) -> list[Heard]:
            nonlocal reads
            reads += 1
            raise ProtocolError("no")

    receiver = Scripted([(i * 1e-6, b"x", f"10.0.0.7:{i % 3}") for i in range(50_000)])
    receiver.source = NetworkSource("flood", receiver, Counting, clock=lambda: receiver.now_s)
    assert list(receiver.source) == []
    assert reads <= 3 * MESSAGE_BURST + 300
    assert receiver.source.refused == 50_000


def test_senders_without_number_do_not_pile_up_and_do_not_displace_who_makes_sense() -> None:
    good = packets(300)
    messages = [(0.0, good[0], "10.0.0.7:1")]
    for i, packet in enumerate(good[1:]):
        messages += [(i / 30, b"x", f"10.1.{j}.{i % 250}:{i}") for j in range(20)] + [(i / 30, packet, "10.0.0.7:1")]
    source = scripted(messages)
    assert len(list(source)) == 300
    assert len(source._senders) <= MOST_SENDERS


def test_a_frame_that_waits_in_the_line_while_we_sleep_is_not_taken_to_pieces() -> None:
    """Three bundles of VMC, and a machine that stops for two seconds between reading the first and the second."""
    motions = talking_face(6)
    writer, now_s = VmcWriter(), 0.0
    line = [bundle for motion in motions for bundle in writer.write([motion], motion.time_s)]
    assert len(line) == 18

    class Sleepy:
        def receive(self, timeout_s: float) -> tuple[bytes, str] | None:
            nonlocal now_s
            now_s += 2.0 if len(line) in (17, 10) else 0.001
            if not line:
                source.interrupt()
            return (line.pop(0), "10.0.0.7:1") if line else None

        def close(self) -> None:
            pass

    source = NetworkSource("sleepy", Sleepy(), VmcReader, clock=lambda: now_s)
    heard = [m for (m,) in source]
    assert len(heard) == 6
    np.testing.assert_array_equal([m.expression.weights for m in heard], [m.expression.weights for m in motions])
    assert [m.confidence for m in heard] == [1.0] * 6


def test_requests_go_on_until_somebody_is_heard() -> None:
    asked: list[float] = []
    silence = [(t / 10, b"x", "10.0.0.7:1") for t in range(100)]
    heard = [(10 + i / 30, packet, "10.0.0.7:1") for i, packet in enumerate(packets(200))]
    source = scripted([*silence, *heard], ask=lambda: asked.append(source.receiver.now_s))
    assert len(list(source)) == 200
    np.testing.assert_allclose(asked, [0, 2, 4, 6, 8], atol=0.11)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_phone_is_asked_and_answers(version: str) -> None:
    """Our sender plays the phone, our source the computer."""
    with closing(open_sender("ifacialmocap://:0?listen=127.0.0.1&reply=sender")) as phone:
        url = f"ifacialmocap://127.0.0.1:0?phone=127.0.0.1:{phone.port}&version={version}"
        with closing(open_network_source(url)) as source:
            heard = iter(source)
            source.receiver.receive = _writing_before(source.receiver.receive, phone)
            (motion,) = next(heard)
            assert motion.expression["jawOpen"] == 0.5
            (writer,) = phone._askers.values()
            assert writer.version == version


def _writing_before(receive, phone):
    def wrapped(timeout_s: float):
        phone.write([JAW], 0.0)
        return receive(timeout_s)

    return wrapped


def test_a_phone_that_is_asked_for_tcp_connects_and_its_frames_may_be_cut_anywhere() -> None:
    motions = talking_face(20)
    text = b"".join(ifacialmocap.encode(motion, "v2") + ifacialmocap.END.encode() for motion in motions)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        phone.settimeout(20)
        url = f"ifacialmocap://127.0.0.1:0?transport=tcp&version=v2&phone=127.0.0.1:{phone.getsockname()[1]}"
        with closing(open_network_source(url)) as source:
            source._ask()
            assert phone.recv(200) == ifacialmocap.request("v2", tcp=True)
            found: list[bytes] = []
            with socket.create_connection(("127.0.0.1", source.receiver.port)) as connection:
                for start in range(0, len(text), 333):
                    connection.sendall(text[start : start + 333])
                    while (received := source.receiver.receive(0.005)) is not None:
                        found.append(received[0])
            while len(found) < 20 and (received := source.receiver.receive(20)) is not None:
                found.append(received[0])
    weights = [ifacialmocap.decode(message, 0.0).expression.weights for message in found]
    np.testing.assert_allclose(weights, [m.expression.weights for m in motions], atol=0.0051)


def test_a_stream_without_end_is_cut_off() -> None:
    receiver = TcpReceiver("127.0.0.1", 0, "here", end=b"END", longest=1000)
    with socket.create_connection(("127.0.0.1", receiver.port)) as connection:
        assert receiver.receive(5.0) is None
        connection.sendall(b"x" * 5000)
        while receiver._streams:
            assert receiver.receive(1.0) is None
    with socket.create_connection(("127.0.0.1", receiver.port)) as connection:
        assert receiver.receive(5.0) is None
        connection.sendall(b"helloENDand")
        assert receiver.receive(5.0)[0] == b"hello"
        connection.sendall(b"moreEND")
        assert receiver.receive(5.0)[0] == b"andmore"
    while receiver._streams:
        receiver.receive(1.0)
    receiver.close()
    receiver.close()
    assert receiver.receive(0.0) is None


def test_only_a_few_may_connect_and_those_who_say_nothing_make_room() -> None:
    now_s = [0.0]
    with closing(TcpReceiver("127.0.0.1", 0, "here", end=b"END", longest=99, clock=lambda: now_s[0])) as receiver:

        def connected(says: bytes) -> socket.socket:
            connection = socket.create_connection(("127.0.0.1", receiver.port))
            assert receiver.receive(5.0) is None
            assert len(receiver._streams) <= 4
            connection.sendall(says)
            return connection

        idle = [connected(b"") for _ in range(6)]
        honest = []
        for number in range(4):
            honest.append(connected(b"%dEND" % number))
            assert receiver.receive(5.0)[0] == b"%d" % number
        assert [connection.recv(9) for connection in idle] == [b""] * 6  # all of them had to go
        with connected(b"") as late:
            assert late.recv(9) == b""  # nobody has been silent for long
        now_s[0] = 11.0
        for number in (1, 2, 3):
            honest[number].sendall(b"againEND")
            assert receiver.receive(5.0)[0] == b"again"
        with connected(b"newEND"):
            assert receiver.receive(5.0)[0] == b"new"
        assert honest[0].recv(9) == b""
        for connection in [*idle, *honest]:
            connection.close()


def test_the_phone_answers_few_and_none_from_far() -> None:
    with closing(open_sender("ifacialmocap://:0?listen=127.0.0.1&reply=sender")) as phone:
        askers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(6)]
        for asker in askers:
            asker.sendto(b"hello", ("127.0.0.1", phone.port))
            asker.sendto(ifacialmocap.request(), ("127.0.0.1", phone.port))
            phone.write([JAW], 0.0)
            asker.close()
        phone.write([JAW], 0.0)
        assert len(phone._askers) == 4
    from animator.sinks.network import _is_near

    assert [_is_near(a) for a in ("192.168.1.4", "127.0.0.1", "fe80::1%eth0", "::ffff:10.0.0.1")] == [True] * 4
    assert [_is_near(a) for a in ("8.8.8.8", "2001:4860::1", "::ffff:8.8.8.8")] == [False] * 3


def test_only_the_host_that_was_named_is_heard() -> None:
    with closing(open_network_source("livelink://127.0.0.1:0?from=127.0.0.2")) as source:
        for host in ("127.0.0.1", "127.0.0.2"):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.bind((host, 0))
                sender.sendto(live_link.encode(live_link.Packet("d", host, 0, 0.0, (60, 1), None)),
                              ("127.0.0.1", source.receiver.port))  # fmt: skip
        next(iter(source))
        assert source.messages == 1


def test_a_port_that_is_taken_is_told_in_one_line() -> None:
    with closing(open_network_source("vmc://127.0.0.1:0")) as source:
        port = source.receiver.port
        with pytest.raises(SourceError, match=f"cannot listen on vmc://127.0.0.1:{port}: Address already in use"):
            open_network_source(f"vmc://127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("url", "error", "reason"),
    [
        ("livelink://192.0.2.1:1", SourceError, "cannot listen on livelink://192.0.2.1:1"),
        ("livelink://:x", SettingError, "wanted livelink://HOST:PORT"),
        ("livelink://:0?names=vrm0", SettingError, "no option names; it has flip, fps, from, mirror"),
        ("livelink://:0?flip=yaw&flip=roll", SettingError, "no option twice"),
        ("livelink://:0?straight=on", SettingError, "straight=camera|first"),
        ("livelink://:0?from=no.such.host.invalid", SourceError, "from=no.such.host.invalid"),
        ("ifacialmocap://:0?phone=a:b:c", SettingError, "wanted phone=HOST or phone=HOST:PORT"),
        ("ifacialmocap://:0?phone=no.such.host.invalid", SourceError, "phone=no.such.host.invalid"),
        ("ws://:0?origin=a&listen=no.such.host.invalid", SourceError, "cannot listen on ws://"),
        ("wss://:1", SettingError, "only ws://:PORT"),
    ],
)
def test_a_wrong_url_is_one_line_with_what_was_wanted(url: str, error: type, reason: str) -> None:
    with pytest.raises(error) as caught:
        open_source(url)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_socket_that_is_closed_meanwhile_gives_nothing() -> None:
    receiver = UdpReceiver("127.0.0.1", 0, "here")
    receiver.close()
    assert receiver.receive(0.0) is None
    receiver.send(b"x", ("127.0.0.1", 9))


@pytest.fixture
def serving() -> Iterator:
    with closing(open_sender("ws://:0")) as sink:
        yield sink


def get_status(port: int, origin: str | None) -> int:
    async def connect() -> int:
        headers = {} if origin is None else {"Origin": origin}
        async with aiohttp.ClientSession() as session:
            try:
                async with session.ws_connect(f"http://127.0.0.1:{port}/", headers=headers):
                    return 101
            except aiohttp.WSServerHandshakeError as error:
                return error.status

    return asyncio.run(connect())


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 101), ("http://localhost:3000", 101), ("http://127.0.0.1", 101), ("https://evil.example", 403),
        ("null", 403), ("http://localhost.evil.example", 403), ("http://[", 403),
    ],
)  # fmt: skip
def test_pages_of_other_sites_neither_listen_nor_speak(serving, origin: str | None, status: int) -> None:
    assert get_status(serving.port, origin) == status
    with closing(open_network_source("ws://:0")) as source:
        assert get_status(source.receiver.port, origin) == status


def test_a_page_that_was_named_may() -> None:
    with closing(open_sender("ws://:0?origin=https://mine.example")) as sink:
        assert get_status(sink.port, "https://mine.example") == 101
        assert get_status(sink.port, "https://other.example") == 403


def test_whoever_connects_to_us_is_served_the_newest() -> None:
    with closing(open_sender("ws://:0")) as sink:

        async def listen() -> list[dict]:
            url = f"http://127.0.0.1:{sink.port}/"
            async with aiohttp.ClientSession() as session, session.ws_connect(url) as connected:
                found = []
                for number in range(3):
                    sink.write([JAW], float(number))
                    found.append(await connected.receive_json(timeout=20))
                return found

        assert [frame["time_s"] for frame in asyncio.run(listen())] == [0, 1, 2]


def test_sources_may_connect_to_who_serves() -> None:
    with closing(open_sender("ws://:0")) as sink, closing(open_source(f"ws://127.0.0.1:{sink.port}")) as source:
        source.receiver.receive = _writing_before(source.receiver.receive, sink)
        (motion,) = next(iter(source))
        assert motion.expression["jawOpen"] == 0.5


def test_a_take_of_what_was_heard_is_what_was_sent(tmp_path: Path) -> None:
    from animator.sinks.recorder import MotionRecorder
    from animator.takes.npz import load_takes

    with closing(open_network_source("livelink://127.0.0.1:0")) as source:
        with closing(open_sender(f"livelink://127.0.0.1:{source.receiver.port}")) as sink:
            for motion in talking_face(30):
                sink.write([motion], motion.time_s)
        with closing(MotionRecorder(tmp_path / "a.npz", source.fps)) as recorder:
            for motions in islice(source, 30):
                recorder.write(motions, motions[0].time_s)
    (take,) = load_takes(tmp_path / "a.npz")
    np.testing.assert_array_equal(take.weights, [m.expression.weights for m in talking_face(30)])
    np.testing.assert_allclose(np.diff(take.times_s), 1 / 30, atol=2e-3)
