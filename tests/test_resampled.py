"""Moments at a constant rate: as long as what came, in order, and never ahead of it."""

from __future__ import annotations

import numpy as np
import pytest

from animator.data import Motion
from animator.pipeline import Moment, resampled


def moments_at(times_s: list[float]) -> list[Moment]:
    return [Moment(time_s, index, None, (), (Motion(time_s, 0),)) for index, time_s in enumerate(times_s)]


def test_without_a_rate_moments_stay_as_they_are() -> None:
    given = moments_at([0.0, 0.1, 0.5])
    assert list(resampled(iter(given), None)) == given


@pytest.mark.parametrize("fps", [5.0, 10.0, 24.0, 30.0, 60.0, 29.97])
@pytest.mark.parametrize(
    "times_s",
    [
        [i / 30 for i in range(60)],
        [3.0 + i / 25 for i in range(50)],
        [0.0, 0.01, 0.02, 0.7, 0.71, 1.9],
        [float(t) for t in np.cumsum(np.random.default_rng(3).uniform(0.01, 0.09, 40))],
    ],
    ids=["30 fps", "25 fps later", "with gaps", "uneven"],
)
def test_a_rate_is_constant_keeps_the_duration_and_shows_no_future(times_s: list[float], fps: float) -> None:
    found = list(resampled(iter(moments_at(times_s)), fps))
    np.testing.assert_allclose([moment.time_s for moment in found], np.arange(len(found)) / fps, atol=1e-9)
    assert [moment.index for moment in found] == list(range(len(found)))
    assert abs((len(found) - 1) / fps - (times_s[-1] - times_s[0])) <= 1 / fps + 1e-6
    shown_s = [moment.motions[0].time_s - times_s[0] for moment in found]
    assert shown_s == sorted(shown_s)
    for moment, came_s in zip(found, shown_s, strict=True):
        assert came_s <= moment.time_s + 1e-6
        newer = [t - times_s[0] for t in times_s if came_s < t - times_s[0] <= moment.time_s - 1e-6]
        assert newer == []


def test_the_own_rate_changes_nothing_half_of_it_skips_and_twice_of_it_repeats() -> None:
    given = moments_at([i / 30 for i in range(30)])

    def shown(fps: float) -> list[float]:
        return [round(30 * moment.motions[0].time_s) for moment in resampled(iter(given), fps)]

    assert shown(30.0) == list(range(30))
    assert shown(15.0) == list(range(0, 30, 2))
    assert shown(60.0) == [i for i in range(30) for _ in range(2)][:-1]


def test_one_moment_is_one_moment_and_none_are_none() -> None:
    assert len(list(resampled(iter(moments_at([4.0])), 30.0))) == 1
    assert list(resampled(iter([]), 30.0)) == []
