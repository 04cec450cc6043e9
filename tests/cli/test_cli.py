"""The program as a person meets it: exit codes, one line for every mistake, and files that open.

Most run in this process by `main`; those about signals and start-up run for real."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest

from animator import __version__
from animator.cli import main
from animator.cli import work as work_module
from animator.data import LANDMARKS, Expression, Motion
from animator.rigging.library import known_rigs
from animator.sources import opening as opening_module
from animator.sources.video import VideoSource
from animator.takes.live_link_csv import load_csv
from animator.takes.npz import LandmarkTake, load_landmark_take, load_takes, save_landmark_take, save_takes
from animator.takes.take import take_from_motions
from animator.topology import canonical_face
from tests.conftest import ROOT

COMMANDS = ("run", "record", "play", "rigs", "doctor")
SMALL = ("--size", "64x48")
FINISH_S = 60.0
"""How long a test waits for a program before it fails; none of them ever should."""


@dataclass(frozen=True)
class Said:
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def one_line(self) -> str:
        """The only line on stderr, if it is one of ours."""
        (line,) = self.err.splitlines()
        assert line.startswith("animator: ")
        return line.removeprefix("animator: ")


@pytest.fixture
def animator(capsys, monkeypatch, tmp_path: Path) -> Callable[..., Said]:
    """Runs a command in an empty folder of its own, without a display."""
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("ANIMATOR_MODEL", raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    stop = signal.getsignal(signal.SIGTERM)

    def run(*arguments: object) -> Said:
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    yield run
    signal.signal(signal.SIGTERM, stop)


@pytest.fixture
def take_path(tmp_path: Path) -> Path:
    motions = [Motion(index / 30, 0, expression=Expression.of(jawOpen=index / 10)) for index in range(6)]
    save_takes(tmp_path / "in.npz", [take_from_motions(motions, 30.0)])
    return tmp_path / "in.npz"


@pytest.fixture
def landmarks_path(tmp_path: Path) -> Path:
    landmarks = np.full((LANDMARKS, 3), 0.5, np.float32)
    landmarks[:468] = canonical_face().positions_cm * [0.02, -0.03, -0.02] + [0.5, 0.5, 0.0]
    save_landmark_take(
        tmp_path / "in.landmarks.npz",
        LandmarkTake(np.repeat(landmarks[None], 6, 0), (120, 80), np.arange(6) / 30, np.ones(6, bool)),
    )
    return tmp_path / "in.landmarks.npz"


@pytest.fixture
def face_clip(tmp_path: Path, performance_path: Path) -> Path:
    """The first ten pictures of the bundled performance as a clip of their own."""
    path = tmp_path / "face.mp4"
    with av.open(str(performance_path)) as given, av.open(str(path), "w") as made:
        stream = made.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(video=0):
            if packet.dts is not None and packet.pts * packet.time_base < 9.5 / 30:
                packet.stream = stream
                made.mux(packet)
    return path


def frames_of(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


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
    ("play CLIP", r"is not a take: wanted \.npz, \.csv or \.landmarks\.npz \(for a video: animator run\)"),
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


def test_run_writes_a_film_and_a_take_of_equal_length(animator, face_clip: Path) -> None:
    said = animator("run", face_clip, "--out", "new/a.mp4", "--take", "new/a.npz", *SMALL)
    assert said == Said(0, "wrote new/a.mp4\nwrote new/a.npz\n", "")
    (take,) = load_takes(Path("new/a.npz"))
    assert frames_of(Path("new/a.mp4")) == len(take) == frames_of(face_clip)
    assert (take.confidence > 0).all()
    assert files_in(Path("new")) == ["a.mp4", "a.npz"]


def test_without_display_and_out_the_film_goes_where_it_says(animator, take_path: Path) -> None:
    said = animator("run", take_path, *SMALL)
    assert said == Said(0, "wrote out/in.mp4\n", "")
    assert frames_of(Path("out/in.mp4")) == 6


@pytest.mark.parametrize("name", ["a.npz", "a.csv", "a.landmarks.npz"])
def test_a_recording_is_a_source_again(animator, face_clip: Path, name: str) -> None:
    recorded = animator("record", face_clip, "-o", name)
    frames = frames_of(face_clip)
    assert recorded == Said(0, f"wrote {name} ({frames} frames, a face in {frames})\n", "")
    assert files_in(Path()) == [name]
    if name == "a.landmarks.npz":
        assert load_landmark_take(Path(name)).tracked.all()
    else:
        take = load_csv(Path(name)) if name.endswith(".csv") else load_takes(Path(name))[0]
        assert len(take) == frames
    assert animator("play", name, "--out", "played.mp4", *SMALL).code == 0
    assert frames_of(Path("played.mp4")) == frames
    assert animator("run", name, "--out", "ran.mkv", "--take", "again.npz", *SMALL).code == 0
    (again,) = load_takes(Path("again.npz"))
    assert len(again) == frames
    if name == "a.npz":
        assert np.array_equal(again.weights, load_takes(Path(name))[0].weights)


def test_a_landmark_take_is_solved_again_with_other_settings(animator, landmarks_path: Path) -> None:
    for name, fov_deg in (("narrow.npz", 30), ("wide.npz", 90)):
        assert animator("record", landmarks_path, "-o", name, "--fov", fov_deg).code == 0
    narrow, wide = (load_takes(Path(name))[0].translations_cm[-1, 2] for name in ("narrow.npz", "wide.npz"))
    assert narrow < 2 * wide < 0


def test_settings_come_from_a_file_and_options_win_over_it(animator, take_path: Path) -> None:
    Path("a.toml").write_text('[show]\nsize_px = [80, 60]\nbackground = "white"\n')
    assert animator("run", take_path, "--config", "a.toml", "--out", "a.png").code == 0
    assert animator("run", take_path, "--config", "a.toml", "--out", "b.png", "--size", "40x30").code == 0
    sizes = []
    for name in ("a.png", "b.png"):
        (frame,) = VideoSource(Path(name))
        sizes.append(frame.size_px)
        assert (frame.rgb[0, 0] > 250).all()
    assert sizes == [(80, 60), (40, 30)]


def test_a_clip_without_a_face_gives_a_film_of_an_avatar_at_rest_and_a_warning(animator, make_video) -> None:
    said = animator("run", make_video(frames=3), "--out", "a.mp4", "--take", "a.npz", *SMALL)
    assert said.code == 0
    assert said.one_line.startswith("no face was found in square.mp4: the avatar rests")
    assert frames_of(Path("a.mp4")) == 3
    (take,) = load_takes(Path("a.npz"))
    assert not take.confidence.any()
    assert not take.weights.any()
    with av.open("a.mp4") as container:
        assert next(container.decode(video=0)).to_ndarray(format="rgb24").std() > 10


def test_a_clip_that_breaks_off_keeps_what_came_before(animator, make_video) -> None:
    whole = make_video(frames=60)
    with av.open(str(whole)) as given, av.open("fast.mp4", "w", options={"movflags": "+faststart"}) as made:
        stream = made.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                made.mux(packet)
    Path("cut.mp4").write_bytes(Path("fast.mp4").read_bytes()[: Path("fast.mp4").stat().st_size * 7 // 10])
    said = animator("run", "cut.mp4", "--view", "mesh", "--out", "a.mp4", "--take", "a.npz", *SMALL)
    assert said.code == 2
    *warned, last = said.err.splitlines()
    assert re.search(r"animator: cut\.mp4 is damaged: .*; what came before is kept", last)
    assert all(line.startswith("animator: no face was found") for line in warned)
    assert said.out == "wrote a.mp4\nwrote a.npz\n"
    assert 0 < frames_of(Path("a.mp4")) == len(load_takes(Path("a.npz"))[0]) < 60


def test_the_rigs_are_listed_and_shown(animator) -> None:
    listed = animator("rigs", "list")
    assert listed.code == 0
    assert all(name in listed.out for name in known_rigs())
    shown = animator("rigs", "show", known_rigs()[0])
    assert shown.code == 0
    assert re.search(r"channels: \d+ of 52 move it", shown.out)


def test_the_doctor_names_what_it_looked_at(animator, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    said = animator("doctor")
    assert said.code in (0, 1)
    assert said.code == ("missing" in said.out)
    for thing in ("packages", "face model", "OpenGL", "display", "cameras", "write .mp4", "avatars"):
        assert thing in said.out
    assert "Traceback" not in said.out + said.err


@pytest.mark.skipif(any(Path("/dev").glob("video*")), reason="this machine has a camera")
def test_without_source_and_camera_the_bundled_performance_is_played(animator, face_clip: Path, monkeypatch) -> None:
    asked: list[str] = []

    def short(name: str) -> Path:
        asked.append(name)
        return face_clip

    monkeypatch.setattr(opening_module, "asset_path", short)
    said = animator("run", "--view", "mesh", "--out", "a.mp4", *SMALL)
    assert said.code == 0
    assert re.search(r"no webcam \(.*\): playing the bundled performance", said.one_line)
    assert asked == ["performance.mp4"]
    assert frames_of(Path("a.mp4")) == frames_of(face_clip)


def test_ctrl_c_before_anything_was_made_leaves_nothing(animator, make_video, monkeypatch) -> None:
    def interrupt(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(work_module, "progress_bar", interrupt)
    said = animator("run", make_video(frames=2), "--out", "a.mp4", *SMALL)
    assert (said.code, said.one_line) == (130, "stopped")
    assert files_in(Path()) == []


STOPPED_AT = 5
TELLING = f"""
import sys
from contextlib import contextmanager
from animator.cli import main, work

@contextmanager
def telling(what, total):
    yield lambda frames: print("frame", flush=True) if frames == {STOPPED_AT} else None

work.progress_bar = telling
raise SystemExit(main())
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "a service manager"])
def test_a_run_that_is_stopped_leaves_files_that_open(tmp_path: Path, performance_path: Path, by: int) -> None:
    video, take = tmp_path / "a.mp4", tmp_path / "a.npz"
    command = ["run", str(performance_path), "--out", str(video), "--take", str(take)]
    environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    with subprocess.Popen(
        [sys.executable, "-c", TELLING, *command],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment | {"PYTHONPATH": str(ROOT)},
    ) as program:  # fmt: skip
        assert program.stdout.readline() == "frame\n"
        program.send_signal(by)
        out, err = program.communicate(timeout=FINISH_S)
    said = Said(program.returncode, out, err)
    assert (said.code, said.one_line) == (130, "stopped")
    assert said.out.splitlines() == [f"wrote {video}", f"wrote {take}"]
    assert files_in(tmp_path) == ["a.mp4", "a.npz"]
    assert STOPPED_AT <= frames_of(video) <= len(load_takes(take)[0]) < 300


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes of this kind")
def test_a_reader_that_goes_away_gets_no_traceback() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", "from animator.cli import main; raise SystemExit(main(['rigs', 'list']))"],
        stdout=write, stderr=subprocess.PIPE, text=True, env=dict(os.environ) | {"PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    os.close(write)
    assert done.stderr == ""
