"""The simulated cluster keeps to what must hold of any."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ..bench.batch_model import Costs, first_limit, simulate

COSTS = Costs(track_s=0.01, solve_s=0.001, survey_s=0.01, scheduler_s=1e-3, client_s=0.0, film_bytes=1000)


def test_one_worker_does_one_thing_after_another():
    outcome = simulate(COSTS, 1, 10, 300, 1800)
    a_film_s = 0.01 + 300 * 0.011 + 3 * 1e-3
    assert outcome.frames_per_s == pytest.approx(300 / a_film_s, rel=1e-6)


def test_few_workers_scale_and_many_meet_the_scheduler():
    one, ten = (simulate(COSTS, n, 400, 300, 1800).frames_per_s for n in (1, 10))
    assert 9.3 < ten / one <= 10
    outcome = simulate(COSTS, 5000, 20_000, 300, 1800)
    assert outcome.frames_per_s == pytest.approx(300 / (3 * COSTS.scheduler_s), rel=0.1)
    assert outcome.scheduler_busy > 0.9
    limit = first_limit(COSTS, 300, 1800)
    assert min(limit, key=limit.get) == "scheduler"
    assert limit["scheduler"] == pytest.approx(5000 * 300 / (5000 * 3 * 1e-3 * 300) * 3.31, rel=0.02)


def test_storage_that_is_slow_is_what_limits():
    slow = replace(COSTS, storage_bytes_per_s=1e6)
    outcome = simulate(slow, 500, 5000, 300, 1800)
    assert outcome.frames_per_s == pytest.approx(1e6 / 1000, rel=0.05)
    assert outcome.storage_busy > 0.95
