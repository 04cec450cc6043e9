from __future__ import annotations

import numpy as np
import pytest

from animator.channels import ARKIT, INDEX
from animator.config import Config, config_from_toml
from animator.data import Expression, Gaze, Motion
from animator.errors import SettingError
from animator.maths.mirror import mirrored_motion
from animator.solving.gaze import LOOK_CHANNELS, look_weights
from animator.solving.smoothing import Smoother
from animator.solving.solver import LinearSolver, SolverConfig
from animator.solving.tuning import FREE_FROM, GROUPS, LINKED_BELOW, Tuner, TuningConfig, linked

from .conftest import FPS, face_showing
from .test_solver import performance, run, showing


def motion_of(angles_rad=None, time_s=0.0, **weights):
    angles_rad = np.zeros((2, 2)) if angles_rad is None else np.asarray(angles_rad, float)
    values = Expression.of(**weights).weights.copy()
    values[LOOK_CHANNELS] = look_weights(angles_rad)
    return Motion(time_s, 0, gaze=Gaze(angles_rad), expression=Expression(values))


def tuned(motion, **config):
    return Tuner(TuningConfig(**config)).tuned(motion, motion.expression.weights, motion.gaze.angles_rad)


def test_every_channel_is_in_one_group():
    assert sorted(name for group in GROUPS.values() for name in group) == sorted(ARKIT)


def test_without_tuning_nothing_changes():
    motion = motion_of(jawOpen=0.4)
    assert tuned(motion) is motion
    assert tuned(motion, min_confidence=0.3) is motion


def test_gain_and_offset_of_a_group_and_of_a_channel():
    motion = motion_of(browInnerUp=0.3, browDownLeft=0.3, jawOpen=0.3)
    shown = tuned(motion, gain={"brows": 2.0, "browInnerUp": 0.5}, offset={"jaw": 0.1, "jawLeft": 0.0}).expression
    assert shown["browDownLeft"] == pytest.approx(0.6)
    assert shown["browInnerUp"] == pytest.approx(0.15)
    assert shown["jawOpen"] == pytest.approx(0.4)
    assert shown["jawLeft"] == 0
    assert shown["mouthClose"] == 0
    assert shown.weights.dtype == np.float32


def test_weights_stay_in_bounds():
    motion = motion_of(jawOpen=0.9, mouthFunnel=0.2)
    shown = tuned(motion, gain={"jaw": 4.0}, offset={"mouth": -0.5}).expression.weights
    assert shown.min() == 0
    assert shown.max() == 1


def test_gaze_gain_turns_the_eyes_and_their_channels_alike():
    motion = motion_of([[0.2, -0.1], [0.2, -0.1]])
    out = tuned(motion, gain={"gaze": 1.5})
    np.testing.assert_allclose(out.gaze.angles_rad, motion.gaze.angles_rad * 1.5)
    np.testing.assert_allclose(out.expression.weights[LOOK_CHANNELS], look_weights(out.gaze.angles_rad), rtol=1e-6)
    assert np.abs(tuned(motion, gain={"gaze": 0.0}).expression.weights).max() == 0
    assert np.abs(motion.gaze.angles_rad).max() == 0.2  # what came is not written to


def test_partial_linking_evens_blinks_and_leaves_winks():
    even = linked(np.array([0.8, 0.8 - 0.9 * LINKED_BELOW]), "partial")
    assert even[0] == even[1]
    wink = np.array([0.9, 0.9 - 1.1 * FREE_FROM])
    np.testing.assert_array_equal(linked(wink, "partial"), wink)
    np.testing.assert_allclose(linked(wink, "full"), wink.mean())
    np.testing.assert_array_equal(linked(wink, "off"), wink)
    steps = [np.ptp(linked(np.array([0.9, 0.9 - d]), "partial")) for d in np.linspace(0, 0.6, 200)]
    assert np.diff(steps).min() >= -1e-12  # no jump where linking lets go, and no way back
    assert np.diff(steps).max() < 0.02


def test_mirror_swaps_sides():
    motion = motion_of([[0.2, -0.1], [0.2, -0.1]], mouthSmileLeft=0.7)
    out, want = tuned(motion, mirror=True), mirrored_motion(motion)
    np.testing.assert_array_equal(out.expression.weights, want.expression.weights)
    np.testing.assert_array_equal(out.gaze.angles_rad, want.gaze.angles_rad)


@pytest.mark.parametrize("knob", [0.0, 0.3, 0.9])
def test_a_group_with_its_own_smoothing_is_as_calm_as_the_solver_with_that_knob(knob):
    rng = np.random.default_rng(0)
    whole, own, tuner = Smoother(knob), Smoother(0.5), Tuner(TuningConfig(smoothing={"mouth": knob}))
    mouth, jaw = [INDEX[name] for name in GROUPS["mouth"]], INDEX["jawOpen"]
    for i in range(20):
        raw, rest = rng.random(52), Motion(0.0, 0)
        want = whole.step(rest.pose, rest.gaze, raw, i / FPS)[2].weights
        smoothed = Motion(i / FPS, 0, *own.step(rest.pose, rest.gaze, raw, i / FPS))
        out = tuner.tuned(smoothed, raw, rest.gaze.angles_rad).expression.weights
        np.testing.assert_allclose(out[mouth], want[mouth], atol=1e-6)
        assert out[jaw] == smoothed.expression.weights[jaw]


def test_the_solver_gives_tuned_motion_and_can_be_tuned_while_running(model):
    plain, faces = LinearSolver(SolverConfig(calibrate="none", smoothing=0)), list(performance(model, 20))
    solver = LinearSolver(plain.config, tuning=TuningConfig(gain={"jaw": 0.5}))
    half, whole = run(solver, faces[:11])[-1], run(plain, faces[:11])[-1]
    assert whole.expression["jawOpen"] > 0.4
    assert half.expression["jawOpen"] == pytest.approx(0.5 * whole.expression["jawOpen"])
    assert half.expression["mouthSmileLeft"] == whole.expression["mouthSmileLeft"]
    solver.configure(plain.config, TuningConfig())
    assert run(solver, faces[11:12])[0].expression["jawOpen"] == run(plain, faces[11:12])[0].expression["jawOpen"]
    solver.configure(plain.config)
    assert solver.tuning == TuningConfig()


def test_a_lost_face_eases_from_what_was_shown(model):
    solver = LinearSolver(SolverConfig(calibrate="none"), tuning=TuningConfig(offset={"cheekPuff": 0.5}))
    (seen,) = solver.solve((face_showing(model, showing()),), 0.0)
    (held,) = solver.solve((), 0.1)
    (easing,) = solver.solve((), 0.65)
    assert seen.expression["cheekPuff"] == held.expression["cheekPuff"] == pytest.approx(0.5, abs=0.1)
    assert easing.expression["cheekPuff"] == pytest.approx(0.25, abs=0.06)


def test_minimum_confidence(model):
    face = face_showing(model, showing(jawOpen=0.5))  # presence 0.9
    assert LinearSolver(tuning=TuningConfig(min_confidence=0.95)).solve((face,), 0.0) == ()
    assert len(LinearSolver(tuning=TuningConfig(min_confidence=0.9)).solve((face,), 0.0)) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gain = { nostrils = 1.0 }", r"\[tuning\] gain: wanted brows, eyes, gaze, .*, got 'nostrils'"),
        ("gain = { brows = 9 }", r"\[tuning\] gain: brows: wanted 0 to 4, got 9"),
        ("gain = { brows = nan }", r"gain: brows: wanted 0 to 4, got nan"),
        ("gain = { brows = true }", r"\[tuning\] gain: wanted a table of names, each with a number"),
        ("gain = 1.0", r"\[tuning\] gain: wanted a table of names, each with a number, got 1.0"),
        ("offset = { jawOpen = -2.0 }", r"offset: jawOpen: wanted -1 to 1, got -2"),
        ("offset = { gaze = 0.1 }", r"offset: wanted a group or channel other than gaze"),
        ("gain = { eyeLookUpLeft = 0.1 }", r"gain: wanted gaze, as the eyeLook channels follow"),
        ("smoothing = { eyes = 1.1 }", r"smoothing: eyes: wanted 0 to 1, got 1.1"),
        ('blinks = "some"', r"\[tuning\] blinks: wanted off, partial, full, got 'some'"),
        ("min_confidence = 2", r"min_confidence: wanted 0 to 1, got 2"),
        ("mirror = 1", r"mirror: wanted true or false, got 1"),
        ("gains = {}", r"\[tuning\] has no `gains`"),
    ],
)
def test_mistakes_name_table_key_wanted_and_got(tmp_path, text, said):
    path = tmp_path / "settings.toml"
    path.write_text(f"[tuning]\n{text}\n")
    with pytest.raises(SettingError, match=said):
        config_from_toml(path)


def test_from_toml(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text('[tuning]\nblinks = "partial"\nsmoothing = { eyes = 0 }\n[tuning.gain]\nbrows = 1.2\njawOpen = 1\n')
    config = config_from_toml(path)
    assert config.tuning == TuningConfig(gain={"brows": 1.2, "jawOpen": 1}, smoothing={"eyes": 0}, blinks="partial")
    assert config.solving == Config().solving
