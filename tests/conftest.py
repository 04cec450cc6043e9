"""What many tests need: real files, found or made, and named skips where something is not here."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from animator.resources import asset_path
from animator.tracking.model import find_or_fetch_model

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"

# A shell that starts the tests in the background has them ignore Ctrl-C, and programs that they start would, too.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _logger_as_it_was() -> Iterator[None]:
    """The program's command line sets its logger up for a terminal; the next test finds it as it was."""
    loggers = logging.getLogger("animator"), logging.getLogger()
    before = [(logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
        logger.handlers[:], logger.propagate = handlers, propagate
        logger.setLevel(level)


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """A file of the evaluation material, which exists on the project's own machines only."""

    def find(name: str) -> Path:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"evaluation material is not here: {name}")
        return path

    return find


@pytest.fixture(scope="session")
def model_path() -> Path:
    """The verified face model; `make install` fetched it."""
    return find_or_fetch_model()


@pytest.fixture(scope="session")
def performance_path() -> Path:
    """The bundled performance: a face with known motion."""
    return asset_path("performance.mp4")


@pytest.fixture
def make_video(tmp_path: Path) -> Callable[..., Path]:
    """Writes a short video of a bright square that wanders over grey: no face in it."""

    def make(name: str = "square.mp4", frames: int = 12, size_px: tuple[int, int] = (160, 120), fps: int = 24) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=fps)
            stream.width, stream.height, stream.pix_fmt = *size_px, "yuv420p"
            for index in range(frames):
                picture = np.full((size_px[1], size_px[0], 3), 90, np.uint8)
                picture[20:60, 5 * index : 5 * index + 40] = (250, 40, 40)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
        return path

    return make


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
