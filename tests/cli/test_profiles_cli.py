"""Whose face it is, and what the solver sees, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from animator.channels import ARKIT
from animator.solving.profile import known_profiles, load_profile, profile_path
from animator.takes.npz import LandmarkTake, load_takes, save_landmark_take
from animator.topology import LEFT_EYE, RIGHT_EYE, canonical_face


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: tmp_path / "data" / name)


@pytest.fixture
def five_seconds(tmp_path: Path) -> Path:
    """Somebody at rest, as a landmark take at 10 pictures a second."""
    positions_cm = canonical_face().positions_cm
    irises_cm = [positions_cm[list(eye)].mean(0) for eye in (RIGHT_EYE, LEFT_EYE) for _ in range(5)]
    landmarks = (np.vstack([positions_cm, irises_cm]) * [0.02, -0.03, -0.02] + [0.5, 0.5, 0.0]).astype(np.float32)
    path = tmp_path / "five.landmarks.npz"
    save_landmark_take(
        path,
        LandmarkTake(np.repeat(landmarks[None], 50, 0), (120, 80), np.arange(50) / 10, np.ones(50, bool)),
    )
    return path


def test_made_on_first_use_and_loaded_afterwards(animator, five_seconds):
    record = "record", five_seconds, "--profile", "ada"
    first = animator(*record, "--calibrate", "1", "-o", "first.npz")
    assert first.code == 0
    assert f"profile ada: saved as {profile_path('ada')}" in first.err
    kept = load_profile(profile_path("ada")).neutral_cm
    second = animator(*record, "--calibrate", "none", "-o", "second.npz")
    assert second.err == ""
    np.testing.assert_array_equal(load_profile(profile_path("ada")).neutral_cm, kept)
    (calibrated,), (profiled,) = load_takes("first.npz"), load_takes("second.npz")
    np.testing.assert_allclose(profiled.weights[0], calibrated.weights[-1], atol=0.01)  # from the first frame on


def test_auto_keeps_it_at_the_end(animator, five_seconds):
    assert animator("record", five_seconds, "--profile", "ada", "-o", "a.npz").code == 0
    assert known_profiles() == ["ada"]


def test_from_the_settings_file(animator, five_seconds):
    Path("s.toml").write_text('[solving]\nprofile = "grace"\n[tuning]\noffset = { jawOpen = 0.5 }\n')
    assert animator("record", five_seconds, "--config", "s.toml", "-o", "a.npz").code == 0
    assert known_profiles() == ["grace"]
    (take,) = load_takes("a.npz")  # takes hold what is tuned
    assert take.weights[:, ARKIT.index("jawOpen")].min() >= 0.5


@pytest.mark.parametrize("content", [b"{", b'{"format":"animator profile","format_version":9}'])
def test_a_damaged_or_newer_one_is_one_line_and_the_take_is_made(animator, five_seconds, content):
    profile_path("ada").parent.mkdir(parents=True)
    profile_path("ada").write_bytes(content)
    said = animator("record", five_seconds, "--profile", "ada", "--calibrate", "1", "-o", "a.npz")
    assert said.code == 0
    assert "the defaults are used, the file is left alone" in said.one_line
    assert profile_path("ada").read_bytes() == content
    assert Path("a.npz").exists()


def test_list_show_delete(animator, five_seconds):
    assert "no profiles in" in animator("profiles", "list").out
    animator("record", five_seconds, "--profile", "ada", "-o", "a.npz")
    assert animator("profiles", "list").out == "ada\n"
    shown = animator("profiles", "show", "ada")
    assert str(profile_path("ada")) in shown.out
    assert "478 points" in shown.out
    assert animator("profiles", "delete", "ada").code == 0
    assert known_profiles() == []


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("run CLIP --profile ../ada", r"profile: wanted a name of 1 to 64 letters, digits, - and _, got '../ada'"),
        ("record CLIP -o a.npz --profile", "requires an argument"),
        ("profiles show ada", "profile: there is no 'ada'; there are: none"),
        ("profiles delete ada", "profile: there is no 'ada'; there are: none"),
        ("profiles delete ../../ada", "profile: wanted a name"),
    ],
)
def test_mistakes_are_one_line(animator, five_seconds, typed, answer):
    said = animator(*(str(five_seconds) if word == "CLIP" else word for word in typed.split()))
    assert said.code == 2
    assert answer in said.one_line


def test_doctor_tells_what_the_solver_sees(animator):
    said = animator("doctor", "--solver")
    assert said.code == 0
    lines = {line.split()[0]: line for line in said.out.splitlines() if line.split()}
    assert all(name in lines for name in ARKIT)
    assert "unseen" in lines["tongueOut"]
    assert "good" in lines["jawOpen"]
    told = json.loads(animator("doctor", "--solver", "--json").out)
    assert [channel["name"] for channel in told["channels"]] == list(ARKIT)
    assert {channel["verdict"] for channel in told["channels"]} <= {"good", "fair", "weak", "unseen"}
