"""The Streamlit example in a real browser: opened, started, and its mesh seen."""

from __future__ import annotations

import importlib.util
import os
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from animator.data import Array
from tests.conftest import ROOT
from tests.server.live import wait_for

from .conftest import GRAB, Visitor, png_of

pytestmark = pytest.mark.skipif(
    not (importlib.util.find_spec("streamlit") and importlib.util.find_spec("streamlit_webrtc")),
    reason="streamlit is missing: pip install streamlit streamlit-webrtc",
)
START_S = 60.0


@pytest.fixture(scope="module")
def link() -> Iterator[str]:
    """The example as its first lines say to start it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = {
        "server.headless": "true", "server.address": "127.0.0.1", "server.port": str(port),
        "browser.gatherUsageStats": "false", "server.fileWatcherType": "none",
    }  # fmt: skip
    command = [sys.executable, "-m", "streamlit", "run", "docs/examples/streamlit_app.py"]
    command += [word for name, value in options.items() for word in (f"--{name}", value)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )

    def is_up() -> bool:
        assert process.poll() is None
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health").close()
        except OSError:
            return False
        return True

    try:
        wait_for(is_up, START_S)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def lines_of_the_mesh(picture: Array) -> float:
    """The share of the picture's middle that is blue-green, as the mesh's lines are and no face is."""
    height, width, _ = picture.shape
    red, green, blue = picture[height // 4 : 3 * height // 4, width // 3 : 2 * width // 3].transpose(2, 0, 1)
    return float(((green > red + 8) & (blue > red + 4)).mean())


def test_the_streamlit_page_sends_the_mesh_back(link: str, browser: Any) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, permissions=["camera"])
    visitor = Visitor(context.new_page(), link)
    visitor.page.goto(link)
    frame = visitor.page.frame_locator("iframe").first
    frame.get_by_role("button", name=re.compile("start", re.IGNORECASE)).click(timeout=1000 * START_S)
    video = frame.locator("video")
    video.wait_for(timeout=1000 * START_S)

    def is_mesh() -> bool:
        if not video.evaluate("video => video.videoWidth"):
            return False
        return lines_of_the_mesh(png_of(video.evaluate(f"(video) => ({GRAB})([video, 320])"))) > 0.1

    visitor.until(is_mesh, START_S)
    shown = video.evaluate("video => video.getVideoPlaybackQuality().totalVideoFrames")
    visitor.page.get_by_role("slider", name="Number of faces").press("ArrowRight")
    visitor.page.get_by_text("2", exact=True).first.wait_for()
    visitor.until(lambda: video.evaluate("v => v.getVideoPlaybackQuality().totalVideoFrames") > shown + 5, START_S)
    visitor.until(is_mesh, START_S)
    frame.get_by_role("button", name=re.compile("stop", re.IGNORECASE)).click()
    frame.get_by_role("button", name=re.compile("start", re.IGNORECASE)).wait_for(timeout=1000 * START_S)
    assert {host.partition(":")[0] for host in visitor.hosts} == {"127.0.0.1"}
    context.close()
