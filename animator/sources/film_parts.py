"""Long films in parts: where a film may be cut, and the pictures from one cut to the next.

A part's pictures and their times are those that the whole film gives, bit for bit: decoding begins at a key
frame, and times count from the film's own first picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..data import Array, Frame
from .video import VideoSource, opened

LEAST_STEP_S = 2e-3
"""Pictures nearer to each other are moved apart by VideoSource, which a part cannot do as the whole does."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a film holds, without a look at more than its first picture."""

    fps: float
    size_px: tuple[int, int]
    frames: int | None
    """As its header or its packets say; None where neither does."""
    key_times_s: tuple[float, ...] = field(default=())
    """Where decoding can begin, from the film's first picture on; empty for a film that must not be cut."""


def survey_film(path: Path, cut_from_s: float) -> Survey:
    """Look at a film; one shorter than `cut_from_s` is not asked for its key frames.

    raises : SourceError for what is no film"""
    film = VideoSource(path, threads=1)
    film.close()
    fps, frames = film.fps, film.frame_count
    if frames is not None and frames / fps < cut_from_s:
        return Survey(fps, film.size_px, frames)
    times_s, keys_s = _packet_times(path)
    rising = len(times_s) > 1 and np.diff(times_s).min() > LEAST_STEP_S
    return Survey(fps, film.size_px, len(times_s) or frames, tuple(keys_s) if rising else ())


def _packet_times(path: Path) -> tuple[Array, list[float]]:
    """Times of all packets in order and those of key frames, from the first one; nothing where one has no time.

    0.4 s for an hour of 640x480: packets are passed over, not decoded."""
    import av

    times, keys = [], []
    try:
        with opened(path) as container:
            stream = container.streams.video[0]
            for packet in container.demux(stream):
                if packet.size == 0 or packet.is_discard:
                    continue
                if packet.pts is None:
                    return np.empty(0), []
                times.append(packet.pts)
                if packet.is_keyframe:
                    keys.append(packet.pts)
            base = float(stream.time_base)
    except av.FFmpegError:
        return np.empty(0), []  # a film that breaks off is read in one go
    ordered = np.sort(np.array(times, float)) * base
    origin_s = ordered[0] if len(ordered) else 0.0
    return ordered, sorted(float(key * base - origin_s) for key in keys)


class FilmPart:
    """The pictures of a film from one time to another.

    start_s : where decoding begins: a key frame's time; 0 is the film's start
    stop_s  : pictures from this time on are left out; None goes to the end"""

    def __init__(self, path: Path, start_s: float = 0.0, stop_s: float | None = None) -> None:
        self._film = VideoSource(path, threads=1)
        self._start_s, self._stop_s = start_s, stop_s
        self.fps, self.size_px = self._film.fps, self._film.size_px

    @property
    def broken(self) -> str | None:
        """Why the film could not be read to its end, once it was tried."""
        return self._film.broken

    def __iter__(self) -> Iterator[Frame]:
        frames = self._film if self._start_s <= 0 else self._film.from_key_frame(self._start_s)
        for frame in frames:
            if self._stop_s is not None and frame.time_s >= self._stop_s:
                return
            yield frame

    def close(self) -> None:
        """Give the file back."""
        self._film.close()
