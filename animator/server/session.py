"""One client: a peer joined to a room, as performer or viewer."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ..config import Config
from ..errors import AnimatorError, ProtocolError, SettingError
from ..pipeline import Performance, open_performance
from ..protocols.motion_stream import KEY_REQUEST, Decoder, Encoder
from ..webrtc.config import IceServer
from ..webrtc.inbound import NewestPicture
from ..webrtc.peer import Listeners, Peer
from .performer import TRACKS_EACH, Performer, motions_of_all
from .recording import SessionRecording
from .rooms import Room
from .studio import Output

log = logging.getLogger("animator")

STATS_EVERY_S = 1.0
MOTION_EVERY_S = 1 / 30
NO_FACE_S = 1.5
"""A face may be away this long before the client is told."""


class Session:
    """Lives on the worker's event loop; heavy work is done on other threads."""

    def __init__(
        self, ident: str, room: Room, config: Config, own: Output | None, performer: Performer | None, model: str
    ) -> None:
        self.ident, self.room = ident, room
        self._config, self._model = config, model
        self.own, self.performer = own, performer
        self.recording = None if performer is None else SessionRecording(performer)
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._encoders: dict[int, Encoder] = {}
        self._decoder = Decoder()
        self._wants_motion = False
        self._tasks: list[asyncio.Task[None]] = []
        self._camera: NewestPicture | None = None
        self._opened: asyncio.Task[None] | None = None
        self._seen_s = time.monotonic()
        self._faceless = False
        self.peer: Peer | None = None

    @property
    def output(self) -> Output:
        """What this client is shown: its own puppet, or the room's stage."""
        return self.own or self.room.stage

    async def answer(self, wish: dict[str, Any], ice_servers: tuple[IceServer, ...]) -> str:
        """Connect to the client that made this offer."""
        listeners = Listeners(
            on_open=self._welcome,
            on_control=self._control,
            on_motion=self._motion,
            on_video=self._video,
            on_bad=self._bad,
            on_closed=self._closed,
        )
        self.peer = Peer(
            self.output.fanout, receive=self.performer is not None, listeners=listeners, ice_servers=ice_servers
        )
        sdp = await self.peer.answer(wish["sdp"])
        self._tasks = [asyncio.create_task(self._tell_stats()), asyncio.create_task(self._send_motion())]
        return sdp

    async def close(self, reason: str) -> None:
        """End everything that belongs to the session. May be called twice."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._camera is not None:
            self._camera.close()
        if self._opened is not None:
            await asyncio.gather(self._opened, return_exceptions=True)
        if self.recording is not None:
            await asyncio.to_thread(self.recording.close)
        if self.performer is not None:
            await asyncio.to_thread(self.performer.close)
        if self.peer is not None:
            await self.peer.close(reason)

    # What the client says.

    def _welcome(self) -> None:
        self._say("welcome", session=self.ident, room=self.room.name, role=self._role(), settings=self._settings(),
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
        if kind == "set":
            changes = {name: value for name, value in message.items() if name != "type"}
            self._later(self._set, changes)
        elif kind == "calibrate":
            self.performer.calibrate()
            self._state("calibrating", "Look straight into the camera, face at rest.")
            asyncio.get_running_loop().call_later(1.2, self._state, "calibrated", "Calibrated.")
        elif message.get("on"):
            self.recording.start()
            self._state("recording", "Recording.")
        else:
            frames = self.recording.stop()
            self._state("recorded", f"Recorded {frames} frames.", url=f"/sessions/{self.ident}/take.npz")

    async def _set(self, changes: dict[str, Any]) -> None:
        """Settings may make the tracker anew, which takes a tenth of a second: not on this loop."""
        try:
            settings = await asyncio.to_thread(self.performer.set, changes)
        except AnimatorError as error:
            self._say("error", message=str(error))
            return
        self._say("settings", **settings)

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
            self._bad(str(error))
            return
        if self._decoder.wants_key:
            self.peer.send_motion(KEY_REQUEST)
        if motion is not None:
            self.performer.hear(motion)

    def _video(self, pictures: NewestPicture) -> None:
        self._camera = pictures
        self._opened = asyncio.create_task(self._open_camera(pictures))

    async def _open_camera(self, pictures: NewestPicture) -> None:
        """Follow the client's camera once its first picture is there."""
        try:
            performance = await asyncio.to_thread(self._performance, pictures)
            await asyncio.to_thread(self.performer.perform, performance)
        except AnimatorError as error:
            if not self.ended.done():
                self._say("error", message=str(error))

    def _performance(self, pictures: NewestPicture) -> Performance:
        from pathlib import Path

        pictures.size_px  # noqa: B018 - waits for the first picture, or raises
        return open_performance(pictures, self.performer.config, model=Path(self._model), live=True)

    def _bad(self, sentence: str) -> None:
        self._say("error", message=sentence)

    def _closed(self, reason: str) -> None:
        if not self.ended.done():
            self.ended.set_result(reason)

    # What the client is told.

    async def _tell_stats(self) -> None:
        before = self._counts()
        while True:
            await asyncio.sleep(STATS_EVERY_S)
            now = self._counts()
            per_s = [(b - a) / STATS_EVERY_S for a, b in zip(before, now, strict=True)]
            before = now
            self._say(
                "stats",
                fps_in=round(per_s[0], 1),
                fps_out=round(per_s[1], 1),
                kbit_s=round(per_s[2] * 8 / 1000),
                faces=self._faces(),
                performers=len(self.room.performers),
                viewers=self.room.viewers,
                stages={name: round(ms, 1) for name, ms in self._stages().items()},
            )
            self._tell_face()

    def _tell_face(self) -> None:
        if self.performer is None or self._camera is None or self.performer.newest is None:
            return
        now_s = time.monotonic()
        if self.performer.has_face():
            self._seen_s = now_s
            if self._faceless:
                self._state("face", "There you are.")
            self._faceless = False
        elif not self._faceless and now_s - self._seen_s > NO_FACE_S:
            self._faceless = True
            self._state("no-face", "I cannot see a face: come closer, and face the light.")

    async def _send_motion(self) -> None:
        """The newest motion of everybody in the room, 30 times a second, to a client that wants it."""
        sent: dict[int, float] = {}
        while True:
            await asyncio.sleep(MOTION_EVERY_S)
            if not self._wants_motion:
                continue
            for motion in motions_of_all(self.room.performers):
                if motion.track_id >= 2 * TRACKS_EACH or sent.get(motion.track_id) == motion.time_s:
                    continue  # the stream has 16 tracks: two performers' worth
                sent[motion.track_id] = motion.time_s
                encoder = self._encoders.setdefault(motion.track_id, Encoder())
                for message in encoder.encode(motion):
                    self.peer.send_motion(message)

    def _counts(self) -> tuple[float, float, float]:
        received = 0 if self._camera is None else self._camera.received
        return received, self.output.rendered, sum(c.bytes for c in self.output.fanout.counts.values())

    def _stages(self) -> dict[str, float]:
        solving = {} if self.performer is None else self.performer.stopwatch.lately_ms()
        return solving | self.output.stopwatch.lately_ms()

    def _faces(self) -> int:
        newest = None if self.performer is None else self.performer.newest
        return 0 if newest is None else sum(motion.confidence > 0 for motion in newest.motions)

    def _settings(self) -> dict[str, Any]:
        return {} if self.performer is None else self.performer.settings()

    def _role(self) -> str:
        return "watch" if self.performer is None else "perform"

    def _state(self, state: str, sentence: str, **more: Any) -> None:
        self._say("state", state=state, message=sentence, **more)

    def _say(self, kind: str, **what: Any) -> None:
        if self.peer is not None:
            self.peer.send_control({"type": kind, **what})

    def _later(self, work: Callable[..., Any], *arguments: Any) -> None:
        task = asyncio.create_task(work(*arguments))
        self._tasks.append(task)
        with suppress(ValueError):
            task.add_done_callback(lambda done: self._tasks.remove(done) if done in self._tasks else None)
