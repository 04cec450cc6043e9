"""animator convert and plot, record --landmarks and --recover, from the command line."""

from __future__ import annotations

import builtins
from pathlib import Path

import numpy as np
import pytest

from animator.channels import INDEX
from animator.data import Expression, Motion
from animator.takes import compared, mirrored, take_from_motions
from animator.takes.json_layouts import load_json
from animator.takes.live_link_csv import load_csv
from animator.takes.npz import load_takes, save_takes

from .helpers import SMALL, frames_of

ASSET = Path(__file__).resolve().parents[2] / "assets" / "performance.npz"


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Two performers: one winks the left eye, the other the right."""

    def winking(eye: str) -> list[Motion]:
        return [Motion(i / 30, 0, expression=Expression.of(**{eye: float(i % 2)})) for i in range(30)]

    takes = [take_from_motions(winking(eye), 30.0) for eye in ("eyeBlinkLeft", "eyeBlinkRight")]
    save_takes(tmp_path / "two.npz", takes)
    return tmp_path / "two.npz"


@pytest.mark.parametrize("way", [("csv",), ("json",), ("csv", "json"), ("json", "npz", "csv")])
def test_a_take_keeps_its_numbers_on_every_way_round(animator, way: tuple[str, ...]) -> None:
    source = ASSET
    for number, suffix in enumerate(way):
        assert animator("convert", source, f"{number}.{suffix}").code == 0
        source = Path(f"{number}.{suffix}")
    assert animator("convert", source, "end.npz").code == 0
    found = compared(load_takes(Path("end.npz"))[0], load_takes(ASSET)[0])
    assert found.largest_error.max() <= 1e-6
    assert found.head_deg.max() <= 1e-6


def test_npz_to_npz_is_exact(animator, shared) -> None:
    assert animator("convert", shared("recordings/alex_rom_3.csv"), "a.npz").code == 0
    assert animator("convert", "a.npz", "b.npz").code == 0
    (one,), (two,) = load_takes(Path("a.npz")), load_takes(Path("b.npz"))
    assert all(np.array_equal(getattr(one, name), getattr(two, name)) for name in ("times_s", "weights", "gaze_rad"))


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_a_left_wink_stays_left(animator, two: Path, suffix: str) -> None:
    load = {"csv": load_csv, "json": load_json}[suffix]
    assert animator("convert", two, f"a.{suffix}").out.count("wrote") == 2
    for path, eye, other in (("a", "Left", "Right"), ("a_2", "Right", "Left")):
        found = load(Path(f"{path}.{suffix}"))
        assert found.weights[1, INDEX[f"eyeBlink{eye}"]] == 1
        assert not found.weights[:, INDEX[f"eyeBlink{other}"]].any()
    assert animator("convert", two, f"b.{suffix}", "--performer", 2).code == 0
    right = load(Path(f"b.{suffix}"))
    assert mirrored(right).weights[1, INDEX["eyeBlinkLeft"]] == 1
    assert not Path(f"b_2.{suffix}").exists()


def test_a_part_at_another_rate(animator) -> None:
    said = animator("convert", ASSET, "a.csv", "--start", 2, "--end", 4, "--fps", 60, "--smooth", 0.02)
    assert said.out == "wrote a.csv (119 frames, 1.98 s)\n"
    assert load_csv(Path("a.csv")).fps == pytest.approx(60, rel=1e-3)


@pytest.mark.parametrize("suffix", ["glb", "vrma", "bvh"])
def test_formats_of_3d_programs_are_written(animator, suffix: str) -> None:
    assert animator("convert", ASSET, f"new/a.{suffix}", "--end", 1).out.startswith(f"wrote new/a.{suffix} (30 frames")
    assert Path(f"new/a.{suffix}").stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("missing.npz", "a.csv"), "there is no missing.npz"),
        ((ASSET, "a.fbx"), "cannot write a.fbx: wanted a name that ends in .npz, .csv"),
        ((ASSET.with_name("performance.mp4"), "a.csv"), "wanted a take, .npz, .csv, .json"),
        ((ASSET, "a.csv", "--performer", 2), "performer: "),
        ((ASSET, "a.csv", "--performer", 0), "performer: "),
        ((ASSET, "a.csv", "--start", 20), "no frame is left between 20 s and 10 s"),
        ((ASSET, "a.csv", "--start", 3, "--end", 2), "no frame is left between 3 s and 2 s"),
        ((ASSET, "a.csv", "--fps", 0), "fps: wanted 1 to 1000, got 0"),
        ((ASSET, "a.csv", "--smooth", -1), "smooth: wanted 0 to 10 seconds, got -1"),
        ((ASSET, "a.json", "--layout", "maya"), "layout: wanted audio2face or beat, got 'maya'"),
        ((ASSET, "a.glb", "--rig", "nobody"), "unknown avatar 'nobody'"),
        ((ASSET, ASSET), "it is the source itself"),
    ],
)
def test_what_cannot_be_converted_is_one_line(animator, arguments: tuple[object, ...], said: str) -> None:
    found = animator("convert", *arguments)
    assert found.code == 2
    assert said in found.one_line
    assert list(Path().iterdir()) == []


def test_landmarks_are_not_motion(animator, landmarks_path: Path) -> None:
    assert "solve it first (animator record in.landmarks.npz" in animator("convert", landmarks_path, "a.csv").one_line


def test_curves_are_drawn(animator, two: Path) -> None:
    pytest.importorskip("matplotlib")
    from animator.sources.images import ImageSource

    assert animator("plot", two, "-o", "a.png", "--against", ASSET, "--end", 1).out == "wrote a.png\n"
    (frame,) = ImageSource(Path("a.png"))
    assert frame.rgb.shape[1] == 1430
    assert frame.rgb.std() > 10
    assert animator("plot", ASSET, "-o", "a.svg", "--start", 2).code == 0
    drawn = Path("a.svg").read_text()
    assert "eyeBlinkLeft" in drawn
    assert "yaw, + left" in drawn


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((ASSET, "-o", "a.txt"), "wanted a name that ends in .png, .svg, .pdf"),
        ((ASSET, "-o", "a.png", "--end", 0.02), "wanted at least two frames"),
        ((ASSET, "-o", "a.png", "--performer", 3), "performer: "),
    ],
)
def test_what_cannot_be_drawn_is_one_line(animator, arguments: tuple[object, ...], said: str) -> None:
    found = animator("plot", *arguments)
    assert found.code == 2
    assert said in found.one_line


def test_without_matplotlib_the_remedy_is_said(animator, monkeypatch) -> None:
    real = builtins.__import__

    def without(name: str, *more: object) -> object:
        if name == "matplotlib":
            raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", without)
    assert "pip install 'animator[plot]'" in animator("plot", ASSET, "-o", "a.png").one_line


def test_a_take_with_landmarks_is_solved_again_to_the_same_numbers(animator, face_clip: Path) -> None:
    assert animator("record", face_clip, "-o", "a.npz", "--landmarks").code == 0
    (first,) = load_takes(Path("a.npz"))
    assert first.landmarks_norm.shape == (10, 478, 3)
    assert first.tracked.all()
    assert first.source == "face.mp4"
    assert first.profile_cm is not None
    assert {"track", "solve"} <= set(first.stage_names)
    assert first.stages_ms[:, first.stage_names.index("track")].min() > 0
    assert animator("record", "a.npz", "-o", "b.npz", "--landmarks").code == 0
    (again,) = load_takes(Path("b.npz"))
    for name in ("weights", "rotations_wxyz", "translations_cm", "gaze_rad", "confidence", "landmarks_norm"):
        assert np.array_equal(getattr(again, name), getattr(first, name)), name
    assert animator("convert", "a.npz", "part.npz", "--start", 0.1).code == 0
    (part,) = load_takes(Path("part.npz"))
    assert np.array_equal(part.landmarks_norm, first.landmarks_norm[3:])
    assert animator("record", "a.npz", "-o", "c.npz", "--smoothing", 0).code == 0
    assert not np.array_equal(load_takes(Path("c.npz"))[0].weights, first.weights)
    assert animator("play", "a.npz", "--out", "a.mp4", *SMALL).code == 0  # played, it is motion
    assert frames_of(Path("a.mp4")) == 10


def test_landmarks_need_a_place_and_a_face(animator, face_clip: Path, take_path: Path) -> None:
    assert "only .npz holds landmarks" in animator("record", face_clip, "-o", "a.csv", "--landmarks").one_line
    assert "has motion but no pictures" in animator("record", take_path, "-o", "a.npz", "--landmarks").one_line
    assert list(Path().iterdir()) == []


def test_record_wants_a_name_and_recover_none(animator, face_clip: Path) -> None:
    assert "wanted the take's name: -o take.npz" in animator("record", face_clip).one_line
    said = animator("record", "--recover")
    assert (said.code, said.out) == (0, "nothing to recover: no recording was cut short here\n")


def test_a_json_is_played_like_any_take(animator) -> None:
    assert animator("convert", ASSET, "a.json", "--end", 0.2).code == 0
    assert animator("play", "a.json", "--out", "a.mp4", *SMALL).code == 0
    assert frames_of(Path("a.mp4")) == 6
