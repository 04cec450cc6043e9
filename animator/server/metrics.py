"""What the server counts, for Prometheus: sums over sessions, no names, no addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

COUNTERS = {
    "frames_in": "Camera pictures received",
    "frames_tracked": "Pictures in which faces were looked for",
    "frames_rendered": "Puppet pictures drawn",
    "frames_encoded": "Puppet pictures encoded, each once however many watch",
    "frames_dropped": "Camera pictures replaced by a newer one before they were looked at",
    "sessions_started": "Sessions begun",
    "workers_lost": "Worker processes that died",
}


class _Collector:
    def __init__(self, totals: Mapping[str, float], gauges: Mapping[str, float], stages: Mapping[str, float]) -> None:
        self._totals, self._gauges, self._stages = totals, gauges, stages

    def collect(self) -> Iterable[Metric]:
        for name, about in COUNTERS.items():
            yield CounterMetricFamily(f"animator_{name}", about, value=self._totals.get(name, 0))
        for name, value in self._gauges.items():
            yield GaugeMetricFamily(f"animator_{name}", f"Now: {name.replace('_', ' ')}", value=value)
        spent = CounterMetricFamily("animator_stage_seconds", "Seconds spent in each stage", labels=["stage"])
        for stage, seconds in sorted(self._stages.items()):
            spent.add_metric([stage], seconds)
        yield spent


def exposition(totals: Mapping[str, float], gauges: Mapping[str, float], stages: Mapping[str, float]) -> bytes:
    """The text that `GET /metrics` answers.

    totals : by the names of COUNTERS, since the server began
    gauges : what is now
    stages : seconds by stage, since the server began"""
    registry = CollectorRegistry()
    registry.register(_Collector(totals, gauges, stages))
    return generate_latest(registry)
