"""One client: a peer joined to a room, as performer or viewer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from ..errors import AnimatorError, ProtocolError, SettingError
from ..pipeline import Performance
from ..webrtc.inbound import NewestPicture
from ..webrtc.peer import Listeners, Peer
from .config import ServeConfig
from .drawing import Output
from .keepsake import keepsake, profile_from_keepsake
from .motion_link import MotionLink
from .performer import Performer
from .recording import SessionRecording
from .reports import Reports
from .rooms import Room
from .warm import OpenTracker

log = logging.getLogger("animator")

STATS_EVERY_S = 1.0
CAMERA_LOOK_S = 0.05
CALIBRATION_S = 1.2
"""A second's worth of pictures, and the way to here."""
MAX_PENDING = 20
"""Requests of one client that wait for their turn."""


class Session:
    """Lives on the worker's event loop; heavy work is done on other threads."""

    def __init__(
        self,
        ident: str,
        room: Room,
        config: ServeConfig,
        own: Output | None,
        performer: Performer | None,
        open_tracker: OpenTracker,
    ) -> None:
        self.ident, self.room = ident, room
        self._config, self._open_tracker = config, open_tracker
        self.own, self.performer = own, performer
        self.recording = None if performer is None else SessionRecording(performer)
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.peer: Peer | None = None
        self._closing = False
        self._watches: list[asyncio.Task[None]] = []
        self._pending: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()
        self.reports = Reports(room, self.output, performer, self._say)
        self.motion = MotionLink(lambda: room.performers, self._send_motion, self._bad)

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
            ice_servers=self._config.ice_servers_now(),
            silent_s=self._config.silent_s,
        )
        sdp = await self.peer.answer(wish["sdp"], need_video=wish.get("need_video", False))
        for watch in (self._report(), self.motion.run()):
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

    def wear(self, key: str) -> str | None:
        """Put on an avatar of one's own, and say so; returns the key of the one before, if there was one."""
        before = self.performer.wear(key)
        self._later(self._apply(self.performer.settings()))
        return before

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
                self.motion.want(bool(message.get("on")))
            elif kind in ("set", "calibrate", "calibration", "record"):
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
        elif kind == "calibration":
            face, profile = profile_from_keepsake(message)
            self._later(asyncio.to_thread(self.performer.adopt, face, profile))
        else:
            self._later(self._record(bool(message.get("on"))))

    async def _apply(self, settings: dict[str, Any]) -> None:
        await asyncio.to_thread(self.performer.apply)
        self._say("settings", **settings)

    async def _calibrate(self) -> None:
        await asyncio.to_thread(self.performer.calibrate)
        self._state("calibrating", "Look straight into the camera, face at rest.")
        asyncio.get_running_loop().call_later(CALIBRATION_S, lambda: self._later(self._calibrated()))

    async def _calibrated(self) -> None:
        """The client keeps its own calibration, and brings it along if it must come again: it has it before it is told
        that all is done."""
        if self._closing:
            return
        for face, profile in (await asyncio.to_thread(self.performer.profiles)).items():
            self._say("calibration", **keepsake(face, profile))
        self._state("calibrated", "Calibrated: this is your face at rest.")

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
        """Who sends a camera's pictures is not moved by numbers, too."""
        self.motion.receive(payload, self.performer if self.reports.camera is None else None)

    def _video(self, pictures: NewestPicture) -> None:
        self.reports.camera = pictures
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
        performer = self.performer
        return Performance(pictures, performer.config, self._open_tracker, live=True, stopwatch=performer.stopwatch)

    def _bad(self, sentence: str) -> None:
        self._say("error", message=sentence)

    def _closed(self, reason: str) -> None:
        if not self.ended.done():
            self.ended.set_result(reason)

    # What the client is told.

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(STATS_EVERY_S)
            self.reports.tell()
            if self.recording is not None and self.recording.is_full:
                self._later(self._record(False))

    def _state(self, state: str, sentence: str, **more: Any) -> None:
        self._say("state", state=state, message=sentence, **more)

    def _send_motion(self, payload: bytes) -> None:
        if self.peer is not None:
            self.peer.send_motion(payload)

    def _say(self, kind: str, **what: Any) -> None:
        if self.peer is not None:
            self.peer.send_control({"type": kind, **what})


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:
        log.exception("a session's watch has ended")
