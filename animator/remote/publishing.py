"""Puppets sent to a WHIP endpoint: a media server takes them and shows them to however many watch."""

from __future__ import annotations

import asyncio

from ..data import Frame
from ..timing import Clock, monotonic_s
from ..webrtc import whip
from ..webrtc.outbound import Fanout
from ..webrtc.peer import Listeners
from .keeping import Kept, Lost, Tell, log


class WhipSink(Kept):
    """A stages.FrameSink: pictures go out as they are written. Connects when made; raises SinkError.

    token : what the endpoint wants as `Authorization: Bearer`
    fps   : pictures per second that the bitrate is shared out to"""

    def __init__(
        self, url: str, token: str | None = None, fps: float = 30.0, *, tell: Tell = log.warning,
        clock: Clock = monotonic_s,
    ) -> None:  # fmt: skip
        super().__init__(self._publish, tell)
        self._url, self._token, self._fps, self._clock = url, token, fps, clock
        self._fanout: Fanout | None = None
        self.frames = 0
        self.open()

    def write(self, frame: Frame) -> None:
        """Encode and send one picture."""
        self._fanout.publish(frame.rgb, self._clock())
        self.frames += 1

    async def _publish(self, lost: Lost) -> whip.Session:
        if self._fanout is None:
            self._fanout = Fanout(asyncio.get_running_loop(), self._fps)
        return await whip.publish(self._fanout, self._url, token=self._token, listeners=Listeners(on_closed=lost))
