from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from animator.channels import ARKIT
from animator.errors import TakeError
from animator.maths.rotations import matrix_from_wxyz, wxyz_from_axis_angle
from animator.takes.live_link_csv import load_csv, save_csv
from animator.takes.take import Take


def smooth_take(frames: int = 40, fps: float = 30.0) -> Take:
    rng = np.random.default_rng(3)
    return Take(
        np.arange(frames) / fps,
        rng.random((frames, 52)).astype(np.float32),
        np.stack([wxyz_from_axis_angle(rng.normal(size=3), rng.uniform(0, 1)) for _ in range(frames)]),
        np.tile([0.0, 0.0, -50.0], (frames, 1)),
        rng.uniform(-0.6, 0.6, (frames, 2, 2)),
        np.ones(frames, np.float32),
        fps=fps,
    )


@pytest.mark.parametrize("frames", [3, 12, 17, 19, 35, 37, 60])
@pytest.mark.parametrize("fps", [30.0, 60.0])
def test_short_takes_keep_their_pace(tmp_path: Path, frames: int, fps: float) -> None:
    save_csv(tmp_path / "a.csv", smooth_take(frames, fps))
    np.testing.assert_allclose(load_csv(tmp_path / "a.csv").times_s, np.arange(frames) / fps, atol=4e-5)


@pytest.mark.parametrize("fps", [24.0, 25.0, 30.0, 60.0])
def test_a_round_trip_keeps_what_the_format_holds(tmp_path: Path, fps: float) -> None:
    take = smooth_take(fps=fps)
    save_csv(tmp_path / "a.csv", take)
    again = load_csv(tmp_path / "a.csv")
    np.testing.assert_allclose(again.weights, take.weights, atol=1e-6)
    np.testing.assert_allclose(again.times_s, take.times_s, atol=2e-5)
    np.testing.assert_allclose(matrix_from_wxyz(again.rotations_wxyz), matrix_from_wxyz(take.rotations_wxyz), atol=1e-8)
    np.testing.assert_allclose(again.gaze_rad, take.gaze_rad, atol=1e-8)
    assert again.fps == pytest.approx(fps, rel=1e-3)


def test_the_header_is_the_apps(tmp_path: Path) -> None:
    save_csv(tmp_path / "a.csv", smooth_take(40))
    lines = (tmp_path / "a.csv").read_bytes().decode().split("\n")
    header = lines[0].split(",")
    assert header[:4] == ["Timecode", "BlendShapeCount", "EyeBlinkLeft", "EyeLookDownLeft"]
    assert header.index("JawRight") + 1 == header.index("JawLeft")
    assert header.index("MouthRight") + 1 == header.index("MouthLeft")
    assert header[-3:] == ["RightEyeYaw", "RightEyePitch", "RightEyeRoll"]
    assert len(header) == 63
    assert lines[1].split(",")[:2] == ["00:00:00:00.000", "61"]
    assert lines[2].split(",")[0] == "00:00:00:02.000"
    assert lines[-1] == ""


def test_signs_are_the_apps(tmp_path: Path) -> None:
    take = smooth_take(1)
    left = Take(
        take.times_s, take.weights, wxyz_from_axis_angle([0, 1, 0], 0.3)[None], take.translations_cm,
        np.array([[[0.2, 0.1], [0.2, 0.1]]]), take.confidence, 30.0,
    )  # fmt: skip
    save_csv(tmp_path / "a.csv", left)
    names, values = (line.split(",") for line in (tmp_path / "a.csv").read_text().splitlines())
    row = dict(zip(names, values, strict=True))
    assert float(row["HeadYaw"]) == pytest.approx(-0.3)  # + is the subject's right
    assert float(row["LeftEyeYaw"]) < 0
    assert float(row["LeftEyePitch"]) < 0  # + is down


def test_columns_are_read_by_name(tmp_path: Path) -> None:
    save_csv(tmp_path / "a.csv", smooth_take())
    rows = [line.split(",") for line in (tmp_path / "a.csv").read_text().splitlines()]
    order = np.random.default_rng(4).permutation(63)
    (tmp_path / "b.csv").write_text("\n".join(",".join(row[i] for i in order) for row in rows))
    assert np.array_equal(load_csv(tmp_path / "a.csv").weights, load_csv(tmp_path / "b.csv").weights)


def test_a_real_recording_is_read(shared) -> None:
    take = load_csv(shared("recordings/alex_rom_3.csv"))
    assert len(take) > 1000
    assert take.weights[:, ARKIT.index("jawOpen")].max() > 0.5
    assert take.weights[:, ARKIT.index("eyeBlinkLeft")].max() > 0.5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.replace("JawOpen", "JawOpne"), "no column jawOpen"),
        (lambda t: t.split("\n")[0] + "\n", "without a single frame"),
        (lambda t: t.rstrip("\n") + ",7\n", "line 4: expected 63 columns, got 64"),
        (lambda t: t.replace("00:00:00:01.000", "two"), "line 3: Timecode: expected HH:MM:SS:FF.mmm, got 'two'"),
        (lambda t: t.replace("00:00:00:02.000", "00:00:00:00.500"), "line 4: Timecode does not rise"),
        (
            lambda t: re.sub(r",61,[^,]*,", ",61,sixty,", t, count=1),
            "line 2: eyeblinkleft: expected a number, got 'six",
        ),
        (lambda t: re.sub(r",61,[^,]*,", ",61,nan,", t, count=1), "line 2: eyeblinkleft: expected a number, got 'nan'"),
        (lambda t: re.sub(r",61,[^,]*,", ",61,,", t, count=1), "line 2: eyeblinkleft: expected a number, got ''"),
        (lambda t: "", "no column"),
    ],
)
def test_bad_files_are_named_by_line(tmp_path: Path, change, said: str) -> None:
    save_csv(tmp_path / "a.csv", smooth_take(3))
    (tmp_path / "b.csv").write_text(change((tmp_path / "a.csv").read_text()))
    with pytest.raises(TakeError, match=said):
        load_csv(tmp_path / "b.csv")


def test_binary_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(bytes(range(256)) * 4)
    with pytest.raises(TakeError):
        load_csv(tmp_path / "a.csv")


def test_midnight_is_no_step_back(tmp_path: Path) -> None:
    save_csv(tmp_path / "a.csv", smooth_take(40))
    text = (tmp_path / "a.csv").read_text().replace("\n00:00:00:", "\n23:59:59:").replace("\n00:00:01:", "\n00:00:00:")
    (tmp_path / "b.csv").write_text(text)
    np.testing.assert_allclose(load_csv(tmp_path / "b.csv").times_s, np.arange(40) / 30, atol=2e-5)


def test_sides_that_an_app_has_exchanged_can_be_exchanged_back(tmp_path: Path) -> None:
    take = smooth_take(3)
    save_csv(tmp_path / "a.csv", take)
    save_csv(tmp_path / "b.csv", take, swap_sides=True)
    swapped = load_csv(tmp_path / "a.csv", swap_sides=True)
    for left, right in (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight"), ("eyeBlinkLeft", "eyeBlinkLeft")):
        np.testing.assert_allclose(
            swapped.weights[:, ARKIT.index(left)], take.weights[:, ARKIT.index(right)], atol=1e-6
        )
    assert np.array_equal(load_csv(tmp_path / "b.csv").weights, swapped.weights)
    np.testing.assert_allclose(load_csv(tmp_path / "b.csv", swap_sides=True).weights, take.weights, atol=1e-6)


def test_every_frame_of_a_real_recording_comes_back(shared, tmp_path: Path) -> None:
    take = load_csv(shared("recordings/alex_rom_3.csv"))
    save_csv(tmp_path / "a.csv", take)
    again = load_csv(tmp_path / "a.csv")
    np.testing.assert_allclose(again.weights, take.weights, rtol=0, atol=1e-6)
    np.testing.assert_allclose(again.rotations_wxyz, take.rotations_wxyz, rtol=0, atol=1e-6)
    np.testing.assert_allclose(again.gaze_rad, take.gaze_rad, rtol=0, atol=1e-6)
    np.testing.assert_allclose(again.times_s, take.times_s, rtol=0, atol=2e-5)
