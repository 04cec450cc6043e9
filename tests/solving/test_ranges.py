from __future__ import annotations

import numpy as np
import pytest

from animator.solving.ranges import ENOUGH, MAX_GAIN, TARGET, BlinkRange
from animator.solving.solver import LinearSolver, SolverConfig

from .conftest import FPS, face_showing
from .test_solver import showing


def act(blinks, peaks, rest=0.05):
    """Blinks to these heights, one after the other; what came out at each peak."""
    out = []
    for peak in peaks:
        for value in (rest, peak / 2, peak, peak / 2, rest):
            shown = blinks.apply(np.array([value, value]))
            if value == peak:
                out.append(float(shown[0]))
    return out


def test_nothing_is_changed_before_enough_blinks():
    blinks = BlinkRange()
    assert act(blinks, [0.75] * ENOUGH) == [0.75] * ENOUGH
    assert blinks.reach == pytest.approx(0.75)


def test_whole_blinks_become_whole():
    blinks = BlinkRange()
    act(blinks, [0.8] * 10)
    assert act(blinks, [0.8]) == pytest.approx([TARGET])
    np.testing.assert_allclose(blinks.apply(np.array([0.0, 0.4])), [0, 0.4 * TARGET / 0.8])


def test_half_blinks_between_do_not_raise_whole_ones():
    blinks = BlinkRange()
    act(blinks, [0.9, 0.9, 0.45] * 6)
    assert blinks.reach == pytest.approx(0.9)


def test_gain_is_gentle_and_only_upward():
    weak, strong = BlinkRange(), BlinkRange()
    act(weak, [0.4] * 10)
    act(strong, [1.0] * 10)
    assert act(weak, [0.4]) == pytest.approx([0.4 * MAX_GAIN])
    assert act(strong, [0.7]) == pytest.approx([0.7])
    assert act(strong, [1.0]) == [1.0]


def test_a_murmur_is_no_blink():
    blinks = BlinkRange()
    rng = np.random.default_rng(0)
    for _ in range(500):
        blinks.apply(rng.uniform(0, 0.25, 2))
    assert blinks.reach is None


def test_each_wink_counts_and_the_other_eye_stays_open():
    blinks = BlinkRange()
    for _ in range(ENOUGH):
        for value in (0.0, 0.8, 0.0):
            blinks.apply(np.array([value, 0.0]))
    assert blinks.reach == pytest.approx(0.8)
    assert blinks.apply(np.array([0.8, 0.0]))[1] == 0


def test_a_stored_range_holds_from_the_first_frame_until_blinks_tell_better():
    blinks = BlinkRange(0.8)
    assert act(blinks, [0.8]) == pytest.approx([TARGET])
    act(blinks, [0.9] * 10)
    assert blinks.reach == pytest.approx(0.9)


def test_the_solver_scales_blinks_only_if_asked(model):
    def half_blinks(**config):
        solver = LinearSolver(SolverConfig(smoothing=0, calibrate=0.1, **config))
        for i, shut in enumerate(([0.0] * 4 + [0.7] * 3) * 8):
            face = face_showing(model, showing(eyeBlinkLeft=shut, eyeBlinkRight=shut), time_s=i / FPS)
            (motion,) = solver.solve((face,), i / FPS)
        return motion.expression["eyeBlinkLeft"], solver.profile(0).ranges["eyeBlink"]

    (plain, reach), (scaled, same_reach) = half_blinks(), half_blinks(ranges=True)
    assert reach == same_reach
    assert scaled == pytest.approx(min(1.0, plain * np.clip(TARGET / reach, 1, MAX_GAIN)), abs=1e-5)
