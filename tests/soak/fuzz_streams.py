"""Strangers' connections by the thousand: TCP streams cut anywhere, WebSocket frames that are nearly right.

    python -m tests.soak.fuzz_streams [--cases 1000000] [--seed 0] [tcp] [websocket]

A case is one piece of bytes on a connection. TCP streams have ends of messages in odd places, none, or thousands;
WebSockets have wrong lengths, masks, opcodes, fragments and handshakes. Connections are closed, reset and left lying.
Somebody honest connects now and then and must be heard; nothing may be logged as an error, nothing may be left over.
"""

from __future__ import annotations

import argparse
import base64
import logging
import random
import resource
import socket
import struct
import sys
import time
from contextlib import closing, suppress

from animator.protocols import ifacialmocap
from animator.sources.network_urls import open_network_source
from tests.protocols.exchange import EXCHANGES
from tests.protocols.faces import talking_face
from tests.protocols.test_exchanges import TRUE_MESSAGES, assert_sound

from .fuzz_protocols import Strangers

HONEST_EVERY = 500
PATIENCE_S = 30.0
STEP_S, FORGET_S = 0.005, 15.0
"""By the source's clock: between two cases, and until strangers who made sense have lost their places."""
MOST_GROWTH_MB = 8.0
LINGER_RESET = struct.pack("ii", 1, 0)
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: " + base64.b64encode(bytes(16)) + b"\r\nSec-WebSocket-Version: 13\r\n%b\r\n"
)
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"


class Complaints(logging.Handler):
    """Errors that anybody logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(self.format(record))


class Streams:
    """What strangers say over TCP to who waits for iFacialMocap."""

    url = "ifacialmocap://127.0.0.1:0?transport=tcp"

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._strangers = Strangers(seed, [m for m in TRUE_MESSAGES if b"jawOpen" in m])
        self._end = ifacialmocap.END.encode()

    def hello(self) -> bytes:
        return b""

    def piece(self) -> bytes:
        pick = self._random
        match pick.randrange(8):
            case 0:
                return self._end * pick.choice((1, 2, 1000))
            case 1:
                return self._end[: pick.randrange(len(self._end))]
            case 2:
                return pick.randbytes(pick.choice((1, 100, 20_000)))
            case _:
                return self._strangers.message() + self._end[: pick.choice((0, 5, 99, 99))]

    def honest(self, time_s: float) -> bytes:
        return ifacialmocap.encode(talking_face(2)[1], "v1") + self._end


class WebSockets:
    """What strangers say to who waits for JSON over WebSockets."""

    url = "ws://:0"

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._true = [m for m in TRUE_MESSAGES if m.startswith(b"{")]
        self._strangers = Strangers(seed, self._true)
        self._writer = next(e for e in EXCHANGES if e.name == "json").make_writer()

    def hello(self) -> bytes:
        pick = self._random
        hello = bytearray(HANDSHAKE % pick.choice((b"", DEFLATE)))
        if pick.random() < 0.1:
            for _ in range(3):
                hello[pick.randrange(len(hello))] = pick.randrange(256)
        return bytes(hello)

    def piece(self) -> bytes:
        pick = self._random
        payload = self._strangers.message() if pick.random() < 0.7 else pick.choice(self._true)
        opcode = pick.choice((1, 1, 1, 2, 0, 8, 9, 10, pick.randrange(16)))
        final, reserved = pick.random() < 0.8, pick.choice((0, 0, 0, 0x40, 0x30))
        whole = bytearray(frame(payload, opcode, final=final, reserved=reserved, masked=pick.random() < 0.95))
        if pick.random() < 0.2:  # a length that is not there, or more than anybody has
            whole[1:2] = pick.choice((b"\xff" + b"\xff" * 8, b"\xff" + struct.pack(">Q", 1 << 40), b"\xfe\xff\xff"))
        if pick.random() < 0.1:
            del whole[pick.randrange(len(whole)) :]
        return bytes(whole)

    def honest(self, time_s: float) -> bytes:
        (message,) = self._writer.write([talking_face(2)[1]], time_s)
        return HANDSHAKE % b"" + frame(message, 1)


def frame(payload: bytes, opcode: int, *, final: bool = True, reserved: int = 0, masked: bool = True) -> bytes:
    """One WebSocket frame (RFC 6455) as a client sends it."""
    length = len(payload)
    if length < 126:
        size = bytes([length])
    else:
        size = struct.pack(">BH", 126, length) if length < 1 << 16 else struct.pack(">BQ", 127, length)
    head = bytes([final << 7 | reserved | opcode, size[0] | masked << 7]) + size[1:]
    return head + (b"\0\0\0\0" if masked else b"") + payload


def fuzz(kind: type[Streams | WebSockets], cases: int, seed: int) -> tuple[int, float, float]:
    """(frames taken, seconds, growth in MB)."""
    complaints, picks = Complaints(), random.Random(seed)
    logging.getLogger().addHandler(complaints)
    strangers = kind(seed)
    start_s, start_mb, frames, heard, tried = time.perf_counter(), 0.0, 0, 0, 0
    try:
        now_s = [0.0]
        with closing(open_network_source(kind.url, clock=lambda: now_s[0])) as source:
            place = ("127.0.0.1", source.receiver.port)
            connections: list[socket.socket] = []

            def hear(patience_s: float = 0.0) -> int:
                found, until_s = 0, time.monotonic() + patience_s
                while (message := source.receiver.receive(0.0 if not patience_s else 0.02)) is not None or (
                    time.monotonic() < until_s and not found
                ):
                    for motions in source._take(*message, now_s[0]) if message else ():
                        found += 1
                        for motion in motions:
                            assert_sound(motion)
                return found

            for case in range(cases):
                now_s[0] += STEP_S
                if case == cases // 5:
                    start_mb = _peak_mb()
                if len(connections) < 3 or picks.random() < 0.02:
                    connections.append(connected(place))
                    said(connections[-1], strangers.hello())
                else:
                    one = picks.choice(connections)
                    if not said(one, strangers.piece()) or picks.random() < 0.03:
                        connections.remove(one)
                        _left(one, picks)
                frames += hear()
                while len(connections) > 8:
                    _left(connections.pop(0), picks)
                if case % HONEST_EVERY == HONEST_EVERY - 1:
                    tried += 1
                    while connections:
                        connections.pop().close()
                    frames += hear()
                    now_s[0] += FORGET_S
                    with closing(connected(place)) as honest:
                        said(honest, strangers.honest(case / 1000))
                        heard += hear(PATIENCE_S) > 0
            for one in connections:
                one.close()
            grown_mb = _peak_mb() - start_mb
    finally:
        logging.getLogger().removeHandler(complaints)
    assert not complaints.found, complaints.found[:3]
    assert heard == tried, f"{kind.__name__}: honest connections were not heard: {heard} of {tried}"
    assert grown_mb < MOST_GROWTH_MB, f"{kind.__name__}: grew by {grown_mb:.1f} MB"
    return frames, time.perf_counter() - start_s, grown_mb


def connected(place: tuple[str, int]) -> socket.socket:
    connection = socket.create_connection(place, timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def said(connection: socket.socket, what: bytes) -> bool:
    """False where the other side has had enough."""
    connection.settimeout(0.05)
    try:
        connection.sendall(what)
        connection.setblocking(False)
        with suppress(BlockingIOError):
            return connection.recv(65536) != b""
    except OSError:
        return False
    return True


def _left(connection: socket.socket, picks: random.Random) -> None:
    """Closed, or reset in the middle."""
    if picks.random() < 0.5:
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
    connection.close()


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


KINDS = {"tcp": Streams, "websocket": WebSockets}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.getLogger("animator").setLevel(logging.ERROR)
    for name in options.kinds or KINDS:
        frames, seconds, grown_mb = fuzz(KINDS[name], options.cases, options.seed)
        print(f"{name:10} {options.cases} pieces, {frames} frames taken, {seconds:.0f} s, grew {grown_mb:+.1f} MB")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
