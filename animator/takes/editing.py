"""What is done with takes: cut, brought to another rate, smoothed, mirrored, joined. Each gives a new take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..channels import MIRRORED
from ..data import Array
from ..errors import TakeError
from .take import ARRAYS, Take

MAX_FRAMES = 24 * 3600 * 60
"""A day of 60 frames a second."""
ROOMY_FRAMES, MOST_FILLED = 400_000, 100
"""A take of five frames may claim to reach over a day: so many frames, or so many for each, are made of it."""
REACH = 3.0
"""How many widths away frames still count when smoothing."""
_OF_FRAMES = (*ARRAYS, "landmarks_norm", "stages_ms")


def sliced(take: Take, start_s: float | None = None, end_s: float | None = None) -> Take:
    """The frames from `start_s` up to, but not with, `end_s`, in seconds since the first frame.

    Times stay as they are; raises TakeError if no frame is left."""
    since_s = take.times_s - take.times_s[0] if len(take) else take.times_s
    # Times are sums of steps: half a nanosecond must not cost a frame.
    first = 0 if start_s is None else int(np.searchsorted(since_s, start_s - 5e-10))
    end = len(take) if end_s is None else int(np.searchsorted(since_s, end_s - 5e-10))
    if first >= end:
        raise TakeError(
            f"no frame is left between {start_s or 0:g} s and {take.duration_s if end_s is None else end_s:g} s: "
            f"the take is {take.duration_s:.2f} s long"
        )
    return _rows(take, slice(first, end))


def resampled(take: Take, fps: float) -> Take:
    """The take at a constant rate from its first frame to its last.

    Between two frames numbers go straight and rotations turn evenly; where the face is not seen in one of the two,
    and for landmarks, the nearer one counts."""
    if not 1 <= fps <= 1000:
        raise TakeError(f"fps: wanted 1 to 1000, got {fps:g}")
    if len(take) < 2:
        return replace(take, fps=float(fps))
    span_s = take.times_s[-1] - take.times_s[0]
    if not span_s * fps < min(MAX_FRAMES, max(ROOMY_FRAMES, MOST_FILLED * len(take))):
        raise TakeError(f"{fps:g} frames a second of {len(take)} frames that reach over {span_s:g} s are too many")
    ticks = take.times_s[0] + np.arange(int(np.floor(span_s * fps + 1e-6)) + 1) / fps
    return at_times(take, ticks, fps)


def at_times(take: Take, times_s: Array, fps: float | None = None) -> Take:
    """The take at any rising times; before its first and after its last frame those are held.

    times_s : (N,) seconds on the take's own clock"""
    times_s = np.asarray(times_s, np.float64)
    if not len(take):
        raise TakeError("a take without frames has nothing to give")
    after = np.clip(np.searchsorted(take.times_s, times_s), 1, max(len(take) - 1, 1))
    before, after = after - 1, np.minimum(after, len(take) - 1)
    step_s = np.maximum(take.times_s[after] - take.times_s[before], 1e-12)
    share = np.clip((times_s - take.times_s[before]) / step_s, 0, 1)
    nearest = np.where(share < 0.5, before, after)
    both = (take.confidence[before] > 0) == (take.confidence[after] > 0)
    share = np.where(both, share, nearest != before)

    def between(values: Array) -> Array:
        part = share.reshape(-1, *[1] * (values.ndim - 1))
        mixed = values[before] + (values[after] - values[before]) * part.astype(values.dtype)
        return mixed.astype(values.dtype)

    return replace(
        _rows(take, nearest, check=False),
        times_s=times_s,
        weights=np.clip(between(take.weights), 0, 1),
        rotations_wxyz=_turned_between(take.rotations_wxyz[before], take.rotations_wxyz[after], share),
        translations_cm=between(take.translations_cm),
        gaze_rad=between(take.gaze_rad),
        confidence=between(take.confidence),
        fps=take.fps if fps is None else float(fps),
    )


def smoothed(take: Take, width_s: float) -> Take:
    """The take without quick changes: each frame becomes the mean of those around it, by a bell `width_s` wide (its
    standard deviation). It looks ahead as far as back, so nothing comes later than it was.

    Frames without a face neither take part nor change; landmarks stay as they were seen."""
    if not 0 <= width_s <= 10:
        raise TakeError(f"smooth: wanted 0 to 10 seconds, got {width_s:g}")
    if width_s == 0 or len(take) < 2:
        return take
    seen = take.confidence > 0
    sums: dict[str, Array] = {name: np.zeros(getattr(take, name).shape) for name in _SMOOTHED}
    total = np.zeros(len(take))
    offset = 0
    while offset < len(take):
        early, late = slice(0, len(take) - offset), slice(offset, len(take))
        apart_s = take.times_s[late] - take.times_s[early]
        if apart_s.min() > REACH * width_s:
            break
        part = np.exp(-0.5 * (apart_s / width_s) ** 2) * (apart_s <= REACH * width_s) * seen[late] * seen[early]
        for to, of in ((early, late), (late, early))[: 1 + (offset > 0)]:
            total[to] += part
            for name, values in sums.items():
                _add(values, getattr(take, name), name, to, of, part)
        offset += 1
    done = {}
    for name, values in sums.items():
        kept = getattr(take, name)
        mean = values / np.maximum(total, 1e-12).reshape(-1, *[1] * (values.ndim - 1))
        if name == "rotations_wxyz":
            mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
        done[name] = np.where(seen.reshape(-1, *[1] * (values.ndim - 1)), mean, kept).astype(kept.dtype)
    return replace(take, **done)


_SMOOTHED = ("weights", "rotations_wxyz", "translations_cm", "gaze_rad")


def mirrored(take: Take) -> Take:
    """What the performer's mirror image does: its own inverse. Landmarks and profile are left out, as they are of the
    performer and not of the image."""
    return replace(
        take,
        weights=take.weights[:, list(MIRRORED)],
        rotations_wxyz=take.rotations_wxyz * [1.0, 1.0, -1.0, -1.0],
        translations_cm=take.translations_cm * [-1.0, 1.0, 1.0],
        gaze_rad=take.gaze_rad[:, ::-1] * [-1.0, 1.0],
        landmarks_norm=None,
        profile_cm=None,
    )


def joined(takes: Sequence[Take]) -> Take:
    """One take after the other: each begins a frame's length after the last frame of the one before.

    What is said of a recording as a whole is the first one's; landmarks and stages' times stay where all have them."""
    if not takes or not all(len(take) for take in takes):
        raise TakeError("to join takes at least one is needed, and each needs a frame")
    first, times_s = takes[0], []
    for take in takes:
        starts_s = take.times_s[0] if not times_s else times_s[-1][-1] + 1 / takes[0].fps
        times_s.append(take.times_s - take.times_s[0] + starts_s)
    whole = {name: np.concatenate([getattr(take, name) for take in takes]) for name in ARRAYS if name != "times_s"}
    alike = {take.image_size_px for take in takes}
    with_landmarks = len(alike) == 1 and all(take.landmarks_norm is not None for take in takes)
    with_stages = all(t.stages_ms is not None and t.stage_names == first.stage_names for t in takes)
    return replace(
        first,
        times_s=np.concatenate(times_s),
        **whole,
        landmarks_norm=np.concatenate([t.landmarks_norm for t in takes]) if with_landmarks else None,
        stages_ms=np.concatenate([t.stages_ms for t in takes]) if with_stages else None,
        stage_names=first.stage_names if with_stages else (),
    )


def _rows(take: Take, rows: slice | Array, *, check: bool = True) -> Take:
    """Some frames of a take; without `check` times may stand still until they are replaced."""
    found = {name: getattr(take, name)[rows] for name in _OF_FRAMES if getattr(take, name) is not None}
    if not check:
        found["times_s"] = np.arange(len(found["times_s"]), dtype=np.float64)
    return replace(take, **found)


def _turned_between(start: Array, end: Array, share: Array) -> Array:
    """(N, 4) rotations on the short way from `start` to `end`, at an even rate."""
    dot = np.einsum("ni,ni->n", start, end)
    end, dot = np.where(dot[:, None] < 0, -end, end), np.minimum(np.abs(dot), 1)
    angle = np.arccos(dot)
    near = angle < 1e-3  # the sines would be divided by nearly 0; a straight line is exact to 1e-10 here
    sine = np.where(near, 1, np.sin(angle))
    from_start = np.where(near, 1 - share, np.sin((1 - share) * angle) / sine)
    from_end = np.where(near, share, np.sin(share * angle) / sine)
    mixed = from_start[:, None] * start + from_end[:, None] * end
    return mixed / np.linalg.norm(mixed, axis=1, keepdims=True)


def _add(sums: Array, values: Array, name: str, to: slice, of: slice, part: Array) -> None:
    """Add neighbours' shares; a rotation and its negative are the same, so signs follow the frame's own."""
    shares = part.reshape(-1, *[1] * (values.ndim - 1))
    if name == "rotations_wxyz":
        signs = np.sign(np.einsum("ni,ni->n", values[to], values[of]))
        shares = shares * np.where(signs == 0, 1, signs)[:, None]
    sums[to] += shares * values[of]
