"""Two network namespaces and the line between them, which loses and delays packets as it is told."""

from __future__ import annotations

import fcntl
import heapq
import os
import random
import select
import shutil
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Protocol

NEAR_IP, FAR_IP = "10.199.71.1", "10.199.71.2"
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_MTU = 2048
_LOOK_S = 0.5


class NoLineError(Exception):
    """The reason, in a sentence, why there can be no such line here."""


class Line(Protocol):
    """Both ways alike: what goes in at one end comes out at the other, or does not."""

    def weaken(self, loss: float, delay_s: float) -> None:
        """Lose this share of the packets and hold up the others, each way."""

    def cut(self) -> None:
        """Let nothing through."""

    def mend(self) -> None:
        """Let through what `weaken` said."""


@dataclass(frozen=True)
class Ends:
    """Two namespaces, as words to put before a command, and the line."""

    near: tuple[str, ...]
    far: tuple[str, ...]
    line: Line


def ip(*words: str) -> None:
    """Run `ip`; raises NoLineError with what it said."""
    _run("ip", *words)


def _run(*words: str) -> None:
    if shutil.which(words[0]) is None:
        raise NoLineError(f"there is no {words[0]} (Debian's iproute2)")
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise NoLineError(f"{' '.join(words)}: {done.stderr.strip()}")


@contextmanager
def namespace(name: str) -> Iterator[tuple[str, ...]]:
    """A network namespace of this name; nothing is left of it afterwards."""
    ip("netns", "add", name)
    try:
        inside = ("ip", "netns", "exec", name)
        _run(*inside, "ip", "link", "set", "lo", "up")
        yield inside
    finally:
        ip("netns", "del", name)


@contextmanager
def netem_line() -> Iterator[Ends]:
    """The kernel's own: a veth pair, with `tc netem` at both ends."""
    with ExitStack() as stack:
        near, far = _namespaces(stack)
        devices = (near, f"anv{os.getpid()}a"), (far, f"anv{os.getpid()}b")
        ip("link", "add", devices[0][1], "type", "veth", "peer", "name", devices[1][1])
        _settle(devices)
        line = _Netem(devices)
        line.weaken(0.0, 0.0)
        yield Ends(near, far, line)


class _Netem:
    def __init__(self, devices: tuple[tuple[tuple[str, ...], str], ...]) -> None:
        self._devices, self._how = devices, ()

    def weaken(self, loss: float, delay_s: float) -> None:
        self._how = ("delay", f"{1000 * delay_s:g}ms", "loss", f"{100 * loss:g}%")
        self.mend()

    def cut(self) -> None:
        self._set("loss", "100%")

    def mend(self) -> None:
        self._set(*self._how)

    def _set(self, *how: str) -> None:
        for inside, device in self._devices:
            _run(*inside, "tc", "qdisc", "replace", "dev", device, "root", "netem", *how)


@contextmanager
def tun_line(seed: int = 1) -> Iterator[Ends]:
    """Ours, for kernels without netem: whatever one namespace's TUN device is given is read, kept and handed on."""
    with ExitStack() as stack:
        near, far = _namespaces(stack)
        devices = (near, f"ant{os.getpid()}a"), (far, f"ant{os.getpid()}b")
        files = [_open_tun(stack, device) for _inside, device in devices]
        _settle(devices)
        line = _Tun(files, seed)
        stack.callback(line.close)
        yield Ends(near, far, line)


class _Tun:
    """A thread that forwards IP packets between two TUN devices."""

    def __init__(self, files: list[int], seed: int) -> None:
        self._other = {files[0]: files[1], files[1]: files[0]}
        self._random = random.Random(seed)
        self._loss = self._delay_s = 0.0
        self._cut = self._closed = False
        self.lost = self.passed = 0
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def weaken(self, loss: float, delay_s: float) -> None:
        self._loss, self._delay_s = loss, delay_s

    def cut(self) -> None:
        self._cut = True

    def mend(self) -> None:
        self._cut = False

    def close(self) -> None:
        self._closed = True
        self._thread.join()

    def _work(self) -> None:
        waiting: list[tuple[float, int, int, bytes]] = []
        number = 0
        while not self._closed:
            wait_s = max(0.0, min(_LOOK_S, waiting[0][0] - time.monotonic())) if waiting else _LOOK_S
            for file in select.select(list(self._other), [], [], wait_s)[0]:
                packet, number = os.read(file, _MTU), number + 1
                if self._cut or self._random.random() < self._loss:
                    self.lost += 1
                else:
                    heapq.heappush(waiting, (time.monotonic() + self._delay_s, number, self._other[file], packet))
            while waiting and waiting[0][0] <= time.monotonic():
                _time_s, _number, file, packet = heapq.heappop(waiting)
                os.write(file, packet)
                self.passed += 1


def _open_tun(stack: ExitStack, device: str) -> int:
    """A new TUN device in this namespace; it can be moved elsewhere and goes with its file."""
    try:
        file = os.open("/dev/net/tun", os.O_RDWR)
        stack.callback(os.close, file)
        fcntl.ioctl(file, _TUNSETIFF, struct.pack("16sH", device.encode(), _IFF_TUN | _IFF_NO_PI))
    except OSError as error:
        raise NoLineError(f"no TUN device can be had: {error}") from error
    return file


def _namespaces(stack: ExitStack) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if os.geteuid() != 0:
        raise NoLineError("network namespaces need root")
    near, far = (stack.enter_context(namespace(f"animator-{os.getpid()}-{end}")) for end in ("near", "far"))
    return near, far


def _settle(devices: tuple[tuple[tuple[str, ...], str], ...]) -> None:
    """Put each device into its namespace and give it its address."""
    for (inside, device), (here, there) in zip(devices, ((NEAR_IP, FAR_IP), (FAR_IP, NEAR_IP)), strict=True):
        ip("link", "set", device, "netns", inside[-1])
        _run(*inside, "ip", "addr", "add", here, "peer", there, "dev", device)
        _run(*inside, "ip", "link", "set", device, "up")
