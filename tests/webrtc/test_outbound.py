"""A Fanout encodes once, and no viewer is at the mercy of another."""

from __future__ import annotations

import asyncio
from unittest.mock import patch

import av
import pytest
from aiortc.mediastreams import MediaStreamError

from animator.errors import SettingError
from animator.webrtc import outbound
from animator.webrtc.bitrate import MAX_BPS, MIN_BPS, START_BPS
from animator.webrtc.encoding import CODECS
from animator.webrtc.outbound import QUEUE_LENGTH, Fanout, PacketTrack
from animator.webrtc.peer import Peer

from .helpers import introduce, needs_ice, picture, publishing, run, until


class Viewer:
    """Reads a track without end."""

    def __init__(self, track: PacketTrack) -> None:
        self.track, self.packets = track, []
        self.task = asyncio.get_running_loop().create_task(self._read())

    async def _read(self) -> None:
        try:
            while True:
                self.packets.append(await self.track.recv())
        except MediaStreamError:
            pass

    async def leave(self) -> None:
        self.track.stop()
        await self.task


class Stage:
    """A Fanout whose render thread is the test itself, and whose clock stands still unless it is moved."""

    def __init__(self) -> None:
        self.now_s, self.index = 0.0, 0
        self.fanout = Fanout(asyncio.get_running_loop(), clock=lambda: self.now_s)

    async def publish(self, count: int = 1, fps: float = 30.0) -> None:
        for _ in range(count):
            await asyncio.to_thread(self.fanout.publish, picture(self.index % 200), self.index / fps)
            self.index += 1
            for _ in range(3):
                await asyncio.sleep(0)  # lets what was handed over be delivered and read

    async def join(self, codec: str = "H264") -> Viewer:
        viewer = Viewer(self.fanout.subscribe(codec))
        await asyncio.sleep(0)
        return viewer


def test_nobody_watches_nothing_is_encoded() -> None:
    async def test() -> None:
        stage = Stage()
        stage.fanout.subscribe("H264")  # negotiated, but its connection does not stand yet
        await stage.publish(3)
        assert all(counts.frames == 0 for counts in stage.fanout.counts.values())
        assert stage.fanout.subscribers == 0

    run(test())


def test_one_encoding_for_all() -> None:
    async def test() -> None:
        stage = Stage()
        viewers = [await stage.join() for _ in range(3)] + [await stage.join("VP8")]
        await stage.publish(20)
        counts = stage.fanout.counts
        assert (counts["H264"].frames, counts["VP8"].frames) == (20, 20)
        assert (counts["H264"].subscribers, counts["VP8"].subscribers) == (3, 1)
        assert all(len(viewer.packets) == 20 for viewer in viewers)
        assert all(a is b for a, b in zip(viewers[0].packets, viewers[2].packets, strict=True))
        assert counts["H264"].bytes == sum(packet.size for packet in viewers[0].packets)
        assert counts["H264"].encode_s > 0
        await asyncio.gather(*(viewer.leave() for viewer in viewers))
        await stage.publish(5)
        assert counts["H264"].frames == 20
        assert stage.fanout.subscribers == 0

    run(test())


def test_a_late_viewer_begins_with_a_key_frame() -> None:
    async def test() -> None:
        stage = Stage()
        await stage.join()
        await stage.publish(40)
        late = await stage.join()
        await stage.publish(1)
        assert late.packets[0].is_keyframe

    run(test())


def test_requests_are_gathered_into_two_key_frames_a_second() -> None:
    async def test() -> None:
        stage = Stage()
        viewer = await stage.join()
        for _ in range(60):  # two seconds
            viewer.track.request_key_frame()
            await stage.publish()
        keys = [index for index, packet in enumerate(viewer.packets) if packet.is_keyframe]
        assert keys == [0, 15, 30, 45]
        assert stage.fanout.counts["H264"].key_frames == 4

    run(test())


def test_who_does_not_read_holds_nobody_up() -> None:
    async def test() -> None:
        stage = Stage()
        brisk, track = await stage.join(), stage.fanout.subscribe("H264")
        first = asyncio.ensure_future(track.recv())
        await asyncio.sleep(0)
        await stage.publish(3 * QUEUE_LENGTH)
        assert (await first).is_keyframe
        assert len(brisk.packets) == 3 * QUEUE_LENGTH
        assert track._packets.qsize() <= QUEUE_LENGTH
        assert stage.fanout.counts["H264"].dropped == 3 * QUEUE_LENGTH - 1
        assert stage.fanout.counts["H264"].key_frames == 1  # it did not ask, so the others paid nothing

        again = asyncio.ensure_future(track.recv())  # it reads again, and gets what can be decoded
        await asyncio.sleep(0)
        await stage.publish(2)
        assert (await again).is_keyframe
        assert stage.fanout.counts["H264"].key_frames == 2

    run(test())


def test_a_stalled_event_loop_does_not_pile_up_packets() -> None:
    async def test() -> None:
        stage = Stage()
        viewer = await stage.join()
        for index in range(3 * QUEUE_LENGTH):  # on the loop itself: nothing is delivered meanwhile
            stage.fanout.publish(picture(index), index / 30)
        lane = stage.fanout._lanes["H264"]
        assert len(lane._waiting) <= QUEUE_LENGTH
        await until(lambda: len(viewer.packets) > 0)
        decoder = av.CodecContext.create("h264", "r")
        assert viewer.packets[0].is_keyframe
        assert all(decoder.decode(packet) for packet in viewer.packets)

    run(test())


def test_the_bitrate_follows_the_weakest_recent_estimate() -> None:
    async def test() -> None:
        stage = Stage()
        strong, weak = await stage.join(), await stage.join()

        def bitrate_after(seconds: float, viewer: Viewer, estimate_bps: int) -> int:
            stage.now_s += seconds
            viewer.track.estimate(estimate_bps)
            return stage.fanout.bitrates_bps["H264"]

        assert stage.fanout.bitrates_bps["H264"] == START_BPS
        assert bitrate_after(1, strong, 2_000_000) == 2_000_000
        assert bitrate_after(1, weak, 600_000) == 600_000
        assert bitrate_after(0.5, weak, 400_000) == 600_000  # too soon after the last change
        assert bitrate_after(1, weak, 400_000) == 400_000
        assert bitrate_after(1, strong, 2_000_000) == 400_000
        assert bitrate_after(6, weak, 420_000) == 400_000  # not worth a key frame
        assert bitrate_after(1, weak, 1) == MIN_BPS
        assert bitrate_after(11, strong, 90_000_000) == MAX_BPS  # the weak one's is too old to count
        assert bitrate_after(1, weak, 500_000) == 500_000
        await weak.leave()
        assert bitrate_after(6, strong, 2_000_000) == 2_000_000
        await stage.publish()
        assert stage.fanout._lanes["H264"]._encoder.bitrate_bps == 2_000_000
        assert stage.fanout.bitrates_bps["VP8"] == START_BPS

    run(test())


def test_closing_ends_every_track() -> None:
    async def test() -> None:
        stage = Stage()
        viewer, unread = await stage.join(), stage.fanout.subscribe("VP8")
        stage.fanout.close()
        stage.fanout.close()
        await viewer.task
        with pytest.raises(MediaStreamError):
            await unread.recv()
        with pytest.raises(MediaStreamError):
            await stage.fanout.subscribe("H264").recv()
        await stage.publish()
        assert stage.fanout.subscribers == 0
        with pytest.raises(SettingError):
            stage.fanout.subscribe("AV1")

    run(test())


def test_a_loop_that_ended_first_does_not_trouble_the_render_thread() -> None:
    async def begin() -> Fanout:
        stage = Stage()
        track = stage.fanout.subscribe("H264")
        task = asyncio.ensure_future(track.recv())
        await asyncio.sleep(0)
        task.cancel()
        return stage.fanout

    fanout = run(begin())
    for index in range(2 * QUEUE_LENGTH):
        fanout.publish(picture(index), index / 30)
    assert len(fanout._lanes["H264"]._waiting) <= QUEUE_LENGTH


@needs_ice
@pytest.mark.parametrize("codec", CODECS)
def test_three_viewers_see_the_same_pictures(codec: str) -> None:
    async def test() -> None:
        fanout = Fanout(asyncio.get_running_loop())
        viewers = [Peer(receive=True) for _ in range(3)]
        servers = [Peer(fanout, codecs=(codec,)) for _ in viewers]
        with patch.object(outbound, "VideoEncoder", wraps=outbound.VideoEncoder) as encoders:
            await asyncio.gather(*map(introduce, viewers[:2], servers[:2]))
            with publishing(fanout):
                await until(lambda: all(viewer.pictures.received > 20 for viewer in viewers[:2]))
                await introduce(viewers[2], servers[2])  # the late one
                await until(lambda: viewers[2].pictures.received > 0, timeout_s=1.0)
                await until(lambda: viewers[2].pictures.received > 20)
                shades = [(await asyncio.to_thread(viewer.pictures.get, 5)).rgb.mean() for viewer in viewers]
            # What is published moves on in steps of 10, so that a picture is told from every other one.
            assert all(min(abs(shade - (60 + 10 * step)) for step in range(12)) < 4 for shade in shades)
            assert encoders.call_count == 1
        counts = fanout.counts[codec]
        assert {server.codec for server in servers} == {codec}
        assert counts.subscribers == 3
        assert counts.frames >= max(viewer.pictures.received for viewer in viewers)
        assert counts.frames < 2 * max(viewer.pictures.received for viewer in viewers)
        await asyncio.gather(*(peer.close() for peer in viewers + servers))
        assert fanout.subscribers == 0

    run(test())
