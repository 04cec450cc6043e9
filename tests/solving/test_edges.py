"""What a day before a camera brings: borders, crowds, comings and goings, clocks and trackers gone wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from animator.channels import INDEX
from animator.data import Face
from animator.maths.easing import EASE_S, HOLD_S
from animator.solving.solver import FORGET_S, LinearSolver, SolverConfig
from animator.sources.landmarks import LandmarkSource
from animator.takes.npz import LandmarkTake, save_landmark_take

from .conftest import FPS, ROOT, SIZE_PX, face_of, face_showing, landmarks_from_head
from .test_identity import miss_cm, person
from .test_solver import RAW, performance, run, showing

FRAMES = 45
"""A second and a half: what a calibration of one second needs and more."""


def face_of_person(model, who, weights=None, place_cm=(0.0, 0.0, -50.0), **face):
    """A face of the `who`-th made-up person."""
    landmarks_cm = person(model, who)
    if weights is not None:
        landmarks_cm = landmarks_cm + np.tensordot(weights, model.response_cm, 1)
    return face_of(landmarks_from_head(landmarks_cm, np.eye(3), np.asarray(place_cm)), **face)


def weights_of(motion):
    return motion.expression.weights


@pytest.mark.parametrize("place_cm", [(-30.0, 0.0, -50.0), (0.0, 23.0, -50.0), (30.0, -22.0, -50.0)])
def test_half_a_face_at_the_border_moves_as_one_in_the_middle(model, place_cm):
    weights = showing(jawOpen=0.6, eyeBlinkLeft=0.9, mouthSmileLeft=0.7)
    middle, border = (face_showing(model, weights, translation_cm=p) for p in ((0.0, 0.0, -50.0), place_cm))
    x, y = border.landmarks_norm[:, 0], border.landmarks_norm[:, 1]
    assert 0.2 < ((x < 0) | (x > 1) | (y < 0) | (y > 1)).mean() < 0.9
    seen = [LinearSolver(RAW).solve((face,), 0.0)[0] for face in (middle, border)]
    np.testing.assert_allclose(weights_of(seen[1]), weights_of(seen[0]), atol=0.2)
    np.testing.assert_allclose(seen[1].pose.translation_cm, place_cm, atol=2.5)


@pytest.mark.parametrize("count", [2, 8])
def test_several_faces_are_each_solved_as_if_alone(model, count):
    channels = ("jawOpen", "mouthSmileLeft", "browInnerUp", "eyeBlinkRight", "mouthPucker", "jawLeft", "mouthFunnel")

    def crowd(i):
        share = 0.5 - 0.5 * np.cos(i / 5)
        return tuple(
            face_of_person(
                model, who, showing(**{channels[who % 7]: share}), (8.0 * who - 4 * count, 0, -60.0),
                time_s=i / FPS, track_id=who,
            )
            for who in range(count)
        )  # fmt: skip

    together = LinearSolver(SolverConfig(calibrate=0.3))
    alone = [LinearSolver(together.config) for _ in range(count)]
    for i in range(20):
        faces = crowd(i)
        motions = together.solve(faces, i / FPS)
        assert [motion.track_id for motion in motions] == list(range(count))
        for face, motion, solver in zip(faces, motions, alone, strict=True):
            (own,) = solver.solve((face,), i / FPS)
            np.testing.assert_array_equal(weights_of(motion), weights_of(own))
            np.testing.assert_array_equal(motion.pose.translation_cm, own.pose.translation_cm)
    neutrals = [together.profile(who).neutral_cm for who in range(count)]
    for who, neutral_cm in enumerate(neutrals):
        misses = [miss_cm(other, neutral_cm) for k, other in enumerate(neutrals) if k != who]
        assert min(misses) > 0.02


def test_real_faces_in_a_crowd_are_solved_as_if_alone():
    path = ROOT / "../shared/eval/public.npz"
    if not path.is_file():
        pytest.skip("needs the evaluation sets: ../shared/eval/public.npz")
    from tests.bench import scores

    stored = scores.load_eval_set(path)
    starts = np.cumsum([0, *stored.lengths[:-1]])[:8]
    together, alone = LinearSolver(), [LinearSolver() for _ in range(8)]
    for i in range(40):
        faces = tuple(
            Face(stored.landmarks_norm[start + i], (640, 480), who, 1.0, i / FPS)
            for who, start in enumerate(starts)
            if stored.tracked[start + i]
        )
        own = {face.track_id: alone[face.track_id].solve((face,), i / FPS)[0] for face in faces}
        for motion in together.solve(faces, i / FPS):
            if motion.confidence > 0:
                np.testing.assert_array_equal(weights_of(motion), weights_of(own[motion.track_id]))


@pytest.fixture
def calibrated(model):
    """A solver that knows person 1 at rest, who was last seen at 1.5 s."""
    solver = LinearSolver(SolverConfig(smoothing=0, calibrate=1.0))
    run(solver, [face_of_person(model, 1, time_s=i / FPS) for i in range(FRAMES)])
    return solver


@pytest.mark.parametrize("away_s", [0.5, 3.0, FORGET_S - 1])
def test_a_stranger_inherits_no_calibration(model, calibrated, away_s):
    news = []
    calibrated.on_news = lambda *told: news.append(told)
    start_s = FRAMES / FPS + away_s
    calibrated.solve((), start_s - 0.1)
    known = calibrated.profile(0).neutral_cm
    faces = [face_of_person(model, 2, time_s=start_s + i / FPS) for i in range(2 * FRAMES)]
    run(calibrated, faces[:1])
    assert miss_cm(calibrated.profile(0).neutral_cm, known) > 0.05  # from the first frame on
    seen = run(calibrated, faces[1:])
    assert ("stranger", 0) in news
    truth = [person(model, who) for who in (1, 2)]
    found = calibrated.profile(0).neutral_cm
    assert miss_cm(found, truth[1]) < 0.5 * miss_cm(found, truth[0])
    assert weights_of(seen[-1]).max() < 0.1


def test_who_comes_back_is_known_also_with_another_face(model, calibrated):
    news = []
    calibrated.on_news = lambda *told: news.append(told)
    known = calibrated.profile(0).neutral_cm
    calibrated.solve((), 4.0)
    grin = showing(mouthSmileLeft=0.8, mouthSmileRight=0.8, jawOpen=0.3, browOuterUpLeft=0.6, browOuterUpRight=0.6)
    run(calibrated, [face_of_person(model, 1, grin, (5, 3, -70), time_s=4.5 + i / FPS) for i in range(2 * FRAMES)])
    assert news == []
    np.testing.assert_array_equal(calibrated.profile(0).neutral_cm, known)


def test_a_short_loss_asks_nobody_who_they_are(model, calibrated):
    known = calibrated.profile(0).neutral_cm
    back_s = (FRAMES - 1) / FPS + 0.9 * HOLD_S
    run(calibrated, [face_of_person(model, 2, time_s=back_s + i / FPS) for i in range(5)])
    np.testing.assert_array_equal(calibrated.profile(0).neutral_cm, known)


def damaged(face, how):
    rng, landmarks = np.random.default_rng(5), face.landmarks_norm.copy()
    if how == "nan":
        landmarks[100:200] = np.nan
    elif how == "infinite":
        landmarks[3, 2] = np.inf
    elif how == "strewn":
        landmarks = rng.random((478, 3), dtype=np.float32)
    elif how == "shuffled":
        rng.shuffle(landmarks)
    elif how == "huge":
        landmarks *= 1e30
    elif how == "one point far off":
        landmarks[17] = 1e3
    elif how == "squashed":
        landmarks[:, 1] = 0.5 + 0.1 * (landmarks[:, 1] - 0.5)
    elif how == "flat":
        landmarks[:, 1] = 0.5
    return replace(face, landmarks_norm=landmarks)


DAMAGES = ("nan", "infinite", "strewn", "shuffled", "huge", "one point far off", "squashed", "flat")


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.filterwarnings("error")
def test_absurd_landmarks_are_rejected_and_the_last_motion_held(model, how):
    solver, good = LinearSolver(), face_showing(model, showing(jawOpen=0.5))
    assert solver.solve((damaged(good, how),), 0.0) == ()
    (before,) = solver.solve((good,), 0.1)
    learned = solver.profile(0).neutral_cm
    (held,) = solver.solve((damaged(good, how),), 0.2)
    assert held.confidence == 0
    np.testing.assert_array_equal(weights_of(held), weights_of(before))
    np.testing.assert_array_equal(solver.profile(0).neutral_cm, learned)
    (after,) = solver.solve((replace(good, time_s=0.3),), 0.3)
    np.testing.assert_allclose(weights_of(after), weights_of(before), atol=0.02)


def test_a_picture_of_another_size_changes_nothing_but_the_picture(model):
    weights, solver = showing(jawOpen=0.6, mouthSmileRight=0.5), LinearSolver(RAW)
    place_cm = np.array([3.0, -2.0, -55.0])
    motions = []
    for i, size_px in enumerate([SIZE_PX, (1920, 1080), (480, 640), (64, 48)]):
        head_cm = model.neutral_cm + np.tensordot(weights, model.response_cm, 1)
        face = face_of(landmarks_from_head(head_cm, np.eye(3), place_cm, size_px), i / FPS, size_px=size_px)
        motions.append(solver.solve((face,), i / FPS)[0])
    for motion in motions[1:]:
        np.testing.assert_allclose(weights_of(motion), weights_of(motions[0]), atol=0.02)
        np.testing.assert_allclose(motion.pose.translation_cm, motions[0].pose.translation_cm, atol=0.1)


def test_another_field_of_view_mid_stream_moves_the_head_only_away(model):
    solver, faces = LinearSolver(RAW), list(performance(model))
    before = solver.solve((faces[20],), faces[20].time_s)[0]
    solver.configure(replace(RAW, vertical_fov_deg=35.0))
    after = solver.solve((faces[20],), faces[21].time_s)[0]
    ratio = np.tan(np.radians(25)) / np.tan(np.radians(17.5))
    assert after.pose.translation_cm[2] / before.pose.translation_cm[2] == pytest.approx(ratio, rel=0.05)
    np.testing.assert_allclose(weights_of(after), weights_of(before), atol=0.25)


CLOCKS = {
    "jumps ahead": lambda i: i / FPS + (3600 if i > 20 else 0),
    "stands still": lambda i: min(i, 20) / FPS,
    "goes back": lambda i: (i if i <= 20 else i - 20) / FPS,
    "goes far back": lambda i: 1e6 + i / FPS if i <= 20 else i / FPS,
    "is backwards": lambda i: -i / FPS,
}


@pytest.mark.parametrize("clock", CLOCKS.values(), ids=CLOCKS)
@pytest.mark.parametrize("calibrate", ["auto", 0.4])
def test_clocks_gone_wrong_leave_motion_in_bounds_and_people_known(model, clock, calibrate):
    solver = LinearSolver(SolverConfig(calibrate=calibrate))
    shown = showing(jawOpen=0.7)
    for i in range(60):
        face = face_showing(model, shown if i >= 40 else showing(), time_s=clock(i))
        (motion,) = solver.solve((face,), clock(i))
        assert motion.time_s == clock(i)
        assert motion.confidence > 0
        assert np.isfinite(weights_of(motion)).all()
        assert np.isfinite(motion.pose.rotation_wxyz).all()
        assert 0 <= weights_of(motion).min() <= weights_of(motion).max() <= 1
    if clock is not CLOCKS["stands still"]:  # there the filters see no time in which anything could change
        assert motion.expression["jawOpen"] > 0.4


def test_a_face_lost_before_the_clock_went_back_is_let_go_all_the_same(model):
    solver = LinearSolver(RAW)
    solver.solve((face_showing(model, showing(jawOpen=0.5)),), 1000.0)
    (held,) = solver.solve((), 1.0)
    assert held.time_s == 1.0
    assert held.confidence == 0
    assert solver.solve((), 1.0 + HOLD_S + EASE_S + 0.01) == ()
    solver.solve((), 1.1 + FORGET_S)
    assert solver.profile(0) is None


@pytest.mark.parametrize("calibrate", ["auto", "none", 0.5])
def test_a_take_solved_again_from_its_landmarks_gives_the_same_numbers(tmp_path, model, calibrate):
    config = SolverConfig(calibrate=calibrate)
    faces = [replace(face, time_s=10 + face.time_s) for face in performance(model, 50)]
    lost = {12, 13, 30}
    live = LinearSolver(config)
    first = [live.solve(() if i in lost else (face,), face.time_s) for i, face in enumerate(faces)]
    rows = np.stack([np.zeros((478, 3), np.float32) if i in lost else f.landmarks_norm for i, f in enumerate(faces)])
    tracked = np.array([i not in lost for i in range(len(faces))])
    times_s = np.array([face.time_s for face in faces])
    path = tmp_path / "again.landmarks.npz"
    save_landmark_take(path, LandmarkTake(rows, SIZE_PX, times_s, tracked))
    source, again = LandmarkSource(path), LinearSolver(config)
    # A landmark take does not tell how sure the tracker was: confidence alone may differ.
    for motions, frame in zip(first, source, strict=True):
        for one, other in zip(motions, again.solve(source.track(frame), frame.time_s), strict=True):
            np.testing.assert_allclose(weights_of(other), weights_of(one), atol=1e-6)
            np.testing.assert_allclose(other.pose.rotation_wxyz, one.pose.rotation_wxyz, atol=1e-6)
            np.testing.assert_allclose(other.pose.translation_cm, one.pose.translation_cm, atol=1e-6)
            np.testing.assert_allclose(other.gaze.angles_rad, one.gaze.angles_rad, atol=1e-6)
    assert first[20][0].expression.weights[INDEX["jawOpen"]] > 0.2
