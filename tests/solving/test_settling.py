"""The thresholds and gains that `tools.learn_settling` finds."""

from __future__ import annotations

import numpy as np
import pytest

from animator.channels import INDEX, MIRRORED

from . import conftest  # noqa: F401  (puts the repository's root on the path)

learn_settling = pytest.importorskip("tools.learn_settling")
LIDS = learn_settling.LIDS
NOISE = 0.06


def readings(share, seed=0):
    """Every channel is at rest or clearly moved; read is that share of the truth, and never more than noise at rest."""
    random = np.random.default_rng(seed)
    truth = np.where(random.random((400, 52)) < 0.3, random.uniform(0.3, 1, (400, 52)), 0.0)
    return np.where(truth > 0, share * truth, NOISE * random.random((400, 52))), truth


def test_noise_at_rest_is_silenced_and_what_was_read_too_low_is_made_larger():
    seen = [readings(0.85), readings(0.85, 1)]
    settling = learn_settling.best_settling(seen)
    below, _, gain = np.delete(settling, LIDS, 0).T
    assert (below >= 0.05).all()
    np.testing.assert_allclose(gain, 1.2)
    for read, truth in seen:
        found = learn_settling.settled(read, settling)
        assert np.abs(found - truth)[truth == 0].mean() < 0.1 * np.abs(read - truth)[truth == 0].mean()


def test_what_was_read_right_is_left_as_it_is():
    assert np.delete(learn_settling.best_settling([readings(1.0)]), LIDS, 0)[:, 2] == pytest.approx(1.0)


def test_a_channel_and_its_mirror_image_get_the_same():
    read, truth = readings(0.85)
    read[:, INDEX["mouthSmileLeft"]] *= 0.8
    settling = learn_settling.best_settling([(read, truth)])
    np.testing.assert_array_equal(settling, settling[list(MIRRORED)])


def test_lids_are_judged_by_the_file_that_is_worst_off():
    low, right = readings(0.85), readings(1.0, 1)
    assert learn_settling.best_settling([low])[LIDS[0], 2] > 1.1
    assert learn_settling.best_settling([low, right])[LIDS[0], 2] < learn_settling.best_settling([low])[LIDS[0], 2]


def test_a_channel_that_never_moves_does_no_harm():
    read, truth = readings(0.9)
    truth[:, INDEX["tongueOut"]] = read[:, INDEX["tongueOut"]] = 0
    with np.errstate(all="raise"):
        assert np.isfinite(learn_settling.best_settling([(read, truth)])).all()
