from __future__ import annotations

import io
import tracemalloc
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animator.channels import ARKIT
from animator.errors import AnimatorError, TakeError
from animator.takes.npz import (
    LandmarkTake,
    kind_of_npz,
    load_landmark_take,
    load_takes,
    save_landmark_take,
    save_takes,
)
from animator.takes.take import Take


def random_take(frames: int = 20, seed: int = 0) -> Take:
    rng = np.random.default_rng(seed)
    rotations = rng.normal(size=(frames, 4)) + [3, 0, 0, 0]
    return Take(
        np.cumsum(rng.uniform(0.01, 0.05, frames)),
        rng.random((frames, 52)).astype(np.float32),
        rotations / np.linalg.norm(rotations, axis=1, keepdims=True),
        rng.normal(size=(frames, 3)),
        rng.normal(size=(frames, 2, 2)) * 0.3,
        rng.random(frames).astype(np.float32),
        fps=30.0,
    )


def same(a: Take, b: Take) -> bool:
    arrays = ("times_s", "weights", "rotations_wxyz", "translations_cm", "gaze_rad", "confidence")
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in arrays) and a.fps == b.fps


def test_a_take_comes_back_to_the_bit(tmp_path: Path) -> None:
    take = random_take()
    save_takes(tmp_path / "one.npz", [take])
    (again,) = load_takes(tmp_path / "one.npz")
    assert same(take, again)
    assert kind_of_npz(tmp_path / "one.npz") == "take"


def test_performers_keep_their_places(tmp_path: Path) -> None:
    takes = [random_take(seed=s) for s in range(3)]
    save_takes(tmp_path / "three.npz", takes)
    assert all(same(a, b) for a, b in zip(takes, load_takes(tmp_path / "three.npz"), strict=True))
    with np.load(tmp_path / "three.npz", allow_pickle=False) as stored:
        assert {"weights", "weights_2", "weights_3", "channel_names", "fps", "format_version"} <= set(stored)


def test_landmarks_come_along(tmp_path: Path) -> None:
    take = replace(random_take(4), landmarks_norm=np.ones((4, 478, 3), np.float32), image_size_px=(640, 480))
    save_takes(tmp_path / "a.npz", [take])
    (again,) = load_takes(tmp_path / "a.npz")
    assert again.image_size_px == (640, 480)
    assert np.array_equal(again.landmarks_norm, take.landmarks_norm)


def test_columns_are_read_by_name(tmp_path: Path) -> None:
    take = random_take()
    save_takes(tmp_path / "a.npz", [take])
    with np.load(tmp_path / "a.npz") as stored:
        arrays = dict(stored)
    shuffled = np.random.default_rng(1).permutation(52)
    arrays["weights"] = arrays["weights"][:, shuffled]
    arrays["channel_names"] = np.array(ARKIT)[shuffled]
    np.savez(tmp_path / "b.npz", **arrays)
    assert same(take, load_takes(tmp_path / "b.npz")[0])


def broken(tmp_path: Path, **changes: object) -> Path:
    save_takes(tmp_path / "a.npz", [random_take()])
    with np.load(tmp_path / "a.npz") as stored:
        arrays = dict(stored)
    for name, value in changes.items():
        if value is None:
            del arrays[name]
        else:
            arrays[name] = value
    np.savez(tmp_path / "b.npz", **arrays)
    return tmp_path / "b.npz"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"weights": None}, "has no `weights`"),
        ({"fps": None}, "has no `fps`"),
        ({"format_version": np.int64(99)}, "format version 99"),
        ({"weights": np.zeros((20, 51))}, r"expected \(N, 52\), got \(20, 51\)"),
        ({"gaze_rad": np.zeros((19, 2, 2))}, r"gaze_rad: expected shape \(20, 2, 2\)"),
        ({"times_s": np.zeros(20)}, "times_s must rise"),
        ({"translations_cm": np.full((20, 3), np.nan)}, "not finite"),
        ({"channel_names": np.array(["x"] * 52)}, "channel_names lacks eyeBlinkLeft"),
        ({"fps": np.float64(0)}, "fps must be above 0"),
    ],
)
def test_broken_contracts_are_named(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    with pytest.raises(TakeError, match=said):
        load_takes(broken(tmp_path, **changes))


def bomb(path: Path, name: str, shape: tuple[int, ...], there: int = 1 << 20) -> Path:
    """A take one of whose arrays claims a shape that is not there."""
    save_takes(path, [random_take()])
    with zipfile.ZipFile(path) as old:
        members = {info.filename: old.read(info) for info in old.infolist()}
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": shape})
    members[f"{name}.npy"] = head.getvalue() + bytes(there)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for member, data in members.items():
            new.writestr(member, data)
    return path


@pytest.mark.parametrize("name", ["times_s", "weights", "landmarks_norm", "channel_names", "fps", "source", "gaze_rad"])
@pytest.mark.parametrize("shape", [(10**12,), (2**62, 4), (1 << 17, 1 << 17), (0,), (20, 0)])
def test_claims_are_not_believed(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    path = bomb(tmp_path / "a.npz", name, shape)
    tracemalloc.start()
    try:
        with pytest.raises(TakeError) as said:
            load_takes(path)
        assert "\n" not in str(said.value)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()


def test_a_zip_of_zeros_is_not_unpacked(tmp_path: Path) -> None:
    """1 MB that would be 1 GB."""
    path = bomb(tmp_path / "a.npz", "weights", (20, 52))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as file, file.open("times_s_2.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, {"descr": "<f8", "fortran_order": False, "shape": (1 << 27,)})
        for _ in range(1024):
            member.write(bytes(1 << 20))
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("weights_2.npy", b"")
    assert path.stat().st_size < 4e6
    tracemalloc.start()
    try:
        with pytest.raises(TakeError, match="times_s_2: expected at most"):
            load_takes(path)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()


def test_what_is_known_of_a_recording_comes_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    take = replace(
        random_take(), profile_cm=rng.random((478, 3)).astype(np.float32), source="Zoë's camera 0", rig="robot",
        stage_names=("track", "solve"), stages_ms=rng.random((20, 2)).astype(np.float32), image_size_px=(1280, 720),
    )  # fmt: skip
    save_takes(tmp_path / "a.npz", [take])
    (again,) = load_takes(tmp_path / "a.npz")
    assert (again.source, again.rig, again.stage_names) == (take.source, take.rig, take.stage_names)
    assert again.image_size_px == (1280, 720)
    assert np.array_equal(again.profile_cm, take.profile_cm)
    assert np.array_equal(again.stages_ms, take.stages_ms)
    assert "\x1b" not in load_takes(broken(tmp_path, source=np.array("\x1b[31mred")))[0].source


def test_a_file_of_format_version_1_is_read(performance_path: Path, tmp_path: Path) -> None:
    path = performance_path.with_suffix(".npz")
    with np.load(path) as stored:
        assert stored["format_version"] == 1
        (take,) = load_takes(path)
        assert np.array_equal(take.weights, stored["weights"])
    assert (take.source, take.stages_ms, take.profile_cm) == ("", None, None)
    save_takes(tmp_path / "a.npz", [take])
    assert same(load_takes(tmp_path / "a.npz")[0], take)


def test_landmarks_can_be_left_in_the_file(tmp_path: Path) -> None:
    take = replace(random_take(4), landmarks_norm=np.ones((4, 478, 3), np.float32), image_size_px=(640, 480))
    save_takes(tmp_path / "a.npz", [take])
    (found,) = load_takes(tmp_path / "a.npz", landmarks=False)
    assert found.landmarks_norm is None
    assert same(found, take)
    assert kind_of_npz(tmp_path / "a.npz") == "take with landmarks"


def test_pickles_are_refused(tmp_path: Path) -> None:
    path = broken(tmp_path, weights=np.array([{"a": 1}], dtype=object))
    with pytest.raises(TakeError, match="allow_pickle=False"):
        load_takes(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("hello")
    np.save(tmp_path / "one.npy", np.zeros(3))
    for name in ("text.npz", "one.npy", "missing.npz"):
        with pytest.raises(TakeError):
            load_takes(tmp_path / name)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    take = random_take()
    save_takes(tmp_path / "a.npz", [take])
    with pytest.raises(AttributeError):
        save_takes(tmp_path / "a.npz", [take, None])
    assert same(load_takes(tmp_path / "a.npz")[0], take)
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_mutated_files_never_crash(data: st.DataObject) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, weights=np.zeros((2, 52)), format_version=1, channel_names=np.array(ARKIT))
    content = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    path = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(".")
    path = path / "animator-mutated.npz"
    path.write_bytes(content)
    try:
        with pytest.raises(AnimatorError):
            load_takes(path)
    finally:
        path.unlink()


def landmark_take() -> LandmarkTake:
    rng = np.random.default_rng(2)
    return LandmarkTake(
        rng.random((5, 478, 3)).astype(np.float32), (320, 240), np.arange(5) / 25, np.array([1, 1, 0, 1, 1], bool)
    )


def test_landmark_takes_come_back(tmp_path: Path) -> None:
    path = tmp_path / "a.landmarks.npz"
    save_landmark_take(path, landmark_take())
    again = load_landmark_take(path)
    assert np.array_equal(again.landmarks_norm, landmark_take().landmarks_norm)
    assert again.image_size_px == (320, 240)
    assert again.tracked.tolist() == [True, True, False, True, True]
    assert kind_of_npz(path) == "landmarks"


def test_broken_landmark_takes_are_named(tmp_path: Path) -> None:
    save_landmark_take(tmp_path / "a.npz", replace(landmark_take(), tracked=np.ones(4, bool)))
    with pytest.raises(TakeError, match=r"tracked: expected shape \(5\), got \(4,\)"):
        load_landmark_take(tmp_path / "a.npz")
