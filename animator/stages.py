"""What each room of the corridor must do, as Protocols: a new input or output is one new class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from .data import Face, Frame, Motion


@runtime_checkable
class FrameSource(Protocol):
    """Pictures from a camera, a file or a network peer, in the order of time."""

    name: str
    """What a person would call it: a file name, `camera 0`."""
    live: bool
    """True where the world goes on while we work, so that late frames are skipped instead of queued."""
    fps: float
    """Nominal frames per second."""
    size_px: tuple[int, int]
    """(width, height) of its pictures."""
    frame_count: int | None
    """Number of frames if known."""

    def __iter__(self) -> Iterator[Frame]: ...
    def close(self) -> None: ...


@runtime_checkable
class MotionSource(Protocol):
    """Motion from a recording or a network peer: each item holds every performer at one instant."""

    name: str
    live: bool
    fps: float
    frame_count: int | None

    def __iter__(self) -> Iterator[tuple[Motion, ...]]: ...
    def close(self) -> None: ...


@runtime_checkable
class Tracker(Protocol):
    """Finds the faces in a picture and keeps their identities."""

    def track(self, frame: Frame) -> tuple[Face, ...]: ...
    def close(self) -> None: ...


@runtime_checkable
class Solver(Protocol):
    """Turns the faces of one instant into motion, performer by performer."""

    def solve(self, faces: Sequence[Face], time_s: float) -> tuple[Motion, ...]: ...


@runtime_checkable
class FrameSink(Protocol):
    """Takes finished pictures."""

    def write(self, frame: Frame) -> None: ...
    def close(self) -> None: ...


@runtime_checkable
class MotionSink(Protocol):
    """Takes the motion of every performer at one instant."""

    def write(self, motions: Sequence[Motion], time_s: float) -> None: ...
    def close(self) -> None: ...
