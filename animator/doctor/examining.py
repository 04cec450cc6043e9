"""The whole examination, in the order in which things stand on one another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from . import cameras, codecs, graphics, machine, named, servers
from .findings import Finding

DEFAULT_PORT = 8080
"""Where `animator serve` listens unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person wants to know besides."""

    rig: str | None = None
    profile: str | None = None
    port: int | None = None
    """None: the usual one, which is only warned of when it is taken."""
    stun: tuple[str, ...] = ()
    """`stun:HOST[:PORT]` each; asked only if named."""
    turn: tuple[str, ...] = ()
    """`turn:HOST[:PORT],USER,PASSWORD` each."""
    turn_secret: str | None = None
    """For those without a login."""


def examine(wishes: Wishes = Wishes()) -> Iterator[Finding]:
    """Look at everything in turn. A missing face model is fetched; no camera picture is kept; of hosts only those are
    asked that `wishes` names."""
    yield machine.packages()
    yield from machine.system_libraries()
    yield machine.model()
    yield from graphics.libraries()
    yield from graphics.drawing(wishes.rig)
    yield machine.display()
    yield from cameras.cameras()
    yield from codecs.codecs()
    yield from machine.disk()
    yield from named.avatars(wishes.rig)
    yield from named.profiles(wishes.profile)
    yield servers.port(wishes.port if wishes.port is not None else DEFAULT_PORT, wishes.port is not None)
    yield from servers.helpers(wishes.stun, wishes.turn, wishes.turn_secret)
