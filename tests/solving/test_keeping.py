from __future__ import annotations

import pytest

from animator.solving import profile as profiles
from animator.solving.keeping import ENOUGH_S, SOON_S, ProfileKeeper
from animator.solving.profile import known_profiles, load_profile, profile_path
from animator.solving.solver import LinearSolver, SolverConfig

from .conftest import FPS
from .test_edges import face_of_person
from .test_identity import miss_cm, person
from .test_solver import showing


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(profiles, "profile_folder", lambda: tmp_path / "profiles")


class Run:
    """A run of the program with `--profile Ada`, as far as this concerns it."""

    def __init__(self, model, **config):
        self.model, self.said, self.time_s = model, [], 0.0
        self.solver = LinearSolver(SolverConfig(smoothing=0, **config))
        self.keeper = ProfileKeeper("Ada", self.solver, self.said.append)

    def see(self, who, seconds, weights=None, track_id=0, step_s=1 / FPS):
        """Show a made-up person to the camera."""
        for _ in range(round(seconds / step_s)):
            face = face_of_person(self.model, who, weights, time_s=self.time_s, track_id=track_id)
            self.motions = self.solver.solve((face,), self.time_s)
            self.keeper.look(self.motions)
            self.time_s += step_s
        return self

    def close(self):
        self.keeper.close()
        return self


def kept(model, who=1):
    Run(model, calibrate=0.5).see(who, ENOUGH_S + 1).close()
    return load_profile(profile_path("Ada"))


def test_a_calibration_is_kept_as_soon_as_it_is_over(model):
    run = Run(model, calibrate=0.5).see(1, 0.4)
    assert known_profiles() == []
    run.see(1, 0.3)
    assert known_profiles() == ["Ada"]
    assert miss_cm(load_profile(profile_path("Ada")).neutral_cm, person(model, 1)) < 0.05


def test_what_was_kept_is_used_from_the_first_frame(model):
    neutral_cm = kept(model).neutral_cm
    run = Run(model).see(1, 0.1)
    assert (run.solver.profile(0).neutral_cm == neutral_cm).all()
    assert run.motions[0].expression.weights.max() < 0.05
    assert run.said == []


def test_found_while_running_is_kept_at_the_end_and_midway(model):
    Run(model).see(1, ENOUGH_S - 0.5).close()
    assert known_profiles() == []
    Run(model).see(1, ENOUGH_S + 0.5, step_s=0.1).close()
    assert known_profiles() == ["Ada"]
    profiles.delete_profile("Ada")
    Run(model).see(1, SOON_S + 0.5, step_s=0.1)
    assert known_profiles() == ["Ada"]


def test_without_calibration_nothing_is_kept(model):
    Run(model, calibrate="none").see(1, ENOUGH_S + 1, step_s=0.1).close()
    assert known_profiles() == []


def test_calibrating_anew_replaces_it(model):
    kept(model)
    run = Run(model).see(2, 0.2)
    run.solver.calibrate(seconds=0.5)
    run.see(2, 1.0)
    assert miss_cm(load_profile(profile_path("Ada")).neutral_cm, person(model, 2)) < 0.05


def test_another_face_is_warned_of_once_and_spoils_nothing(model):
    before = kept(model)
    run = Run(model).see(2, 3.0)
    for _ in range(3):  # comes and goes
        run.time_s += 1.0
        run.see(2, 2.5)
    run.close()
    (line,) = run.said
    assert "does not fit the profile Ada" in line
    assert "\n" not in line
    after = load_profile(profile_path("Ada"))
    assert (after.neutral_cm == before.neutral_cm).all()


def test_the_right_face_is_not_warned_of_whatever_it_does(model):
    kept(model)
    run = Run(model).see(1, 3.0, showing(mouthSmileLeft=0.8, mouthSmileRight=0.8, jawOpen=0.4))
    assert run.said == []


def test_ranges_are_kept_with_it(model):
    kept(model)
    run = Run(model)
    shut, half = (showing(eyeBlinkLeft=w, eyeBlinkRight=w) for w in (0.75, 0.3))
    for _ in range(8):
        run.see(1, 0.3).see(1, 0.1, half).see(1, 0.1, shut).see(1, 0.1, half)
    run.close()
    reach = load_profile(profile_path("Ada")).ranges["eyeBlink"]
    assert 0.4 < reach <= 1
    assert Run(model).see(1, 0.1).solver.profile(0).ranges == {"eyeBlink": reach}


def test_it_is_the_first_performers_alone(model):
    kept(model)
    run = Run(model).see(2, 3.0, track_id=1).close()
    assert run.said == []
    assert miss_cm(run.solver.profile(1).neutral_cm, person(model, 2)) < 0.1


@pytest.mark.parametrize("content", ["not json", '{"format":"animator profile","format_version":9}'])
def test_a_file_that_cannot_be_read_is_told_of_and_left_alone(model, content):
    path = profile_path("Ada")
    path.parent.mkdir()
    path.write_text(content)
    run = Run(model, calibrate=0.5).see(1, ENOUGH_S + 1)
    run.solver.calibrate(seconds=0.5)
    run.see(1, 1.0).close()
    (line,) = run.said
    assert "the defaults are used, the file is left alone" in line
    assert "\n" not in line
    assert path.read_text() == content
    assert run.motions[0].confidence > 0


def test_a_folder_that_cannot_be_written_is_told_of_once(model, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(profiles, "profile_folder", lambda: tmp_path / "file")
    run = Run(model, calibrate=0.5).see(1, 1.0)
    run.solver.calibrate(seconds=0.5)
    run.see(1, 1.0).close()
    assert len(run.said) == 1
    assert "cannot write the profile" in run.said[0]
