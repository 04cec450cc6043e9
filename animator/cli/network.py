"""What the commands that join a room share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from ..timing import Clock, monotonic_s

if TYPE_CHECKING:
    from ..remote.room import Room
    from ..remote.signalling import Address

Link = Annotated[
    str, typer.Argument(metavar="URL", help="The link that `animator serve` printed; /r/ROOM names another room.")
]
Token = Annotated[str | None, typer.Option(help="What the server's --token says, if the link has no #token=.")]
Insecure = Annotated[
    bool, typer.Option("--insecure", help="Take any certificate, such as one that the server made itself.")
]

Tell = Callable[[str], None]
"""Shows a person a line."""


@contextmanager
def status_line(text: str) -> Iterator[tuple[Tell, Tell]]:
    """(say, show): a line on stderr that stays, and one that is overwritten, on a terminal only."""
    from rich.console import Console

    if not sys.stderr.isatty():
        yield _say, lambda _text: None
        return
    console = Console(stderr=True)
    with console.status(text) as status:
        yield lambda line: console.print(f"animator: {line}", markup=False, highlight=False), status.update


def _say(line: str) -> None:
    print(f"animator: {line}", file=sys.stderr, flush=True)


def warn_if_insecure(address: Address, say: Callable[[str], None]) -> None:
    """Say what it means to take any certificate."""
    if address.insecure and address.server.startswith("https:"):
        say(f"--insecure: nobody vouches that this is {address.host}; the token, too, goes to whoever answers")


def state_of(room: Room, fps: float, kbit_s: float) -> str:
    """A performer's line: how it goes, what is sent, how many watch."""
    state = "connected" if room.is_connected else "not connected"
    return f"{state}   {fps:4.1f} fps   {kbit_s:4.1f} kbit/s   {room.viewers} watching"


class KilobitsPerSecond:
    """The rate of something that only grows, over the last second or so."""

    def __init__(self, clock: Clock = monotonic_s) -> None:
        self._clock, self._then_s, self._before, self._rate = clock, clock(), 0, 0.0

    def of(self, total_bytes: int) -> float:
        """kbit/s, given the bytes so far."""
        now_s = self._clock()
        if now_s - self._then_s >= 1.0:
            self._rate = (total_bytes - self._before) * 8 / 1000 / (now_s - self._then_s)
            self._then_s, self._before = now_s, total_bytes
        return self._rate
