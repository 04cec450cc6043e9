"""What a program holds while it runs for a long time, looked at from outside, and whether that grows.

Growth is the median of the slopes between all pairs of samples (Theil and Sen): what comes and goes, and a stroke of
work on a busy machine, do not tilt it, and a leak does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from scipy.stats import theilslopes

from tests.conftest import ROOT

INSIDE = Path(__file__).parent / "inside"
MB = 1e6
EVERY_S = 5.0
WARM_UP_SHARE, WARM_UP_MOST_S = 0.35, 900.0
FEWEST = 4
"""Samples that a verdict needs."""


@dataclass(frozen=True, slots=True)
class Bound:
    """How much a quantity may grow: `an_hour`, or `in_all`, whichever is more.

    The second is for short runs, in which a pool that fills once would look like much in an hour."""

    what: str
    unit: str
    an_hour: float
    in_all: float


BOUNDS = {
    bound.what: bound
    for bound in (
        Bound("memory", "MB", 20.0, 25.0),
        Bound("handles", "", 2.0, 2.0),
        Bound("threads", "", 2.0, 2.0),
        Bound("tasks", "", 2.0, 2.0),
        Bound("blocks", "thousand", 20.0, 10.0),  # of Python's own allocator: objects, roughly
        Bound("latency", "ms", 20.0, 20.0),
    )
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one quantity."""

    bound: Bound
    first: float
    last: float
    """Medians of the first and the last fifth after the warm-up."""
    an_hour: float
    """The fitted growth."""
    allowed: float
    offset: float
    """Where the fitted line stands at the start of the run."""

    @property
    def passed(self) -> bool:
        return self.an_hour <= self.allowed

    def __str__(self) -> str:
        unit = f" {self.bound.unit}" if self.bound.unit else ""
        word = "flat" if self.passed else "GROWS"
        return (
            f"{self.bound.what:8} {self.first:9.1f} -> {self.last:9.1f}{unit:9}   {self.an_hour:+8.2f}{unit} an hour "
            f"(bound {self.allowed:.1f})   {word}"
        )


def judge(bound: Bound, times_s: Sequence[float], values: Sequence[float], warm_up_s: float) -> Verdict:
    """Whether `values` stay flat after the warm-up; raises ValueError where there is too little to tell."""
    times_h, values = np.asarray(times_s) / 3600, np.asarray(values, float)
    kept = (times_h >= warm_up_s / 3600) & np.isfinite(values)
    times_h, values = times_h[kept], values[kept]
    if len(values) < FEWEST:
        raise ValueError(f"{bound.what}: wanted at least {FEWEST} samples after {warm_up_s:.0f} s, got {len(values)}")
    slope, offset, *_ = theilslopes(values, times_h)
    fifth = max(1, len(values) // 5)
    allowed = max(bound.an_hour, bound.in_all / (times_h[-1] - times_h[0]))
    first, last = (float(np.median(part)) for part in (values[:fifth], values[-fifth:]))
    return Verdict(bound, first, last, float(slope), float(allowed), float(offset))


def warm_up_s(duration_s: float) -> float:
    """How long a run of this length may fill its pools before it is judged."""
    return min(WARM_UP_SHARE * duration_s, WARM_UP_MOST_S)


@dataclass
class Record:
    """The samples of one run."""

    name: str
    duration_s: float
    about: str = ""
    samples: list[dict[str, float]] = field(default_factory=list)
    path: Path | None = None
    """Each sample is a line of it as soon as it is there."""

    def add(self, sample: dict[str, float]) -> None:
        """Keep one more; `time_s` is that since the beginning."""
        if self.path is not None:
            with self.path.open("a" if self.samples else "w") as file:
                if not self.samples:
                    file.write(json.dumps([self.name, self.duration_s, self.about]) + "\n")
                file.write(json.dumps(sample) + "\n")
        self.samples.append(sample)

    def series(self, what: str, at_rest: bool = False) -> tuple[list[float], list[float]]:
        """(seconds, values) of a quantity; at_rest: only while nobody was there, where that was noted."""
        kept = [s for s in self.samples if what in s and (not at_rest or s.get("rest", 1.0))]
        return [s["time_s"] for s in kept], [s[what] for s in kept]

    def verdicts(self) -> list[Verdict]:
        """One for each quantity that was sampled."""
        warm = warm_up_s(self.duration_s)
        # Only those who are there have latency; all else is compared while nobody is.
        return [
            judge(bound, *(self.series(what, at_rest=True) if what != "latency" else self.latency()), warm)
            for what, bound in BOUNDS.items()
            if any(what in sample for sample in self.samples)
        ]

    def latency(self) -> tuple[list[float], list[float]]:
        """(seconds, milliseconds) as they would have been had the machine been as busy all the time as it was in the
        middle: in proportion to what a fixed piece of work took in the same moment."""
        times_s, values_ms = self.series("latency")
        if not any("yardstick" in sample for sample in self.samples):
            return times_s, values_ms
        yardsticks = [s.get("yardstick", float("nan")) for s in self.samples if "latency" in s]
        return times_s, list(np.array(values_ms) / yardsticks * np.nanmedian(yardsticks))

    @classmethod
    def load(cls, path: Path) -> Record:
        """What a run has left, or one that still goes on."""
        about, *samples = map(json.loads, path.read_text().splitlines())
        return cls(*about, samples)


class Soaked:
    """Programs under watch, started with the counter inside. Close ends them.

    folder : where they write; what they say goes to files there"""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._inside = Path(tempfile.mkdtemp(prefix="inside-", dir=folder))
        self.programs: list[subprocess.Popen] = []

    def environment(self) -> dict[str, str]:
        """What a program needs in order to be counted."""
        path = os.pathsep.join([str(INSIDE), str(ROOT)])
        return os.environ | {"PYTHONPATH": path, "SOAK_INSIDE": str(self._inside), "PYTHONUNBUFFERED": "1"}

    def start(self, name: str, *command: str) -> subprocess.Popen:
        """Start Python with these arguments."""
        with (self.folder / f"{name}.log").open("w") as told:
            program = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env=self.environment(), stdout=told, stderr=told
            )
        return self.watch(program)

    def watch(self, program: subprocess.Popen) -> subprocess.Popen:
        """Count one that was started with `environment`."""
        self.programs.append(program)
        return program

    def sample(self) -> dict[str, float]:
        """What all of them hold now; and how long a fixed piece of work takes."""
        kinds = ("memory", "rss", "handles", "threads", "tasks", "blocks", "cpu_s")
        sums = dict.fromkeys(kinds, 0.0) | {"yardstick": yardstick_ms()}
        for process in self._processes():
            try:
                memory = process.memory_info()
                # Without the pages of files: whether those count as shared depends on what others have open.
                sums["memory"] += (memory.rss - getattr(memory, "shared", 0)) / MB
                sums["rss"] += memory.rss / MB
                sums["handles"] += process.num_fds() if hasattr(process, "num_fds") else process.num_handles()
                sums["threads"] += process.num_threads()
                sums["cpu_s"] += sum(process.cpu_times()[:2])
            except psutil.NoSuchProcess:
                continue
            counted = self._inside / f"{process.pid}.json"
            if counted.exists():
                inside = json.loads(counted.read_text())
                sums["tasks"] += inside["tasks"]
                sums["blocks"] += inside["blocks"] / 1000
        return sums

    def ended(self) -> list[int]:
        """Exit codes of those that have ended."""
        return [program.returncode for program in self.programs if program.poll() is not None]

    def stop(self, timeout_s: float = 300.0) -> list[int]:
        """Ask all to end, as a service manager does; their exit codes."""
        for program in self.programs:
            if program.poll() is None:
                program.terminate()
        return [program.wait(timeout_s) for program in self.programs]

    def kill(self) -> None:
        """End whatever is left."""
        for program in self.programs:
            if program.poll() is None:
                program.kill()
                program.wait()

    def _processes(self) -> list[psutil.Process]:
        found = []
        for program in self.programs:
            if program.poll() is None:
                parent = psutil.Process(program.pid)
                found += [parent, *parent.children(recursive=True)]
        return found


def yardstick_ms() -> float:
    """Median milliseconds of a fixed piece of work, 10 on an idle core of 2024: how busy this machine is."""
    numbers, took_s = np.ones((300, 300)), []
    for _ in range(5):
        start_s = time.perf_counter()
        for _ in range(20):
            np.sqrt(numbers + numbers).sum()
        took_s.append(time.perf_counter() - start_s)
    return 1000 * float(np.median(took_s))


class Every:
    """Ticks at a steady pace until a run is over."""

    def __init__(self, duration_s: float, every_s: float = EVERY_S) -> None:
        self.start_s = time.monotonic()
        self.duration_s, self.every_s = duration_s, every_s

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self.start_s

    @property
    def over(self) -> bool:
        return self.elapsed_s >= self.duration_s

    def until_next_s(self) -> float:
        """How long to the next tick."""
        return self.every_s - self.elapsed_s % self.every_s
