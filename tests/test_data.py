from __future__ import annotations

import numpy as np
import pytest

from animator.channels import ARKIT, INDEX, MIRRORED, UNSEEN, mirrored_name
from animator.data import Expression, Face, check_shape
from animator.errors import ShapeError


def test_there_are_52_channels_in_arkits_order() -> None:
    assert len(ARKIT) == len(set(ARKIT)) == 52
    places = {"eyeBlinkLeft": 0, "eyeBlinkRight": 7, "jawForward": 14, "jawLeft": 15, "jawRight": 16, "jawOpen": 17}
    assert {name: INDEX[name] for name in places} == places
    assert INDEX["mouthLeft"], INDEX["mouthRight"] == (21, 22)
    assert INDEX["tongueOut"] == 51
    assert set(UNSEEN) <= set(ARKIT)


def test_mirroring_names_is_its_own_inverse() -> None:
    assert all(mirrored_name(mirrored_name(name)) == name for name in ARKIT)
    assert list(np.array(MIRRORED)[list(MIRRORED)]) == list(range(52))
    assert mirrored_name("browInnerUp") == "browInnerUp"
    assert mirrored_name("jawLeft") == "jawRight"


def test_check_shape_tells_what_was_wanted_and_what_came() -> None:
    check_shape("points", np.zeros((7, 3)), None, 3)
    with pytest.raises(ShapeError, match=r"points: expected shape \(any, 3\), got \(7, 2\) float64"):
        check_shape("points", np.zeros((7, 2)), None, 3)


def test_expressions_are_read_by_name() -> None:
    smile = Expression.of(mouthSmileLeft=0.5)
    assert smile["mouthSmileLeft"] == 0.5
    assert smile.weights.sum() == 0.5
    with pytest.raises(KeyError):
        Expression.of(mouthSmile=1.0)


def test_landmarks_in_pixels() -> None:
    face = Face(np.full((478, 3), 0.5, np.float32), (640, 480), 0, 1.0, 0.0)
    assert face.landmarks_px[0].tolist() == [320.0, 240.0]
