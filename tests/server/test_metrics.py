"""What Prometheus reads."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from animator.server.metrics import COUNTERS, exposition


def test_it_can_be_parsed_and_names_every_counter() -> None:
    text = exposition({"frames_in": 3, "workers_lost": 1}, {"sessions": 2}, {"solve": 0.5, "track": 1.25}).decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert {f"animator_{name}" for name in COUNTERS} <= families.keys()
    values = {name: family.samples[0].value for name, family in families.items()}
    assert values["animator_frames_in"] == 3
    assert values["animator_workers_lost"] == 1
    assert values["animator_frames_encoded"] == 0
    assert families["animator_frames_in"].type == "counter"
    assert families["animator_sessions"].type == "gauge"
    stages = families["animator_stage_seconds"]
    assert {sample.labels["stage"]: sample.value for sample in stages.samples} == {"solve": 0.5, "track": 1.25}
    assert all(family.documentation for family in families.values())


def test_no_sample_names_a_person() -> None:
    for family in text_string_to_metric_families(exposition({}, {"sessions": 1}, {"track": 1.0}).decode()):
        for sample in family.samples:
            assert set(sample.labels) <= {"stage"}
