"""One puppet, many viewers: each picture is encoded once per codec and its packet handed to all."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import av
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from ..data import Array
from ..errors import SettingError
from ..timing import Clock, monotonic_s
from .bitrate import START_BPS, SharedBitrate
from .encoding import CODECS, PictureMaker, VideoEncoder

KEY_FRAMES_APART_S = 0.5
"""However many viewers ask, key frames come no closer together than this."""
QUEUE_LENGTH = 30
"""Packets, about a second, that wait for a viewer (or for a stalled event loop) before they are dropped."""
ASK_AGAIN_S = 2.0
"""A viewer who cannot keep up causes a key frame at most this often, as all pay for it."""


@dataclass(slots=True)
class FanoutCounts:
    """What one codec's share of a Fanout has done so far."""

    frames: int = 0
    """Pictures encoded: each once, however many watch."""
    key_frames: int = 0
    encode_s: float = 0.0
    bytes: int = 0
    """Of the packets as encoded, before they are multiplied by the viewers."""
    sent: int = 0
    """Packets that viewers took, counted for each of them."""
    dropped: int = 0
    """Packets that some viewer did not get because it, or the event loop, was too slow."""
    subscribers: int = 0
    """Viewers right now."""


class Fanout:
    """Encodes what a render thread publishes and hands the packets to every viewer on the event loop.

    A viewer counts from its track's first `recv` on, which is when its connection stands; while nobody
    watches, nothing is encoded.
    loop        : where the viewers live
    fps         : pictures per second that the bitrate is shared out to
    bitrate_bps : bits per second until a viewer's estimate comes"""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        fps: float = 30.0,
        *,
        bitrate_bps: int = START_BPS,
        clock: Clock = monotonic_s,
    ) -> None:
        self._maker = PictureMaker()
        self._lanes = {codec: _Lane(codec, loop, fps, bitrate_bps, clock) for codec in CODECS}
        self._tracks: set[PacketTrack] = set()
        self._closed = False

    def publish(self, rgb: Array, time_s: float) -> None:
        """Encode one picture for those who watch. From one thread, which is never held up by a viewer.

        rgb    : (H, W, 3) uint8
        time_s : seconds on a clock that rises"""
        watched = [lane for lane in self._lanes.values() if lane.prepare()]
        if self._closed or not watched:
            return
        start_s = time.perf_counter()
        picture = self._maker.picture_from_rgb(rgb)
        watched[0].counts.encode_s += time.perf_counter() - start_s
        for lane in watched:
            lane.publish(picture, time_s)

    def subscribe(self, codec: str) -> PacketTrack:
        """A track of packets in `codec`; on the event loop. Stop it to leave."""
        if codec not in self._lanes:
            raise SettingError(f"the codec must be one of {', '.join(CODECS)}, not {codec!r}")
        track = PacketTrack(self._lanes[codec], self._tracks.discard)
        self._tracks.add(track)
        if self._closed:
            track.stop()
        return track

    @property
    def counts(self) -> dict[str, FanoutCounts]:
        """By codec."""
        return {codec: lane.counts for codec, lane in self._lanes.items()}

    @property
    def bitrates_bps(self) -> dict[str, int]:
        """What each codec aims at now."""
        return {codec: lane.bitrate.bps for codec, lane in self._lanes.items()}

    @property
    def subscribers(self) -> int:
        """Viewers of all codecs right now."""
        return sum(lane.counts.subscribers for lane in self._lanes.values())

    def close(self) -> None:
        """End every viewer's track; on the event loop. May be called twice."""
        self._closed = True
        for track in tuple(self._tracks):
            track.stop()


class PacketTrack(MediaStreamTrack):
    """One viewer's share: packets come out of `recv`, and what the viewer asks for goes in."""

    # What one costs, camera pictures of 640x480 at 30 a second, 106 RTP packets: 0.52 % of a core, 49 us a packet.
    # Encoding them once takes 8.0 %. By profile about 40 % of it are `sendto` calls, 11 % reading the clock twice
    # a packet, 10 % headers, 10 % SRTP, 5 % packing the picture, the rest aiortc's and asyncio's calls.
    kind = "video"

    def __init__(self, lane: _Lane, on_stop: Callable[[PacketTrack], None]) -> None:
        super().__init__()
        self._lane, self._on_stop = lane, on_stop
        self._packets: asyncio.Queue[av.Packet | None] = asyncio.Queue(QUEUE_LENGTH)
        self._joined, self._waiting_for_key = False, True
        self._asked_s = float("-inf")

    async def recv(self) -> av.Packet:
        """The next packet; the first is a key frame's. Raises MediaStreamError once the track has ended."""
        if self.readyState != "live":
            raise MediaStreamError
        if not self._joined:
            self._joined = True
            self._lane.join(self)
        elif self._waiting_for_key and self._packets.empty():
            self._ask_again()
        packet = await self._packets.get()
        if packet is None:
            raise MediaStreamError
        self._lane.counts.sent += 1
        return packet

    def request_key_frame(self) -> None:
        """The viewer lost a picture."""
        self._lane.request_key_frame()

    def estimate(self, bitrate_bps: int) -> None:
        """What the viewer's line carries by its own estimate, bits per second."""
        self._lane.estimate(self, bitrate_bps)

    def offer(self, packet: av.Packet) -> int:
        """Take a packet unless it is of no use, and tell how many were dropped; called by the lane."""
        if self._packets.full():
            self._waiting_for_key = True
            return self._empty() + self.offer(packet)
        if self._waiting_for_key and not packet.is_keyframe:
            return 1
        self._waiting_for_key = False
        self._packets.put_nowait(packet)
        return 0

    def stop(self) -> None:
        """Leave. May be called twice."""
        if self.readyState == "live":
            super().stop()
            self._lane.leave(self)
            self._empty()
            self._packets.put_nowait(None)  # wakes whoever waits
            self._on_stop(self)

    def _ask_again(self) -> None:
        now_s = self._lane.clock()
        if now_s - self._asked_s >= ASK_AGAIN_S:
            self._asked_s = now_s
            self._lane.request_key_frame()

    def _empty(self) -> int:
        dropped = self._packets.qsize()
        while not self._packets.empty():
            self._packets.get_nowait()
        return dropped


class _Lane:
    """One codec's encoder, on the render thread, and its viewers, on the event loop; a lock is between them."""

    def __init__(self, codec: str, loop: asyncio.AbstractEventLoop, fps: float, bitrate_bps: int, clock: Clock) -> None:
        self.codec, self.clock, self.counts = codec, clock, FanoutCounts()
        self.bitrate = SharedBitrate(bitrate_bps, clock)
        self._loop, self._fps = loop, fps
        self._encoder: VideoEncoder | None = None
        self._last_key_s: float | None = None
        self._lock = threading.Lock()
        self._key_wanted = self._delivering = self._broken = False
        self._waiting: deque[Any] = deque()
        self._viewers: dict[PacketTrack, None] = {}  # a set that keeps its order

    # The render thread's side.

    def prepare(self) -> bool:
        """Whether anyone watches; if not, the encoder is given back."""
        if not self.counts.subscribers:
            self._encoder = None
            return False
        return True

    def publish(self, picture: av.VideoFrame, time_s: float) -> None:
        start_s = time.perf_counter()
        if self._encoder is None:
            self._encoder = VideoEncoder(self.codec, self._fps)
        self._encoder.bitrate_bps = self.bitrate.bps
        if self._key_is_due(time_s):
            self._encoder.request_key_frame()
        packet = self._encoder.encode_picture(picture, time_s)
        self.counts.encode_s += time.perf_counter() - start_s
        self.counts.frames += 1
        if packet is None:
            return
        if packet.is_keyframe:
            self._last_key_s = time_s
            self.counts.key_frames += 1
        self.counts.bytes += packet.size
        self._hand_over(packet)

    def _key_is_due(self, time_s: float) -> bool:
        with self._lock:
            since_s = None if self._last_key_s is None else time_s - self._last_key_s
            due = self._key_wanted and (since_s is None or not 0 <= since_s < KEY_FRAMES_APART_S)
            self._key_wanted &= not due
            return due

    def _hand_over(self, packet: av.Packet) -> None:
        with self._lock:
            if len(self._waiting) >= QUEUE_LENGTH:
                self.counts.dropped += len(self._waiting)
                self._waiting.clear()
                self._broken = self._key_wanted = True
            if self._broken and not packet.is_keyframe:
                self.counts.dropped += 1
                return
            self._broken = False
            self._waiting.append(packet)
            if self._delivering:
                return
            self._delivering = True
        with suppress(RuntimeError):  # the loop has ended before the render thread
            self._loop.call_soon_threadsafe(self._deliver)

    # The event loop's side.

    def _deliver(self) -> None:
        with self._lock:
            packets, self._waiting = self._waiting, deque()
            self._delivering = False
        for packet in packets:
            for viewer in tuple(self._viewers):
                self.counts.dropped += viewer.offer(packet)

    def join(self, viewer: PacketTrack) -> None:
        self._viewers[viewer] = None
        self.counts.subscribers = len(self._viewers)
        self.request_key_frame()

    def leave(self, viewer: PacketTrack) -> None:
        self._viewers.pop(viewer, None)
        self.bitrate.forget(viewer)
        self.counts.subscribers = len(self._viewers)

    def request_key_frame(self) -> None:
        with self._lock:
            self._key_wanted = True

    def estimate(self, viewer: PacketTrack, bitrate_bps: int) -> None:
        if viewer in self._viewers:
            self.bitrate.estimate(viewer, bitrate_bps)
