"""Real connections between two peers on this machine."""

from __future__ import annotations

import asyncio
import gc
import os
import threading

import pytest

from animator.errors import ProtocolError, SettingError
from animator.webrtc.config import IceServer
from animator.webrtc.outbound import Fanout
from animator.webrtc.peer import CONNECT_S, Peer

from .helpers import Heard, introduce, needs_ice, pair, publishing, run, until


def open_files() -> int:
    """File descriptors in use, where the system tells."""
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


@needs_ice
def test_messages_go_both_ways() -> None:
    async def test() -> None:
        here, there = Heard(), Heard()
        async with pair(Peer(listeners=here.listeners), Peer(listeners=there.listeners), video=False) as (a, b):
            await here.opened.wait()
            await there.opened.wait()
            assert a.send_control({"type": "set", "view": "mask"})
            assert b.send_control({"type": "welcome"})
            await until(lambda: {"type": "set", "view": "mask"} in there.control and here.control)
            await until(lambda: a.send_motion(b"\x00\x01") and b.send_motion(b"\x02"))
            await until(lambda: there.motion and here.motion)
            assert there.motion[0] == b"\x00\x01"
            assert here.motion[0] == b"\x02"
        assert here.closed == ["closed"]
        assert len(there.closed) == 1

    run(test())


@needs_ice
def test_it_leaves_nothing_behind() -> None:
    async def test() -> None:
        fanout = Fanout(asyncio.get_running_loop())

        async def visit() -> None:
            async with pair(Peer(receive=True), Peer(fanout)) as (viewer, _server):
                await until(lambda: viewer.pictures.received > 0)

        with publishing(fanout):
            await visit()
            gc.collect()
            await until(lambda: len(asyncio.all_tasks()) == 2)
            threads, files = threading.active_count(), open_files()
            for _ in range(10):
                await asyncio.gather(*[visit() for _ in range(3)])
            await until(lambda: len(asyncio.all_tasks()) == 2)
            gc.collect()
            assert threading.active_count() <= threads
            assert open_files() <= files
            assert fanout.subscribers == 0
            assert not fanout._tracks

    run(test())


@needs_ice
def test_who_goes_by_relay_only_tells_no_address_of_its_own() -> None:
    async def test() -> None:
        nobody = IceServer("turn:127.0.0.1:9", "me", "x")  # does not answer, so there is no relayed address either
        caller = Peer(ice_servers=[nobody], relay_only=True)
        try:
            assert "a=candidate" not in await caller.offer(video=False)
        finally:
            await caller.close()
        with pytest.raises(SettingError, match="no TURN server"):
            Peer(ice_servers=[IceServer("stun:127.0.0.1")], relay_only=True)

    run(test())


@needs_ice
def test_motion_is_unordered_and_never_sent_again() -> None:
    async def test() -> None:
        async with pair(Peer(), Peer(), video=False) as (_caller, server):
            await until(lambda: len(server.channels._channels) == 2)
            motion, control = (server.channels._channels[name] for name in ("motion", "control"))
            assert (motion.ordered, motion.maxRetransmits) == (False, 0)
            assert (control.ordered, control.maxRetransmits) == (True, None)

    run(test())


@needs_ice
def test_garbage_is_survived_and_a_flood_is_not() -> None:
    async def test() -> None:
        there = Heard()
        async with pair(Peer(), Peer(listeners=there.listeners), video=False) as (caller, _server):
            await until(lambda: caller.send_control({}))
            channel = caller.channels._channels["control"]
            for garbage in ("{", "[" * 9000, b"\xff\xfe"):
                channel.send(garbage)
            await until(lambda: len(there.bad) == 3)
            assert there.control == [{}]
            for _ in range(400):
                channel.send("{")
            await until(lambda: bool(there.closed))
        assert there.closed == ["a flood of bad messages: too many control messages"]

    run(test())


@needs_ice
@pytest.mark.parametrize("channels", [True, False])
def test_a_silent_peer_is_closed(channels: bool) -> None:
    async def test() -> None:
        now_s, there = 0.0, Heard()
        fanout = Fanout(asyncio.get_running_loop())
        caller = Peer(receive=True)
        server = Peer(fanout, listeners=there.listeners, clock=lambda: now_s)
        async with pair(caller, server, channels=channels):
            now_s = 10.0
            await until(lambda: server._heard_s == 10.0)  # it pings, or acknowledges what it receives
            caller._watch.cancel()
            caller._pc.getTransceivers()[0].receiver._RTCRtpReceiver__rtcp_task.cancel()
            signs = -1
            while signs != (signs := await server._signs_of_life()):
                await asyncio.sleep(0.1)  # what is still under way comes to rest
            now_s = 50.0
            await until(lambda: server._heard_s == 50.0 or bool(there.closed))
            now_s = 80.0
            await until(lambda: bool(there.closed))
            assert there.closed == ["nothing came for 12 s"]
            assert fanout.subscribers == 0

    run(test())


def test_who_never_connects_is_closed() -> None:
    async def test() -> None:
        now_s, here = 0.0, Heard()
        peer = Peer(listeners=here.listeners, clock=lambda: now_s)
        await peer.offer()
        now_s = CONNECT_S + 1
        await until(lambda: bool(here.closed))
        assert here.closed == ["it did not connect within 20 s"]
        assert not await peer.connected(0.1)

    run(test())


@needs_ice
def test_who_offers_pings() -> None:
    async def test() -> None:
        there = Heard()
        async with pair(Peer(), Peer(listeners=there.listeners), video=False):
            await until(lambda: bool(there.control))
            assert there.control[0]["type"] == "ping"
            assert isinstance(there.control[0]["t"], float)

    run(test())


@needs_ice
def test_closing_amid_the_hand_shake_leaves_nothing_behind() -> None:
    async def test() -> None:
        fanout = Fanout(asyncio.get_running_loop())
        for turns in (0, 1, 3, 10, 30, 100):
            caller, server = Peer(receive=True), Peer(fanout)
            await caller.accept(await server.answer(await caller.offer()))
            for _ in range(turns):
                await asyncio.sleep(0.001)
            await asyncio.gather(caller.close(), server.close())
            await until(lambda: len(asyncio.all_tasks()) == 2, timeout_s=2.0)
        assert fanout.subscribers == 0

    run(test())


@needs_ice
def test_leaving_is_noticed_at_once() -> None:
    async def test() -> None:
        there = Heard()
        async with pair(Peer(), Peer(listeners=there.listeners), video=False) as (caller, _server):
            await caller.close()
            await until(lambda: bool(there.closed), timeout_s=2.0)
            assert there.closed == ["the other side left"]

    run(test())


@needs_ice
@pytest.mark.parametrize(("offered", "chosen"), [(("VP8", "H264"), "H264"), (("VP8",), "VP8")])
def test_the_first_common_codec_is_used(offered: tuple[str, ...], chosen: str) -> None:
    async def test() -> None:
        fanout = Fanout(asyncio.get_running_loop())
        with publishing(fanout):
            async with pair(Peer(receive=True, codecs=offered), Peer(fanout)) as (viewer, server):
                await until(lambda: viewer.pictures.received > 0)
                assert server.codec == chosen
                assert fanout.counts[chosen].subscribers == 1

    run(test())


@needs_ice
def test_pictures_go_both_ways_on_one_line() -> None:
    async def test() -> None:
        loop, there = asyncio.get_running_loop(), Heard()
        camera, puppet = Fanout(loop), Fanout(loop)
        with publishing(camera), publishing(puppet):
            pair_of = (Peer(camera, receive=True), Peer(puppet, receive=True, listeners=there.listeners))
            async with pair(*pair_of) as (performer, server):
                await until(lambda: performer.pictures.received > 3 and server.pictures.received > 3)
                assert there.video == [server.pictures]
                assert len(server._pc.getTransceivers()) == 1

    run(test())


async def _offer_sdp(**offer: bool) -> str:
    peer = Peer(receive=True)
    sdp = await peer.offer(**offer)
    await peer.close()
    return sdp


BAD_OFFERS = {
    "empty": lambda _sdp: "",
    "nonsense": lambda _sdp: "nonsense",
    "binary": lambda _sdp: "\x00\xff\ud800",
    "not text": lambda _sdp: 17,
    "none": lambda _sdp: None,
    "a megabyte": lambda sdp: sdp + "a=x\r\n" * 200_000,
    "no media": lambda sdp: sdp[: sdp.index("m=")],
    "unknown media": lambda sdp: sdp.replace("m=video", "m=hologram"),
    "unknown codecs": lambda sdp: sdp.replace("H264/", "AV9/").replace("VP8/", "VP99/"),
    "no credentials": lambda sdp: sdp.replace("a=ice-", "a=nice-"),
    "no fingerprint": lambda sdp: sdp.replace("a=fingerprint", "a=finger"),
    "bad candidates": lambda sdp: sdp.replace("a=candidate:", "a=candidate:x "),
    "bad numbers": lambda sdp: sdp.replace("90000", "many"),
    "ports": lambda sdp: sdp.replace("m=video ", "m=video x"),
    "many candidates": lambda sdp: sdp + "a=candidate:1 1 udp 1 192.0.2.9 9 typ host\r\n" * 101,
    "two videos": lambda sdp: sdp + sdp[sdp.index("m=video") : sdp.index("m=application")],
    "cut short": lambda sdp: sdp[:300],
    "two sections of one name": lambda sdp: sdp.replace("a=mid:1", "a=mid:0"),
    "a bundle of strangers": lambda sdp: sdp.replace("a=group:BUNDLE 0", "a=group:BUNDLE 7"),
    "a bundle with one twice": lambda sdp: sdp.replace("a=group:BUNDLE 0", "a=group:BUNDLE 0 0"),
    "a video that goes nowhere": lambda sdp: sdp.replace("a=recvonly", "a=x").replace("a=sendrecv", "a=x"),
}


@pytest.mark.parametrize("name", BAD_OFFERS)
def test_a_bad_offer_is_one_clear_error(name: str) -> None:
    async def test() -> None:
        here = Heard()
        offer = BAD_OFFERS[name](await _offer_sdp())
        peer = Peer(Fanout(asyncio.get_running_loop()), listeners=here.listeners)
        with pytest.raises(ProtocolError) as caught:
            await peer.answer(offer)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 300
        assert here.closed == ["the offer was no good"]
        await until(lambda: len(asyncio.all_tasks()) == 2)

    run(test())


def test_types_are_not_mixed_up_and_video_can_be_asked_for() -> None:
    async def test() -> None:
        sdp = await _offer_sdp()
        for kind in ("answer", "rollback", None, 3):
            with pytest.raises(ProtocolError, match="wanted a session description of type 'offer'"):
                await Peer().answer(sdp, kind)
        with pytest.raises(ProtocolError, match="no video"):
            await Peer().answer(await _offer_sdp(video=False), need_video=True)
        for answer in ("nonsense", sdp):
            caller = Peer()
            await caller.offer()
            with pytest.raises(ProtocolError):
                await caller.accept(answer)
            assert caller.is_closed
        with pytest.raises(SettingError, match="AV1"):
            Peer(codecs=("AV1",))

    run(test())


@needs_ice
def test_sound_is_declined() -> None:
    async def test() -> None:
        caller, server = Peer(receive=True), Peer(Fanout(asyncio.get_running_loop()), receive=True)
        caller._pc.addTransceiver("audio", direction="sendrecv")
        try:
            await introduce(caller, server)
            directions = {t.kind: t.currentDirection for t in caller._pc.getTransceivers()}
            assert directions == {"audio": "inactive", "video": "recvonly"}
        finally:
            await caller.close()
            await server.close()

    run(test())
