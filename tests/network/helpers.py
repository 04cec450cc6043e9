"""Clients in processes of their own, and the blocks of configuration that our documentation shows."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aioice.ice
import pytest

from tests.conftest import ROOT
from tests.server.live import wait_for

JOIN_S, END_S = 60.0, 10.0

needs_ice = pytest.mark.skipif(
    not aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=False),
    reason="peers cannot connect here: there is no network interface but the loopback",
)


def own_ip() -> str:
    """An address of this machine that is not the loopback's, which ICE leaves out."""
    return aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=False)[0]


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that was free a moment ago."""
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("", 0))
        return one.getsockname()[1]


def documented(language: str, holding: str) -> str:
    """The block of this language in docs/deployment.md that holds a text."""
    text = (ROOT / "docs" / "deployment.md").read_text()
    (block,) = [b for b in re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL) if holding in b]
    return block


class Visitor:
    """A client process, and the lines that it has said."""

    def __init__(self, command: list[str], within: tuple[str, ...] = ()) -> None:
        self.process = subprocess.Popen(
            [*within, *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.said: list[dict[str, Any]] = []
        self.err: list[str] = []
        self._readers = [
            threading.Thread(target=lambda: self.said.extend(map(json.loads, iter(self.process.stdout.readline, "")))),
            threading.Thread(target=lambda: self.err.extend(iter(self.process.stderr.readline, ""))),
        ]
        for reader in self._readers:
            reader.start()

    def lines(self, what: str, since_s: float = 0.0) -> list[dict[str, Any]]:
        """What it has said of one kind since a moment of the monotonic clock."""
        return [line for line in list(self.said) if line["what"] == what and line["time_s"] >= since_s]

    def wait_for(self, what: str, number: int = 1, since_s: float = 0.0, timeout_s: float = JOIN_S) -> dict[str, Any]:
        """The line of this kind that is the `number`th since then, once it is there."""

        def come() -> list[dict[str, Any]] | None:
            lines = self.lines(what, since_s)
            if len(lines) < number and self.process.poll() is not None:
                pytest.fail(f"a client has ended before {what}: {self.said[-3:]} {''.join(self.err)[-2000:]}")
            return lines if len(lines) >= number else None

        return wait_for(come, timeout_s)[number - 1]

    def end(self) -> None:
        """As `kill -9` does it: no goodbye."""
        self.process.kill()
        self.process.wait(END_S)
        for reader in self._readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()


@contextmanager
def visiting(url: str, within: tuple[str, ...] = (), **wish: Any) -> Iterator[Visitor]:
    """A client of ours at a server; it is killed afterwards."""
    with running([sys.executable, "-m", "tests.network.client", url, json.dumps(wish)], within) as visitor:
        yield visitor


@contextmanager
def running(command: list[str], within: tuple[str, ...] = ()) -> Iterator[Visitor]:
    """Any program that says lines of JSON; it is killed afterwards."""
    visitor = Visitor(command, within)
    try:
        yield visitor
    finally:
        visitor.end()


def longest_gap_s(visitor: Visitor, what: str, from_s: float, to_s: float) -> float:
    """How long nothing of a kind came, at most."""
    times_s = [line["time_s"] for line in visitor.lines(what) if from_s <= line["time_s"] <= to_s]
    return max(b - a for a, b in zip([from_s, *times_s], [*times_s, to_s], strict=True))


def now_s() -> float:
    """The clock that all processes share."""
    return time.monotonic()
