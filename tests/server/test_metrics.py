"""What Prometheus reads."""

from __future__ import annotations

import math
import pickle

import pytest
from prometheus_client.parser import text_string_to_metric_families

from animator.server.metrics import BUCKETS_S, COUNTERS, WAITING, Spent, StageTimes, exposition, merge_stages


def spent(*times_s: float) -> Spent:
    made = Spent()
    for time_s in times_s:
        made.add(time_s)
    return made


def families_of(text: bytes) -> dict[str, object]:
    return {family.name: family for family in text_string_to_metric_families(text.decode())}


def test_it_can_be_parsed_and_names_every_counter() -> None:
    families = families_of(exposition({"frames_in": 3, "workers_lost": 1}, {"sessions": 2}, {"track": spent(0.5)}))
    assert {f"animator_{name}" for name in COUNTERS} <= families.keys()
    values = {name: family.samples[0].value for name, family in families.items()}
    assert values["animator_frames_in"] == 3
    assert values["animator_workers_lost"] == 1
    assert values["animator_frames_encoded"] == 0
    assert families["animator_frames_in"].type == "counter"
    assert families["animator_sessions"].type == "gauge"
    assert all(family.documentation for family in families.values())


def test_stages_are_histograms() -> None:
    stages = {"track": spent(0.0005, 0.01, 0.0101, 0.4, 7.0), "solve": spent(0.002)}
    family = families_of(exposition({}, {}, stages))["animator_stage_seconds"]
    assert family.type == "histogram"
    track = [sample for sample in family.samples if sample.labels["stage"] == "track"]
    buckets = {float(s.labels["le"]): s.value for s in track if s.name.endswith("_bucket")}
    assert list(buckets) == [*BUCKETS_S, math.inf]
    assert buckets[0.001] == 1
    assert buckets[0.0075] == 1
    assert buckets[0.01] == 2  # its upper end belongs to a bucket
    assert buckets[0.015] == 3
    assert buckets[0.5] == 4
    assert buckets[math.inf] == 5
    assert list(buckets.values()) == sorted(buckets.values())
    others = {sample.name: sample.value for sample in track if not sample.name.endswith("_bucket")}
    assert others["animator_stage_seconds_count"] == 5
    assert others["animator_stage_seconds_sum"] == pytest.approx(7.4206)


def test_buckets_span_what_stages_take() -> None:
    assert list(BUCKETS_S) == sorted(set(BUCKETS_S))
    assert (BUCKETS_S[0], BUCKETS_S[-1]) == (0.001, 0.5)


def test_merging_is_adding_and_shares_nothing() -> None:
    one, other = {"track": spent(0.002, 0.3)}, {"track": spent(0.002), "solve": spent(9)}
    merged: dict[str, Spent] = {}
    for stages in (one, other):
        merge_stages(merged, pickle.loads(pickle.dumps(stages)))  # as they come from another process
    assert merged == {"track": spent(0.002, 0.3, 0.002), "solve": spent(9)}
    merged["solve"].add(1)
    assert other["solve"] == spent(9)


def test_a_stopwatch_keeps_histograms_of_work_not_of_waiting() -> None:
    watch, stages = StageTimes(), {}
    for stage in ("track", "track", *WAITING):
        with watch.measuring(stage):
            pass
    watch.add_to(stages)
    assert stages.keys() == {"track"}
    assert sum(stages["track"].counts) == 2
    assert stages["track"].sum_s == pytest.approx(watch.total_s["track"])
    assert watch.lately_ms().keys() == {"track", *WAITING}


def test_no_sample_names_a_person() -> None:
    for family in families_of(exposition({}, {"sessions": 1}, {"track": spent(1.0)})).values():
        for sample in family.samples:
            assert set(sample.labels) <= {"stage", "le"}
