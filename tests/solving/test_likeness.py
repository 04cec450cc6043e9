from __future__ import annotations

import numpy as np
import pytest

from animator.solving.likeness import DECIDE_S, STRANGER, Likeness, Watch, is_face

from .conftest import FPS, ROOT
from .test_identity import person
from .test_solver import showing


def verdict(model, known, seen_cm):
    """What a watch says at last, and after how long."""
    watch = Watch(Likeness(model))
    for i in range(200):
        said = watch.verdict(seen_cm, known, i / FPS)
        if said:
            return said, i / FPS
    return None, None


def test_one_frame_tells_who_is_known_also_acting(model):
    known = person(model, 1)
    assert verdict(model, known, known) == ("same", 0)
    acting = known + np.tensordot(showing(jawOpen=0.5, browInnerUp=0.7), model.response_cm, 1)
    assert verdict(model, known, acting) == ("same", 0)


@pytest.mark.parametrize("who", range(2, 8))
def test_another_person_is_a_stranger_soon(model, who):
    said, after_s = verdict(model, person(model, 1), person(model, who))
    assert said == "stranger"
    assert after_s == pytest.approx(DECIDE_S, abs=0.1)


def test_distance_is_nothing_to_oneself_and_the_same_both_ways(model):
    likeness, known, other = Likeness(model), person(model, 1), person(model, 2)
    assert likeness.distance(known, known) == 0
    assert likeness.distance(known, other) == pytest.approx(likeness.distance(other, known))
    halfway = 0.5 * (known + other)
    assert likeness.distance(known, halfway) == pytest.approx(0.5 * likeness.distance(known, other))


def test_time_that_stands_still_decides_nothing(model):
    watch, known, other = Watch(Likeness(model)), person(model, 1), person(model, 2)
    assert {watch.verdict(other, known, 5.0) for _ in range(300)} == {None}


def test_a_gap_between_two_frames_is_no_long_look(model):
    watch, known, other = Watch(Likeness(model)), person(model, 1), person(model, 2)
    assert watch.verdict(other, known, 5.0) is None
    assert watch.verdict(other, known, 50.0) is None


def test_faces_and_what_is_none(model):
    canonical = model.canonical_cm.astype(float)
    assert is_face(canonical, canonical)
    assert is_face(person(model, 3), canonical)
    assert is_face(canonical * [1, 1, 0.3], canonical)  # a tracker with little depth
    assert not is_face(canonical * 3, canonical)
    assert not is_face(canonical * np.nan, canonical)


def test_on_real_landmarks_same_and_others_part():
    path = ROOT / "../shared/eval/public.npz"
    if not path.is_file():
        pytest.skip("needs the evaluation sets: ../shared/eval/public.npz")
    from animator.solving.face_model import face_model
    from animator.solving.identity import Calibration
    from animator.solving.pose import HeadFitter
    from tests.bench import scores

    stored, model = scores.load_eval_set(path), face_model()
    fitter, known, shown = HeadFitter(model), [], []
    for start, length in zip(np.cumsum([0, *stored.lengths[:-1]]), stored.lengths, strict=True):
        calibration, frames = Calibration(model, 1.0), []
        for i in np.flatnonzero(stored.tracked[start : start + length])[:90]:
            seen = fitter.fit(stored.landmarks_norm[start + i], (640, 480), np.radians(50)).landmarks_cm
            if i < scores.NEUTRAL_FRAMES:
                calibration.add(seen, i / FPS)
            else:
                frames.append(seen)
        known.append(calibration.result_cm())
        shown.append(frames[:45])
    likeness = Likeness(model)
    nearest = np.array([[min(likeness.distance(k, s) for s in frames) for frames in shown] for k in known])
    own = np.eye(len(known), dtype=bool)
    assert nearest[own].max() < STRANGER < np.percentile(nearest[~own], 2)
