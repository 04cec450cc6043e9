"""Films and streams that change size, go back in time, or come no further."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import av
import pytest

from animator.sources import video
from animator.sources.video import VideoSource
from animator.takes.npz import load_takes
from tests.cli.helpers import frames_of

SIZES_PX = ((160, 120), (96, 64), (240, 180))
EACH = 12


@pytest.fixture
def patched_up(make_video, tmp_path: Path) -> Path:
    """Recordings of a stream laid end to end, as receivers do: each has its own size and begins at time 0."""
    path = tmp_path / "patched-up.ts"
    with path.open("wb") as whole:
        for number, size_px in enumerate(SIZES_PX):
            part = tmp_path / f"{number}.ts"
            with av.open(str(make_video(f"{number}.mp4", EACH, size_px))) as given, av.open(str(part), "w") as made:
                stream = made.add_stream_from_template(given.streams.video[0])
                for packet in given.demux(video=0):
                    if packet.dts is not None:
                        packet.stream = stream
                        made.mux(packet)
            whole.write(part.read_bytes())
    return path


def test_time_rises_and_every_picture_has_its_own_size(patched_up: Path) -> None:
    source = VideoSource(patched_up)
    frames = list(source)
    source.close()
    assert {frame.size_px for frame in frames} == set(SIZES_PX)
    assert len(frames) == EACH * len(SIZES_PX)
    assert all(one.time_s < other.time_s for one, other in pairwise(frames))


@pytest.mark.parametrize("view", ["mesh", "side-by-side"])
def test_a_film_of_it_has_one_size_and_every_picture(animator, patched_up: Path, view: str) -> None:
    said = animator("run", patched_up, "--view", view, "--out", "a.mp4", "--take", "a.npz", "--size", "64x48")
    assert said.code == 0, said.err
    take = load_takes(Path("a.npz"))[0]
    assert frames_of(Path("a.mp4")) == len(take) == EACH * len(SIZES_PX)
    assert (take.times_s[1:] > take.times_s[:-1]).all()


class _Stalling(socketserver.StreamRequestHandler):
    """Gives the film up to a point and then nothing, with the connection open."""

    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        content, upto = self.server.film
        head = f"HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nContent-Length: {len(content)}\r\n\r\n"
        self.wfile.write(head.encode() + content[:upto])
        self.wfile.flush()
        self.server.over.wait()


@pytest.fixture
def stalling(make_video) -> Iterator[str]:
    """The URL of a stream that comes no further, after two thirds."""
    content = make_video("whole.ts", 60, (160, 120)).read_bytes()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Stalling) as server:
        server.film, server.over = (content, 2 * len(content) // 3), threading.Event()
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/live.ts"
        server.over.set()
        server.shutdown()
        serving.join()


def test_a_stream_that_stalls_ends_in_a_line_and_what_came_is_whole(
    animator, stalling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "READ_TIMEOUT_S", 0.5)
    said = animator("run", stalling, "--view", "mesh", "--out", "a.mp4", "--take", "a.npz", "--size", "64x48")
    assert said.code == 2
    assert "it breaks off after" in said.err.splitlines()[-1]
    assert "Traceback" not in said.err
    frames = frames_of(Path("a.mp4"))
    assert 0 < frames < 60
    assert len(load_takes(Path("a.npz"))[0]) >= frames
