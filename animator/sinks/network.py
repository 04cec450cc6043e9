"""Motion sent to other programs by datagrams: nothing here waits, and nobody who listens, or does not, stops a run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from ipaddress import ip_address

from ..addresses import Address, address_from_url, bound_socket, connected_socket, scheme_of
from ..data import Motion
from ..errors import ProtocolError, SettingError, SinkError
from ..maths.mirror import mirrored_motion
from ..protocols import ifacialmocap, live_link
from ..protocols.reading import Writer
from ..stages import MotionSink
from ..timing import Clock, monotonic_s

log = logging.getLogger("animator")

COMMON_OPTIONS = ("fps", "mirror")
QUIET_S = 2.0
"""After this long without a refusal somebody is taken to listen again."""
MOST_ASKERS = 4
MOST_REQUESTS_A_FRAME = 8


class UdpSink:
    """Sends what a writer makes to one place. The name is looked up once."""

    def __init__(self, host: str, port: int, writer: Writer, name: str, clock: Clock = monotonic_s) -> None:
        self._writer, self._clock, self.name = writer, clock, name
        self._socket = connected_socket(host, port, name)
        self._refused_s: float | None = None
        self.messages = self.refused = 0

    def write(self, motions: Sequence[Motion], time_s: float) -> None:
        """Send one instant; what the network does not take at once is dropped."""
        for message in self._writer.write(motions, time_s):
            try:
                self._socket.send(message)
                self.messages += 1
            except BlockingIOError:  # the line is full: the next frame is newer
                self.refused += 1
            except OSError as error:  # nobody listens there (yet), or the network is gone (for now)
                self._note_refusal(error)
        if self._refused_s is not None and self._clock() - self._refused_s > QUIET_S:
            self._refused_s = None
            log.warning("%s: sent again", self.name)

    def close(self) -> None:
        """Give the socket back. May be called twice."""
        self._socket.close()

    def _note_refusal(self, error: OSError) -> None:
        self.refused += 1
        if self._refused_s is None:
            why = "nobody listens there" if isinstance(error, ConnectionRefusedError) else error.strerror or error
            log.warning("%s: %s; going on, in case that changes", self.name, why)
        self._refused_s = self._clock()


class AnsweringSink:
    """Plays the phone of iFacialMocap: listens for requests and streams to those who asked.

    As a request's address may be forged, only private ones are answered, and few.
    reply_port : where the stream goes at the asker's; None sends it to the port that the request came from"""

    def __init__(
        self, host: str, port: int, make_writer: Callable[[str], Writer], name: str, reply_port: int | None
    ) -> None:
        self.name, self._make_writer, self._reply_port = name, make_writer, reply_port
        self._socket = bound_socket(host, port, name, SinkError)
        self._askers: dict[tuple, Writer] = {}

    @property
    def port(self) -> int:
        """Where requests are taken."""
        return self._socket.getsockname()[1]

    def write(self, motions: Sequence[Motion], time_s: float) -> None:
        """Send one instant to everyone who has asked."""
        self._listen()
        for address, writer in self._askers.items():
            for message in writer.write(motions, time_s):
                try:
                    self._socket.sendto(message, address)
                except OSError:  # an asker who has gone, or a full line
                    continue

    def close(self) -> None:
        """Give the socket back. May be called twice."""
        self._socket.close()

    def _listen(self) -> None:
        for _ in range(MOST_REQUESTS_A_FRAME):
            try:
                message, address = self._socket.recvfrom(512)
            except OSError:  # nothing there, or the answer of one who has gone
                return
            version = ifacialmocap.requested_version(message)
            if version is None or not _is_near(address[0]):
                continue
            place = address if self._reply_port is None else (address[0], self._reply_port, *address[2:])
            if place not in self._askers:
                if len(self._askers) >= MOST_ASKERS:
                    self._askers.pop(next(iter(self._askers)))
                log.info("%s: streaming to %s", self.name, address[0])
            self._askers[place] = self._make_writer(version)


def _is_near(host: str) -> bool:
    found = ip_address(host.partition("%")[0])
    found = getattr(found, "ipv4_mapped", None) or found
    return found.is_private or found.is_loopback or found.is_link_local


class _Shaped:
    """A sink at a lower rate, or as a mirror shows it."""

    def __init__(self, sink: MotionSink, fps: int | None, mirror: bool) -> None:
        self.sink, self._mirror = sink, mirror
        self._step_s = 0.0 if fps is None else 1 / fps
        self._next_s: float | None = None

    def write(self, motions: Sequence[Motion], time_s: float) -> None:
        # The steps keep to a grid, so that 60 a second at fps=25 is 25 and not 20; a jump starts it afresh.
        if self._step_s:
            if self._next_s is not None and -1e-6 > time_s - self._next_s > -2 * self._step_s:
                return
            late = self._next_s is None or not 0 <= time_s - self._next_s + 1e-6 < self._step_s
            self._next_s = (time_s if late else self._next_s) + self._step_s
        self.sink.write([mirrored_motion(m) for m in motions] if self._mirror else motions, time_s)

    def close(self) -> None:
        self.sink.close()


def _vmc(url: str, clock: Clock) -> tuple[Address, MotionSink]:
    from ..protocols import vmc

    options = ("names", "bones", "positions", "emotions", "bundle", *COMMON_OPTIONS)
    address = _with_host(address_from_url(url, vmc.MARIONETTE_PORT, options))
    writer = vmc.VmcWriter(
        address.choice("names", vmc.NAMINGS),
        bones=address.switch("bones", True),
        places=address.choice("positions", tuple(vmc.PLACES_M)),
        emotions=address.switch("emotions", False),
        bundle_bytes={"mtu": vmc.BUNDLE_BYTES, "one": vmc.LONGEST}[address.choice("bundle", ("mtu", "one"))],
    )
    return address, UdpSink(address.host, address.port, writer, f"vmc://{address.place}", clock)


def _live_link(url: str, clock: Clock) -> tuple[Address, MotionSink]:
    options = ("subject", "head", "flip", "noface", *COMMON_OPTIONS)
    address = _with_host(address_from_url(url, live_link.PORT, options))
    now = datetime.now()
    seconds = (now - now.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()
    try:
        writer = live_link.LiveLinkWriter(
            address.options.get("subject", "animator"),
            seconds,
            address.several("flip", live_link.FLIPS),
            head=address.switch("head", True),
            no_face=address.switch("noface", True),
        )
    except ProtocolError as error:
        raise SettingError(str(error)) from None
    return address, UdpSink(address.host, address.port, writer, f"livelink://{address.place}", clock)


def _ifacialmocap(url: str, clock: Clock) -> tuple[Address, MotionSink]:
    options = ("version", "flip", "status", "listen", "reply", *COMMON_OPTIONS)
    address = address_from_url(url, ifacialmocap.PORT, options)
    flips, status = address.several("flip", ifacialmocap.FLIPS), address.switch("status", False)

    def make_writer(version: str) -> Writer:
        return ifacialmocap.IFacialMocapWriter(version, flips, status=status)

    name = f"ifacialmocap://{address.place}"
    if address.host:
        if {"listen", "reply"} & set(address.options):
            raise SettingError(f"{url}: listen and reply are for ifacialmocap://:PORT, which waits for requests")
        writer = make_writer(address.choice("version", ifacialmocap.VERSIONS))
        return address, UdpSink(address.host, address.port, writer, name, clock)
    if "version" in address.options:
        raise SettingError(f"{url}: without a host the version is the asker's choice")
    sender = address.options.get("reply") == "sender"
    reply_port = None if sender else address.number("reply", ifacialmocap.PORT, 1, 65535)
    return address, AnsweringSink(address.options.get("listen", ""), address.port, make_writer, name, reply_port)


def _websocket(url: str, clock: Clock) -> tuple[Address, MotionSink]:
    from .websocket import websocket_sink

    return websocket_sink(url, COMMON_OPTIONS)


_OPENERS: dict[str, Callable[[str, Clock], tuple[Address, MotionSink]]] = {
    "vmc": _vmc, "livelink": _live_link, "ifacialmocap": _ifacialmocap, "ws": _websocket, "wss": _websocket,
}  # fmt: skip
PROTOCOLS = tuple(_OPENERS)


def open_sender(url: str, clock: Clock = monotonic_s) -> MotionSink:
    """The sink that a URL names: `vmc://HOST:PORT`, `livelink://`, `ifacialmocap://`, `ws://`.

    Raises SettingError for what is no such URL and SinkError where the place cannot be found or used."""
    opener = _OPENERS.get(scheme_of(url))
    if opener is None:
        raise SettingError(f"cannot send to {url}: wanted {', '.join(f'{name}://HOST:PORT' for name in PROTOCOLS)}")
    address, sink = opener(url, clock)
    try:
        fps = address.number("fps", 0, 1, 240) if "fps" in address.options else None
        mirror = address.switch("mirror", False)
    except SettingError:
        sink.close()
        raise
    return _Shaped(sink, fps, mirror) if fps or mirror else sink


def _with_host(address: Address) -> Address:
    if not address.host or not address.port:
        raise SettingError(f"cannot send to {address.scheme}://{address.place}: wanted {address.scheme}://HOST:PORT")
    return address
