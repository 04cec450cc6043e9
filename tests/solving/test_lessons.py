"""What the face model is learned from, read back as it was stored."""

from __future__ import annotations

import numpy as np
import pytest

from animator.channels import INDEX

from . import conftest  # noqa: F401  (puts the repository's root on the path)

lessons = pytest.importorskip("tools.lessons")
pack_takes = pytest.importorskip("tools.pack_takes")


def store_take(path, seed, frames=30, missing=()):
    """A take as the studio stores it; returns its landmarks."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 20_000, (frames, 478, 3)).astype(np.uint16)
    tracked = ~np.isin(np.arange(frames), missing)
    counts[~tracked] = 0
    weights = np.zeros((frames, 51), np.float16)
    weights[:, pack_takes.STUDIO_CHANNELS.index("jawOpen")] = 0.25 + 0.5 * seed
    np.savez(
        path, landmark_steps=np.diff(counts, axis=0, prepend=np.zeros_like(counts[:1])), tracked=tracked,
        weights=weights, rotation=np.tile(np.eye(3), (frames, 1, 1)), gaze=np.full((frames, 2), 90.0), size=(640, 480),
        neutral=5,
    )  # fmt: skip
    return counts * np.float32(1e-4) - np.float32(0.5)


def test_packed_takes_are_read_back_exactly(tmp_path):
    shown = [store_take(tmp_path / f"{seed}.npz", seed, missing=(7,) if seed else ()) for seed in (0, 1)]
    packed = tmp_path / "packed.npz"
    np.savez(packed, **pack_takes.pack(sorted(tmp_path.glob("[01].npz"))))
    lesson = lessons.read_lesson([packed])
    expected = np.concatenate([shown[0], np.delete(shown[1], 7, axis=0)])
    np.testing.assert_array_equal(lesson.landmarks_norm, expected)
    assert (lesson.take == np.repeat([0, 1], [30, 29])).all()
    assert (lesson.weights[:, INDEX["jawOpen"]] == np.repeat([0.25, 0.75], [30, 29])).all()
    assert lesson.neutral.sum() == 10
    np.testing.assert_allclose(lesson.gaze_rad, np.pi / 2)


def test_held_out_takes_are_not_read(tmp_path):
    for seed in range(4):
        store_take(tmp_path / f"{seed}.npz", seed)
    packed = tmp_path / "packed.npz"
    np.savez(packed, **pack_takes.pack(sorted(tmp_path.glob("?.npz"))))
    lesson = lessons.read_lesson(lessons.files_in([packed]), hold_out=2)
    assert np.unique(lesson.weights[:, INDEX["jawOpen"]]).tolist() == [0.75, 1.75]


def test_takes_that_were_hardly_seen_are_left_out(tmp_path):
    store_take(tmp_path / "0.npz", 0)
    store_take(tmp_path / "1.npz", 1, missing=range(10, 25))
    assert len(pack_takes.pack(sorted(tmp_path.glob("?.npz")))["lengths"]) == 1
