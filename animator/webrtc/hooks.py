"""Where we reach into aiortc's private parts: all of it is here, and tests/webrtc/test_hooks.py watches over it.

aiortc encodes for each viewer anew unless a track gives packets instead of frames. It packs those, but then
what viewers ask for has no way out: a key frame request (PLI, FIR) sets a flag of the sender, and a bandwidth
estimate (REMB) sets `target_bitrate` of the sender's own encoder. What it receives waits for its decoder in
a queue without a bound, and for what was lost on the way too long (see gaps). A connection that is closed while it
is being made may leave a task behind. And anybody's malformed STUN message is a fault of
aioice's own, anybody's empty datagram the end of a session.
"""

from __future__ import annotations

import asyncio
import queue
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import av
from aioice import ice, stun
from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCRtpSender, RTCRtpTransceiver
from aiortc.codecs import get_encoder
from aiortc.codecs.base import Encoder
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from .gaps import GapBuffer, PersistentNacks

DECODER_BACKLOG = 15
"""Half a second of pictures that wait to be decoded; more would only be seen late."""

_ENCODER = "_RTCRtpSender__encoder"
_SEND_KEY_FRAME = "_send_keyframe"
_DECODER_QUEUE = "_RTCRtpReceiver__decoder_queue"
_DECODER_ERROR = "_RTCRtpReceiver__decoder_error"
_JITTER_BUFFER = "_RTCRtpReceiver__jitter_buffer"
_NACKS = "_RTCRtpReceiver__nack_generator"
_ICE_STARTED = "_RTCIceTransport__start"
_ICE_TRANSPORTS = "_RTCPeerConnection__iceTransports"
_ICE_ENDS_S = 1.0


class PassThrough(Encoder):
    """Stands where aiortc would put its encoder: packs what is encoded already and passes estimates on."""

    def __init__(self, codec: RTCRtpCodecParameters, on_estimate: Callable[[int], None]) -> None:
        self._packer, self._on_estimate = get_encoder(codec), on_estimate
        self._estimate_bps = 0

    def encode(self, frame: Any, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        """Never called: the track gives packets."""
        raise TypeError("pictures are encoded by the Fanout, not for each viewer")

    def pack(self, packet: av.Packet) -> tuple[list[bytes], int]:
        """RTP payloads of one packet, and its time in 1/90000 s."""
        return self._packer.pack(packet)

    @property
    def target_bitrate(self) -> int:
        """The receiver's newest estimate of what its line carries, bits per second; 0 before the first."""
        return self._estimate_bps

    @target_bitrate.setter
    def target_bitrate(self, bitrate_bps: int) -> None:
        self._estimate_bps = bitrate_bps
        self._on_estimate(bitrate_bps)


def negotiated_codec(transceiver: RTCRtpTransceiver) -> RTCRtpCodecParameters:
    """The codec that its sender will use; known once both descriptions are."""
    return transceiver._codecs[0]


def send_packets(
    sender: RTCRtpSender,
    track: MediaStreamTrack,
    codec: RTCRtpCodecParameters,
    on_key_frame: Callable[[], None],
    on_estimate: Callable[[int], None],
) -> None:
    """Let `sender` send a track of packets and report what its receiver asks for.

    on_key_frame : called for each PLI and FIR
    on_estimate  : called with bits per second for each REMB"""
    if not (hasattr(sender, _ENCODER) and hasattr(sender, _SEND_KEY_FRAME)):
        raise RuntimeError(
            "this version of aiortc keeps its encoder elsewhere: install the one that we were tested with"
        )
    sender.replaceTrack(track)
    setattr(sender, _ENCODER, PassThrough(codec, on_estimate))
    setattr(sender, _SEND_KEY_FRAME, on_key_frame)


def bound_decoding(receiver: RTCRtpReceiver) -> None:
    """Pictures wait neither long for their decoder nor for what was lost; call it before the connection stands."""
    if not all(hasattr(receiver, name) for name in (_DECODER_QUEUE, _JITTER_BUFFER, _NACKS)):
        raise RuntimeError("this version of aiortc decodes elsewhere: install the one that we were tested with")
    waiting = DecoderQueue(getattr(receiver, _DECODER_ERROR).set)
    setattr(receiver, _DECODER_QUEUE, waiting)
    setattr(receiver, _JITTER_BUFFER, GapBuffer(waiting.wait_for_key_frame))
    setattr(receiver, _NACKS, PersistentNacks())


async def end_checks(connection: RTCPeerConnection) -> None:
    """After `connection.close()`: let connectivity checks that were under way come to their end.

    If they succeed in the moment of closing, aioice begins to watch over a connection that is no more."""
    transports = [transceiver.receiver.transport.transport for transceiver in connection.getTransceivers()]
    if connection.sctp is not None:
        transports.append(connection.sctp.transport.transport)
    for transport in set(transports):
        started = getattr(transport, _ICE_STARTED, None)
        if started is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(started.wait(), _ICE_ENDS_S)
        watching = transport._connection._query_consent_task
        if watching is not None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def drop_transports(connection: RTCPeerConnection) -> None:
    """After a `connection.close()` that has failed half way: let go of the ports."""
    for transport in getattr(connection, _ICE_TRANSPORTS, ()):
        with suppress(Exception):  # half made, as it is
            await transport.stop()


def refuse_malformed_stun() -> None:
    """A datagram that only begins like STUN is dropped without a word, as aioice does with what is none at all.

    Anybody can send one to an open port; each put a traceback in the log."""
    parse = stun.parse_message
    if getattr(parse, "refuses", False):
        return

    def parse_or_refuse(data: bytes, *arguments: Any, **named: Any) -> stun.Message:
        try:
            return parse(data, *arguments, **named)
        except (struct.error, IndexError, KeyError, OSError) as error:
            raise ValueError("malformed STUN message") from error

    parse_or_refuse.refuses = True
    stun.parse_message = parse_or_refuse


def drop_empty_datagrams() -> None:
    """An empty datagram, from whomever, is no media: aiortc looks at its first byte, and that ended the session."""
    receive = ice.StunProtocol.datagram_received
    if getattr(receive, "drops", False):
        return

    def receive_if_any(self: ice.StunProtocol, data: bytes | str, addr: tuple[Any, ...]) -> None:
        if data:
            receive(self, data, addr)

    receive_if_any.drops = True
    ice.StunProtocol.datagram_received = receive_if_any


refuse_malformed_stun()
drop_empty_datagrams()


class DecoderQueue(queue.Queue):
    """Once too much waits it starts anew: all is dropped until the key frame that it asks for comes."""

    def __init__(self, ask_for_key_frame: Callable[[], None], length: int = DECODER_BACKLOG) -> None:
        super().__init__()
        self._ask, self._length = ask_for_key_frame, length
        self._waiting_for_key = False
        self.dropped = 0
        """Pictures that were never decoded."""

    def put(self, item: Any, *args: Any, **kwargs: Any) -> None:
        """Append a (codec, encoded picture); None, aiortc's end mark, always gets in, and at once."""
        if item is None or self.qsize() >= self._length:
            self._empty()
        if item is not None:
            codec, picture = item
            if self._waiting_for_key and not is_key_frame(codec.name, picture.data):
                self.dropped += 1
                self._ask()
                return
            self._waiting_for_key = False
        super().put(item, *args, **kwargs)

    def wait_for_key_frame(self) -> None:
        """Pictures are missing before the next one: drop what comes until one that needs none before it."""
        self._waiting_for_key = True

    def _empty(self) -> None:
        while True:
            try:
                self.get_nowait()
            except queue.Empty:
                return
            self.dropped += 1
            self._waiting_for_key = True


def is_key_frame(codec: str, data: bytes) -> bool:
    """Whether an encoded picture can be decoded without those before it.

    data : a whole picture; H.264 in Annex B form"""
    if codec.upper() == "VP8":
        return len(data) > 5 and not data[0] & 1 and data[3:6] == b"\x9d\x01\x2a"
    start = 0
    while (start := data.find(b"\x00\x00\x01", start) + 3) >= 3:
        if start < len(data) and data[start] & 0x1F in (5, 7):  # an IDR slice, or parameters that precede one
            return True
    return False
