from __future__ import annotations

import numpy as np
import pytest

from animator.channels import INDEX
from animator.errors import SinkError, TakeError
from animator.solving.identity import Calibration, Profile, RunningNeutral, load_profile, save_profile

from .conftest import FPS


def person(model, seed=0):
    """(478, 3) the neutral of somebody from the identity model."""
    alpha = np.random.default_rng(seed).normal(size=len(model.identity_cm))
    return model.neutral_cm + np.tensordot(alpha, model.identity_cm, 1)


def miss_cm(found, truth):
    return np.sqrt(((found - truth) ** 2).sum(1).mean())


def test_running_estimate_starts_at_the_mean(model):
    np.testing.assert_array_equal(RunningNeutral(model).neutral_cm, model.neutral_cm.astype(np.float64))


def test_running_estimate_finds_a_still_person(model):
    truth, running = person(model), RunningNeutral(model)
    for i in range(60):
        running.add(truth, i / FPS)
    assert miss_cm(running.neutral_cm, truth) < 0.35 * miss_cm(model.neutral_cm, truth)


def test_running_estimate_gets_over_a_smile_at_the_start(model):
    truth, running = person(model, 3), RunningNeutral(model)
    smile = np.zeros(52)
    smile[[INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"], INDEX["jawOpen"]]] = 0.8
    smiling = truth + np.tensordot(smile, model.response_cm, 1)
    for i in range(15):
        running.add(smiling, i / FPS)
    after_smile = miss_cm(running.neutral_cm, truth)
    # A naive neutral would be off by the whole smile.
    assert after_smile < 0.8 * miss_cm(smiling, truth)
    for i in range(15, 300):
        running.add(truth, i / FPS)
    assert miss_cm(running.neutral_cm, truth) < 0.6 * after_smile


def test_running_estimate_does_not_depend_on_the_frame_rate(model):
    truth, slow, quick = person(model), RunningNeutral(model), RunningNeutral(model)
    for i in range(60):
        slow.add(truth, i / 30)
    for i in range(120):
        quick.add(truth, i / 60)
    np.testing.assert_allclose(slow.neutral_cm, quick.neutral_cm, atol=0.02)


def test_calibration_shrugs_off_a_blink(model):
    truth, calibration = person(model), Calibration(model, 1.0)
    blink = np.zeros(52)
    blink[[INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]] = 1
    for i in range(30):
        shown = truth + (np.tensordot(blink, model.response_cm, 1) if 10 <= i < 16 else 0)
        assert not calibration.is_over(i / FPS)
        calibration.add(shown, i / FPS)
    assert calibration.is_over(1.0)
    assert miss_cm(calibration.result_cm(), truth) < 0.03


def test_profile_round_trip(tmp_path, model):
    profile = Profile("Ada Ω", person(model).astype(np.float32))
    save_profile(tmp_path / "ada.npz", profile)
    loaded = load_profile(tmp_path / "ada.npz")
    assert loaded.name == "Ada Ω"
    np.testing.assert_array_equal(loaded.neutral_cm, profile.neutral_cm)
    assert [path.name for path in tmp_path.iterdir()] == ["ada.npz"]


@pytest.mark.parametrize(
    "arrays",
    [
        {"name": np.array("x")},
        {"name": np.array("x"), "neutral_cm": np.zeros((468, 3))},
        {"name": np.array("x"), "neutral_cm": np.full((478, 3), np.nan)},
        {"name": np.array(["x"], object), "neutral_cm": np.zeros((478, 3))},
        {"name": np.array("x"), "neutral_cm": np.array("no numbers")},
    ],
)
def test_bad_profile_is_refused_in_one_line(tmp_path, arrays):
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(TakeError, match=r"bad\.npz is no profile") as raised:
        load_profile(tmp_path / "bad.npz")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("content", [None, b"", b"hello", b"PK\x03\x04 half"])
def test_damaged_or_missing_profile_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "bad.npz").write_bytes(content)
    with pytest.raises(TakeError, match="is no profile"):
        load_profile(tmp_path / "bad.npz")


def test_a_bare_array_is_no_profile(tmp_path):
    np.save(tmp_path / "bad.npy", np.zeros((478, 3)))
    with pytest.raises(TakeError, match="is no profile"):
        load_profile(tmp_path / "bad.npy")


def test_profile_that_cannot_be_written(tmp_path, model):
    with pytest.raises(SinkError, match="cannot write the profile"):
        save_profile(tmp_path / "no folder" / "ada.npz", Profile("Ada", model.neutral_cm))
