"""aiortc's private parts are still where we reach for them, and do what we rely on."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from aioice import ice
from aiortc import RTCRtpReceiver, RTCRtpSender
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RtcpPsfbPacket,
    pack_remb_fci,
)

from animator.webrtc.encoding import CODECS, VideoEncoder
from animator.webrtc.hooks import DecoderQueue, bound_decoding, is_key_frame, send_packets
from animator.webrtc.outbound import Fanout
from animator.webrtc.peer import Peer

from .helpers import needs_ice, pair, picture, publishing, run, until


@needs_ice
def test_what_the_receiver_asks_for_reaches_the_fanout() -> None:
    async def test() -> None:
        fanout = Fanout(asyncio.get_running_loop())
        viewer, server = Peer(receive=True), Peer(fanout)
        with publishing(fanout):
            async with pair(viewer, server):
                await until(lambda: viewer.pictures.received > 5)
                counts, sender = fanout.counts["H264"], server._video.sender
                receiver = viewer._video.receiver

                before = counts.key_frames
                await receiver._send_rtcp_pli(sender._ssrc)  # over the network
                await until(lambda: counts.key_frames == before + 1)
                await sender._handle_rtcp_packet(RtcpPsfbPacket(RTCP_PSFB_FIR, 1, sender._ssrc))
                await until(lambda: counts.key_frames == before + 2)

                remb = pack_remb_fci(420_000, [sender._ssrc])
                await receiver._send_rtcp(RtcpPsfbPacket(RTCP_PSFB_APP, receiver._RTCRtpReceiver__rtcp_ssrc, 0, remb))
                await until(lambda: abs(fanout.bitrates_bps["H264"] - 420_000) < 5_000)
                others = pack_remb_fci(300_000, [sender._ssrc ^ 1])
                await sender._handle_rtcp_packet(RtcpPsfbPacket(RTCP_PSFB_APP, 1, 0, others))
                assert fanout.bitrates_bps["H264"] > 400_000

    run(test())


@needs_ice
def test_pictures_wait_for_their_decoder_in_our_queue() -> None:
    async def test() -> None:
        fanout = Fanout(asyncio.get_running_loop())
        viewer, server = Peer(receive=True), Peer(fanout)
        with publishing(fanout):
            async with pair(viewer, server):
                waiting = viewer._video.receiver._RTCRtpReceiver__decoder_queue
                assert isinstance(waiting, DecoderQueue)
                await until(lambda: viewer.pictures.received > 5)

                # As after a stalled decoder: a key frame is asked for, and with it the pictures go on.
                keys, waiting._waiting_for_key = fanout.counts["H264"].key_frames, True
                await until(lambda: fanout.counts["H264"].key_frames > keys)
                before = viewer.pictures.received
                await until(lambda: viewer.pictures.received > before + 5)

    run(test())


@pytest.mark.parametrize("attribute", [0x0006, 0x0008, 0x0020, 0x0024, 0x8028])
@pytest.mark.parametrize("value", [b"", b"\x00", b"\xff" * 3, b"\xff" * 19])
def test_malformed_stun_is_refused_as_what_is_none(attribute: int, value: bytes) -> None:
    body = struct.pack(">HH", attribute, len(value)) + value + b"\0" * (-len(value) % 4)
    message = struct.pack(">HHI", 1, len(body), 0x2112A442) + b"\0" * 12 + body
    with suppress(ValueError):
        ice.stun.parse_message(message)
    good = ice.stun.Message(message_method=ice.stun.Method.BINDING, message_class=ice.stun.Class.REQUEST)
    assert ice.stun.parse_message(bytes(good)).transaction_id == good.transaction_id


@needs_ice
def test_an_empty_datagram_of_a_stranger_ends_nothing() -> None:
    async def test() -> None:
        fanout = Fanout(asyncio.get_running_loop())
        viewer, server = Peer(receive=True), Peer(fanout)
        with publishing(fanout):
            async with pair(viewer, server):
                connection = server._pc.sctp.transport.transport._connection
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                    for candidate in connection.local_candidates:
                        if ":" not in candidate.host:
                            stranger.sendto(b"", (candidate.host, candidate.port))
                            stranger.sendto(b"x", (candidate.host, candidate.port))
                before = viewer.pictures.received
                await until(lambda: viewer.pictures.received > before + 5)
                assert server._pc.sctp.transport.state == "connected"

    run(test())


def test_a_connection_that_cannot_be_closed_gives_its_ports_back() -> None:
    async def test() -> None:
        peer = Peer(receive=True)
        await peer.offer()
        (transport, *_) = peer._pc._RTCPeerConnection__iceTransports
        peer._pc._RTCPeerConnection__sctp._RTCSctpTransport__transport = None
        await peer.close()
        assert transport.state == "closed"

    run(test())


def test_a_changed_aiortc_is_noticed() -> None:
    nothing: Any = SimpleNamespace()
    with pytest.raises(RuntimeError, match="this version of aiortc"):
        send_packets(nothing, nothing, nothing, lambda: None, print)
    with pytest.raises(RuntimeError, match="this version of aiortc"):
        bound_decoding(nothing)
    assert hasattr(RTCRtpSender, "_send_keyframe")
    assert hasattr(RTCRtpReceiver, "_handle_rtcp_packet")


@pytest.mark.parametrize("codec", CODECS)
def test_key_frames_are_told_from_others(codec: str) -> None:
    encoder = VideoEncoder(codec)
    for index in range(4):
        if index == 2:
            encoder.request_key_frame()
        packet = encoder.encode(picture(50 * index), index / 30)
        assert is_key_frame(codec, bytes(packet)) == packet.is_keyframe == (index in (0, 2))
    for nonsense in (b"", b"\0\0\1", b"\xff" * 9):
        assert not is_key_frame(codec, nonsense)


def test_too_long_a_queue_begins_again_with_a_key_frame() -> None:
    asked: list[bool] = []
    waiting = DecoderQueue(lambda: asked.append(True), length=3)
    key, other = ((SimpleNamespace(name="VP8"), SimpleNamespace(data=data)) for data in (b"\0\0\0\x9d\x01\x2a", b"\1"))
    for item in (key, other, other):
        waiting.put(item)
    waiting.put(other)
    assert (waiting.qsize(), waiting.dropped, len(asked)) == (0, 4, 1)
    waiting.put(other)
    waiting.put(key)
    waiting.put(other)
    assert [waiting.get(), waiting.get()] == [key, other]
    assert (waiting.dropped, len(asked)) == (5, 2)
    waiting.put(other)
    waiting.put(None)
    assert waiting.get() is None  # the end does not wait for what is left
