"""A disk that fills up, and a model file that is deleted while it is in use."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sys
from pathlib import Path

import pytest

from animator.takes.npz import load_takes
from tests.cli.helpers import frames_of
from tests.server.live import Server, until, visiting
from tests.server.visits import needs_ice

from .programs import Program, left_in

FULL_AT_BYTES = 150_000
"""Room for about a quarter of the film and for all of the take."""
LITTLE_ROOM = f"""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, ({FULL_AT_BYTES}, {FULL_AT_BYTES}))
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for the size of files")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_what_was_filmed_before_the_disk_was_full_plays(tmp_path: Path, performance_path: Path, suffix: str) -> None:
    film, take = tmp_path / f"a{suffix}", tmp_path / "a.npz"
    arguments = ("run", performance_path, "--view", "mesh", "--out", film, "--take", take)
    with Program(*arguments, before=LITTLE_ROOM) as program:
        said = program.end()
    assert said.code == 2
    assert said.one_line.startswith(f"cannot write {film}: File too large")
    assert said.out.splitlines() == [f"wrote {film}", f"wrote {take}"]
    assert left_in(tmp_path) == sorted([film.name, take.name])
    assert 15 < frames_of_broken(film) < len(load_takes(take)[0]) < 300


def frames_of_broken(film: Path) -> int:
    """Pictures before the one that was cut off."""
    import av

    frames = 0
    with av.open(str(film)) as container:
        try:
            for _picture in container.decode(video=0):
                frames += 1
        except av.InvalidDataError:
            pass
    return frames


def test_a_killed_program_has_left_a_film_that_plays(tmp_path: Path, performance_path: Path) -> None:
    with Program("run", performance_path, "--view", "mesh", "--out", tmp_path / "a.mp4") as program:
        program.until_frame(150)
        program.process.send_signal(signal.SIGKILL)
        program.end()
    (left,) = left_in(tmp_path)
    assert frames_of_broken(tmp_path / left) > 30


@pytest.mark.parametrize("tracker", ["litert", "mediapipe"])
def test_a_model_file_that_is_deleted_is_not_missed(
    tmp_path: Path, model_path: Path, face_clip: Path, tracker: str
) -> None:
    """It is in use from the first picture on."""
    model = shutil.copy(model_path, tmp_path / "model.task")
    film = tmp_path / "a.mp4"
    with Program("run", face_clip, "--view", "mesh", "--out", film, "--model", model, "--tracker", tracker) as program:
        program.until_frame(1)
        Path(model).unlink()
        said = program.end()
    assert (said.code, said.out) == (0, f"wrote {film}"), said.err
    assert frames_of(film) == 10


@needs_ice
def test_a_server_whose_model_is_deleted_serves_who_is_there_and_tells_who_comes(
    tmp_path: Path, model_path: Path
) -> None:
    model = shutil.copy(model_path, tmp_path / "face_landmarker.task")
    settings = json.dumps({"offers_per_minute": 1000})
    server = Server("-m", "tests.server.running", settings, env={"ANIMATOR_MODEL": str(model)})

    async def visit() -> None:
        async with visiting(server) as visit:
            first = await visit.perform()
            await first.picture()
            Path(model).unlink()
            for _ in range(3):  # the first may still find a tracker that was made in advance
                other = await visit.perform()
                await other.ask("ping", "pong", t=1)
            await until(lambda: any(client.said("error") for client in visit.clients))
            told = [m["message"] for client in visit.clients for m in client.said("error")]
            assert all("face model" in message and str(model) in message for message in told)
            seen = len(first.said("stats"))
            await first.hear("stats", seen)
            await first.picture()

    try:
        server.wait_until_ready()
        asyncio.run(visit())
    finally:
        server.stop()
    assert "Traceback" not in "".join(server.err)
