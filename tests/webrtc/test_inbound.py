"""A remote camera: everything is taken, the newest is kept."""

from __future__ import annotations

import asyncio
import itertools
import time
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from animator.config import Config
from animator.data import Face, Frame
from animator.pipeline import Performance
from animator.stages import FrameSource
from animator.timing import Closed
from animator.webrtc import inbound
from animator.webrtc.inbound import NewestPicture
from animator.webrtc.outbound import Fanout
from animator.webrtc.peer import Peer

from .helpers import needs_ice, pair, picture, publishing, run, until


class Remote(MediaStreamTrack):
    """Gives what it is fed, as aiortc's remote track does."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self.queue: asyncio.Queue[av.VideoFrame | None] = asyncio.Queue()

    def feed(self, index: int, size_px: tuple[int, int] = (64, 48), pts: int | None = None) -> None:
        rgb = np.full((size_px[1], size_px[0], 3), 10 * index % 250, np.uint8)
        frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = 3000 * index if pts is None else pts, Fraction(1, 90_000)
        self.queue.put_nowait(frame)

    async def recv(self) -> av.VideoFrame:
        frame = await self.queue.get()
        if frame is None:
            raise MediaStreamError
        return frame


class NoFaces:
    """A tracker that only counts."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def track(self, frame: Frame) -> tuple[Face, ...]:
        self.frames.append(frame)
        return ()

    def close(self) -> None:
        pass


def test_a_slow_reader_gets_the_newest() -> None:
    async def test() -> None:
        remote = Remote()
        pictures = NewestPicture(remote)
        for index in range(8):
            remote.feed(index)
        await until(lambda: pictures.received == 8)
        frame = await asyncio.to_thread(pictures.get, 1.0)
        assert (frame.index, frame.rgb.shape, frame.rgb.dtype) == (0, (48, 64, 3), np.uint8)
        assert frame.rgb.flags["C_CONTIGUOUS"]
        assert abs(frame.rgb.mean() - 70) < 3
        assert frame.time_s == pytest.approx(7 / 30)
        assert pictures.skipped == 7
        assert pictures.size_px == (64, 48)
        with pytest.raises(TimeoutError):
            pictures.get(0.0)
        remote.queue.put_nowait(None)
        await until(pictures._task.done)
        with pytest.raises(Closed):
            pictures.get(1.0)

    run(test())


def test_time_rises_whatever_the_sender_stamps() -> None:
    async def test() -> None:
        remote, times_s = Remote(), []
        pictures = NewestPicture(remote)
        for index, pts in enumerate((9000, 9000, 0, -5, 12000)):
            remote.feed(index, pts=pts)
            times_s.append((await asyncio.to_thread(pictures.get, 1.0)).time_s)
        assert all(later > earlier for earlier, later in itertools.pairwise(times_s))
        await pictures.stop()

    run(test())


def test_a_huge_picture_is_made_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbound, "MAX_SIDE_PX", 100)

    async def test() -> None:
        remote = Remote()
        pictures = NewestPicture(remote)
        remote.feed(1, (400, 200))
        frame = await asyncio.to_thread(pictures.get, 1.0)
        assert frame.size_px == pictures.size_px == (100, 50)
        await pictures.stop()

    run(test())


def test_closing_frees_the_readers_and_goes_on_draining() -> None:
    async def test() -> None:
        remote = Remote()
        pictures = NewestPicture(remote)
        assert not pictures.wait_for_first(0.0)
        assert pictures.size_px == (640, 480)
        reading = asyncio.ensure_future(asyncio.to_thread(lambda: list(pictures)))
        await asyncio.sleep(0)
        pictures.close()
        assert await reading == []
        for index in range(50):
            remote.feed(index)
        await until(lambda: remote.queue.empty() and pictures.received == 50)
        await pictures.stop()
        await pictures.stop()
        assert pictures._task.done()

    run(test())


@needs_ice
def test_a_performance_runs_on_a_remote_camera() -> None:
    async def test() -> None:
        fanout = Fanout(asyncio.get_running_loop())
        caller, server = Peer(fanout), Peer(receive=True)
        tracker = NoFaces()
        with publishing(fanout):
            async with pair(caller, server):
                source = server.pictures
                with Performance(source, Config(), lambda _config: tracker) as performance:
                    began_s = time.monotonic()
                    moments = [await asyncio.to_thread(performance.next_moment, 5.0) for _ in range(5)]
                    assert time.monotonic() - began_s < 5
                    assert isinstance(source, FrameSource)
                    assert source.wait_for_first(0.0)
                    assert source.size_px == (128, 96)
                    assert moments[0].frame.rgb.shape == picture(0).shape
                    source.close()
        times_s = [moment.time_s for moment in moments]
        assert times_s == sorted(set(times_s))
        assert source.received >= len(tracker.frames) >= 5

    run(test())
