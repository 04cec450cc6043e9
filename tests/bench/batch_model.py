"""A cluster that is simulated from measured costs: what 10, 100 and 1000 workers make of an archive of films.

Every film is three kinds of tasks, as `animator batch` gives them away: a survey, its parts, and, after those, solving.
Four things can be busy: each worker, with one task at a time; the scheduler, for a moment with every task; the
storage that films are read from; and the computer that the batch was started on, which fetches and writes each film's
results. The last three are one of a kind: a queue forms before them. Tracks that solving fetches from other workers
pass a network between workers that has no bottleneck of its own, at a worker's own rate.

Left out: workers that come, go or differ, and a scheduler that slows down as it knows more tasks."""

from __future__ import annotations

import heapq
import math
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds and bytes, measured by bench_batch."""

    track_s: float
    """A frame decoded and tracked on one thread."""
    solve_s: float
    """A frame joined and solved."""
    survey_s: float
    """A film looked at."""
    scheduler_s: float
    """The scheduler's time for a task."""
    client_s: float
    """The starting computer's time for a film."""
    film_bytes: float
    """Of a frame in its film."""
    track_bytes: float = 478 * 3 * 4 + 24
    """Of a frame's track on its way to where it is solved."""
    storage_bytes_per_s: float = 1.25e9
    """Ten gigabits a second for all workers together."""
    link_bytes_per_s: float = 1.25e8
    """A gigabit a second for each worker."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a simulated cluster did."""

    frames_per_s: float
    workers_busy: float
    """0..1; the same for the others."""
    scheduler_busy: float
    storage_busy: float
    client_busy: float


class _Queue:
    """Something that does one thing at a time, in the order of asking."""

    def __init__(self) -> None:
        self.free_s = self.busy_s = 0.0

    def take(self, now_s: float, for_s: float) -> float:
        """When it will be done."""
        self.free_s = max(now_s, self.free_s) + for_s
        self.busy_s += for_s
        return self.free_s


def simulate(costs: Costs, workers: int, films: int, film_frames: int, part_frames: int) -> Outcome:
    """Films of one length through so many workers; event by event."""
    parts = max(1, round(film_frames / part_frames))
    own = film_frames / parts
    scheduler, storage, client = _Queue(), _Queue(), _Queue()
    # What is nearer to its film's end goes first, as in a real batch.
    ready: dict[str, deque[int]] = {"solve": deque(), "track": deque(), "survey": deque(range(films))}
    left = [parts] * films
    idle, busy_s, last_s = workers, 0.0, 0.0
    events: list[tuple[float, int, str, int]] = []
    order, now_s = 0, 0.0
    while True:
        while idle and (kind := next((k for k, films_ in ready.items() if films_), None)):
            film, idle = ready[kind].popleft(), idle - 1
            start_s = scheduler.take(now_s, costs.scheduler_s)
            if kind == "survey":
                end_s = start_s + costs.survey_s
            elif kind == "track":
                read_s = storage.take(start_s, own * costs.film_bytes / costs.storage_bytes_per_s)
                end_s = max(start_s + own * costs.track_s, read_s)  # it reads while it tracks
            else:
                fetched_s = film_frames * costs.track_bytes / costs.link_bytes_per_s if workers > 1 else 0.0
                end_s = start_s + fetched_s + film_frames * costs.solve_s
            busy_s += end_s - start_s
            order += 1
            heapq.heappush(events, (end_s, order, kind, film))
        if not events:
            break
        now_s, _, kind, film = heapq.heappop(events)
        idle += 1
        if kind == "survey":
            ready["track"].extend([film] * parts)
        elif kind == "track":
            left[film] -= 1
            if not left[film]:
                ready["solve"].append(film)
        else:
            last_s = max(last_s, client.take(now_s, costs.client_s))
    shares = (busy_s / workers, scheduler.busy_s, storage.busy_s, client.busy_s)
    return Outcome(films * film_frames / last_s, *(share / last_s for share in shares))


def first_limit(costs: Costs, film_frames: int, part_frames: int) -> dict[str, float]:
    """So many workers keep each one-of-a-kind wholly busy; the least of them is where more workers stop helping."""
    parts = max(1, round(film_frames / part_frames))
    film_s = costs.survey_s + film_frames * (costs.track_s + costs.solve_s + costs.track_bytes / costs.link_bytes_per_s)
    once_s = {
        "scheduler": (parts + 2) * costs.scheduler_s,
        "storage": film_frames * costs.film_bytes / costs.storage_bytes_per_s,
        "client": costs.client_s,
    }
    return {name: film_s / s if s else math.inf for name, s in once_s.items()}
