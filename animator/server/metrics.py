"""What the server counts, for Prometheus: sums over sessions, no names, no addresses."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from ..timing import Stopwatch

COUNTERS = {
    "frames_in": "Camera pictures received",
    "frames_tracked": "Pictures in which faces were looked for",
    "frames_rendered": "Puppet pictures drawn",
    "frames_encoded": "Puppet pictures encoded, each once however many watch",
    "frames_sent": "Encoded pictures handed to viewers, each once for every viewer",
    "frames_dropped": "Camera pictures that nobody looked at: replaced by a newer one, or left out under overload",
    "sessions_started": "Sessions begun",
    "workers_lost": "Worker processes that died or hung",
}
BUCKETS_S = (0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5)
"""Upper ends; a picture's time at 30 a second, 0.033, lies where they are dense."""
WAITING = ("capture",)
"""Stages of which most is waiting for the next picture: not work."""


@dataclass(slots=True)
class Spent:
    """How long the runs of one stage took: a histogram that can be added to another."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))
    """Runs by bucket; the last is of those beyond all."""
    sum_s: float = 0.0

    def add(self, spent_s: float) -> None:
        """Take one run; one that ends on a bucket's upper end belongs to it."""
        self.counts[bisect_left(BUCKETS_S, spent_s)] += 1
        self.sum_s += spent_s

    def merge(self, other: Spent) -> None:
        """Take all runs of another."""
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        self.sum_s += other.sum_s


class StageTimes(Stopwatch):
    """A stopwatch that keeps a histogram of each stage."""

    def __init__(self) -> None:
        super().__init__()
        self._spent: dict[str, Spent] = {}

    def add_to(self, stages: dict[str, Spent]) -> None:
        """Add what was spent so far; waiting is left out."""
        with self._lock:
            merge_stages(stages, {stage: spent for stage, spent in self._spent.items() if stage not in WAITING})

    def _add(self, stage: str, spent_s: float) -> None:
        super()._add(stage, spent_s)
        self._spent.setdefault(stage, Spent()).add(spent_s)


def merge_stages(stages: dict[str, Spent], more: Mapping[str, Spent]) -> None:
    """Add histograms by stage to `stages`, which shares nothing with them afterwards."""
    for stage, spent in more.items():
        stages.setdefault(stage, Spent()).merge(spent)


class _Collector:
    def __init__(self, totals: Mapping[str, float], gauges: Mapping[str, float], stages: Mapping[str, Spent]) -> None:
        self._totals, self._gauges, self._stages = totals, gauges, stages

    def collect(self) -> Iterable[Metric]:
        for name, about in COUNTERS.items():
            yield CounterMetricFamily(f"animator_{name}", about, value=self._totals.get(name, 0))
        for name, value in self._gauges.items():
            yield GaugeMetricFamily(f"animator_{name}", f"Now: {name.replace('_', ' ')}", value=value)
        spent = HistogramMetricFamily("animator_stage_seconds", "Seconds that a run of a stage took", labels=["stage"])
        ends = [*map(str, BUCKETS_S), "+Inf"]
        for stage, times in sorted(self._stages.items()):
            buckets = list(zip(ends, accumulate(times.counts), strict=True))
            spent.add_metric([stage], buckets, times.sum_s)
        yield spent


def exposition(totals: Mapping[str, float], gauges: Mapping[str, float], stages: Mapping[str, Spent]) -> bytes:
    """The text that `GET /metrics` answers.

    totals : by the names of COUNTERS, since the server began
    gauges : what is now
    stages : histograms by stage, since the server began"""
    registry = CollectorRegistry()
    registry.register(_Collector(totals, gauges, stages))
    return generate_latest(registry)
