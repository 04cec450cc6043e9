"""The bundled performance: the clip plays, and the truth beside it keeps the take's contract."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from animator.channels import ARKIT, INDEX
from animator.maths.rotations import matrix_from_wxyz, yaw_pitch_roll_from_matrix
from animator.resources import asset_path

FRAMES, FPS, NEUTRAL_FRAMES = 300, 30, 20


@pytest.fixture(scope="module")
def truth() -> dict[str, np.ndarray]:
    """The truth take's arrays."""
    with np.load(asset_path("performance.npz"), allow_pickle=False) as stored:
        return dict(stored)


def test_clip_decodes_to_300_pictures_at_30_fps():
    with av.open(str(asset_path("performance.mp4"))) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert stream.average_rate == Fraction(FPS)
        times_s = []
        for frame in container.decode(stream):
            assert (frame.width, frame.height) == (640, 480)
            times_s.append(frame.time)
    np.testing.assert_allclose(times_s, np.arange(FRAMES) / FPS, atol=1e-3)


def test_clip_is_small_enough_to_ship():
    assert asset_path("performance.mp4").stat().st_size < 1_500_000


@pytest.mark.parametrize(
    ("key", "shape", "dtype"),
    [
        ("times_s", (FRAMES,), np.float64),
        ("weights", (FRAMES, 52), np.float32),
        ("rotations_wxyz", (FRAMES, 4), np.float64),
        ("translations_cm", (FRAMES, 3), np.float64),
        ("gaze_rad", (FRAMES, 2, 2), np.float64),
        ("confidence", (FRAMES,), np.float64),
    ],
)
def test_truth_has_the_takes_arrays(truth, key, shape, dtype):
    assert truth[key].shape == shape
    assert truth[key].dtype == dtype
    assert np.isfinite(truth[key]).all()


def test_truth_names_its_channels_rate_and_version(truth):
    assert tuple(truth["channel_names"]) == ARKIT
    assert float(truth["fps"]) == FPS
    assert int(truth["format_version"]) == 1
    np.testing.assert_allclose(truth["times_s"], np.arange(FRAMES) / FPS)
    assert (truth["confidence"] == 1).all()


def test_weights_lie_between_0_and_1_and_the_main_channels_act(truth):
    weights = truth["weights"]
    assert weights.min() >= 0
    assert weights.max() <= 1
    for name in ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight", "mouthSmileLeft", "browInnerUp", "mouthPucker"):
        assert weights[:, INDEX[name]].max() > 0.7, name


def test_it_begins_and_ends_neutral_and_frontal(truth):
    for rows in (slice(0, NEUTRAL_FRAMES), slice(-3, None)):
        assert np.abs(truth["weights"][rows]).max() == 0
        assert np.abs(truth["gaze_rad"][rows]).max() == 0
        np.testing.assert_allclose(
            truth["rotations_wxyz"][rows], [[1, 0, 0, 0]] * len(truth["times_s"][rows])
        )
    np.testing.assert_allclose(truth["translations_cm"][0], truth["translations_cm"][-1])


def test_rotations_are_unit_quaternions_of_moderate_turns(truth):
    np.testing.assert_allclose(np.linalg.norm(truth["rotations_wxyz"], axis=1), 1, atol=1e-12)
    angles = np.rad2deg(yaw_pitch_roll_from_matrix(matrix_from_wxyz(truth["rotations_wxyz"])))
    assert (np.abs(angles).max(0) < [26, 13, 11]).all()
    assert (np.abs(angles).max(0) > [15, 6, 6]).all()


def test_head_stays_in_front_of_the_camera(truth):
    assert (truth["translations_cm"][:, 2] < -30).all()
    assert (np.abs(truth["translations_cm"][:, :2]) < 10).all()


@pytest.mark.parametrize(("eye", "side", "outward"), [(0, "Left", 1), (1, "Right", -1)])
def test_gaze_agrees_with_the_look_channels(truth, eye, side, outward):
    weights, (yaw, pitch) = truth["weights"], truth["gaze_rad"][:, eye].T
    turned_out = weights[:, INDEX[f"eyeLookOut{side}"]] - weights[:, INDEX[f"eyeLookIn{side}"]]
    turned_up = weights[:, INDEX[f"eyeLookUp{side}"]] - weights[:, INDEX[f"eyeLookDown{side}"]]
    np.testing.assert_allclose(turned_out, np.clip(outward * yaw / np.deg2rad(30), -1, 1), atol=1e-6)
    np.testing.assert_allclose(turned_up, np.clip(pitch / np.deg2rad(25), -1, 1), atol=1e-6)


def test_each_eye_also_winks_alone(truth):
    left, right = (truth["weights"][:, INDEX[f"eyeBlink{side}"]] for side in ("Left", "Right"))
    assert ((left > 0.95) & (right == 0)).sum() >= 8
    assert ((right > 0.95) & (left == 0)).sum() >= 8
