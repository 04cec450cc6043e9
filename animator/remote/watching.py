"""A room as a source: its performers' motion, or the picture of its stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from time import sleep

from ..data import Face, Frame, Motion
from ..errors import ProtocolError, SourceError
from ..protocols.motion_stream import KEY_REQUEST, Decoder
from ..timing import Clock, Closed, LatestSlot, monotonic_s
from ..webrtc.inbound import USUAL_SIZE_PX, NewestPicture
from .keeping import Tell, log
from .room import Room
from .signalling import Address

POLL_S = 0.1
GONE_S = 1.0
"""A performer of whom nothing comes for so long has left."""
STILL_S = 0.5
"""While nothing is new, what is there is given this often."""
ASK_EVERY_S = 0.2
"""Between two requests for a key frame."""


class _Remote:
    """What both kinds of source share: a room, and an end."""

    live = True
    fps = 30.0
    frame_count: int | None = None

    def __init__(self, room: Room, seconds: float | None, clock: Clock) -> None:
        self.name, self.room = room.address.name, room
        self._clock, self._seconds = clock, seconds
        self._closed = False
        room.open()
        self._start_s = clock()
        self._counted_s = 0.0  # later, once whoever draws is ready: from then on `seconds` are counted

    def _goes_on(self) -> bool:
        """Until closed or the time is up; raises the error that ended the connection."""
        self.room.check()
        return not self._closed and (self._seconds is None or self._now_s() - self._counted_s < self._seconds)

    def _now_s(self) -> float:
        return self._clock() - self._start_s

    def close(self) -> None:
        """Leave the room. Close it before the Performance that reads it. May be called twice."""
        self._closed = True
        self.room.close()


class RemoteMotion(_Remote):
    """Every performer of a room, as numbers: a stages.MotionSource that costs about 10 kbit/s for each.

    An empty room gives one who rests. Connects when made: raises AnimatorError where that cannot be.
    seconds : end so long after the first is asked for"""

    def __init__(
        self, address: Address, *, seconds: float | None = None, tell: Tell = log.warning, clock: Clock = monotonic_s
    ) -> None:
        self._decoder = Decoder()
        self._newest: dict[int, tuple[Motion, float]] = {}  # written on the loop, each entry whole
        self._changed: LatestSlot[None] = LatestSlot()
        self._asked_s = float("-inf")
        self.received = self.received_bytes = 0
        self.clock = clock
        room = Room(address, "watch", motion=True, on_motion=self._hear, tell=tell)
        super().__init__(room, seconds, clock)

    def __iter__(self) -> Iterator[tuple[Motion, ...]]:
        self._counted_s = self._now_s()
        given_s = float("-inf")
        while self._goes_on():
            try:
                self._changed.get(POLL_S)
            except TimeoutError:
                if self._now_s() - given_s < STILL_S:
                    continue
            except Closed:
                return
            given_s = self._now_s()
            yield self._all(given_s)

    def _all(self, now_s: float) -> tuple[Motion, ...]:
        """Who is there, all at our own time: performers' clocks differ."""
        heard_after_s = self.clock() - GONE_S
        present = [motion for motion, heard_s in list(self._newest.values()) if heard_s >= heard_after_s]
        motions = present or [Motion(now_s, 0, confidence=0.0)]
        return tuple(replace(motion, time_s=now_s) for motion in sorted(motions, key=lambda m: m.track_id))

    def _hear(self, payload: bytes) -> None:
        self.received_bytes += len(payload)
        try:
            motion = self._decoder.decode(payload)
        except ProtocolError as error:
            log.debug("%s sent what is no motion: %s", self.name, error)
            return
        now_s = self.clock()
        if self._decoder.wants_key and now_s - self._asked_s >= ASK_EVERY_S:
            self._asked_s = now_s
            self.room.send_motion(KEY_REQUEST)
        if motion is None:
            return
        before = self._newest.get(motion.track_id)
        if before is not None and 0 < before[0].time_s - motion.time_s < GONE_S:
            return  # an older one that came late
        self.received += 1
        self._newest[motion.track_id] = (motion, now_s)
        self._changed.put(None)


class RemotePictures(_Remote):
    """The picture of a room's stage, as the server draws it: a stages.FrameSource, and its own tracker, as there
    is nobody to find in it. The view `mesh` shows it as it is.

    Connects when made: raises AnimatorError where that cannot be. Nothing comes before somebody performs.
    seconds : end so long after the first is asked for"""

    def __init__(
        self, address: Address, *, seconds: float | None = None, tell: Tell = log.warning, clock: Clock = monotonic_s
    ) -> None:
        self._pictures: NewestPicture | None = None
        room = Room(address, "watch", pictures=True, on_video=self._take, tell=tell)
        super().__init__(room, seconds, clock)

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height) of the first picture, and what is usual before it."""
        return USUAL_SIZE_PX if self._pictures is None else self._pictures.size_px

    def __iter__(self) -> Iterator[Frame]:
        self._counted_s = self._now_s()
        index, last_s, shift_s, of = 0, -1.0, 0.0, None
        while self._goes_on():
            pictures = self._pictures
            try:
                frame = pictures.get(POLL_S)
            except TimeoutError:
                continue
            except Closed:
                sleep(POLL_S)  # until the connection is made again
                continue
            except SourceError as error:
                log.warning("%s", error)
                continue
            if not index and not self.room.performers:
                continue  # an avatar at rest, which the server shows on an empty stage
            if of is not pictures:  # a new connection's stamps begin anywhere: time goes on by our clock
                of, shift_s = pictures, self._now_s() - frame.time_s
            last_s = max(last_s + 1e-3, frame.time_s + shift_s)
            yield Frame(frame.rgb, last_s, index)
            index += 1

    def track(self, _frame: Frame) -> Sequence[Face]:
        """Nobody is looked for."""
        return ()

    def _take(self, pictures: NewestPicture) -> None:
        self._pictures = pictures
