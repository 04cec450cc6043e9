"""What strangers send who mean harm, or were written badly: offers, datagrams, RTP, messages, requests. From a seed."""

from __future__ import annotations

import asyncio
import json
import random
import re
import socket
import struct

STUN_COOKIE = 0x2112A442
REQUESTS = (
    b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /config.json HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /sessions/nobody HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /offer HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
)


def spoilt_sdp(sdp: str, chance: random.Random) -> str:
    """An offer with a few things wrong: lines gone, twice, elsewhere; numbers and words that are others."""
    lines = sdp.split("\r\n")
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(lines))
        act = chance.randrange(7)
        if act == 0 and len(lines) > 2:
            del lines[at]
        elif act == 1:
            lines.insert(at, chance.choice(lines))
        elif act == 2:
            lines[at] = re.sub(r"\d+", lambda _m: str(chance.choice((0, -1, 65536, 2**31, 2**64, 10**40))), lines[at])
        elif act == 3:
            lines[at] = lines[at][: chance.randint(0, len(lines[at]))]
        elif act == 4:
            lines[at] = "".join(chance.choice((c, c, c, chr(chance.randrange(1, 0x2FF)))) for c in lines[at])
        elif act == 5:
            lines[at] = lines[at].replace(" ", chance.choice(("", "  ", "\t", ":", "/")))
        else:
            lines[at], other = chance.choice(lines), lines[at]
            lines[chance.randrange(len(lines))] = other
    return "\r\n".join(lines)


def stranger_datagram(chance: random.Random) -> bytes:
    """What a media port may get from anybody: STUN, DTLS, RTP or RTCP that is cut short, or none of these."""
    noise = chance.randbytes(chance.randint(0, 120))
    kind = chance.randrange(6)
    if kind == 0:
        return noise
    if kind == 1:  # a binding request whose length may not be so, with attributes of any length
        attributes = b"".join(
            struct.pack(">HH", chance.choice((0x6, 0x8, 0x20, 0x24, 0x25, 0x8028, chance.randrange(65536))), length)
            + chance.randbytes(min(length, 40))
            for length in (chance.choice((0, 1, 4, 20, 0xFFFF)) for _ in range(chance.randint(0, 4)))
        )
        length = chance.choice((len(attributes), 0, 3, 0xFFFF))
        return (
            struct.pack(">HHI", chance.choice((1, 0x101, 0x111, 3)), length, STUN_COOKIE)
            + chance.randbytes(12)
            + attributes
        )
    if kind == 2:  # a DTLS record
        length = chance.choice((len(noise), 0, 0xFFFF))
        return struct.pack(">B2sHIHH", chance.randint(20, 25), b"\xfe\xfd", 0, 0, chance.randrange(9), length) + noise
    return rtp_packet(chance, chance.randrange(35, 128), chance.randrange(2**32), noise)


def rtp_packet(chance: random.Random, payload_type: int, ssrc: int, payload: bytes) -> bytes:
    """RTP with a header that can be read, and with padding, an extension and sources that need not be there."""
    flags = 0x80 | chance.choice((0, 0, 0x10, 0x20, 0x30, 0x01, 0x0F))
    return struct.pack(">BBHII", flags, payload_type, chance.randrange(65536), chance.randrange(2**32), ssrc) + payload


def rtcp_packet(chance: random.Random) -> bytes:
    """RTCP whose lengths and counts need not be so."""
    body = chance.randbytes(4 * chance.randint(1, 12))
    length = chance.choice((len(body) // 4, 0, 1, 0xFFFF))
    return struct.pack(">BBH", 0x80 | chance.randrange(64), chance.randint(200, 207), length) + body


def control_message(chance: random.Random) -> str | bytes:
    """What is no message, or one with fields of any kind."""
    values = (None, True, -1, 1e308, "", "x" * 300, [], [[]], {}, {"a": {"b": []}}, 2**70, "../../etc/passwd")
    names = ("type", "view", "rig", "faces", "smoothing", "on", "t", "neutral", "face", "mirror", "détection")
    kinds = ("set", "calibrate", "calibration", "record", "want-motion", "ping", "", "welcome", None, 5, [])
    kind = chance.randrange(5)
    if kind == 0:
        return chance.randbytes(chance.randint(0, 300))
    if kind == 1:
        return "[" * chance.randint(1, 5000)
    if kind == 2:
        return chance.randbytes(chance.randint(0, 300)).decode("latin-1")
    fields = {name: chance.choice(values) for name in chance.sample(names, chance.randint(0, 5))}
    return json.dumps({"type": chance.choice(kinds)} | (fields if kind == 3 else {"type": "set"} | fields))


def places_in(sdp: str) -> list[tuple[str, int]]:
    """Hosts and ports that an answer names, of IPv4."""
    found = re.findall(r"^a=candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host", sdp, re.MULTILINE)
    return [(host, int(port)) for host, port in found]


def pester(places: list[tuple[str, int]], count: int, chance: random.Random) -> None:
    """So many datagrams to each place, from a port of ours."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("", 0))
        for place in places:
            for _ in range(count):
                stranger.sendto(stranger_datagram(chance), place)


async def flood(host: str, port: int, per_s: float, seconds: float, connections: int = 8) -> int:
    """So many requests a second, over connections that stay; how many were answered."""
    answered = 0
    loop = asyncio.get_running_loop()
    end_s = loop.time() + seconds

    async def one(number: int) -> None:
        nonlocal answered
        reader, writer = await asyncio.open_connection(host, port)
        step_s, at_s = connections / per_s, loop.time()
        asked = 0
        while loop.time() < end_s:
            writer.write(REQUESTS[(asked + number) % len(REQUESTS)])
            asked += 1
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            await reader.readexactly(int(length[1]) if length else 0)
            answered += 1
            at_s += step_s
            await asyncio.sleep(max(0.0, at_s - loop.time()))
        writer.close()

    await asyncio.gather(*map(one, range(connections)))
    return answered


if __name__ == "__main__":  # a process of its own, so that who floods takes no time of who is measured
    import sys

    where, rate, duration = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    print(asyncio.run(flood(where.partition(":")[0], int(where.partition(":")[2]), rate, duration)))
