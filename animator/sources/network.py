"""Motion from other programs and phones, by datagrams. What comes is taken to be hostile until it is read."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from ..addresses import Address, address_from_url, bound_socket, scheme_of
from ..data import Motion
from ..errors import ProtocolError, SettingError, SourceError
from ..protocols import ifacialmocap, live_link, vmc
from ..protocols.reading import Reader
from ..timing import Clock, monotonic_s
from .performers import FORGOTTEN_S, Bucket, Performers, printable

log = logging.getLogger("animator")

COMMON_OPTIONS = ("fps", "from", "mirror", "straight")
FPS = 60
"""What phones send; a sender may send less."""
TICK_S = 1 / 30
MOST_BEFORE_TICK = 64
"""Messages; a line that is never empty holds nobody's rest up for longer."""
MOST_SENDERS = 16
MESSAGES_A_SECOND, MESSAGE_BURST = 5000, 1000
"""For each sender; VMC without bundles takes 60 messages a frame."""
ALL_MESSAGES_A_SECOND = 20_000
TELL_EVERY_S = 10.0
ASK_EVERY_S = 2.0
RECEIVE_BUFFER_BYTES = 1 << 20


class Receiver(Protocol):
    """Where messages come from."""

    def receive(self, timeout_s: float) -> tuple[bytes, str] | None:
        """The next message and its sender as `HOST:PORT`; None if there is none by then."""
        ...

    def close(self) -> None: ...


class UdpReceiver:
    """Datagrams on one port.

    allowed : the only host that is listened to; None listens to all"""

    def __init__(self, host: str, port: int, name: str, allowed: str | None = None) -> None:
        self._allowed = None if allowed is None else _looked_up(allowed)
        self._socket = bound_socket(host, port, name, SourceError)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)

    @property
    def port(self) -> int:
        """Where datagrams are taken."""
        return self._socket.getsockname()[1]

    def receive(self, timeout_s: float) -> tuple[bytes, str] | None:
        """See Receiver."""
        try:
            self._socket.settimeout(timeout_s)
            message, place = self._socket.recvfrom(65535)
        except OSError:  # nothing there by then; closed meanwhile; somebody we asked has gone
            return None
        host = place[0].removeprefix("::ffff:")
        return (message, f"{host}:{place[1]}") if self._allowed in (None, host) else None

    def send(self, message: bytes, place: tuple) -> None:
        """Send from the port that listens; whether it arrives is told by what comes back."""
        with suppress(OSError):
            self._socket.sendto(message, place)

    def close(self) -> None:
        """Give the port back. May be called twice."""
        self._socket.close()


@dataclass(slots=True)
class _Sender:
    reader: Reader
    bucket: Bucket
    last_s: float
    understood: bool = False


class NetworkSource:
    """A stages.MotionSource of everyone who sends to one port.

    make_reader : a new reader for each sender
    fps         : nominal; frames carry their own times
    ask         : called every 2 s while nobody is heard; None where senders need no request"""

    live = True
    frame_count: int | None = None

    def __init__(
        self,
        name: str,
        receiver: Receiver,
        make_reader: Callable[[], Reader],
        performers: Performers | None = None,
        *,
        fps: float = FPS,
        ask: Callable[[], None] | None = None,
        clock: Clock = monotonic_s,
    ) -> None:
        self.name, self.receiver, self.fps = name, receiver, float(fps)
        self._make_reader, self._ask, self._clock = make_reader, ask, clock
        self._performers = performers or Performers()
        self._senders: dict[str, _Sender] = {}
        self._all = Bucket(ALL_MESSAGES_A_SECOND, MESSAGE_BURST)
        self._stopped = threading.Event()
        self._asked_s = self._told_s = self._ticked_s = self._heard_s = -float("inf")
        self._complaint = ""
        self.messages = self.refused = 0
        """Messages that came, and those among them that were not taken."""

    def __iter__(self) -> Iterator[tuple[Motion, ...]]:
        log.info("listening to %s", self.name)
        waited = 0
        while not self._stopped.is_set():
            # Who waits in the line is heard before anybody is called silent or late: it may be us who slept.
            is_due = self._clock() - self._ticked_s >= TICK_S
            received = self.receiver.receive(0.0 if is_due else TICK_S)
            now_s = self._clock()
            if received is not None:
                yield from self._take(*received, now_s)
                waited += is_due
            if is_due and (received is None or waited >= MOST_BEFORE_TICK):
                self._ticked_s, waited = now_s, 0
                yield from self._tick(now_s)

    def calibrate(self) -> None:
        """Where each performer looks next is straight ahead."""
        self._performers.calibrate()

    def interrupt(self) -> None:
        """End the iteration soon; from any thread."""
        self._stopped.set()

    def close(self) -> None:
        """Give the port back. May be called twice."""
        self.interrupt()
        self.receiver.close()

    def _take(self, message: bytes, place: str, now_s: float) -> Iterator[tuple[Motion, ...]]:
        self.messages += 1
        sender = self._sender(place, now_s)
        if sender is None or not sender.bucket.takes(now_s):
            self._refuse(place, "too many messages" if sender else "too many senders")
            return
        sender.last_s = now_s
        try:
            found = sender.reader.read(message, now_s)
        except ProtocolError as error:
            self._refuse(place, str(error))
            return
        sender.understood = True
        for heard in found:
            motions = self._performers.hear(place, heard, now_s)
            if motions:
                self._heard_s = now_s
                yield motions
            else:
                self._refuse(place, "frames that come late, twice, too often, or of too many performers")

    def _sender(self, place: str, now_s: float) -> _Sender | None:
        if not self._all.takes(now_s):
            return None
        sender = self._senders.get(place)
        if sender is None:
            if len(self._senders) >= MOST_SENDERS and not self._forget_one(now_s):
                return None
            sender = self._senders[place] = _Sender(
                self._make_reader(), Bucket(MESSAGES_A_SECOND, MESSAGE_BURST), now_s
            )
        return sender

    def _forget_one(self, now_s: float) -> bool:
        """Whoever never made sense goes first, then whoever has long been silent."""
        for place, sender in self._senders.items():
            if not sender.understood or now_s - sender.last_s > FORGOTTEN_S:
                del self._senders[place]
                return True
        return False

    def _tick(self, now_s: float) -> Iterator[tuple[Motion, ...]]:
        for place, sender in self._senders.items():
            for heard in sender.reader.overdue(now_s):
                motions = self._performers.hear(place, heard, now_s)
                if motions:
                    self._heard_s = now_s
                    yield motions
        motions = self._performers.tick(now_s)
        if motions:
            yield motions
        while self._performers.said:
            log.warning("%s: %s", self.name, self._performers.said.popleft())
        if self._ask is not None and now_s - max(self._heard_s, self._asked_s) >= ASK_EVERY_S:
            self._asked_s = now_s
            self._ask()
        if self._complaint and now_s - self._told_s >= TELL_EVERY_S:
            self._told_s = now_s
            log.warning("%s: %d messages were not taken; %s", self.name, self.refused, self._complaint)
            self._complaint = ""

    def _refuse(self, place: str, why: str) -> None:
        self.refused += 1
        self._complaint = f"the last from {place}: {printable(why, 160)}"


def _looked_up(host: str) -> str:
    try:
        return min(socket.getaddrinfo(host, None), key=lambda one: one[0] != socket.AF_INET)[4][0]
    except (OSError, UnicodeError) as error:
        raise SourceError(f"from={host}: {getattr(error, 'strerror', None) or error}") from None


def _opened(
    address: Address,
    what: str,
    make_reader: Callable[[], Reader],
    clock: Clock,
    request: tuple[bytes, tuple] | None = None,
) -> NetworkSource:
    fps, performers = address.number("fps", FPS, 1, 240), _performers(address)
    receiver = UdpReceiver(
        address.host, address.port, f"{address.scheme}://{address.place}", address.options.get("from")
    )
    ask = None if request is None else lambda: receiver.send(*request)
    name = f"{what} on UDP port {receiver.port}"
    return NetworkSource(name, receiver, make_reader, performers, fps=fps, ask=ask, clock=clock)


def _performers(address: Address) -> Performers:
    straight = address.choice("straight", ("camera", "first")) == "first"
    return Performers(mirror=address.switch("mirror", False), straight=straight)


def _vmc(url: str, clock: Clock) -> NetworkSource:
    return _opened(address_from_url(url, vmc.MARIONETTE_PORT, COMMON_OPTIONS), "VMC", vmc.VmcReader, clock)


def _live_link(url: str, clock: Clock) -> NetworkSource:
    address = address_from_url(url, live_link.PORT, ("flip", *COMMON_OPTIONS))
    flips = address.several("flip", live_link.FLIPS)
    return _opened(address, "Live Link Face", lambda: live_link.LiveLinkReader(flips), clock)


def _ifacialmocap(url: str, clock: Clock) -> NetworkSource:
    options = ("flip", "phone", "version", "app", "transport", *COMMON_OPTIONS)
    tcp = address_from_url(url, ifacialmocap.PORT, options).choice("transport", ("udp", "tcp")) == "tcp"
    address = address_from_url(url, ifacialmocap.TCP_PORT if tcp else ifacialmocap.PORT, options)
    flips = address.several("flip", ifacialmocap.FLIPS)
    version = address.choice("version", ifacialmocap.VERSIONS)
    app = address.choice("app", ("ifacialmocap", "facemotion3d"))
    phone = address.options.get("phone")
    place = None if phone is None else _phone(url, phone, app, address.host)
    message = ifacialmocap.request(version, app, tcp=tcp)

    def make_reader() -> Reader:
        return ifacialmocap.IFacialMocapReader(flips)

    if tcp:
        return _over_tcp(address, make_reader, clock, message, place)
    return _opened(address, "iFacialMocap", make_reader, clock, None if place is None else (message, place))


def _over_tcp(
    address: Address, make_reader: Callable[[], Reader], clock: Clock, request: bytes, phone: tuple | None
) -> NetworkSource:
    from .stream import TcpReceiver

    fps, performers, allowed = address.number("fps", FPS, 1, 240), _performers(address), address.options.get("from")
    receiver = TcpReceiver(
        address.host, address.port, f"ifacialmocap://{address.place}",
        end=ifacialmocap.END.encode(), longest=ifacialmocap.LONGEST,
        allowed=None if allowed is None else _looked_up(allowed), phone=phone,
    )  # fmt: skip
    name = f"iFacialMocap on TCP port {receiver.port}"
    ask = None if phone is None else lambda: receiver.send(request)
    return NetworkSource(name, receiver, make_reader, performers, fps=fps, ask=ask, clock=clock)


def _phone(url: str, phone: str, app: str, listening: str) -> tuple:
    port = {"ifacialmocap": ifacialmocap.PORT, "facemotion3d": ifacialmocap.FACEMOTION3D_PORT}[app]
    try:
        asked = address_from_url(f"phone://{phone}", port, ())
        family = socket.AF_INET6 if ":" in listening else socket.AF_INET
        return socket.getaddrinfo(asked.host, asked.port, family, socket.SOCK_DGRAM)[0][4]
    except SettingError:
        raise SettingError(f"{url}: wanted phone=HOST or phone=HOST:PORT, got phone={phone}") from None
    except (OSError, UnicodeError) as error:
        raise SourceError(f"phone={phone}: {getattr(error, 'strerror', None) or error}") from None


def _websocket(url: str, clock: Clock) -> NetworkSource:
    from ..protocols.motion_json import JsonReader
    from .websocket import WebSocketReceiver

    address = address_from_url(url, None, ("listen", "origin", "fps", "mirror", "straight"))
    fps, performers = address.number("fps", FPS, 1, 240), _performers(address)
    receiver = WebSocketReceiver(address, url)
    return NetworkSource(receiver.name, receiver, JsonReader, performers, fps=fps, clock=clock)


_OPENERS: dict[str, Callable[[str, Clock], NetworkSource]] = {
    "vmc": _vmc,
    "livelink": _live_link,
    "ifacialmocap": _ifacialmocap,
    "ws": _websocket,
    "wss": _websocket,
}
PROTOCOLS = tuple(_OPENERS)


def open_network_source(url: str, clock: Clock = monotonic_s) -> NetworkSource:
    """The source that a URL names: `vmc://:PORT`, `livelink://:PORT`, `ifacialmocap://:PORT`, where a HOST is the
    address of this machine to listen on, or `ws://`.

    Raises SettingError for what is no such URL and SourceError where the port cannot be had."""
    return _OPENERS[scheme_of(url)](url, clock)
