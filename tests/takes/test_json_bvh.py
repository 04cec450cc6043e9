"""Takes as JSON in two layouts and as BVH."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from animator.channels import ARKIT, INDEX
from animator.errors import TakeError
from animator.maths.rotations import matrix_from_wxyz, wxyz_from_axis_angle
from animator.takes import take_from_arrays
from animator.takes.bvh import save_bvh
from animator.takes.json_layouts import LAYOUTS, load_json, save_json

from .test_live_link_csv import smooth_take


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_round_trip_keeps_what_the_layout_holds(tmp_path: Path, layout: str) -> None:
    take = smooth_take()
    save_json(tmp_path / "a.json", take, layout)
    again = load_json(tmp_path / "a.json")
    kept = take.weights.copy()
    if layout == "beat":
        kept[:, INDEX["tongueOut"]] = 0
    else:
        np.testing.assert_allclose(again.translations_cm, take.translations_cm)
    assert np.array_equal(again.weights, kept)
    np.testing.assert_allclose(again.times_s, take.times_s, atol=1e-8)
    np.testing.assert_allclose(again.rotations_wxyz, take.rotations_wxyz, atol=1e-12)
    assert again.fps == pytest.approx(take.fps)


def test_audio2faces_layout(tmp_path: Path) -> None:
    save_json(tmp_path / "a.json", smooth_take(7))
    said = json.loads((tmp_path / "a.json").read_text())
    assert (said["exportFps"], said["numPoses"], said["numFrames"]) == (30.0, 52, 7)
    assert said["facsNames"] == list(ARKIT)
    assert np.array(said["weightMat"]).shape == (7, 52)
    assert np.array(said["rotations"]).shape == (7, 1, 4)


def test_beats_layout(tmp_path: Path) -> None:
    save_json(tmp_path / "a.json", smooth_take(7), "beat")
    said = json.loads((tmp_path / "a.json").read_text())
    assert said["names"] == sorted(set(ARKIT) - {"tongueOut"})
    assert [frame["time"] for frame in said["frames"]][:2] == [0, pytest.approx(1 / 30)]
    assert {len(frame["weights"]) for frame in said["frames"]} == {51}


def test_uneven_times_are_evened_where_there_are_none(tmp_path: Path) -> None:
    weights = np.zeros((4, 52))
    weights[:, 3] = [0, 0.1, 0.3, 0.4]
    take = take_from_arrays({"times_s": np.array([0, 0.1, 0.3, 0.4]), "weights": weights}, 10.0)
    save_json(tmp_path / "a.json", take)
    np.testing.assert_allclose(load_json(tmp_path / "a.json").weights[:, 3], [0, 0.1, 0.2, 0.3, 0.4], atol=1e-6)


def test_others_files_are_read_by_name(tmp_path: Path) -> None:
    """As exporters write them: other orders, no joints, empty rotations."""
    beat = {"names": ["jawOpen", "EyeBlinkLeft"], "frames": [{"weights": [0.5, 1], "time": 0.0, "rotation": []}]}
    a2f = {"exportFps": 30, "numFrames": 1, "facsNames": ["jawOpen", "eyeBlinkLeft"], "weightMat": [[0.5, 1]]}
    for said in (beat, a2f):
        (tmp_path / "a.json").write_text(json.dumps(said))
        take = load_json(tmp_path / "a.json")
        assert take.weights[0, INDEX["jawOpen"]] == 0.5
        assert take.weights[0, INDEX["eyeBlinkLeft"]] == 1
        assert take.weights.sum() == 1.5


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", "[" * 100_000, '{"weightMat": []}', '{"weightMat": 3}', '{"weightMat": [[1, 2], [1]]}',
        '{"weightMat": [[NaN]], "facsNames": ["jawOpen"]}', '{"weightMat": [[1]], "facsNames": ["x"]}',
        '{"weightMat": [[1]], "facsNames": ["jawOpen"], "numFrames": 2}',
        '{"weightMat": [["a"]], "facsNames": ["jawOpen"]}',
        '{"weightMat": [[1]], "facsNames": ["jawOpen"], "exportFps": 0}',
        '{"names": ["jawOpen"], "frames": []}', '{"names": ["jawOpen"], "frames": [3]}',
        '{"names": ["jawOpen"], "frames": [{"weights": [1], "time": 1}, {"weights": [1], "time": 0}]}',
        '{"names": ["jawOpen"], "frames": [{"weights": [1], "time": Infinity}]}',
        '{"names": ["jawOpen"], "frames": [{"weights": [1], "time": 0, "rotation": [0, 0, 0, 0]}]}',
    ],
)  # fmt: skip
def test_bad_files_are_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(TakeError) as said:
        load_json(tmp_path / "a.json")
    assert "\n" not in str(said.value)


def rotation_of(channels: list[str], angles_deg: list[float]) -> np.ndarray:
    """As the format says: a product in the order of the channels."""
    matrix = np.eye(3)
    for name, angle in zip(channels, angles_deg, strict=True):
        axis = np.eye(3)["XYZ".index(name[0])]
        matrix = matrix @ matrix_from_wxyz(wxyz_from_axis_angle(axis, np.radians(angle)))
    return matrix


def test_a_bvh_turns_the_head_and_the_eyes(tmp_path: Path) -> None:
    take = replace(smooth_take(), translations_cm=np.random.default_rng(0).normal(size=(40, 3)))
    save_bvh(tmp_path / "a.bvh", take)
    hierarchy, motion = (tmp_path / "a.bvh").read_text().split("MOTION\n")
    frames, step, *rows = motion.splitlines()
    assert frames == "Frames: 40"
    assert float(step.removeprefix("Frame Time: ")) == pytest.approx(1 / 30, abs=1e-8)
    channels = [line.split()[2:] for line in hierarchy.splitlines() if "CHANNELS" in line]
    assert hierarchy.count("{") == hierarchy.count("}") == 6
    assert [len(names) for names in channels] == [3, 3, 3, 3]
    for row, want, place in zip(rows, take.rotations_wxyz, take.translations_cm, strict=True):
        numbers = [float(part) for part in row.split()]
        np.testing.assert_allclose(numbers[:3], place - take.translations_cm[0], atol=1e-5)
        np.testing.assert_allclose(rotation_of(channels[1], numbers[3:6]), matrix_from_wxyz(want), atol=1e-6)
    looking = take_from_arrays(
        {"times_s": np.zeros(1), "weights": np.zeros((1, 52)), "gaze_rad": np.array([[[0.3, 0], [0, 0.2]]])}, 30.0
    )
    save_bvh(tmp_path / "b.bvh", looking)
    numbers = [float(part) for part in (tmp_path / "b.bvh").read_text().splitlines()[-1].split()]
    left, right = rotation_of(channels[2], numbers[6:9]), rotation_of(channels[3], numbers[9:12])
    assert (left @ [0, 0, 1])[0] > 0.2  # the left eye looks to its left, +x
    assert (right @ [0, 0, 1])[1] > 0.1  # the right one up
