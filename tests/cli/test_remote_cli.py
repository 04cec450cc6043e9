"""`animator call`, `watch` and `run --whip` against a real `animator serve`, each a program of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import aioice.ice
import av
import numpy as np
import pytest

from animator.cli import main
from animator.remote.signalling import Address, address_from_link
from animator.remote.watching import RemoteMotion, RemotePictures
from animator.takes import joined
from animator.takes.npz import load_takes, save_takes
from tests.conftest import ROOT

TOKEN = "open-sesame"
DEADLINE_S = 30.0
"""How long a test waits for what takes a few seconds; nothing ever takes it."""

needs_ice = pytest.mark.skipif(
    not aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True),
    reason="peers cannot connect here: there is no network interface but the loopback",
)


class Program:
    """A command that runs until it is stopped."""

    def __init__(self, folder: Path, *arguments: object) -> None:
        self._out = (folder / "said.txt").open("w+")
        environment = dict(os.environ) | {"PYTHONPATH": str(ROOT), "no_proxy": "*", "PYTHONUNBUFFERED": "1"}
        environment.pop("DISPLAY", None)
        command = [sys.executable, str(ROOT / "main.py"), *map(str, arguments)]
        self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=self._out, stderr=self._out)

    @property
    def said(self) -> str:
        return Path(self._out.name).read_text("utf-8")

    def until(self, pattern: str) -> re.Match[str]:
        """Wait for it to say something."""
        end_s = time.monotonic() + DEADLINE_S
        while time.monotonic() < end_s and self.process.poll() is None:
            if found := re.search(pattern, self.said):
                return found
            time.sleep(0.05)
        raise AssertionError(f"it did not say {pattern!r} but {self.said}")

    def stop(self, how: int = signal.SIGINT) -> int:
        """Its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(DEADLINE_S)
        finally:
            self.process.kill()
            self._out.close()


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory, model_path: Path) -> Iterator[str]:
    """A server's link, without a room."""
    folder = tmp_path_factory.mktemp("server")
    server = Program(folder, "serve", "--host", "127.0.0.1", "--port", "0", "--token", TOKEN, "--model", model_path)
    try:
        yield server.until(r"http://127\.0\.0\.1:\d+/#token=\S+")[0]
    finally:
        assert server.stop() == 0, server.said


@pytest.fixture(scope="module")
def room(
    link: str, tmp_path_factory: pytest.TempPathFactory, model_path: Path, performance_path: Path
) -> Iterator[str]:
    """The link of a room in which the bundled performance plays; the call ends by Ctrl-C."""
    folder = tmp_path_factory.mktemp("call")
    where = link.replace("/#", "/r/show#")
    caller = Program(folder, "call", where, repeated(performance_path, folder / "long.mp4"), "--model", model_path)
    caller.until("performing in room show")
    yield where
    code = caller.stop()
    assert code == 130, caller.said
    assert caller.said.rstrip().endswith("animator: stopped")


def repeated(clip: Path, path: Path, times: int = 12) -> Path:
    """The clip again and again, for minutes."""
    with av.open(str(clip)) as given, av.open(str(path), "w") as made:
        stream = made.add_stream_from_template(given.streams.video[0])
        packets = [packet for packet in given.demux(video=0) if packet.dts is not None]
        span = max(packet.pts + packet.duration for packet in packets)
        data = [(bytes(p), p.pts, p.dts, p.duration, p.time_base, p.is_keyframe) for p in packets]
        for turn in range(times):
            for payload, pts, dts, duration, time_base, is_key in data:
                packet = av.Packet(payload)
                packet.pts, packet.dts, packet.duration = pts + turn * span, dts + turn * span, duration
                packet.time_base, packet.is_keyframe, packet.stream = time_base, is_key, stream
                made.mux(packet)
    return path


def long_take(folder: Path) -> Path:
    """The bundled take twelve times over: a slow machine is not to see its end."""
    save_takes(folder / "long.npz", [joined(load_takes(ROOT / "assets/performance.npz") * 12)])
    return folder / "long.npz"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder, without a display."""
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def moving(path: Path) -> tuple[int, float]:
    """(pictures, how much the most different of them differs from the first one, in levels)."""
    with av.open(str(path)) as container:
        pictures = [f.to_ndarray(format="gray").astype(np.int16) for f in container.decode(video=0)]
    return len(pictures), max(float(np.abs(picture - pictures[0]).mean()) for picture in pictures)


def metric(link: str, name: str) -> float:
    address = address_from_link(link)
    request = urllib.request.Request(address.server + "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return float(re.search(rf"^animator_{name} (\S+)", answer.read().decode(), re.MULTILINE)[1])


def until(done: Callable[[], bool]) -> None:
    end_s = time.monotonic() + DEADLINE_S
    while not done():
        assert time.monotonic() < end_s
        time.sleep(0.1)


@needs_ice
def test_a_call_moves_the_room(here: Path, room: str) -> None:
    source = RemoteMotion(address_from_link(room), seconds=DEADLINE_S)
    jaws: list[float] = []
    try:
        for (motion,) in source:
            jaws += [motion.expression["jawOpen"]] if motion.confidence > 0 else []
            if len(jaws) > 30 and max(jaws) - min(jaws) > 0.2:
                break
        assert max(jaws) - min(jaws) > 0.2, "the mouth never moved"
        until(lambda: source.room.viewers == 1)
        assert source.room.performers == 1
    finally:
        source.close()


@needs_ice
def test_the_stage_comes_as_pictures(here: Path, room: str) -> None:
    source = RemotePictures(address_from_link(room), seconds=DEADLINE_S)
    try:
        frames = [frame for frame, _ in zip(source, range(10), strict=False)]
    finally:
        source.close()
    assert [frame.index for frame in frames] == list(range(10))
    assert np.all(np.diff([frame.time_s for frame in frames]) > 0)
    assert frames[0].rgb.std() > 5


@needs_ice
@pytest.mark.parametrize("how", [(), ("--numbers",)], ids=["pictures", "numbers"])
def test_watch_writes_a_video(here: Path, room: str, capsys, how: tuple[str, ...]) -> None:
    code = main(["watch", room, *how, "--out", "seen.mp4", "--seconds", "3", "--size", "160x120"])
    said = capsys.readouterr()
    assert (code, said.out) == (0, "wrote seen.mp4\n"), said.err
    pictures, difference = moving(here / "seen.mp4")
    assert pictures > 3
    assert difference > 1, "the avatar stands still"


@needs_ice
def test_a_call_as_video_is_shown_as_it_is(here: Path, link: str) -> None:
    """The avatar stands before green, which the server's own stage never has."""
    where, take = link.replace("/#", "/r/video#"), long_take(here)
    caller = Program(here, "call", where, take, "--as", "video", "--background", "#00ff00")
    try:
        caller.until("performing in room video at .*, as video")
        source = RemotePictures(address_from_link(where), seconds=DEADLINE_S)
        try:
            pictures = [frame.rgb.astype(int) for frame, _ in zip(source, range(60), strict=False)]
            until(lambda: source.room.performers == 1)
        finally:
            source.close()
    finally:
        code = caller.stop()
    assert code == 130, caller.said
    shares = [is_green(rgb).mean() for rgb in pictures]
    assert len(shares) == 60
    assert 0.3 < np.median(shares) < 0.9, shares
    assert pictures[-1].shape == (480, 640, 3)
    assert max(np.abs(rgb - pictures[-1]).mean() for rgb in pictures) > 1, "the avatar stands still"


def is_green(rgb: np.ndarray) -> np.ndarray:
    red, green, blue = np.moveaxis(rgb, -1, 0)
    return (green > 180) & (red < 80) & (blue < 80)


@needs_ice
def test_ctrl_c_ends_watching_and_the_video_plays(here: Path, room: str) -> None:
    watching = Program(here, "watch", room, "--numbers", "--out", "seen.mp4", "--size", "64x48")
    watching.until("watching room show")
    until(lambda: any(path.stat().st_size > 0 for path in here.glob(".seen*.mp4")))
    assert watching.stop() == 0
    assert watching.said.endswith("wrote seen.mp4\n")
    assert moving(here / "seen.mp4")[0] > 0


@needs_ice
def test_an_empty_room_gives_no_pictures_and_says_so(here: Path, link: str, capsys) -> None:
    assert main(["watch", link.replace("/#", "/r/empty#"), "--out", "seen.mp4", "--seconds", "1"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("animator: nobody performed in room empty")
    assert not list(here.iterdir())


@needs_ice
def test_run_publishes_to_a_whip_endpoint(here: Path, link: str) -> None:
    before = metric(link, "frames_in_total")
    where = address_from_link(link).server + "/whip/puppet"
    publishing = Program(here, "run", long_take(here), "--whip", where, "--token", TOKEN, "--size", "160x120")
    publishing.until("publishing to the WHIP endpoint")
    until(lambda: metric(link, "frames_in_total") > before + 10)
    assert publishing.stop() == 130
    assert "Traceback" not in publishing.said
    assert TOKEN not in publishing.said


@needs_ice
def test_who_left_is_gone_from_the_server(here: Path, link: str) -> None:
    sessions = metric(link, "sessions")
    source = RemoteMotion(Address(address_from_link(link).server, "left", TOKEN))
    until(lambda: metric(link, "sessions") == sessions + 1)
    source.close()
    until(lambda: metric(link, "sessions") == sessions)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("watch", "http://127.0.0.1:1/"), "Connection refused"),
        (("watch", "http://no-such-host.invalid/"), "no-such-host.invalid cannot be reached"),
        (("watch", "here"), "wanted the server's link"),
        (("watch", "http://127.0.0.1:1/", "--rig", "human"), "--numbers"),
        (("watch", "http://127.0.0.1:1/", "--numbers", "--rig", "nobody"), "unknown avatar"),
        (("watch", "http://127.0.0.1:1/", "--seconds", "0"), "more than 0"),
        (("call", "here"), "wanted the server's link"),
        (("call", "http://127.0.0.1:1/", "nothing.mp4"), "there is no nothing.mp4"),
        (("call", "http://127.0.0.1:1/", "--as", "sound"), "as: wanted motion or video"),
        (("call", "http://127.0.0.1:1/", "--rig", "human"), "--as video"),
        (("call", "http://127.0.0.1:1/", "--mirror"), "--as video"),
        (("call", "http://127.0.0.1:1/", "--as", "video", "--rig", "nobody"), "unknown avatar"),
        (("call", "http://127.0.0.1:1/", "--as", "video", "--background", "sky"), "background: wanted"),
        (("call", "http://127.0.0.1:1/", str(ROOT / "assets/performance.npz")), "Connection refused"),
        (("run", str(ROOT / "assets/performance.npz"), "--whip", "http://127.0.0.1:1/w"), "cannot publish"),
        (("run", "--token", "x"), "--whip"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "",
)
def test_mistakes_are_one_line(here: Path, capsys, arguments: tuple[str, ...], says: str) -> None:
    assert main(list(arguments)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("animator: ")
    assert says in line


def test_without_the_token_nobody_is_let_in(here: Path, link: str, capsys) -> None:
    assert main(["watch", link.partition("#")[0], "--out", "seen.mp4"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "401" in line
    assert "--token" in line
