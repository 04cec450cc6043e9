"""What a session decides without a connection."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest

from animator.config import Config
from animator.errors import SourceError
from animator.protocols.motion_stream import TRACKS, Encoder
from animator.server.config import ServeConfig
from animator.server.drawing import Output
from animator.server.governor import LADDER
from animator.server.keepsake import keepsake
from animator.server.motion_link import number_tracks
from animator.server.performer import Performer
from animator.server.session import MAX_PENDING, Session
from animator.solving.profile import Profile

from .helpers import Motions, motion_at, performance_of
from .live import until


class FakePeer:
    """Keeps what it was to send."""

    pictures = None

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.motion: list[bytes] = []

    def send_control(self, message: dict[str, Any]) -> bool:
        self.sent.append(message)
        return True

    def send_motion(self, payload: bytes) -> bool:
        self.motion.append(payload)
        return True

    async def close(self, reason: str) -> None:
        pass


class FakeFanout:
    def __init__(self) -> None:
        self.counts: dict[str, Any] = {}


class FakeRoom:
    name, viewers, overloaded, step = "room", 0, False, LADDER[0]

    def __init__(self, performers: list[Performer]) -> None:
        self.performers = performers
        self.stage = Output(FakeFanout(), lambda: performers, of_room=True)


def no_tracker(_settings: Any) -> Any:
    raise AssertionError("nobody has a camera here")


class FakeCamera:
    received = 0

    def __init__(self) -> None:
        self.limits: list[float | None] = []

    def limit(self, fps: float | None) -> None:
        self.limits.append(fps)


def run(test: Callable[[Session], Awaitable[None]]) -> None:
    """`test(session)` with a performer's session that seems to be connected."""

    async def limited() -> None:
        async with asyncio.timeout(20):
            performer = Performer(Config(), lambda: None)
            session = Session("id", FakeRoom([performer]), ServeConfig(), None, performer, no_tracker)
            session.peer = FakePeer()
            try:
                await test(session)
            finally:
                await session.close("over")

    asyncio.run(limited())


def test_tracks_keep_their_numbers() -> None:
    numbers: dict[int, int] = {}
    number_tracks(numbers, [0, 8, 16])
    assert numbers == {0: 0, 8: 1, 16: 2}
    number_tracks(numbers, [8, 16, 24])
    assert numbers == {8: 1, 16: 2, 24: 0}


def test_no_more_tracks_than_the_stream_has() -> None:
    numbers: dict[int, int] = {}
    number_tracks(numbers, list(range(0, 8 * TRACKS + 8, 8)))
    assert sorted(numbers.values()) == list(range(TRACKS))
    number_tracks(numbers, [*range(8, 8 * TRACKS + 8, 8)])
    assert 8 * TRACKS in numbers


def test_slow_changes_neither_overtake_each_other_nor_pile_up() -> None:
    async def test(session: Session) -> None:
        go_on, done = threading.Event(), []

        def apply() -> None:
            go_on.wait(10)
            done.append(session.performer.config.tracking.faces)

        session.performer.apply = apply
        for faces in range(1, 9):
            session._control({"type": "set", "faces": faces})
        for _ in range(2 * MAX_PENDING):
            session._control({"type": "set", "view": "mask"})
        errors = [message for message in session.peer.sent if message["type"] == "error"]
        assert len(errors) == 8 + MAX_PENDING
        assert len(session._pending) == MAX_PENDING
        go_on.set()
        await until(lambda: not session._pending)
        settings = [message["faces"] for message in session.peer.sent if message["type"] == "settings"]
        assert settings == [*range(1, 9), *[8] * (MAX_PENDING - 8)]

    run(test)


def test_a_performance_that_breaks_off_reaches_the_client() -> None:
    async def test(session: Session) -> None:
        session.performer.perform(performance_of(Motions([motion_at(0.0)], SourceError("the camera is gone"))))

        def told() -> bool:
            session.reports.tell()
            return {"type": "error", "message": "the camera is gone"} in session.peer.sent

        await until(told)

    run(test)


def test_a_fault_of_ours_is_a_sentence_too(caplog: pytest.LogCaptureFixture) -> None:
    async def test(session: Session) -> None:
        def fail() -> None:
            raise KeyError("inner workings")

        session.performer.apply = fail
        session._control({"type": "set", "faces": 2})
        await until(lambda: session.peer.sent)
        assert session.peer.sent[0]["type"] == "error"
        assert "inner workings" not in session.peer.sent[0]["message"]

    run(test)
    assert "inner workings" in caplog.text


def test_closing_finishes_what_was_asked_for() -> None:
    async def test(session: Session) -> None:
        session._control({"type": "record", "on": True})
        await until(lambda: session.recording.running)
        session.performer.hear(motion_at(1.0))
        session._control({"type": "record", "on": False})
        await session.close("gone")
        assert not session._pending
        assert not session.recording.running

    run(test)


def test_bad_motion_is_not_answered_each_time() -> None:
    async def test(session: Session) -> None:
        for _ in range(200):
            session._motion(b"\x00rubbish of any kind")
        assert 0 < len(session.peer.sent) < 10
        (message,) = Encoder().encode(motion_at(1.0))
        session._motion(message)
        assert session.performer.faces == 1

    run(test)


def test_what_a_client_kept_of_its_face_is_used_once_there_is_a_camera() -> None:
    profile = Profile("", np.full((478, 3), 1.5, np.float32), {"eyeBlink": 0.8})

    async def check(session: Session) -> None:
        session._control({"type": "calibration"} | keepsake(1, profile))
        session._control({"type": "calibration", "face": 1, "neutral": "?"})
        await until(lambda: session.performer._adopted)
        assert session.performer._adopted[1].neutral_cm == pytest.approx(profile.neutral_cm)
        assert session.performer._adopted[1].ranges == profile.ranges
        assert "neutral" in session.peer.sent[-1]["message"]

    run(check)


def test_calibration_needs_a_face() -> None:
    async def test(session: Session) -> None:
        session._control({"type": "calibrate", "seconds": 1})
        assert "no face" in session.peer.sent[0]["message"]

    run(test)


def test_overload_is_told_once_each_time_and_thins_out_the_camera() -> None:
    async def test(session: Session) -> None:
        camera = session.reports.camera = FakeCamera()
        for place in (0, 1, 2, 3, 0, 1):
            session.room.overloaded, session.room.step = place > 0, LADDER[place]
            session.reports.tell()
        states = [message["state"] for message in session.peer.sent if message["type"] == "state"]
        assert states == ["overloaded"] * 2
        assert camera.limits == [None, 24, 24, 20, None, 24]

    run(test)


def test_figures_are_told_at_every_look() -> None:
    async def test(session: Session) -> None:
        session.reports.camera = FakeCamera()
        session.performer.hear(motion_at(1.0))
        session.reports.tell()
        (stats,) = (message for message in session.peer.sent if message["type"] == "stats")
        assert stats["faces"] == stats["performers"] == 1
        assert (stats["fps_in"], stats["kbit_s"], stats["viewers"]) == (0, 0, 0)

    run(test)
