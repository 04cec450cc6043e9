"""One connection's life: negotiated, watched over and closed without a trace."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from aiortc import (
    RTCConfiguration,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamTrack

from ..errors import ProtocolError, SettingError
from ..timing import Clock, monotonic_s
from .config import IceServer, unhelpful
from .data_channels import DataChannels
from .descriptions import check_description
from .encoding import CODECS
from .hooks import bound_decoding, drop_transports, end_checks, negotiated_codec, send_packets
from .inbound import NewestPicture
from .outbound import Fanout, PacketTrack

log = logging.getLogger("animator")

SILENT_S = 12.0
"""A peer that gives no sign of life for so long is gone; what it held is free within 15 s, closing included."""
CONNECT_S = 20.0
"""A peer that has not connected by then will not."""
PING_EVERY_S = 2.0
_LOOK_EVERY_S = 0.5
_DIRECTIONS = {
    (True, True): "sendrecv",
    (True, False): "sendonly",
    (False, True): "recvonly",
    (False, False): "inactive",
}


def _ignore(*_what: Any) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Listeners:
    """What is called, on the event loop, when something comes from a peer. None of them may block."""

    on_open: Callable[[], None] = _ignore
    """Control messages can be sent from now on."""
    on_control: Callable[[dict[str, Any]], None] = _ignore
    """A JSON object came on `control`."""
    on_motion: Callable[[bytes], None] = _ignore
    """A binary message came on `motion`."""
    on_video: Callable[[NewestPicture], None] = _ignore
    """The peer shares a camera; read it on another thread."""
    on_bad: Callable[[str], None] = _ignore
    """A message broke a rule, which the sentence names; the connection stays."""
    on_closed: Callable[[str], None] = _ignore
    """The connection has ended, for the reason given; called once."""


class Peer:
    """A connection to a browser or to another animator, as the one who answers or the one who offers.

    All of it lives on the event loop that it is made on: from another thread, hand what is to be sent to
    `loop.call_soon_threadsafe(peer.send_motion, payload)`.
    puppet      : pictures for the other side; None sends none
    receive     : whether the other side's camera is wanted
    ice_servers : none for peers that reach each other directly
    relay_only  : whether everything goes through the TURN server among them, and no address of ours is told
    codecs      : which may be used, the preferred one first
    silent_s    : seconds without a sign of life after which the connection is closed
    clock       : seconds that rise"""

    def __init__(
        self,
        puppet: Fanout | None = None,
        *,
        receive: bool = False,
        listeners: Listeners | None = None,
        ice_servers: Sequence[IceServer] = (),
        relay_only: bool = False,
        codecs: Sequence[str] = CODECS,
        silent_s: float = SILENT_S,
        clock: Clock = monotonic_s,
    ) -> None:
        if not codecs or set(codecs) - set(CODECS):
            raise SettingError(f"codecs must be some of {', '.join(CODECS)}, not {', '.join(codecs) or 'none'}")
        if relay_only and not any(server.is_relay for server in ice_servers):
            raise SettingError("relay_only: there is no TURN server among the ICE servers to go through")
        self._puppet, self._receive, self._codecs = puppet, receive, tuple(codecs)
        self._listeners, self._clock, self._silent_s = listeners or Listeners(), clock, silent_s
        self._ice_servers = tuple(ice_servers)
        servers = [RTCIceServer(s.url, s.user, s.password) for s in ice_servers]
        # An empty list is not the same as none, for which aiortc would ask a public server.
        policy = RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL
        self._pc = RTCPeerConnection(RTCConfiguration(servers, iceTransportPolicy=policy))
        self._pc.on("track", self._on_track)
        self._pc.on("datachannel", lambda channel: self.channels.adopt(channel))
        self._pc.on("connectionstatechange", self._on_state)
        self.channels = DataChannels(
            clock,
            on_control=self._listeners.on_control,
            on_motion=self._listeners.on_motion,
            on_bad=self._listeners.on_bad,
            on_flood=lambda why: self._begin_close(f"a flood of bad messages: {why}"),
            on_open=lambda: self._tell(self._listeners.on_open),
        )
        self.pictures: NewestPicture | None = None
        """The other side's camera, once it is negotiated."""
        self.codec: str | None = None
        """What our pictures are sent in, once it is negotiated."""
        self._video: RTCRtpTransceiver | None = None
        self._track: PacketTrack | None = None
        self._offers = False
        self._connected = asyncio.Event()
        self._heard_s, self._signs = clock(), 0
        self._pinged_s = float("-inf")
        self._watch: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    async def answer(self, sdp: str, kind: str = "offer", *, need_video: bool = False) -> str:
        """The answer to an offer. Raises ProtocolError, having closed, where the offer is no good."""
        try:
            sections = check_description(sdp, kind, "offer", need_video=need_video)
            if any(section.kind == "video" for section in sections):
                self._add_video(self._puppet is not None, self._receive)
            await self._apply(sdp, "offer")
            for transceiver in self._pc.getTransceivers():
                if transceiver is not self._video:
                    transceiver.direction = "inactive"  # sound: nobody listens
            with _as_protocol_error("offer"):
                return await self._describe()
        except BaseException:
            await self.close("the offer was no good")
            raise

    async def offer(self, *, video: bool = True, channels: bool = True) -> str:
        """An offer for the other side, whose answer belongs to `accept`.

        video    : whether pictures go any way at all: which way, `puppet` and `receive` say
        channels : whether there are data channels"""
        self._offers = True
        if video:
            self._add_video(self._puppet is not None, self._receive)
        if channels:
            self.channels.adopt(self._pc.createDataChannel("control"))
            self.channels.adopt(self._pc.createDataChannel("motion", ordered=False, maxRetransmits=0))
        return await self._describe()

    async def accept(self, sdp: str, kind: str = "answer") -> None:
        """Take the other side's answer. Raises ProtocolError, having closed, where it is no good."""
        try:
            check_description(sdp, kind, "answer")
            await self._apply(sdp, "answer")
        except BaseException:
            await self.close("the answer was no good")
            raise

    async def connected(self, timeout_s: float = CONNECT_S) -> bool:
        """Wait until the connection stands; False where it does not in time or has closed."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._connected.wait(), timeout_s)
        return self._connected.is_set() and not self.is_closed

    @property
    def is_closed(self) -> bool:
        """Whether it is closed or being closed."""
        return self._closing is not None

    def send_control(self, message: dict[str, Any]) -> bool:
        """Send an object on `control`; False where that cannot be done now."""
        return self.channels.send_control(message)

    def send_motion(self, payload: bytes) -> bool:
        """Send bytes on `motion`, unless older ones still wait; tells whether it did."""
        return self.channels.send_motion(payload)

    async def close(self, reason: str = "closed") -> None:
        """End everything that belongs to the connection and wait for that. May be called twice."""
        self._begin_close(reason)
        await asyncio.shield(self._closing)

    def _begin_close(self, reason: str) -> None:
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._close(reason))

    async def _close(self, reason: str) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        if self._track is not None:
            self._track.stop()
        if self.pictures is not None:
            self.pictures.close()  # its readers need not wait for what follows
        try:
            await self._pc.close()
            await end_checks(self._pc)
        except Exception:  # whatever aiortc trips over, the rest is to be cleared away too
            log.exception("a connection could not be closed in good order")
            await drop_transports(self._pc)
        if self.pictures is not None:
            await self.pictures.stop()
        self._connected.set()  # wakes whoever waits; it is told that the peer is closed
        self._tell(self._listeners.on_closed, reason)

    def _add_video(self, send: bool, receive: bool) -> None:
        self._video = self._pc.addTransceiver("video", direction=_DIRECTIONS[send, receive])
        self._video.setCodecPreferences(_preferences(self._codecs))

    async def _describe(self) -> str:
        await self._pc.setLocalDescription()
        for complaint in unhelpful(self._ice_servers, self._pc.localDescription.sdp):
            log.warning(complaint)
        self._heard_s = self._clock()
        if self._watch is None and not self.is_closed:
            self._watch = asyncio.get_running_loop().create_task(self._watch_over())
        return self._pc.localDescription.sdp

    async def _apply(self, sdp: str, kind: str) -> None:
        with _as_protocol_error(kind):
            await self._pc.setRemoteDescription(RTCSessionDescription(sdp, kind))
            if self._video is not None and self._puppet is not None:
                self._send_puppet(self._video)

    def _send_puppet(self, video: RTCRtpTransceiver) -> None:
        codec = negotiated_codec(video)
        self.codec = codec.name.upper()
        self._track = track = self._puppet.subscribe(self.codec)
        send_packets(video.sender, track, codec, track.request_key_frame, track.estimate)

    def _on_track(self, track: MediaStreamTrack) -> None:
        if self._video is None or self._video.receiver.track is not track or not self._receive:
            return
        bound_decoding(self._video.receiver)
        self.pictures = NewestPicture(track)
        self._tell(self._listeners.on_video, self.pictures)

    def _on_state(self) -> None:
        state = self._pc.connectionState
        if state == "connected":
            self._heard_s = self._clock()
            self._connected.set()
        elif state == "failed":
            self._begin_close("the connection failed")
        elif state == "closed":
            self._begin_close("the other side left")

    async def _watch_over(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            now_s = self._clock()
            signs = await self._signs_of_life()
            if signs != self._signs:
                self._signs, self._heard_s = signs, now_s
            if self._offers and now_s - self._pinged_s >= PING_EVERY_S:
                self._pinged_s = now_s
                self.send_control({"type": "ping", "t": now_s})
            quiet_s = now_s - self._heard_s
            if not self._connected.is_set() and quiet_s > CONNECT_S:
                self._begin_close(f"it did not connect within {CONNECT_S:g} s")
            elif self._connected.is_set() and quiet_s > self._silent_s:
                self._begin_close(f"nothing came for {self._silent_s:g} s")

    async def _signs_of_life(self) -> int:
        """Grows with each message and picture; where there is no control channel, with each packet."""
        signs = self.channels.received + (self.pictures.received if self.pictures else 0)
        if not self.channels.has_control:
            # A WHEP viewer sends nothing but RTCP.
            report = await self._pc.getStats()
            signs += sum(stats.packetsReceived for stats in report.values() if stats.type == "transport")
        return signs

    @staticmethod
    def _tell(listener: Callable[..., None], *what: Any) -> None:
        try:
            listener(*what)
        except Exception:  # a listener's slip must not keep a connection from being closed
            log.exception("a listener of a connection failed")


@contextmanager
def _as_protocol_error(kind: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # strangers' text, and aiortc's answer to it may be of any class
        raise ProtocolError(f"the {kind} cannot be used: {str(error)[:200] or type(error).__name__}") from error


def _preferences(codecs: Sequence[str]) -> list[Any]:
    """aiortc's video codecs in our order; of H.264's profiles the constrained baseline first."""
    known = RTCRtpSender.getCapabilities("video").codecs

    def rank(codec: Any) -> tuple[int, bool]:
        return codecs.index(codec.name.upper()), codec.parameters.get("profile-level-id") != "42e01f"

    wanted = sorted((codec for codec in known if codec.name.upper() in codecs), key=rank)
    return wanted + [codec for codec in known if codec.name.lower() == "rtx"]
