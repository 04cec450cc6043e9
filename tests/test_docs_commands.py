"""The commands that the documentation shows are run, page by page and in order, as a reader would type them.

They run in a folder of their own, on some seconds of the bundled performance by the names that the pages use. What
needs more than a folder is in `ELSEWHERE`, with the reason, and the test that does run it.
"""

from __future__ import annotations

import re
import shlex
import shutil
import signal
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import av
import cv2
import pytest

from animator.cli import main
from animator.sources import opening
from animator.sources.video import VideoSource

from .conftest import ROOT
from .test_docs import PAGES, blocks, prose

RATE, FRAMES, SIZE_PX = 8, 28, (320, 240)
"""Long enough to learn a face from it (`--profile`), at a rate that is quick to draw."""

ELSEWHERE = {
    r"serve\b": "runs until it is stopped (tests/cli/test_serve_cli.py)",
    r'(call|watch) "?http': "a server elsewhere (tests/cli/test_remote_cli.py)",
    r"run .*--whip": "a media server (tests/cli/test_network_cli.py, tests/webrtc/test_whip.py)",
    r"run (livelink|vmc|ifacialmocap|ws)": "a phone or another program that sends (tests/test_sending.py)",
    r"record 0\b": "a camera (tests/sources/test_sources.py)",
    r"record --recover take": "a program that was killed amid a recording (tests/takes/test_journal.py)",
    r"bench\b": "some minutes (tests/cli/test_bench_cli.py)",
}
"""What cannot be run in a folder, by how the command begins: what it needs, and where it is tested."""

SETTINGS = "[solving]\nsmoothing = 0.4\n"


def shown(page: Path) -> list[str]:
    """The command lines of this program in a page's shell blocks and indented ones, without its name."""
    lines = [
        line
        for language in ("sh", "bash", "console")
        for block in blocks(page, language)
        for line in block.splitlines()
    ]
    lines += re.findall(r"^    (\S.*)", prose(page), re.MULTILINE)
    found = (re.match(r"(?:\$ )?(?:\S*/)?(?:animator|python3? main\.py) (\S.*)", line.strip()) for line in lines)
    return [match[1] for match in found if match]


def needs_more(command: str) -> bool:
    return any(re.match(beginning, command) for beginning in ELSEWHERE)


def to_run() -> dict[Path, list[str]]:
    """The commands of each page; `doctor`, which looks at the machine alone, where it is shown first."""
    commands, asked = {}, set()
    for page in PAGES:
        commands[page] = [c for c in shown(page) if not needs_more(c) and c.split("#")[0].strip() not in asked]
        asked |= {c.split("#")[0].strip() for c in commands[page] if c.startswith("doctor")}
    return commands


TO_RUN = to_run()


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory, performance_path: Path, model_path: Path) -> Path:
    """A folder with all that the pages take for granted."""
    folder = tmp_path_factory.mktemp("things")
    with av.open(str(performance_path)) as source, av.open(str(folder / "clip.mp4"), "w") as clip:
        stream = clip.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *SIZE_PX, "yuv420p"
        for index, frame in zip(range(FRAMES), islice(source.decode(video=0), 0, None, 3), strict=False):
            rgb = frame.to_ndarray(format="rgb24")
            if index == 0:
                cv2.imwrite(str(folder / "portrait.jpg"), rgb[..., ::-1])
            clip.mux(stream.encode(av.VideoFrame.from_ndarray(cv2.resize(rgb, SIZE_PX), format="rgb24")))
        clip.mux(stream.encode(None))
    for copy in ("extra.mp4", "films/one.mp4", "shoot-1/two.mov"):
        (folder / copy).parent.mkdir(exist_ok=True)
        shutil.copy(folder / "clip.mp4", folder / copy)
    (folder / "list.txt").write_text("films/one.mp4\n", "utf-8")
    (folder / "settings.toml").write_text(SETTINGS, "utf-8")
    for made in (
        ["record", folder / "clip.mp4", "-o", folder / "take.npz", "--model", model_path],
        ["convert", folder / "take.npz", folder / "take.csv"],
        ["rigs", "export", "human", "--vrm", folder / "avatar.vrm"],
    ):
        assert main([str(word) for word in made]) == 0
    shutil.copy(folder / "take.csv", folder / "iphone.csv")
    return folder


@pytest.fixture
def reader(things: Path, tmp_path: Path, model_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A reader's folder, home and lack of a display; the webcam shows the clip, once."""
    here = tmp_path / "here"
    shutil.copytree(things, here)
    monkeypatch.chdir(here)
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("ANIMATOR_MODEL", str(model_path))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(opening, "_webcam_or_performance", lambda *_wanted: VideoSource(here / "clip.mp4"))
    stop = signal.getsignal(signal.SIGTERM)
    yield here
    signal.signal(signal.SIGTERM, stop)


@pytest.mark.parametrize("page", [page for page in PAGES if TO_RUN[page]], ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_run_as_shown(page: Path, reader: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in TO_RUN[page]:
        words = shlex.split(command, comments=True)
        code = main(words)
        said = capsys.readouterr().err
        assert code == 0 or (words[0] == "doctor" and code == 1), f"animator {command}: {code}\n{said}"
        for written in re.findall(r"(?:^| )(?:-o|--out|--take|--vrm|--write) +(\S+)", command.split("#")[0]):
            assert (reader / written).exists(), f"animator {command}: there is no {written}"


@pytest.mark.parametrize("beginning", ELSEWHERE)
def test_what_is_left_out_is_shown_somewhere(beginning: str) -> None:
    """No reason outlives its command, and each names tests that are there."""
    assert any(re.match(beginning, command) for page in PAGES for command in shown(page))
    tests = re.findall(r"tests/\S+\.py", ELSEWHERE[beginning])
    assert tests
    assert all((ROOT / path).is_file() for path in tests)
