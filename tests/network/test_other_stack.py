"""A WebRTC stack that shares no line of code with ours at the other end: werift, in TypeScript."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from animator.data import Array
from animator.protocols.motion_stream import Decoder
from tests.server.live import Server, serving

from .helpers import Visitor, needs_ice, running, visiting

HERE = Path(__file__).parent / "werift"
PICTURES, MOTIONS = 30, 60

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="there is no node (Node.js)"),
    pytest.mark.skipif(
        not (HERE / "node_modules" / "werift").is_dir(), reason="werift is not installed: tools/install.sh test does it"
    ),
    needs_ice,
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running:
        yield running
        assert "Traceback" not in "".join(running.err)


@pytest.fixture(scope="module")
def performer(server: Server) -> Iterator[Visitor]:
    with visiting(server.url) as visitor:
        visitor.wait_for("picture")
        yield visitor


def viewer(server: Server, way: str, file: Path) -> list[str]:
    return ["node", str(HERE / "viewer.mjs"), server.url, way, str(file)]


def pictures_in(file: Path) -> list[Array]:
    with av.open(str(file)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def shows_somebody(rgb: Array) -> bool:
    """The stage's middle is another colour than its edge."""
    middle = rgb[rgb.shape[0] // 4 : rgb.shape[0] // 2, rgb.shape[1] // 2 - 40 : rgb.shape[1] // 2 + 40]
    return float(np.abs(middle.astype(float) - rgb[: rgb.shape[0] // 2, :8].mean(axis=(0, 1))).mean()) > 20


def test_it_watches_by_whep(server: Server, performer: Visitor, tmp_path: Path) -> None:
    with running(viewer(server, "whep", tmp_path / "stage.ivf")) as watcher:
        answered = watcher.wait_for("answered")
        assert answered["status"] == 201
        assert answered["location"].startswith("/sessions/")
        watcher.wait_for("picture", PICTURES)
        assert watcher.lines("picture")[0]["key"]
    pictures = pictures_in(tmp_path / "stage.ivf")
    assert len(pictures) >= PICTURES - 1  # the last may have been cut off
    assert shows_somebody(pictures[-1])
    assert any((a != b).mean() > 0.01 for a, b in pairwise(pictures)), "nothing moves"


def test_it_gets_motion_on_a_data_channel(server: Server, performer: Visitor, tmp_path: Path) -> None:
    with running(viewer(server, "offer", tmp_path / "stage.ivf")) as watcher:
        watcher.wait_for("motion", MOTIONS)
        watcher.wait_for("picture")
        decoder = Decoder()
        messages = [bytes.fromhex(line["hex"]) for line in watcher.lines("motion")]
    motions = [motion for motion in map(decoder.decode, messages) if motion is not None]
    assert len(motions) > MOTIONS // 2
    assert np.ptp([motion.expression.weights for motion in motions], axis=0).max() > 0.05
