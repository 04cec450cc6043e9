"""One client: a peer joined to a room, as performer or viewer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import AnimatorError, ProtocolError, SettingError
from ..pipeline import Performance, open_performance
from ..protocols.motion_stream import KEY_REQUEST, TRACKS, Decoder, Encoder
from ..timing import monotonic_s
from ..webrtc.data_channels import Budget
from ..webrtc.inbound import NewestPicture
from ..webrtc.peer import Listeners, Peer
from .config import ServeConfig
from .performer import Performer, motions_of_all
from .recording import SessionRecording
from .rooms import Room
from .studio import Output

log = logging.getLogger("animator")

STATS_EVERY_S = 1.0
MOTION_EVERY_S = 1 / 30
CAMERA_LOOK_S = 0.05
NO_FACE_S = 1.5
"""A face may be away this long before the client is told."""
CALIBRATION_S = 1.2
"""A second's worth of pictures, and the way to here."""
WAITING = ("capture",)
"""Stages of which most is waiting for the next picture: not work."""
MAX_PENDING = 20
"""Requests of one client that wait for their turn."""
BAD_MOTION_PER_S = 5.0
KEY_REQUESTS_PER_S = 5.0


class Session:
    """Lives on the worker's event loop; heavy work is done on other threads."""

    def __init__(
        self, ident: str, room: Room, config: ServeConfig, own: Output | None, performer: Performer | None, model: str
    ) -> None:
        self.ident, self.room = ident, room
        self._config, self._model = config, model
        self.own, self.performer = own, performer
        self.recording = None if performer is None else SessionRecording(performer)
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.peer: Peer | None = None
        self._closing = False
        self._watches: list[asyncio.Task[None]] = []
        self._pending: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()
        self._camera: NewestPicture | None = None
        self._decoder = Decoder()
        self._bad_motion = Budget(BAD_MOTION_PER_S, BAD_MOTION_PER_S, monotonic_s)
        self._key_requests = Budget(KEY_REQUESTS_PER_S, 1, monotonic_s)
        self._wants_motion = False
        self._encoders: dict[int, Encoder] = {}
        self._seen_s, self._solved_before = monotonic_s(), 0
        self._faceless = self._crowded = False

    @property
    def output(self) -> Output:
        """What this client is shown: its own puppet, or the room's stage."""
        return self.own or self.room.stage

    async def answer(self, wish: dict[str, Any]) -> str:
        """Connect to the client that made this offer; raises ProtocolError for one that is no good."""
        listeners = Listeners(
            on_open=self._welcome,
            on_control=self._control,
            on_motion=self._motion,
            on_video=self._video,
            on_bad=self._bad,
            on_closed=self._closed,
        )
        self.peer = Peer(
            self.output.fanout,
            receive=self.performer is not None,
            listeners=listeners,
            ice_servers=self._config.ice_servers,
            silent_s=self._config.silent_s,
        )
        sdp = await self.peer.answer(wish["sdp"], need_video=wish.get("need_video", False))
        for watch in (self._tell_stats(), self._send_motion()):
            self._watches.append(asyncio.create_task(_logged(watch)))
        return sdp

    async def close(self, reason: str) -> None:
        """End everything that belongs to the session, the connection first. May be called twice."""
        self._closing = True
        for task in self._watches:
            task.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        if self.peer is not None:
            await self.peer.close(reason)
        # What a client asked for is finished, not cancelled: its thread would go on without us.
        await asyncio.gather(*self._pending, return_exceptions=True)
        if self.performer is not None:
            await asyncio.to_thread(self.performer.close)
        if self.recording is not None:
            await asyncio.to_thread(self.recording.close)

    def tell_of_leaver(self) -> None:
        """Somebody else in the room performs no longer."""
        self._state("performer-left", "A performer has left.")

    # What the client says.

    def _welcome(self) -> None:
        role = "watch" if self.performer is None else "perform"
        settings = {} if self.performer is None else self.performer.settings()
        self._say("welcome", session=self.ident, room=self.room.name, role=role, settings=settings,
                  performers=len(self.room.performers), viewers=self.room.viewers)  # fmt: skip

    def _control(self, message: dict[str, Any]) -> None:
        kind = message.get("type")
        try:
            if kind == "ping":
                self._say("pong", t=message.get("t"))
            elif kind == "bye":
                self._closed("it said goodbye")
            elif kind == "want-motion":
                self._wants_motion = bool(message.get("on"))
                self._encoders.clear()
            elif kind in ("set", "calibrate", "record"):
                if self.performer is None:
                    raise SettingError(f"{kind}: only a performer can do that, and you are watching")
                self._change(kind, message)
            else:
                raise ProtocolError("this message has no type that is known here")
        except AnimatorError as error:
            self._say("error", message=str(error))

    def _change(self, kind: str, message: dict[str, Any]) -> None:
        if len(self._pending) >= MAX_PENDING:
            raise SettingError(f"{kind}: too much is asked for at once, wait a moment")
        if kind == "set":
            settings = self.performer.set({name: value for name, value in message.items() if name != "type"})
            self._later(self._apply(settings))
        elif kind == "calibrate":
            if not self.performer.has_camera or not self.performer.faces:
                raise SettingError("calibrate: no face is seen now")
            self._later(self._calibrate())
        else:
            self._later(self._record(bool(message.get("on"))))

    async def _apply(self, settings: dict[str, Any]) -> None:
        await asyncio.to_thread(self.performer.apply)
        self._say("settings", **settings)

    async def _calibrate(self) -> None:
        await asyncio.to_thread(self.performer.calibrate)
        self._state("calibrating", "Look straight into the camera, face at rest.")
        loop = asyncio.get_running_loop()
        loop.call_later(CALIBRATION_S, self._state, "calibrated", "Calibrated: this is your face at rest.")

    async def _record(self, on: bool) -> None:
        if on:
            self.recording.start()
            self._state("recording", "Recording.")
        elif not self.recording.running:
            raise SettingError("record: nothing is being recorded")
        else:
            frames = await asyncio.to_thread(self.recording.stop)
            if not frames:
                raise SettingError("record: no motion came while recording, so there is no take")
            self._state("recorded", f"Recorded {frames} frames.", url=f"/sessions/{self.ident}/take.npz")

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what may take a while, one after another as it was asked for."""

        async def in_turn() -> None:
            async with self._turn:
                await self._reporting(work)

        self._begin(in_turn())

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _reporting(self, work: Coroutine[Any, Any, None]) -> None:
        """Tell the client of a failure."""
        try:
            await work
        except AnimatorError as error:
            self._say("error", message=str(error))
        except Exception:  # a fault of ours: the client gets a sentence, the log the rest
            log.exception("a request of a client failed")
            self._say("error", message="Something went wrong on the server; its log tells more.")

    def _motion(self, payload: bytes) -> None:
        if payload == KEY_REQUEST:
            for encoder in self._encoders.values():
                encoder.request_key()
            return
        if self.performer is None or self._camera is not None:
            return
        try:
            motion = self._decoder.decode(payload)
        except ProtocolError as error:
            if self._bad_motion.spend():
                self._bad(str(error))
            return
        if self._decoder.wants_key and self._key_requests.spend():
            self.peer.send_motion(KEY_REQUEST)
        if motion is not None:
            self.performer.hear(motion)

    def _video(self, pictures: NewestPicture) -> None:
        self._camera = pictures
        self._begin(self._reporting(self._open_camera(pictures)))

    async def _open_camera(self, pictures: NewestPicture) -> None:
        """Follow the client's camera once its first picture is there: a tracker is made for those who send."""
        while not pictures.received:
            if self._closing:
                return
            await asyncio.sleep(CAMERA_LOOK_S)
        async with self._turn:
            performance = await asyncio.to_thread(self._performance, pictures)
            await asyncio.to_thread(self.performer.perform, performance)

    def _performance(self, pictures: NewestPicture) -> Performance:
        return open_performance(pictures, self.performer.config, model=Path(self._model), live=True)

    def _bad(self, sentence: str) -> None:
        self._say("error", message=sentence)

    def _closed(self, reason: str) -> None:
        if not self.ended.done():
            self.ended.set_result(reason)

    # What the client is told.

    async def _tell_stats(self) -> None:
        before, then_s = self._counts(), monotonic_s()
        while True:
            await asyncio.sleep(STATS_EVERY_S)
            now, now_s = self._counts(), monotonic_s()
            fps_in, fps_out, bytes_s = ((b - a) / (now_s - then_s) for a, b in zip(before, now, strict=True))
            before, then_s = now, now_s
            self._say(
                "stats",
                fps_in=round(fps_in, 1),
                fps_out=round(fps_out, 1),
                kbit_s=round(bytes_s * 8 / 1000),
                faces=0 if self.performer is None else self.performer.faces,
                performers=len(self.room.performers),
                viewers=self.room.viewers,
                stages={name: round(ms, 1) for name, ms in self._stages().items() if name not in WAITING},
            )
            self._tell_load()
            if self.performer is not None:
                self._tell_face(self.performer, now_s)
                self._tell_failure(self.performer)

    def _tell_load(self) -> None:
        crowded = self.room.scale < 1
        if crowded and not self._crowded:
            self._state("overloaded", "This server has much to do: pictures are smaller for now.")
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
                self._state("face", "There you are.")
            self._faceless = False
        elif not self._faceless and now_s - self._seen_s > NO_FACE_S:
            self._faceless = True
            self._state("no-face", "I cannot see a face: come closer, and face the light.")

    def _tell_failure(self, performer: Performer) -> None:
        failure = performer.failure()
        if failure is not None:
            self._say("error", message=failure)
        if self.recording.is_full:
            self._later(self._record(False))

    async def _send_motion(self) -> None:
        """The newest motion of everybody in the room, 30 times a second, to a client that wants it."""
        sent_s: dict[int, float] = {}
        numbers: dict[int, int] = {}
        while True:
            await asyncio.sleep(MOTION_EVERY_S)
            if not self._wants_motion:
                continue
            motions = motions_of_all(self.room.performers)
            number_tracks(numbers, [motion.track_id for motion in motions])
            for motion in motions:
                number = numbers.get(motion.track_id)
                if number is None or sent_s.get(number) == motion.time_s:
                    continue
                sent_s[number] = motion.time_s
                encoder = self._encoders.setdefault(number, Encoder())
                for message in encoder.encode(replace(motion, track_id=number)):
                    self.peer.send_motion(message)

    def _counts(self) -> tuple[float, float, float]:
        received = 0 if self._camera is None else self._camera.received
        return received, self.output.rendered, sum(c.bytes for c in self.output.fanout.counts.values())

    def _stages(self) -> dict[str, float]:
        solving = {} if self.performer is None else self.performer.stopwatch.lately_ms()
        return solving | self.output.stopwatch.lately_ms()

    def _state(self, state: str, sentence: str, **more: Any) -> None:
        self._say("state", state=state, message=sentence, **more)

    def _say(self, kind: str, **what: Any) -> None:
        if self.peer is not None:
            self.peer.send_control({"type": kind, **what})


def number_tracks(numbers: dict[int, int], tracks: list[int]) -> None:
    """Keep `numbers`, track -> number in the motion stream, up to date: it has 16, a room may have more tracks.

    Who has a number keeps it; who has gone gives it back; who finds none has to wait."""
    for gone in numbers.keys() - set(tracks):
        del numbers[gone]
    for track in tracks:
        free = next((number for number in range(TRACKS) if number not in numbers.values()), None)
        if track not in numbers and free is not None:
            numbers[track] = free


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:
        log.exception("a session's watch has ended")
