"""A remote camera as a source of frames: whatever comes is taken at once, only the newest is kept."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import suppress

import av
import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from ..data import Frame
from ..errors import SourceError
from ..timing import Clock, Closed, LatestSlot, monotonic_s

MAX_SIDE_PX = 1920
"""A larger picture is made smaller as it is converted: the far end does not decide how much work we do."""
USUAL_SIZE_PX = (640, 480)
"""What browsers send unless they are asked for another size."""
_TICK_S = 1 / 90_000
EARLY = 0.2
"""A picture may come so much of its time too early and be taken all the same: networks are not punctual."""


class Thinner:
    """Lets through at most `fps` events a second, each of them at once; None lets through all."""

    def __init__(self, clock: Clock = monotonic_s) -> None:
        self.fps: float | None = None
        self._clock, self._due_s = clock, float("-inf")

    def admits(self) -> bool:
        """Whether what has just come goes through."""
        now_s = self._clock()
        if self.fps is None:
            self._due_s = now_s
            return True
        apart_s = 1 / self.fps
        if now_s < self._due_s - EARLY * apart_s:
            return False
        # The next is due a time after this one was, so that the mean is kept; what was missed is not made up for.
        self._due_s = max(self._due_s, now_s - apart_s) + apart_s
        return True


class NewestPicture:
    """Drains a remote video track and hands its newest picture to a consumer's thread.

    Made on the event loop; `get`, iteration and `wait_for_first` wait, and so belong to another thread. It is a
    stages.FrameSource too: close it before the Performance that reads it, so that no thread waits in vain."""

    live = True
    frame_count: int | None = None

    def __init__(self, track: MediaStreamTrack, name: str = "remote camera", fps: float = 30.0) -> None:
        self.name, self.fps = name, fps
        self.received = 0
        """Pictures that came."""
        self.left_out = 0
        """Pictures that were not taken because of a limit."""
        self._thinner = Thinner()
        self._slot: LatestSlot[av.VideoFrame] = LatestSlot()
        self._sized = threading.Event()
        self._size_px: tuple[int, int] | None = None
        self._index, self._last_s = 0, -1.0
        self._task = asyncio.get_running_loop().create_task(self._drain(track))

    @property
    def skipped(self) -> int:
        """Pictures that nobody took: replaced by newer ones, or left out."""
        return self._slot.skipped + self.left_out

    def limit(self, fps: float | None) -> None:
        """Take at most so many pictures a second from now on; None takes all. From the event loop."""
        self._thinner.fps = fps

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height) of the first picture, and what is usual before it. Later ones differ: browsers adapt."""
        return self._size_px or USUAL_SIZE_PX

    def wait_for_first(self, timeout_s: float) -> bool:
        """Wait until `size_px` is that of a picture; False where none has come."""
        return self._sized.wait(timeout_s) and self._size_px is not None

    def get(self, timeout_s: float | None = None) -> Frame:
        """The newest picture; raises TimeoutError while there is none, timing.Closed after the last one."""
        picture = self._slot.get(timeout_s)
        try:
            rgb = picture.to_ndarray(format="rgb24", **_fitted(picture.width, picture.height))
        except av.FFmpegError as error:
            raise SourceError(f"{self.name} sent a picture that cannot be converted: {error}") from error
        # The sender writes the stamps: a frame's time rises whatever they say.
        time_s = max((picture.pts or 0) * _TICK_S, self._last_s + _TICK_S)
        frame = Frame(np.ascontiguousarray(rgb), time_s, self._index)
        self._last_s, self._index = time_s, self._index + 1
        return frame

    def __iter__(self) -> Iterator[Frame]:
        with suppress(Closed):
            while True:
                yield self.get()

    def close(self) -> None:
        """Hand over nothing more, from any thread; the track is still drained, as nobody else does it."""
        self._slot.close()
        self._sized.set()

    async def stop(self) -> None:
        """Close and stop draining; on the event loop, once the track has ended or is about to."""
        self.close()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _drain(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                picture = await track.recv()
                self.received += 1
                if self._size_px is None:
                    fitted = _fitted(picture.width, picture.height)
                    self._size_px = (fitted["width"], fitted["height"])
                    self._sized.set()
                if not self._thinner.admits():
                    self.left_out += 1
                    continue
                with suppress(Closed):
                    self._slot.put(picture)
        except MediaStreamError:
            pass  # the track has ended
        finally:
            self.close()


def _fitted(width: int, height: int) -> dict[str, int]:
    scale = min(1.0, MAX_SIDE_PX / max(width, height))
    return {"width": max(1, round(width * scale)), "height": max(1, round(height * scale))}
