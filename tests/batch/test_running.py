"""A whole batch on this machine: what it writes, what it says of failures, what it does again."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import av
import numpy as np
import pytest

from animator import batch
from animator.batch import work
from animator.config import Config, ShowConfig
from animator.errors import SettingError, SinkError
from animator.solving.solver import SolverConfig
from animator.takes.live_link_csv import load_csv
from animator.takes.npz import load_takes

from . import work_that_fails as fails
from .conftest import no_scratch_in

TWO = batch.BatchConfig(jobs=2)


def test_every_film_becomes_what_was_asked_for(films: Path, tmp_path: Path):
    out = tmp_path / "out"
    config = Config(show=ShowConfig(rig="robot", size_px=(64, 48)))
    settings = batch.BatchConfig(("npz", "csv", "glb", "mp4"), jobs=2)
    seen: list[batch.Status] = []
    results = batch.run([films], out, settings, config, progress=seen.append)
    assert [(r.name, r.status, r.problem) for r in results] == [
        ("nobody", "done", "no face was found"), ("one/talk", "done", None), ("two/talk", "done", None),
    ]  # fmt: skip
    talk = results[1]
    assert (talk.frames, talk.frames_with_face, talk.performers) == (10, 10, 1)
    assert {path.relative_to(out).as_posix() for path in talk.files} == {
        f"one/talk{suffix}" for suffix in (".npz", ".csv", ".glb", ".puppet.mp4")
    }
    (take,) = load_takes(out / "one/talk.npz")
    assert np.abs(load_csv(out / "one/talk.csv").weights - take.weights).max() < 1e-4
    assert json.loads((out / "one/talk.glb").read_bytes()[20:].split(b"\0")[0].rsplit(b"}", 1)[0] + b"}")["animations"]
    with av.open(str(out / "one/talk.puppet.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 10
    assert seen[-1].films_over == 3
    assert seen[-1].frames == seen[-1].frames_expected == 26
    assert no_scratch_in(out)


def test_takes_are_those_of_recording_by_one_thread(films: Path, tmp_path: Path):
    (_, one, two) = batch.run([films], tmp_path / "out", TWO)
    assert np.array_equal(load_takes(one.files[0])[0].weights, load_takes(two.files[0])[0].weights)


def test_failures_have_names_and_the_rest_goes_on(films: Path, tmp_path: Path, performance_path: Path):
    (films / "text.mp4").write_text("no film", "utf-8")
    content = performance_path.read_bytes()
    (films / "torn.mp4").write_bytes(content)  # the index stands first: what comes late is missing
    cut_off = films / "torn.mp4"
    cut_off.write_bytes(content[: len(content) // 12])
    (tmp_path / "list.txt").write_text("gone.mp4\n", "utf-8")
    results = {r.name: r for r in batch.run([films, tmp_path / "list.txt"], tmp_path / "out", TWO)}
    assert results["text"].status == "failed"
    assert "text.mp4" in results["text"].problem
    assert results["gone"].status == "failed"
    assert "there is no" in results["gone"].problem
    assert results["torn"].status in ("damaged", "failed")
    assert results["torn"].problem
    assert results["one/talk"].status == results["two/talk"].status == "done"


def test_a_film_that_crashes_the_decoder_is_reported(films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shutil.copy(films / "nobody.mp4", films / "crash.mp4")
    monkeypatch.setattr(work, "survey", fails.survey_crashing)
    results = {r.name: r for r in batch.run([films], tmp_path / "out", TWO)}
    assert results["crash"].status == "failed"
    assert results["crash"].problem == "the process at it was ended by SIGSEGV (3 attempts)"
    assert [r.status for name, r in results.items() if name != "crash"] == ["done"] * 3
    assert not list((tmp_path / "out").glob("crash*"))


@pytest.mark.parametrize("stage", ["survey", "track_part"])
def test_a_film_that_hangs_is_reported_and_the_rest_goes_on(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
):
    for name in ("hang.mp4", "one/hang.mp4"):
        shutil.copy(films / "one/talk.mp4", films / name)
    monkeypatch.setattr(work, stage, {"survey": fails.survey_hanging, "track_part": fails.track_hanging}[stage])
    results = {r.name: r for r in batch.run([films], tmp_path / "out", TWO)}
    for name in ("hang", "one/hang"):
        assert results[name].status == "failed"
        assert results[name].problem == "hang.mp4 hangs: nothing came of it for 0.5 s"
    assert [r.status for name, r in results.items() if "hang" not in name] == ["done"] * 3
    assert not [child for child in multiprocessing.active_children() if child.name == "animator-batch"]


def test_a_killed_process_costs_nothing(performance_path: Path, films: Path, tmp_path: Path):
    killed: list[int] = []

    def kill(status: batch.Status) -> None:
        if not killed and any(stage == "track" for _, stage, *_ in status.under_way):
            for process in multiprocessing.active_children():
                if process.name == "animator-batch" and not killed:
                    killed.append(process.pid)
                    os.kill(process.pid, signal.SIGKILL)

    settings = batch.BatchConfig(jobs=2, part_s=3)
    results = batch.run([performance_path, films], tmp_path / "out", settings, progress=kill)
    assert killed
    assert [r.status for r in results] == ["done"] * 4
    assert (results[0].parts, results[0].frames) == (3, 300)


def test_resume_does_what_is_missing_and_nothing_else(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, face_clip: Path
):
    monkeypatch.setattr(work, "track_part", fails.track_noting)
    out, again = tmp_path / "out", batch.BatchConfig(jobs=2, resume=True)

    def tracked() -> int:
        return sum(len(path.read_text().splitlines()) for path in films.rglob("*.tracked"))

    batch.run([films], out, TWO)
    assert tracked() == 3
    results = batch.run([films], out, again)
    assert tracked() == 3
    assert all(r.resumed for r in results)
    (out / "one/talk.npz").unlink()
    shutil.copy(face_clip, films / "new.mp4")
    results = batch.run([films], out, again)
    assert {r.name for r in results if not r.resumed} == {"one/talk", "new"}
    assert tracked() == 5
    batch.run([films], out, again, Config(solving=SolverConfig(smoothing=0.9)))
    assert tracked() == 9


def test_two_batches_do_not_share_a_folder(films: Path, tmp_path: Path):
    def second(_status: batch.Status) -> None:
        with pytest.raises(SinkError, match="another batch works in"):
            batch.run([films / "nobody.mp4"], tmp_path / "out", TWO)

    (result,) = batch.run([films / "nobody.mp4"], tmp_path / "out", TWO, progress=second)
    assert result.status == "done"


def test_settings_that_spoil_everything_are_refused_before_any_work(films: Path, tmp_path: Path):
    with pytest.raises(SettingError, match=r"format: wanted some of npz, csv, glb, mp4, got avi"):
        batch.BatchConfig(("npz", "avi"))
    with pytest.raises(SettingError, match="jobs"):
        batch.BatchConfig(jobs=0)
    with pytest.raises(SettingError, match="part"):
        batch.BatchConfig(part_s=float("nan"))
    shutil.copy(films / "nobody.mp4", films / "nobody.puppet.mp4")
    with pytest.raises(SinkError, match="it is one of the films"):
        batch.run(sorted(films.glob("*.mp4")), films, batch.BatchConfig(("mp4",)))


def test_the_report_shows_every_film_and_needs_no_other_file(films: Path, tmp_path: Path):
    (films / "<b>&.mp4").write_text("no film", "utf-8")
    results = batch.run([films], tmp_path / "out", TWO)
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "<b>&." not in page
    images: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            images.extend(value for name, value in attrs if name == "src")

    Reader().feed(page)
    assert len(images) == sum(len(result.pictures) for result in results) > 12
    assert all(image.startswith("data:image/jpeg;base64,") for image in images)
    batch.run([films], tmp_path / "bare", batch.BatchConfig(jobs=2, thumbnails=False))
    assert "data:image" not in (tmp_path / "bare" / "report.html").read_text("utf-8")


def test_the_command_tells_what_failed_and_by_its_code(animator: Callable, films: Path, tmp_path: Path):
    (films / "text.mp4").write_text("no film", "utf-8")
    said = animator("batch", films, "-o", tmp_path / "out", "--jobs", "2")
    assert said.code == 1
    assert f"animator: failed: {films / 'text.mp4'}: " in said.err
    assert "3 of 4 films well" in said.out
    (films / "text.mp4").unlink()
    said = animator("batch", films, "-o", tmp_path / "out", "--resume")
    assert said.code == 0
    assert said.out.count("before") == 3
    assert animator("batch", tmp_path / "nothing", "-o", tmp_path / "out").code == 2
    said = animator("batch", films, "-o", tmp_path / "out", "--jobs", "2", "--cluster", "tcp://127.0.0.1:1")
    assert said.one_line.startswith("jobs: ")
