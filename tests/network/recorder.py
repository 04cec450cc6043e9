"""A network namespace with a way out that leads into our hands: whatever a program sends there is written down."""

from __future__ import annotations

import ctypes
import ipaddress
import os
import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from .line import NoLineError, _open_tun, _run, ip, namespace

OWN_IP, OWN_IP6 = "10.199.72.1", "fd00:72::1"
BEYOND_IP = "10.199.72.2"
"""An address that only the way out leads to."""
_CLONE_NEWNET = 0x40000000
_ETH_P_ALL = 3
_TCP, _UDP, _ICMP6 = 6, 17, 58
_SYN, _ACK = 2, 16
_LOOK_S = 0.2
DNS_PORT, MDNS_PORT = 53, 5353


@dataclass(frozen=True)
class Attempt:
    """A packet that opens something: a TCP connection, or any datagram."""

    device: str
    """`out` or `lo`."""
    kind: str
    host: str
    port: int
    asked: str = ""
    """The name that was looked up, if it is a question for one."""

    def __str__(self) -> str:
        return f"{self.kind} to {self.host}:{self.port}" + (f" for {self.asked}" if self.asked else "")


@dataclass
class Recorder:
    """What a namespace's programs have tried so far."""

    within: tuple[str, ...]
    """Words to put before a command."""
    attempts: list[Attempt] = field(default_factory=list)

    def outward(self) -> list[Attempt]:
        """All that was to leave the machine, and every name that was asked for, wherever."""
        return [a for a in self.attempts if a.device == "out" or a.port in (DNS_PORT, MDNS_PORT)]


@contextmanager
def recorded() -> Iterator[Recorder]:
    """Such a namespace, its default routes leading to a TUN device of ours; or NoLineError is raised."""
    if os.geteuid() != 0:
        raise NoLineError("network namespaces need root")
    with ExitStack() as stack:
        name, device = f"animator-{os.getpid()}-privacy", f"anp{os.getpid()}"
        inside = stack.enter_context(namespace(name))
        out = _open_tun(stack, device)
        ip("link", "set", device, "netns", name)
        _run(*inside, "ip", "addr", "add", OWN_IP, "peer", BEYOND_IP, "dev", device)
        _run(*inside, "ip", "link", "set", device, "up")
        _run(*inside, "ip", "route", "add", "default", "dev", device)
        if os.path.exists("/proc/net/if_inet6"):
            _run(*inside, "ip", "-6", "addr", "add", f"{OWN_IP6}/64", "nodad", "dev", device)
            _run(*inside, "ip", "-6", "route", "add", "default", "dev", device)
        loopback = stack.enter_context(_packets_of(name, "lo"))
        recorder, ended = Recorder(inside), threading.Event()
        thread = threading.Thread(target=_record, args=(recorder, out, loopback, ended))
        thread.start()
        stack.callback(thread.join)
        stack.callback(ended.set)
        yield recorder


@contextmanager
def _packets_of(name: str, device: str) -> Iterator[socket.socket]:
    """A socket that hears all of a device in another namespace: made there by a thread that goes there and ends."""
    made: list[socket.socket] = []

    def make() -> None:
        with open(f"/run/netns/{name}") as place:
            if ctypes.CDLL(None).setns(place.fileno(), _CLONE_NEWNET):
                return
        packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL))
        packets.bind((device, _ETH_P_ALL))
        made.append(packets)

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if not made:
        raise NoLineError(f"the packets of {device} cannot be heard")
    with made[0]:
        yield made[0]


def _record(recorder: Recorder, out: int, loopback: socket.socket, ended: threading.Event) -> None:
    while True:
        ready, _, _ = select.select([out, loopback], [], [], _LOOK_S)
        if not ready and ended.is_set():
            return
        for file in ready:
            packet = os.read(out, 65536) if file is out else loopback.recv(65536)
            found = attempt_in(packet, "out" if file is out else "lo")
            if found is not None and found not in recorder.attempts[-20:]:
                recorder.attempts.append(found)


def attempt_in(packet: bytes, device: str) -> Attempt | None:
    """What an IP packet tries; None for answers, and for what the kernel says to its neighbours by itself."""
    version = packet[0] >> 4 if packet else 0
    if version == 4 and len(packet) >= 20:
        protocol, host = packet[9], str(ipaddress.ip_address(packet[16:20]))
        body = packet[(packet[0] & 15) * 4 :]
    elif version == 6 and len(packet) >= 40:
        protocol, host, body = packet[6], str(ipaddress.ip_address(packet[24:40])), packet[40:]
        if protocol in (0, _ICMP6):  # router solicitations and listener reports
            return None
    else:
        return None
    if protocol not in (_TCP, _UDP) or len(body) < 8:
        return Attempt(device, f"protocol {protocol}", host, 0)
    port = struct.unpack_from(">H", body, 2)[0]
    if protocol == _TCP:
        flags = body[13]
        return Attempt(device, "TCP", host, port) if flags & _SYN and not flags & _ACK else None
    asked = _name_in(body[8:]) if port in (DNS_PORT, MDNS_PORT) else ""
    return Attempt(device, "UDP", host, port, asked)


def _name_in(question: bytes) -> str:
    """The first name that a DNS message asks for."""
    labels, at = [], 12
    while at < len(question) and question[at]:
        labels.append(question[at + 1 : at + 1 + question[at]].decode("ascii", "replace"))
        at += 1 + question[at]
    return ".".join(labels)
