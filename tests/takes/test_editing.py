"""Laws of cutting, resampling, smoothing, mirroring, joining and comparing takes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from animator.channels import INDEX
from animator.data import LANDMARKS, Expression, Motion
from animator.errors import TakeError
from animator.maths.mirror import mirrored_motion
from animator.maths.rotations import matrix_from_wxyz, wxyz_from_axis_angle
from animator.takes import (
    Take,
    arrays_of,
    at_times,
    compared,
    joined,
    mirrored,
    resampled,
    sliced,
    smoothed,
    take_from_arrays,
    take_from_motions,
)

from .test_npz import random_take, same


def turning(frames: int = 61, fps: float = 30.0) -> Take:
    """A head that turns at an even rate while the jaw opens evenly."""
    share = np.arange(frames) / (frames - 1)
    weights = np.zeros((frames, 52), np.float32)
    weights[:, INDEX["jawOpen"]] = share
    turns = np.array([wxyz_from_axis_angle([0, 1, 0], 1.2 * part) for part in share])
    arrays = {"times_s": 5 + np.arange(frames) / fps, "weights": weights, "rotations_wxyz": turns}
    return take_from_arrays(arrays, fps)


def test_numpy_goes_in_and_out() -> None:
    take = random_take()
    assert same(take_from_arrays(arrays_of(take), take.fps), take)
    with pytest.raises(TakeError, match="expected times_s, weights"):
        take_from_arrays({"weights": take.weights}, 30.0)
    with pytest.raises(TakeError, match="not a take"):
        take_from_arrays({**arrays_of(take), "blend": take.weights}, 30.0)


def test_slices_put_together_are_the_whole() -> None:
    take = turning()
    parts = [sliced(take, None, 0.7), sliced(take, 0.7, 1.5), sliced(take, 1.5)]
    assert [len(part) for part in parts] == [21, 24, 16]
    again = joined(parts)
    np.testing.assert_allclose(again.times_s, take.times_s, atol=1e-9)
    assert np.array_equal(again.weights, take.weights)
    with pytest.raises(TakeError, match=r"no frame is left between 3 s and 4 s: the take is 2\.03 s long"):
        sliced(take, 3, 4)


def test_slices_keep_what_belongs_to_their_frames() -> None:
    marks = np.random.default_rng(0).random((20, LANDMARKS, 3)).astype(np.float32)
    take = replace(
        random_take(20), landmarks_norm=marks, image_size_px=(64, 48), stage_names=("track",),
        stages_ms=np.arange(20, dtype=np.float32)[:, None],
    )  # fmt: skip
    part = sliced(take, take.times_s[5] - take.times_s[0], take.times_s[9] - take.times_s[0])
    assert np.array_equal(part.landmarks_norm, marks[5:9])
    assert part.stages_ms[:, 0].tolist() == [5, 6, 7, 8]


@pytest.mark.parametrize("fps", [24.0, 25.0, 29.97, 60.0, 120.0])
def test_even_motion_stays_even_at_any_rate(fps: float) -> None:
    take = resampled(turning(), fps)
    assert take.fps == fps
    np.testing.assert_allclose(np.diff(take.times_s), 1 / fps, atol=1e-9)
    share = (take.times_s - 5) / 2
    np.testing.assert_allclose(take.weights[:, INDEX["jawOpen"]], share, atol=1e-6)
    want = np.array([wxyz_from_axis_angle([0, 1, 0], 1.2 * part) for part in share])
    np.testing.assert_allclose(take.rotations_wxyz, want, atol=1e-7)


def test_resampling_to_the_same_rate_changes_nothing() -> None:
    take = turning()
    assert compared(resampled(take, 30.0), take).largest_error.max() < 1e-6
    for name, values in arrays_of(at_times(take, take.times_s)).items():
        np.testing.assert_allclose(values, getattr(take, name), rtol=0, atol=1e-7)


def test_signs_of_quaternions_do_not_matter() -> None:
    take = turning()
    signs = np.where(np.arange(len(take)) % 2, -1.0, 1.0)[:, None]
    flipped = replace(take, rotations_wxyz=take.rotations_wxyz * signs)
    for done in (lambda t: resampled(t, 77.0), lambda t: smoothed(t, 0.05)):
        np.testing.assert_allclose(
            matrix_from_wxyz(done(flipped).rotations_wxyz), matrix_from_wxyz(done(take).rotations_wxyz), atol=1e-9
        )
    assert compared(flipped, take).head_deg.max() < 1e-6


def test_nothing_is_mixed_across_a_lost_face() -> None:
    take = turning(5)
    lost = replace(take, confidence=np.array([1, 1, 0, 1, 1], np.float32))
    lost.weights[2] = 0
    found = resampled(lost, 120.0)
    jaw = found.weights[:, INDEX["jawOpen"]]
    assert not jaw[found.confidence == 0].any()
    assert set(found.confidence) == {0.0, 1.0}
    assert not smoothed(lost, 0.05).weights[2].any()
    assert smoothed(lost, 0.05).weights[1, INDEX["jawOpen"]] > 0.1


def test_smoothing_calms_noise_and_moves_nothing_in_time() -> None:
    rng = np.random.default_rng(5)
    frames = 400
    wave = 0.5 + 0.3 * np.sin(np.arange(frames) / 30)
    weights = np.repeat((wave + rng.normal(0, 0.05, frames))[:, None], 52, 1).clip(0, 1)
    uneven = np.cumsum(rng.uniform(0.01, 0.025, frames))
    calm = smoothed(take_from_arrays({"times_s": uneven, "weights": weights}, 60.0), 0.08)
    inner = slice(30, -30)
    assert np.abs(calm.weights[inner, 0] - wave[inner]).std() < 0.4 * 0.05
    shifts = [np.corrcoef(calm.weights[inner, 0], np.roll(wave, shift)[inner])[0, 1] for shift in range(-5, 6)]
    assert abs(int(np.argmax(shifts)) - 5) <= 1
    still = take_from_arrays({"times_s": uneven, "weights": np.full((frames, 52), 0.3)}, 60.0)
    np.testing.assert_allclose(smoothed(still, 0.2).weights, 0.3, atol=1e-6)
    assert smoothed(still, 0) is still


def test_mirroring_twice_is_nothing_and_once_is_the_mirrors() -> None:
    take = random_take()
    assert same(mirrored(mirrored(take)), take)
    for frame in (0, 7):
        ours, want = mirrored(take).motion(frame), mirrored_motion(take.motion(frame))
        assert np.array_equal(ours.expression.weights, want.expression.weights)
        assert np.array_equal(ours.pose.rotation_wxyz, want.pose.rotation_wxyz)
        assert np.array_equal(ours.gaze.angles_rad, want.gaze.angles_rad)
    wink = take_from_motions([Motion(0.0, 0, expression=Expression.of(eyeBlinkLeft=1))], 30.0)
    assert mirrored(wink).motion(0).expression["eyeBlinkRight"] == 1


def test_errors_are_named_by_channel() -> None:
    take = replace(turning(), weights=turning().weights / 2)
    changed = take.weights.copy()
    changed[:, INDEX["jawOpen"]] += 0.125
    changed[:, INDEX["cheekPuff"]] += 0.25
    turned = replace(take, weights=changed, translations_cm=take.translations_cm + [0, 3, 4], times_s=take.times_s + 9)
    found = compared(turned, take)
    assert list(found.by_channel().items())[:2] == [("cheekPuff", 0.25), ("jawOpen", pytest.approx(0.125))]
    assert found.head_cm.max() == pytest.approx(5)
    assert found.head_deg.max() < 1e-6
    assert found.frames == len(take)
    assert compared(take, take).mean_error.max() == 0


def test_what_cannot_be_done_is_said() -> None:
    take = random_take()
    empty = take_from_motions([], 30.0)
    unseen = replace(take, confidence=np.zeros(20, np.float32))
    for wrong in (
        lambda: resampled(take, 0),
        lambda: smoothed(take, -1),
        lambda: smoothed(take, float("nan")),
        lambda: joined([]),
        lambda: joined([take, empty]),
        lambda: compared(take, empty),
        lambda: compared(take, unseen),
        lambda: at_times(empty, np.zeros(1)),
    ):
        with pytest.raises(TakeError):
            wrong()
