"""Motion from other programs and phones. What comes is taken to be hostile until it is read."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from ..data import Motion
from ..errors import ProtocolError
from ..protocols.reading import Reader
from ..timing import Clock, monotonic_s
from .performers import FORGOTTEN_S, Bucket, Performers, printable

log = logging.getLogger("animator")

FPS = 60
"""What phones send; a sender may send less."""
TICK_S = 1 / 30
MOST_BEFORE_TICK = 64
"""Messages; a line that is never empty holds nobody's rest up for longer."""
MOST_SENDERS = 16
MESSAGES_A_SECOND, MESSAGE_BURST = 5000, 1000
"""For each sender; VMC without bundles takes 60 messages a frame."""
ALL_MESSAGES_A_SECOND = 20_000
TELL_EVERY_S = 10.0
ASK_EVERY_S = 2.0


class Receiver(Protocol):
    """Where messages come from."""

    def receive(self, timeout_s: float) -> tuple[bytes, str] | None:
        """The next message and its sender as `HOST:PORT`; None if there is none by then."""
        ...

    def close(self) -> None: ...


@dataclass(slots=True)
class _Sender:
    reader: Reader
    bucket: Bucket
    last_s: float
    understood: bool = False


class NetworkSource:
    """A stages.MotionSource of everyone who sends to one port.

    make_reader : a new reader for each sender
    fps         : nominal; frames carry their own times
    ask         : called every 2 s while nobody is heard; None where senders need no request"""

    live = True
    frame_count: int | None = None

    def __init__(
        self,
        name: str,
        receiver: Receiver,
        make_reader: Callable[[], Reader],
        performers: Performers | None = None,
        *,
        fps: float = FPS,
        ask: Callable[[], None] | None = None,
        clock: Clock = monotonic_s,
    ) -> None:
        self.name, self.receiver, self.fps = name, receiver, float(fps)
        self._make_reader, self._ask, self._clock = make_reader, ask, clock
        self._performers = performers or Performers()
        self._senders: dict[str, _Sender] = {}
        self._all = Bucket(ALL_MESSAGES_A_SECOND, MESSAGE_BURST)
        self._stopped = threading.Event()
        self._asked_s = self._told_s = self._ticked_s = self._heard_s = -float("inf")
        self._complaint = ""
        self.messages = self.refused = 0
        """Messages that came, and those among them that were not taken."""

    def __iter__(self) -> Iterator[tuple[Motion, ...]]:
        log.info("listening to %s", self.name)
        waited = 0
        while not self._stopped.is_set():
            # Who waits in the line is heard before anybody is called silent or late: it may be us who slept.
            is_due = self._clock() - self._ticked_s >= TICK_S
            received = self.receiver.receive(0.0 if is_due else TICK_S)
            now_s = self._clock()
            if received is not None:
                yield from self._take(*received, now_s)
                waited += is_due
            if is_due and (received is None or waited >= MOST_BEFORE_TICK):
                self._ticked_s, waited = now_s, 0
                yield from self._tick(now_s)

    def calibrate(self) -> None:
        """Where each performer looks next is straight ahead."""
        self._performers.calibrate()

    def interrupt(self) -> None:
        """End the iteration soon; from any thread."""
        self._stopped.set()

    def close(self) -> None:
        """Give the port back. May be called twice."""
        self.interrupt()
        self.receiver.close()

    def _take(self, message: bytes, place: str, now_s: float) -> Iterator[tuple[Motion, ...]]:
        self.messages += 1
        sender = self._sender(place, now_s)
        if sender is None or not sender.bucket.takes(now_s):
            self._refuse(place, "too many messages" if sender else "too many senders")
            return
        sender.last_s = now_s
        try:
            found = sender.reader.read(message, now_s)
        except ProtocolError as error:
            self._refuse(place, str(error))
            return
        sender.understood = True
        for heard in found:
            motions = self._performers.hear(place, heard, now_s)
            if motions:
                self._heard_s = now_s
                yield motions
            else:
                self._refuse(place, "frames that come late, twice, too often, or of too many performers")

    def _sender(self, place: str, now_s: float) -> _Sender | None:
        if not self._all.takes(now_s):
            return None
        sender = self._senders.get(place)
        if sender is None:
            if len(self._senders) >= MOST_SENDERS and not self._forget_one(now_s):
                return None
            sender = self._senders[place] = _Sender(
                self._make_reader(), Bucket(MESSAGES_A_SECOND, MESSAGE_BURST), now_s
            )
        return sender

    def _forget_one(self, now_s: float) -> bool:
        """Whoever never made sense goes first, then whoever has long been silent."""
        for place, sender in self._senders.items():
            if not sender.understood or now_s - sender.last_s > FORGOTTEN_S:
                del self._senders[place]
                return True
        return False

    def _tick(self, now_s: float) -> Iterator[tuple[Motion, ...]]:
        for place, sender in self._senders.items():
            for heard in sender.reader.overdue(now_s):
                motions = self._performers.hear(place, heard, now_s)
                if motions:
                    self._heard_s = now_s
                    yield motions
        motions = self._performers.tick(now_s)
        if motions:
            yield motions
        while self._performers.said:
            log.warning("%s: %s", self.name, self._performers.said.popleft())
        if self._ask is not None and now_s - max(self._heard_s, self._asked_s) >= ASK_EVERY_S:
            self._asked_s = now_s
            self._ask()
        if self._complaint and now_s - self._told_s >= TELL_EVERY_S:
            self._told_s = now_s
            log.warning("%s: %d messages were not taken; %s", self.name, self.refused, self._complaint)
            self._complaint = ""

    def _refuse(self, place: str, why: str) -> None:
        self.refused += 1
        self._complaint = f"the last from {place}: {printable(why, 160)}"
