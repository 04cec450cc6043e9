"""What was seen in a film, part by part, and how the parts become one again.

Finding landmarks costs nearly all the time, and what the tracker sees in a picture depends on earlier ones by
the regions alone that it follows. So parts of a film are looked at side by side, and who is whose, calming and
solving, which remember far back, are done afterwards on the whole, in order. A part begins WARM_UP_S before its
first own picture; where its tracker does not see exactly the same by then, it is looked at again, going on from the
part before until both do. So what comes out is the same, bit for bit, however a film is cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..data import Array, Frame
from ..sources.film_parts import Survey

WARM_UP_S = 1.0
"""A tracker that starts in the middle is off by 4e-2 of the face's size (the worst landmark of 36 starts in four films)
in its first picture, 1.9e-2 in the second, 3.4e-3 in the fifth. From the seventh on nothing is gained by waiting: 4e-4
in the median and 3e-3 at worst. That trackers settle makes them one: 22 pictures after the start at the latest."""
SETTLE_S = 0.25
"""So often a tracker settles, by the film's time."""

Sights = list[tuple[Array, float]]
"""Of each face: landmarks (478, 3) in pixels, z as x, and presence 0..1."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a film, in seconds from its first picture."""

    start_s: float = 0.0
    """The key frame where decoding and tracking begin."""
    own_from_s: float = 0.0
    """The first picture that counts comes at or after this."""
    stop_s: float | None = None
    """The next part's `own_from_s`; None goes to the end."""


@dataclass(frozen=True, slots=True)
class Track:
    """What was seen in one part."""

    times_s: Array
    """(N,) float64."""
    counts: Array
    """(N,) int: faces in each picture."""
    landmarks_px: Array
    """(F, 478, 3) float32 of all faces, picture by picture; z as x."""
    presences: Array
    """(F,) float64, 0..1."""
    track_ids: Array | None
    """(F,) int where the tracker gave identities and calmed the landmarks itself; else None."""
    warm_up: int
    """Pictures at the beginning that are not the part's own."""
    size_px: tuple[int, int]
    fps: float
    broken: str | None = None

    def sights(self) -> list[Sights]:
        """What was seen, picture by picture."""
        ends = np.cumsum(self.counts)
        return [
            [(self.landmarks_px[i], float(self.presences[i])) for i in range(end - count, end)]
            for count, end in zip(self.counts, ends, strict=True)
        ]


def cut(survey: Survey, part_s: float) -> list[Part]:
    """Parts of about `part_s` seconds, each decoded from a key frame; one part for a film that cannot be cut."""
    whole_s = (survey.frames or 0) / survey.fps
    wanted = round(whole_s / part_s)
    warm_up_s = (round(WARM_UP_S * survey.fps) - 0.5) / survey.fps
    starts = [0.0]
    for number in range(1, wanted):
        nominal_s = number * whole_s / wanted
        key_s = min(survey.key_times_s, key=lambda key_s: abs(key_s - nominal_s), default=0.0)
        # Where key frames are rare, parts are longer; none begins inside another's warm-up.
        if key_s > starts[-1] + 2 * warm_up_s and key_s + 2 * warm_up_s < whole_s:
            starts.append(key_s)
    own = [0.0, *(start_s + warm_up_s for start_s in starts[1:])]
    return [Part(*times) for times in zip(starts, own, [*own[1:], None], strict=True)]


def agree(one: Sights, other: Sights) -> bool:
    """Whether two trackers see exactly the same in one picture, and so will from then on."""
    return len(one) == len(other) and all(np.array_equal(a, b) for (a, _), (b, _) in zip(one, other, strict=True))


def settling(frames: Iterable[Frame], settle: Callable[[], None], last_s: float | None = None) -> Iterator[Frame]:
    """The frames; before the first of each SETTLE_S of the film the tracker settles.

    last_s : when the frame before was, if there was one"""
    for frame in frames:
        if last_s is not None and int(frame.time_s / SETTLE_S) != int(last_s / SETTLE_S):
            settle()
        last_s = frame.time_s
        yield frame


LookAgain = Callable[[Part, Sights, float, Sequence[Sights]], list[Sights]]
"""A part, what was seen just before it and when, and what its own tracker saw -> what is seen going on from there."""


def joined(parts: Sequence[Part], tracks: Sequence[Track], look_again: LookAgain) -> tuple[list[float], list[Sights]]:
    """Times and sights of a whole film from those of its parts, in order."""
    times_s: list[float] = []
    seen: list[Sights] = []
    for part, track in zip(parts, tracks, strict=True):
        sights = track.sights()
        own = sights[track.warm_up :]
        if seen and not (track.warm_up and agree(seen[-1], sights[track.warm_up - 1])):
            own = look_again(part, seen[-1], times_s[-1], own)
        times_s += track.times_s[track.warm_up :].tolist()
        seen += own
    return times_s, seen


def going_on(frames: Iterable[Frame], look: Callable[[Frame], Sights], before: Sequence[Sights]) -> list[Sights]:
    """Look at frames until that agrees with what was seen `before`, which then serves for the rest."""
    seen: list[Sights] = []
    for frame, earlier in zip(frames, before, strict=False):
        seen.append(look(frame))
        if agree(seen[-1], earlier):
            break
    return [*seen, *before[len(seen) :]]
