"""Which source a URL names: `vmc://`, `livelink://`, `ifacialmocap://`, `ws://`."""

from __future__ import annotations

import socket
from collections.abc import Callable

from ..addresses import Address, address_from_url, scheme_of
from ..errors import SettingError, SourceError
from ..protocols import ifacialmocap, live_link, vmc
from ..protocols.reading import Reader
from ..timing import Clock, monotonic_s
from .datagrams import UdpReceiver, looked_up
from .network import FPS, NetworkSource
from .performers import Performers

COMMON_OPTIONS = ("fps", "from", "mirror", "straight")


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
        allowed=None if allowed is None else looked_up(allowed), phone=phone, clock=clock,
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
