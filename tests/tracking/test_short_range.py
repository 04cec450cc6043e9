"""Reading the detector's numbers."""

from __future__ import annotations

import numpy as np
import pytest

from animator.tracking.short_range import INPUT_PX, anchors, overlap, read_detections


def logit(share: float) -> float:
    return float(np.log(share / (1 - share)))


def answer(*faces: tuple[int, float, tuple[float, float, float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """(regressors, scores) of a network that sees faces: (anchor, score, (x, y, w, h) in 0..1)."""
    regressors, scores = np.zeros((896, 16), np.float32), np.full(896, -100.0, np.float32)
    for anchor, score, (x, y, w, h) in faces:
        centre = anchors()[anchor]
        regressors[anchor] = np.r_[x - centre[0], y - centre[1], w, h, np.tile([x, y] - centre, 6)] * INPUT_PX
        scores[anchor] = logit(score)
    return regressors, scores


def test_every_cell_has_its_anchors() -> None:
    assert anchors().shape == (896, 2)
    assert anchors()[0].tolist() == anchors()[1].tolist() == [1 / 32, 1 / 32]
    assert anchors()[512].tolist() == [1 / 16, 1 / 16]
    assert anchors().mean(0) == pytest.approx([0.5, 0.5])


def test_a_face_is_where_its_anchor_says() -> None:
    (face,) = read_detections(*answer((300, 0.9, (0.4, 0.6, 0.2, 0.3))), 0.5)
    assert face.score == pytest.approx(0.9, abs=1e-4)
    assert face.low == pytest.approx([0.3, 0.45], abs=1e-5)
    assert face.high == pytest.approx([0.5, 0.75], abs=1e-5)
    assert face.keypoints == pytest.approx(np.tile([0.4, 0.6], (6, 1)), abs=1e-5)


def test_one_face_seen_twice_is_averaged_and_two_faces_stay_two() -> None:
    seen = answer((10, 0.6, (0.30, 0.3, 0.2, 0.2)), (11, 0.9, (0.31, 0.3, 0.2, 0.2)), (700, 0.7, (0.8, 0.8, 0.1, 0.1)))
    first, second = read_detections(*seen, 0.5)
    assert (first.low + first.high) / 2 == pytest.approx([0.306, 0.3], abs=1e-4)
    assert (second.low + second.high) / 2 == pytest.approx([0.8, 0.8], abs=1e-4)


def test_unsure_faces_are_none() -> None:
    assert read_detections(*answer((10, 0.4, (0.3, 0.3, 0.2, 0.2))), 0.5) == []


def test_overlap_is_shared_over_covered() -> None:
    low, high = np.zeros(2), np.full(2, 2.0)
    others = np.array([[0.0, 0], [1, 1], [5, 5]])
    assert overlap(low, high, others, others + 2) == pytest.approx([1, 1 / 7, 0])
