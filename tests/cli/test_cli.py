"""The program as a person meets it: help, one line for every mistake, what it lists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from animator import __version__
from animator.rigging.library import known_rigs
from tests.conftest import ROOT
from tests.rigging.test_gltf_maps import builder_of

from .helpers import Said, files_in

COMMANDS = ("run", "record", "play", "rigs", "doctor")


def test_help_tells_of_every_command(animator) -> None:
    said = animator("--help")
    assert said.code == 0
    assert all(command in said.out for command in COMMANDS)


@pytest.mark.parametrize("command", [*((c,) for c in COMMANDS), ("rigs", "list"), ("rigs", "show")])
def test_every_command_explains_itself(animator, command: tuple[str, ...]) -> None:
    said = animator(*command, "-h")
    assert said.code == 0
    assert "Usage: animator " + " ".join(command) in said.out
    assert said.err == ""


def test_the_version_is_printed(animator) -> None:
    assert animator("--version") == Said(0, f"animator {__version__}\n", "")


def test_main_py_is_the_same_program() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"animator {__version__}\n"


def test_help_answers_without_loading_what_is_heavy() -> None:
    script = (
        "import sys; from animator.cli import main; main(['run', '--help']); "
        "print(sorted({'mediapipe', 'vtk', 'pyvista', 'cv2', 'av', 'numpy', 'scipy'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True,
        env=dict(os.environ) | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"


MISTAKES = [
    ("run nowhere.mp4", r"there is no nowhere\.mp4: wanted a camera number"),
    ("run notes.mp4", r"cannot open notes\.mp4 as a video"),
    ("run notes.txt", r"notes\.txt holds no video: wanted a video file"),
    ("run 63", r"there is no camera 63"),
    ("run empty-folder", r"holds no pictures"),
    ("run broken.npz", r"broken\.npz"),
    ("run other.npz", r"other\.npz is neither a take nor a landmark take"),
    ("run TAKE --rig nobody", rf"unknown avatar 'nobody': expected one of .*{known_rigs()[0]}"),
    ("run TAKE --rig nowhere.glb", r"there is no file nowhere\.glb"),
    ("run TAKE --rig notes.glb", r"notes\.glb"),
    ("run TAKE --view sideways", r"view: wanted avatar, mask, mesh, side-by-side, got 'sideways'"),
    ("run TAKE --view mesh", r"view: mesh needs a camera picture"),
    ("run TAKE --size huge", r"size: wanted WIDTHxHEIGHT, such as 1280x720, got 'huge'"),
    ("run TAKE --size 640x", r"size: wanted WIDTHxHEIGHT"),
    ("run TAKE --size 0x0", r"size: wanted WIDTHxHEIGHT from 16 to 8192, got 0x0"),
    ("run TAKE --size 99999x9", r"from 16 to 8192"),
    ("run TAKE --fps 0", r"fps: wanted 1 to 240, got 0"),
    ("run TAKE --fps nan", r"fps: wanted 1 to 240, got nan"),
    ("run TAKE --fps often", r"Invalid value for '--fps'"),
    ("run TAKE --background nonsense", r"background: wanted #rrggbb"),
    ("run CLIP --faces 9", r"faces: wanted 1 to 8, got 9"),
    ("run CLIP --faces 0", r"faces: wanted 1 to 8, got 0"),
    ("run CLIP --detection-confidence 2", r"detection_confidence: wanted a number from 0 to 1, got 2"),
    ("run CLIP --tracking-confidence -1", r"tracking_confidence: wanted a number from 0 to 1, got -1"),
    ("run CLIP --presence-confidence nan", r"presence_confidence: wanted a number from 0 to 1, got nan"),
    ("run CLIP --smoothing 3", r"smoothing: expected 0 \(off\) to 1"),
    ("run CLIP --fov 500", r"vertical_fov_deg: expected 10 to 120 degrees, got 500"),
    ("run CLIP --calibrate later", r"calibrate: wanted seconds, auto or none, got 'later'"),
    ("run CLIP --calibrate -3", r"calibrate: wanted seconds"),
    ("run CLIP --model notes.txt", r"notes\.txt is not the known face_landmarker\.task"),
    ("run CLIP --model nowhere.task", r"--model: no file at nowhere\.task"),
    ("run CLIP --config nowhere.toml", r"cannot read the settings nowhere\.toml"),
    ("run CLIP --config notes.txt", r"cannot read the settings notes\.txt"),
    ("run CLIP --out a.gif", r"cannot write a\.gif: wanted a name that ends in \.mp4"),
    ("run CLIP --out notes.txt/a.mp4", r"cannot write notes\.txt/a\.mp4: the folder notes\.txt cannot be made"),
    ("run CLIP --out empty-folder", r"cannot write empty-folder"),
    ("run CLIP --take a.txt", r"cannot write a\.txt: wanted a take's name, ending in \.npz, \.csv"),
    ("run CLIP --what", r"No such option: --what.*animator --help"),
    ("run CLIP another", r"unexpected extra argument"),
    ("record CLIP -o a.txt", r"cannot write a\.txt: wanted a take's name"),
    ("run TAKE --out a.mp4 --take TAKE", r"in\.npz: it is the source itself"),
    ("run CLIP --out CLIP", r"square\.mp4: it is the source itself"),
    ("record TAKE -o TAKE", r"in\.npz: it is the source itself"),
    ("play TAKE --out nowhere.gif", r"cannot write nowhere\.gif"),
    ("record nowhere.mp4 -o a.npz", r"there is no nowhere\.mp4"),
    ("record TAKE -o a.landmarks.npz", r"a take without pictures has no landmarks"),
    ("play CLIP", r"is not a take: wanted \.npz, \.csv, \.json or \.landmarks\.npz \(for a video: animator run\)"),
    ("play nowhere.npz", r"there is no nowhere\.npz"),
    ("play broken.npz", r"broken\.npz"),
    ("play broken.csv", r"broken\.csv"),
    ("play", r"Missing argument 'TAKE'"),
    ("rigs show nobody", r"unknown avatar 'nobody'"),
    ("dance", r"No such command 'dance'"),
]


@pytest.mark.parametrize(("typed", "answer"), MISTAKES, ids=[typed for typed, _ in MISTAKES])
def test_a_mistake_is_answered_in_one_line_and_nothing_is_written(
    animator, make_video, take_path: Path, typed: str, answer: str
) -> None:
    here = Path.cwd()
    for name in ("notes.mp4", "notes.txt", "notes.glb"):
        (here / name).write_text("these are notes, nothing else\n" * 30)
    (here / "broken.npz").write_bytes(take_path.read_bytes()[:700])
    (here / "broken.csv").write_text("Timecode,BlendshapeCount\n1,2,3\n")
    np.savez(here / "other.npz", numbers=np.arange(3))
    (here / "empty-folder").mkdir()
    before = files_in(here)
    clip = str(make_video(frames=2))
    arguments = [{"CLIP": clip, "TAKE": str(take_path)}.get(word, word) for word in typed.split()]
    if arguments[0] == "run" and not {"--out", "--take"} & set(arguments):
        arguments += ["--out", "out.mp4", "--take", "out.npz"]
    said = animator(*arguments)
    assert said.code == 2
    assert re.search(answer, said.one_line)
    assert "Traceback" not in said.err
    assert said.out == ""
    assert files_in(here) == before


def test_the_rigs_are_listed_and_shown(animator) -> None:
    listed = animator("rigs", "list")
    assert listed.code == 0
    assert all(name in listed.out for name in known_rigs())
    shown = animator("rigs", "show", known_rigs()[0])
    assert shown.code == 0
    assert re.search(r"channels: \d+ of 52 move it", shown.out)


def test_maps_of_a_material_are_named(animator, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "bumpy.glb").write_bytes(builder_of(normalTexture={"index": 0}, emissiveTexture={"index": 1}).glb())
    shown = animator("rigs", "show", str(tmp_path / "bumpy.glb"))
    assert re.search(r"material 0 +- +normal, glow", shown.out)


def test_the_doctor_names_what_it_looked_at(animator, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    said = animator("doctor")
    assert said.code in (0, 1)
    assert said.code == ("bad" in said.out)
    for thing in ("packages", "face model", "OpenGL", "display", "camera", "codec H.264", "disk", "avatars", "8080"):
        assert thing in said.out
    assert "Traceback" not in said.out + said.err
