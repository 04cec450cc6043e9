"""The same networks, run by MediaPipe and by us, see the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from animator.data import Array, Face, Frame
from animator.sources.video import VideoSource
from animator.topology import LEFT_EYE, RIGHT_EYE
from animator.tracking.config import TrackingConfig
from animator.tracking.litert_faces import LiteRTFaces
from animator.tracking.mediapipe_faces import MediaPipeFaces

CLIPS = ["d0.mp4", "d18.mp4", "s32.mp4", "single_face.mp4", "face_noface.mov"]


def both_ways(model: Path, frames: Sequence[Frame], faces: int) -> list[tuple[tuple[Face, ...], tuple[Face, ...]]]:
    """What MediaPipe's tracker and ours see in each picture."""
    config = TrackingConfig(faces=faces)
    theirs, ours = MediaPipeFaces(model, config), LiteRTFaces(model, config)
    seen = [(theirs.track(frame), ours.track(frame)) for frame in frames]
    theirs.close()
    ours.close()
    return seen


def distances(seen: Sequence[tuple[tuple[Face, ...], tuple[Face, ...]]]) -> Array:
    """Landmark by landmark over all faces that both saw, in distances between the eyes."""
    parts = []
    for theirs, ours in seen:
        for one, other in zip(theirs, ours, strict=False):
            eyes = np.linalg.norm(one.landmarks_px[list(LEFT_EYE)].mean(0) - one.landmarks_px[list(RIGHT_EYE)].mean(0))
            parts.append(np.linalg.norm(one.landmarks_px - other.landmarks_px, axis=1) / eyes)
    return np.concatenate(parts)


def first_frames(path: Path, count: int) -> list[Frame]:
    source = VideoSource(path)
    frames = list(islice(source, count))
    source.close()
    return frames


@pytest.mark.parametrize("faces", [1, 2])
def test_the_bundled_performance_looks_the_same(faces: int, model_path: Path, performance_path: Path) -> None:
    seen = both_ways(model_path, first_frames(performance_path, 60), faces)
    assert all(len(theirs) == len(ours) == 1 for theirs, ours in seen)
    assert np.median(distances(seen)) < 0.001
    assert np.percentile(distances(seen), 95) < 0.003


def test_two_faces_look_the_same(model_path: Path, performance_path: Path) -> None:
    frames = first_frames(performance_path, 25)
    pairs = [replace(f, rgb=np.ascontiguousarray(np.hstack([f.rgb, f.rgb[::-1, ::-1][::-1]]))) for f in frames]
    seen = both_ways(model_path, pairs, 2)
    assert all(len(theirs) == len(ours) == 2 for theirs, ours in seen)
    assert np.median(distances(seen)) < 0.001


@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("faces", [1, 2])
def test_real_faces_look_the_same(clip: str, faces: int, model_path: Path, shared) -> None:
    seen = both_ways(model_path, first_frames(shared(f"clips/{clip}"), 90), faces)
    assert sum(len(ours) for _, ours in seen) >= sum(len(theirs) for theirs, _ in seen)
    assert np.median(distances(seen)) < 0.005
    assert np.percentile(distances(seen), 95) < 0.015


def test_a_face_is_depth_too(model_path: Path, performance_path: Path) -> None:
    for theirs, ours in both_ways(model_path, first_frames(performance_path, 10), 1):
        width = np.ptp(theirs[0].landmarks_norm[:, 0])
        assert np.abs(theirs[0].landmarks_norm[:, 2] - ours[0].landmarks_norm[:, 2]).max() < 0.02 * width
