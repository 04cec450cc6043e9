"""Strangers' messages by the million: no exception, no unsound motion, no growth.

    python -m tests.soak.fuzz_protocols [--cases 1000000] [--seed 0] [PROTOCOL ...]

True messages are cut, repeated, spliced with those of other protocols and overwritten; one in eight is noise. They go
through a source as datagrams would, from a handful of senders, with a true message now and then, which must be heard.
"""

from __future__ import annotations

import argparse
import logging
import random
import resource
import struct
import sys
import time

from animator.sources.network import NetworkSource
from tests.protocols.exchange import EXCHANGES, READERS
from tests.protocols.faces import talking_face
from tests.protocols.test_exchanges import TRUE_MESSAGES, assert_sound

STEP_S = 0.005
TRUE_EVERY = 1000
MOST_GROWTH_MB = 8.0
EDGES = [struct.pack(">f", v) for v in (float("nan"), float("inf"), -float("inf"), 3e38, 1e-40, -0.0)] + [
    struct.pack(">i", v) for v in (-1, 0, 1, 2**31 - 1, -(2**31), 61, 255, 65535)
]  # fmt: skip
WORDS = [
    b"nan",
    b"1e999",
    b"-inf",
    b"--",
    b"&&",
    b"#,,,",
    b"|",
    b"null",
    b"[[[[",
    b'{"',
    b"#bundle\0",
    b",sf\0",
    b"\xff",
]


class Strangers:
    """Messages that are nearly right."""

    def __init__(self, seed: int, own: list[bytes]) -> None:
        self._random, self._own = random.Random(seed), own

    def message(self) -> bytes:
        pick = self._random
        if pick.random() < 0.125:
            return pick.randbytes(pick.choice((0, 1, 3, 16, 64, 333, 1400)))
        message = bytearray(pick.choice(self._own))
        for _ in range(pick.randint(1, 5)):
            place = pick.randrange(len(message) + 1)
            match pick.randrange(8):
                case 0:
                    del message[place:]
                case 1 | 2:
                    message[place // 4 * 4 : place // 4 * 4 + 4] = pick.choice(EDGES)
                case 3 if place < len(message):
                    message[place] ^= 1 << pick.randrange(8)
                case 4:
                    word = pick.choice(WORDS)
                    message[place : place + len(word)] = word
                case 5:
                    message[place:place] = pick.choice(WORDS)
                case 6:
                    message = message[:place] + pick.choice(TRUE_MESSAGES)[place:]
                case _:
                    del message[place : place + pick.randint(1, 8)]
        return bytes(message)


def fuzz(name: str, cases: int, seed: int) -> tuple[int, float, float]:
    """(messages taken, seconds, growth in MB) of one protocol."""
    exchange = next(e for e in EXCHANGES if e.name == name)
    own = [m for m in TRUE_MESSAGES if _is_of(exchange, m)]
    source = NetworkSource(name, None, READERS[name], clock=time.monotonic)
    strangers = Strangers(seed, own)
    start_s, start_mb, frames, now_s = time.perf_counter(), 0.0, 0, 0.0
    writer = exchange.make_writer()
    honest = talking_face(2)[1]
    for case in range(cases):
        now_s += STEP_S
        if case == cases // 10:
            start_mb = _peak_mb()
        messages = [strangers.message()]
        if case % TRUE_EVERY == 0:
            messages = writer.write([honest], now_s)
        found = [motions for m in messages for motions in source._take(m, f"10.0.0.{case % 5}:1", now_s)]
        if case % 8 == 0:
            found += list(source._tick(now_s))
        frames += len(found)
        for motions in found:  # everyone in turn: checking takes longer than reading
            assert_sound(motions[case % len(motions)])
    grown_mb = _peak_mb() - start_mb
    assert frames > cases // TRUE_EVERY // 4, f"{name}: honest messages were not heard"
    assert grown_mb < MOST_GROWTH_MB, f"{name}: grew by {grown_mb:.1f} MB"
    return frames, time.perf_counter() - start_s, grown_mb


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _is_of(exchange, message: bytes) -> bool:
    try:
        exchange.make_reader().read(message, 0.0)
    except Exception:
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("protocols", nargs="*", metavar="PROTOCOL", help=", ".join(READERS))
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.getLogger("animator").setLevel(logging.CRITICAL)
    for name in options.protocols or READERS:
        frames, seconds, grown_mb = fuzz(name, options.cases, options.seed)
        print(f"{name:16} {options.cases} messages, {frames} frames taken, {seconds:.0f} s, grew {grown_mb:+.1f} MB")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
