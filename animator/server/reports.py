"""What a client is told unasked: figures every second, and how the server and its face are doing."""

from __future__ import annotations

from collections.abc import Callable

from ..timing import Clock, monotonic_s
from ..webrtc.inbound import NewestPicture
from .drawing import Output
from .metrics import WAITING
from .performer import Performer
from .rooms import Room

NO_FACE_S = 1.5
"""A face may be away this long before the client is told."""
LOAD_SENTENCE = "This server has much to do: pictures are fewer and smaller for now."


class Reports:
    """Watches one client's room, puppet and face.

    output : what the client is shown
    say    : sends a control message of a kind with these fields"""

    def __init__(
        self,
        room: Room,
        output: Output,
        performer: Performer | None,
        say: Callable[..., None],
        clock: Clock = monotonic_s,
    ) -> None:
        self.camera: NewestPicture | None = None
        """The client's camera, once it sends one."""
        self._room, self._output, self._performer = room, output, performer
        self._say, self._clock = say, clock
        self._before, self._then_s = self._counts(), clock()
        self._seen_s, self._solved_before = clock(), 0
        self._faceless = self._crowded = False

    def tell(self) -> None:
        """Say what there is to say; to be called about once a second."""
        now_s = self._clock()
        self._tell_figures(now_s)
        self._tell_load()
        if self._performer is not None:
            self._tell_face(self._performer, now_s)
            failure = self._performer.failure()
            if failure is not None:
                self._say("error", message=failure)

    def _tell_figures(self, now_s: float) -> None:
        now, elapsed_s = self._counts(), max(now_s - self._then_s, 1e-3)
        fps_in, fps_out, bytes_s = ((b - a) / elapsed_s for a, b in zip(self._before, now, strict=True))
        self._before, self._then_s = now, now_s
        self._say(
            "stats",
            fps_in=round(fps_in, 1),
            fps_out=round(fps_out, 1),
            kbit_s=round(bytes_s * 8 / 1000),
            faces=0 if self._performer is None else self._performer.faces,
            performers=len(self._room.performers),
            viewers=self._room.viewers,
            own_avatars=sum(performer.wears_own for performer in self._room.performers),
            stages={name: round(ms, 1) for name, ms in self._stages().items() if name not in WAITING},
        )

    def _tell_load(self) -> None:
        crowded = self._room.overloaded
        if self.camera is not None:  # what would not be drawn need not be looked at either
            self.camera.limit(self._room.step.fps if crowded else None)
        if crowded and not self._crowded:
            self._say("state", state="overloaded", message=LOAD_SENTENCE)
        self._crowded = crowded

    def _tell_face(self, performer: Performer, now_s: float) -> None:
        """A camera that has stopped shows no face either."""
        goes_on = performer.frames_solved != self._solved_before
        self._solved_before = performer.frames_solved
        if not performer.frames_solved:
            return
        if goes_on and performer.faces:
            self._seen_s = now_s
            if self._faceless:
                self._say("state", state="face", message="There you are.")
            self._faceless = False
        elif not self._faceless and now_s - self._seen_s > NO_FACE_S:
            self._faceless = True
            sentence = "I cannot see a face: come closer, and face the light."
            self._say("state", state="no-face", message=sentence)

    def _counts(self) -> tuple[float, float, float]:
        received = 0 if self.camera is None else self.camera.received
        lanes = self._output.fanout.counts.values()
        return received, self._output.rendered, sum(lane.bytes for lane in lanes)

    def _stages(self) -> dict[str, float]:
        solving = {} if self._performer is None else self._performer.stopwatch.lately_ms()
        return solving | self._output.stopwatch.lately_ms()
