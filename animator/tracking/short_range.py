"""What MediaPipe's short-range face detector says: from the numbers of its network to places of faces.

The network is an SSD with 896 fixed anchors over a picture of 128 x 128; the figures below are those of
MediaPipe's face_detection_short_range graph."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from ..data import Array

INPUT_PX = 128
LAYERS = ((16, 2), (8, 6))
"""(cells a side, anchors a cell): strides 8 and three times 16, two anchors each."""
SAME_FACE_OVERLAP = 0.5
"""Boxes that overlap by more than this are one face, and are averaged by their scores."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A face found by the detector, in the detector's own square picture, 0..1, y down."""

    score: float
    low: Array
    """(2,) the box's top left."""
    high: Array
    """(2,) its bottom right."""
    keypoints: Array
    """(6, 2): the picture's left eye, right eye, nose, mouth, left ear, right ear."""


@functools.cache
def anchors() -> Array:
    """(896, 2) centres of the anchors in 0..1, in the network's order."""
    parts = []
    for cells, per_cell in LAYERS:
        steps = (np.arange(cells) + 0.5) / cells
        grid = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
        parts.append(np.repeat(grid, per_cell, 0))
    return np.concatenate(parts).astype(np.float32)


def read_detections(regressors: Array, scores: Array, least_confidence: float) -> list[Detection]:
    """The faces in one answer of the network, surest first.

    regressors       : (896, 16) box centre, box size, six key points, in pixels from the anchor
    scores           : (896,) logits
    least_confidence : 0..1"""
    scores = 1 / (1 + np.exp(-np.clip(scores, -80, 80)))
    sure = np.flatnonzero(scores >= least_confidence)
    sure = sure[np.argsort(-scores[sure], kind="stable")]
    raw, scores = regressors[sure].astype(np.float64) / INPUT_PX, scores[sure].astype(np.float64)
    centre = anchors()[sure]
    low, high = centre + raw[:, :2] - raw[:, 2:4] / 2, centre + raw[:, :2] + raw[:, 2:4] / 2
    keypoints = raw[:, 4:].reshape(-1, 6, 2) + centre[:, None]
    found, left = [], np.arange(len(sure))
    while len(left):
        same = overlap(low[left[0]], high[left[0]], low[left], high[left]) > SAME_FACE_OVERLAP
        same[0] = True
        one, left = left[same], left[~same]
        share = scores[one] / scores[one].sum()
        found.append(Detection(float(scores[one[0]]), share @ low[one], share @ high[one],
                               np.tensordot(share, keypoints[one], 1)))  # fmt: skip
    return found


def overlap(low: Array, high: Array, lows: Array, highs: Array) -> Array:
    """(n,): intersection over union of one box with each of n boxes; corners (2,) and (n, 2)."""
    inside = np.prod(np.clip(np.minimum(high, highs) - np.maximum(low, lows), 0, None), -1)
    union = np.prod(high - low) + np.prod(highs - lows, axis=-1) - inside
    return inside / np.maximum(union, 1e-12)
