"""The drawing thread of a worker: every puppet picture of every room, one after another."""

from __future__ import annotations

import logging
import threading

from ..rig import Rig
from ..rigging.deform import Deformer
from ..timing import Clock, monotonic_s
from .drawing import STILL_S, Output, Painter
from .governor import Step

log = logging.getLogger("animator")


class Studio:
    """Draws whenever something is new, and at least once a second: who joins a still room sees it, too.

    rig : the avatar that is made ready before anybody waits for it"""

    def __init__(self, rig: str = "human", clock: Clock = monotonic_s) -> None:
        self._clock, self._first_rig = clock, rig
        self._wake, self._ended, self._lock = threading.Event(), threading.Event(), threading.Lock()
        self._outputs: list[Output] = []
        self._removed: list[Output] = []
        self._dropped: list[str] = []
        self._painter = Painter(clock)
        self._began_s: float | None = None
        self.failure: str | None = None
        self.ready = threading.Event()
        """Set once a first picture is drawn, or OpenGL has failed to open."""
        self._thread = threading.Thread(target=self._work, name="studio", daemon=True)
        self._thread.start()

    def add(self, output: Output) -> None:
        """Draw this output from now on."""
        with self._lock:
            self._outputs.append(output)

    def remove(self, output: Output) -> None:
        """Stop drawing it."""
        with self._lock:
            if output in self._outputs:
                self._outputs.remove(output)
                self._removed.append(output)

    def bring(self, key: str, rig: Rig, body: Deformer) -> None:
        """Know an avatar that a client has brought by this key."""
        self._painter.bring(key, rig, body)

    def drop(self, key: str) -> None:
        """Forget an avatar that a client has brought; nobody wears it any longer."""
        with self._lock:
            self._dropped.append(key)
        self.wake()

    def wake(self) -> None:
        """Something is new. May be called from any thread."""
        self._wake.set()

    def close(self) -> None:
        """Stop the thread; its OpenGL windows go with it."""
        self._ended.set()
        self._wake.set()
        self._thread.join()

    @property
    def step(self) -> Step:
        """How many pictures there are now at most, and how large."""
        return self._painter.governor.step

    @property
    def overloaded(self) -> bool:
        """Whether pictures are fewer or smaller than they might be."""
        return self._painter.governor.overloaded

    @property
    def busy_s(self) -> float:
        """For how long it has been drawing without a look around: a driver may hang."""
        began_s = self._began_s
        return 0.0 if began_s is None else self._clock() - began_s

    def _work(self) -> None:
        self._warm_up()
        while not self._ended.is_set():
            came = self._wake.wait(STILL_S)
            self._ended.wait(self._painter.pause_s())
            self._wake.clear()
            self._began_s = self._clock()
            try:
                self._round(idle=not came)
            except Exception:  # whatever goes wrong, the next round is to be drawn
                log.exception("a round of drawing failed")
            self._began_s = None
        self._painter.close()

    def _round(self, *, idle: bool) -> None:
        with self._lock:
            outputs, removed, self._removed = list(self._outputs), self._removed, []
            dropped, self._dropped = self._dropped, []
        for output in removed:
            self._painter.forget(output)
        for key in dropped:
            self._painter.drop(key)
        if not self._painter.draw(outputs) and idle and self.failure is None:
            self._painter.prepare(self._first_rig)

    def _warm_up(self) -> None:
        """Open OpenGL before anybody waits for it."""
        try:
            self._painter.warm_up(self._first_rig)
        except Exception as error:  # whatever it is, who waits for us must hear it
            self.failure = str(error) or type(error).__name__
        finally:
            self.ready.set()
