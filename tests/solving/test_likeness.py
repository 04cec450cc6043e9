from __future__ import annotations

import numpy as np
import pytest

from animator.solving.likeness import STRANGER, Likeness, Watch, is_face

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


def test_the_same_person_is_the_same_after_two_seconds(model):
    known = person(model, 1)
    assert verdict(model, known, known) == ("same", 2.0)
    acting = known + np.tensordot(showing(jawOpen=0.5, browInnerUp=0.7), model.response_cm, 1)
    assert verdict(model, known, acting)[0] == "same"


@pytest.mark.parametrize("who", range(2, 8))
def test_another_person_is_a_stranger_soon(model, who):
    said, after_s = verdict(model, person(model, 1), person(model, who))
    assert said == "stranger"
    assert after_s <= 2


def test_distance_is_nothing_to_oneself_and_grows_with_certainty(model):
    likeness, known, other = Likeness(model), person(model, 1), person(model, 2)
    assert likeness.distance(known, known, 3.0) == 0
    assert 0 < likeness.distance(known, other, 1.0) < likeness.distance(known, other, 3.0)
    assert likeness.distance(known, other, 3.0) == pytest.approx(likeness.distance(other, known, 3.0))


def test_time_that_stands_still_decides_nothing(model):
    watch, known = Watch(Likeness(model)), person(model, 1)
    assert {watch.verdict(known, known, 5.0) for _ in range(300)} == {None}


def test_faces_and_what_is_none(model):
    canonical = model.canonical_cm.astype(float)
    assert is_face(canonical, canonical)
    assert is_face(person(model, 3), canonical)
    assert not is_face(canonical * 2, canonical)
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
        shown.append(np.mean(frames, 0))
    distances = np.array([[Likeness(model).distance(k, s, 3.0) for s in shown] for k in known])
    own = np.eye(len(known), dtype=bool)
    assert distances[own].max() < STRANGER < np.percentile(distances[~own], 5)
