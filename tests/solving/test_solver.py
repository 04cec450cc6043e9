from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from animator.channels import INDEX, MIRRORED
from animator.data import Face
from animator.errors import SettingError, ShapeError
from animator.maths.easing import EASE_S, HOLD_S
from animator.maths.rotations import matrix_from_wxyz, matrix_from_yaw_pitch_roll, yaw_pitch_roll_from_matrix
from animator.solving.profile import Profile
from animator.solving.solver import FORGET_S, LinearSolver, SolverConfig
from animator.stages import Solver

from .conftest import FPS, ROOT, face_of, face_showing

RAW = SolverConfig(smoothing=0.0, calibrate="none")


def showing(**weights):
    values = np.zeros(52)
    for name, weight in weights.items():
        values[INDEX[name]] = weight
    return values


def performance(model, frames=40, seed=0):
    """Faces of somebody who moves smoothly."""
    rng = np.random.default_rng(seed)
    peak, turn = showing(jawOpen=0.7, mouthSmileLeft=0.6, eyeBlinkRight=0.9), rng.uniform(-0.3, 0.3, 3)
    for i in range(frames):
        share = 0.5 - 0.5 * np.cos(2 * np.pi * i / frames)
        rotation = matrix_from_yaw_pitch_roll(turn * share)
        yield face_showing(model, peak * share, rotation, (share, 0, -55), time_s=i / FPS)


def run(solver, faces):
    return [solver.solve((face,), face.time_s)[0] for face in faces]


def test_is_a_solver():
    assert isinstance(LinearSolver(), Solver)


def test_a_clear_expression_is_found_on_the_right_side(model):
    face = face_showing(model, showing(mouthSmileLeft=0.9, eyeBlinkLeft=0.9, jawOpen=0.5))
    (motion,) = LinearSolver(RAW).solve((face,), 0.0)
    shown = motion.expression
    assert shown["eyeBlinkLeft"] > 0.6 > 0.2 > shown["eyeBlinkRight"]
    assert shown["mouthSmileLeft"] > 0.4 > 0.2 > shown["mouthSmileRight"]
    assert shown["jawOpen"] == pytest.approx(0.5, abs=0.15)
    assert motion.confidence == pytest.approx(0.9)
    assert shown.weights.dtype == np.float32


def test_mirrored_picture_gives_mirrored_motion(model):
    rotation = matrix_from_yaw_pitch_roll([0.3, 0.1, -0.1])
    face = face_showing(model, showing(mouthSmileLeft=0.9, eyeBlinkLeft=0.9, jawOpen=0.5), rotation, (3, 1, -60))
    mirrored = face.landmarks_norm[model.mirror] * np.float32([-1, 1, 1]) + np.float32([1, 0, 0])
    (one,) = LinearSolver(RAW).solve((face,), 0.0)
    (other,) = LinearSolver(RAW).solve((replace(face, landmarks_norm=mirrored),), 0.0)
    np.testing.assert_allclose(other.expression.weights, one.expression.weights[list(MIRRORED)], atol=5e-3)
    angles = [yaw_pitch_roll_from_matrix(matrix_from_wxyz(m.pose.rotation_wxyz)) for m in (one, other)]
    np.testing.assert_allclose(angles[1], angles[0] * [-1, 1, -1], atol=1e-3)
    np.testing.assert_allclose(other.gaze.angles_rad, one.gaze.angles_rad[::-1] * [-1, 1], atol=1e-3)


def test_place_and_size_in_the_picture_hardly_change_the_expression(model):
    weights = showing(jawOpen=0.6, browInnerUp=0.7)
    solved = [
        LinearSolver(RAW).solve((face_showing(model, weights, translation_cm=place),), 0.0)[0].expression.weights
        for place in ((0, 0, -45), (6, -4, -45), (0, 0, -110))
    ]
    np.testing.assert_allclose(solved[1], solved[0], atol=0.1)
    np.testing.assert_allclose(solved[2], solved[0], atol=0.1)


def test_calibration_makes_neutral_read_zero(model):
    resting = showing(mouthFrownLeft=0.5, mouthFrownRight=0.5, browDownLeft=0.4, browDownRight=0.4)
    solver = LinearSolver(SolverConfig(calibrate=0.5))
    faces = [face_showing(model, resting, time_s=i / FPS) for i in range(30)]
    last = run(solver, faces)[-1]
    assert last.expression.weights.max() < 0.02
    assert np.abs(last.gaze.angles_rad).max() < 0.02
    assert run(LinearSolver(RAW), faces)[-1].expression.weights.max() > 0.1


def test_calibrating_while_running(model):
    resting = showing(browDownLeft=0.8, browDownRight=0.8, mouthPucker=0.4)
    solver = LinearSolver(RAW)
    faces = [face_showing(model, resting, time_s=i / FPS) for i in range(60)]
    assert run(solver, faces[:10])[-1].expression.weights.max() > 0.1
    solver.calibrate(0, seconds=0.5)
    assert run(solver, faces[10:])[-1].expression.weights.max() < 0.02


def test_profile_takes_the_place_of_calibration(model):
    resting = showing(browDownLeft=0.8, browDownRight=0.8)
    faces = [face_showing(model, resting, time_s=i / FPS) for i in range(30)]
    measured = LinearSolver(SolverConfig(calibrate=0.5))
    run(measured, faces)
    profile = measured.profile(0, "me")
    assert profile.name == "me"
    assert profile.neutral_cm.dtype == np.float32
    assert run(LinearSolver(RAW, profile), faces[:1])[0].expression.weights.max() < 0.02
    late = LinearSolver(RAW)
    run(late, faces[:5])
    late.adopt(profile)
    assert run(late, faces[5:6])[0].expression.weights.max() < 0.02
    assert late.profile(99) is None
    with pytest.raises(ShapeError, match="neutral_cm"):
        late.adopt(Profile("bad", np.zeros((468, 3))))


def test_profile_can_be_asked_for_before_calibration_saw_a_frame(model):
    solver = LinearSolver(RAW)
    run(solver, [face_showing(model, showing())])
    solver.calibrate()
    assert np.isfinite(solver.profile(0).neutral_cm).all()


def test_lost_face_is_held_then_eased_then_gone(model):
    solver = LinearSolver(RAW)
    (seen,) = solver.solve((face_showing(model, showing(jawOpen=0.8), track_id=3),), 1.0)
    (held,) = solver.solve((), 1.0 + 0.9 * HOLD_S)
    assert held.confidence == 0
    assert held.track_id == 3
    np.testing.assert_array_equal(held.expression.weights, seen.expression.weights)
    (easing,) = solver.solve((), 1.0 + HOLD_S + EASE_S / 2)
    np.testing.assert_allclose(easing.expression.weights, seen.expression.weights / 2, atol=1e-3)
    np.testing.assert_array_equal(easing.pose.rotation_wxyz, seen.pose.rotation_wxyz)
    assert solver.solve((), 1.0 + HOLD_S + EASE_S + 0.01) == ()


def test_neutral_outlives_a_short_absence_only(model):
    resting = showing(browDownLeft=0.8, browDownRight=0.8)
    solver = LinearSolver(SolverConfig(smoothing=0, calibrate=0.3))
    run(solver, [face_showing(model, resting, time_s=i / FPS) for i in range(20)])
    learned = solver.profile(0).neutral_cm
    solver.solve((), 5.0)
    assert run(solver, [face_showing(model, resting, time_s=6.0)])[0].expression.weights.max() < 0.02
    np.testing.assert_array_equal(solver.profile(0).neutral_cm, learned)
    solver.solve((), 6.0 + FORGET_S + 1)
    assert solver.profile(0) is None


def test_performers_do_not_mix(model):
    solver = LinearSolver(RAW)
    open_mouth = face_showing(model, showing(jawOpen=0.8), translation_cm=(-10, 0, -60), track_id=7)
    still = face_showing(model, showing(), translation_cm=(10, 0, -60), track_id=2)
    motions = solver.solve((open_mouth, still), 0.0)
    assert [motion.track_id for motion in motions] == [2, 7]
    assert motions[0].expression["jawOpen"] < 0.1 < 0.6 < motions[1].expression["jawOpen"]


def test_same_input_same_output_bit_for_bit(model):
    one, other = (run(LinearSolver(SolverConfig()), performance(model)) for _ in range(2))
    for a, b in zip(one, other, strict=True):
        assert a.expression.weights.tobytes() == b.expression.weights.tobytes()
        assert a.pose.rotation_wxyz.tobytes() == b.pose.rotation_wxyz.tobytes()
        assert a.gaze.angles_rad.tobytes() == b.gaze.angles_rad.tobytes()


@pytest.mark.parametrize("damage", ["nan", "inf", "point", "line"])
def test_landmarks_without_a_face_count_as_not_seen(model, damage):
    good = face_showing(model, showing(jawOpen=0.5))
    bad = good.landmarks_norm.copy()
    if damage == "point":
        bad[:] = 0.5
    elif damage == "line":
        bad[:, 1] = 0.5
    else:
        bad[17, 1] = float(damage)
    solver = LinearSolver(RAW)
    assert solver.solve((face_of(bad),), 0.0) == ()
    solver.solve((good,), 0.1)
    (motion,) = solver.solve((face_of(bad),), 0.2)
    assert motion.confidence == 0
    assert np.isfinite(motion.expression.weights).all()


def test_noise_in_place_of_a_face_stays_in_bounds():
    rng = np.random.default_rng(0)
    solver = LinearSolver()
    for i in range(20):
        for motion in solver.solve((face_of(rng.random((478, 3), dtype=np.float32)),), i / FPS):
            assert np.isfinite(motion.pose.rotation_wxyz).all()
            assert 0 <= motion.expression.weights.min() <= motion.expression.weights.max() <= 1


def test_wrong_shape_is_named():
    with pytest.raises(ShapeError, match=r"landmarks_norm: expected shape \(478, 3\)"):
        LinearSolver().solve((Face(np.zeros((468, 3)), (640, 480), 0, 1.0, 0.0),), 0.0)


def test_time_may_start_over(model):
    solver = LinearSolver(SolverConfig(calibrate=0.2))
    for _ in range(2):
        motions = run(solver, performance(model, 20))
    assert all(np.isfinite(motion.expression.weights).all() for motion in motions)


@pytest.mark.parametrize(
    "wrong",
    [
        {"smoothing": -0.1}, {"smoothing": 1.5}, {"vertical_fov_deg": 5}, {"vertical_fov_deg": 170},
        {"calibrate": "maybe"}, {"calibrate": 0.0}, {"calibrate": -1.0}, {"calibrate": 1000.0},
        {"smoothing": float("nan")}, {"calibrate": float("nan")},
    ],
)  # fmt: skip
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError, match=f"{next(iter(wrong))}: expected"):
        SolverConfig(**wrong)


def test_settings_change_while_running(model):
    solver = LinearSolver(RAW)
    faces = list(performance(model))
    run(solver, faces[:10])
    solver.configure(SolverConfig(smoothing=1.0, calibrate="auto", vertical_fov_deg=30.0))
    (motion,) = solver.solve((faces[10],), faces[10].time_s)
    assert solver.config.smoothing == 1.0
    assert motion.pose.translation_cm[2] < -80  # a narrower lens: the same picture is from farther away


def test_better_than_the_peer_on_exact_truth():
    path = ROOT / "../shared/eval/public.npz"
    if not path.is_file():
        pytest.skip("needs the evaluation sets: ../shared/eval/public.npz")
    from tests.bench import scores
    from tests.bench.bench_solver import NEUTRAL_S, solve_set

    stored = scores.load_eval_set(path)
    chosen = stored.scored
    ours = solve_set(stored, SolverConfig(calibrate=NEUTRAL_S))
    truth = stored.weights[chosen]
    assert scores.correlation(ours.weights[chosen], truth) > 0.10 + scores.correlation(
        stored.peer_weights[chosen], truth
    )
    assert scores.error(ours.weights[chosen], truth) < 0.064
    turn = scores.rotation_errors_deg(ours.rotations, stored.rotations, stored.lengths)[chosen]
    assert np.median(turn) < 2.0
