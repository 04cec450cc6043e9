"""What a worker process may be, in place of the real one; each is started by `spawn`, so it lives in a module."""

from __future__ import annotations

import os
import time
from multiprocessing.connection import Connection
from typing import Any

from animator.server.metrics import Spent


def obliging(pipe: Connection, config: Any, model: str) -> None:
    """Does what is asked, at once. Rooms have powers: `die`, `slow`, `refuse`, `gone`, `deaf`."""
    counted = 0
    while True:
        try:
            what, number, about = pipe.recv()
        except EOFError:
            return
        if what == "quit":
            return
        if what == "warm":
            pipe.send(("done", number, None))
        elif what == "join":
            counted += 1
            room = about["room"]
            if room == "die":
                os._exit(7)
            if room == "slow":
                time.sleep(0.5)
            if room == "deaf":
                time.sleep(60)
            if room == "refuse":
                pipe.send(("error", number, "the offer is no good"))
                continue
            pipe.send(("done", number, f"{os.getpid()} {about['session']}"))
            if room == "gone":
                pipe.send(("ended", 0, about["session"]))
        elif what == "take":
            pipe.send(("done", number, bytes(int(about[1]))))
        elif what in ("totals", "beat"):
            spent = Spent()
            for _ in range(counted):
                spent.add(0.5)
            pipe.send(("done", number, ({"frames_in": counted}, {"track": spent})))
        else:
            pipe.send(("done", number, None))


def stillborn(pipe: Connection, config: Any, model: str) -> None:
    """Dies before it is ready."""
    os._exit(3)


def without_opengl(pipe: Connection, config: Any, model: str) -> None:
    """Lives, and says why it cannot work."""
    _, number, _ = pipe.recv()
    pipe.send(("error", number, "there is no OpenGL to draw with"))
    pipe.recv()


def stubborn(pipe: Connection, config: Any, model: str) -> None:
    """Becomes ready and then hears nothing more."""
    _, number, _ = pipe.recv()
    pipe.send(("done", number, None))
    time.sleep(600)


def ill(pipe: Connection, config: Any, model: str) -> None:
    """Becomes ready, answers, and says each time that it cannot go on."""
    while True:
        what, number, _ = pipe.recv()
        if what == "quit":
            return
        pipe.send(("done", number, None) if what == "warm" else ("error", number, "drawing hangs"))


def dawdling(pipe: Connection, config: Any, model: str) -> None:
    """Is never ready."""
    time.sleep(600)
