from __future__ import annotations

import numpy as np
import pytest

from animator.maths.filters import OneEuro, smoothing_share


def test_first_value_passes_unchanged():
    np.testing.assert_array_equal(OneEuro(1.0).step(np.array([1.0, 2.0]), 5.0), [1, 2])


def test_constant_stays_constant():
    calm = OneEuro(1.0, beta=1.0)
    assert all(calm.step(0.7, i / 30) == pytest.approx(0.7) for i in range(50))


def test_noise_is_calmed_and_elements_do_not_mix():
    noise = np.random.default_rng(0).normal(size=300)
    calm = OneEuro(1.0)
    shown = np.array([calm.step(np.array([value, 5.0]), i / 30) for i, value in enumerate(noise)])
    assert shown[30:, 0].std() < 0.5 * noise.std()
    np.testing.assert_allclose(shown[:, 1], 5)


def test_speed_opens_the_filter():
    ramp = np.arange(60) / 3
    slow, quick = OneEuro(1.0), OneEuro(1.0, beta=1.0)
    lag_slow, lag_quick = (ramp[-1] - [f.step(v, i / 30) for i, v in enumerate(ramp)][-1] for f in (slow, quick))
    assert lag_quick < 0.3 * lag_slow


def test_a_gap_a_step_back_and_a_reset_start_afresh():
    calm = OneEuro(0.5, reset_after_s=0.5)
    calm.step(0.0, 0.0)
    assert calm.step(1.0, 1.0) == 1
    assert calm.step(3.0, 0.2) == 3
    calm.reset()
    assert calm.step(9.0, 0.21) == 9


def test_the_same_instant_twice_changes_nothing():
    calm = OneEuro(0.5)
    calm.step(0.0, 0.0)
    before = calm.step(1.0, 0.1)
    assert calm.step(5.0, 0.1) == before


def test_halving_the_step_twice_is_nearly_one_whole_step():
    whole, half = smoothing_share(0.1, 0.02), smoothing_share(0.1, 0.01)
    assert 1 - (1 - half) ** 2 == pytest.approx(whole, rel=0.02)
