"""The page in a real browser, against the mock server and against the real one."""

from __future__ import annotations

import base64
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import av
import pytest

from animator.data import Array

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install playwright")
pytest.importorskip("aiohttp", reason="aiohttp is missing: pip install aiohttp")

from .mock_server import MockServer  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
IN_SOFTWARE = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
EXPECTED_REFUSALS = "Failed to load resource: the server responded with a status of"
"""What the browser itself writes for every 401 or 503: not an error of the page."""
CLIP_FRAMES = 240
FRAMES = "document.querySelector('#puppet').getVideoPlaybackQuality().totalVideoFrames"
GRAB = """([name, width]) => {
  const video = typeof name === 'string' ? document.querySelector(name) : name;
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = Math.round(width * video.videoHeight / video.videoWidth);
  canvas.getContext('2d').drawImage(video, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL('image/png');
}"""


class Visitor:
    """A page, and what went wrong in it."""

    def __init__(self, page: Any, url: str) -> None:
        self.page, self.url = page, url
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        page.set_default_timeout(8000)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._see(request.url))

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(EXPECTED_REFUSALS):
            self.complaints.append(message.text)

    def _see(self, url: str) -> None:
        if url.startswith("http"):
            self.hosts.add(urlsplit(url).netloc)

    def open(self, path: str = "/r/studio") -> Visitor:
        self.page.goto(self.url + path)
        self.until("document.querySelector('#views input') !== null")
        return self

    def until(self, condition: str | Callable[[], Any], seconds: float = 10) -> Any:
        """Wait for JavaScript (or Python) to become true; the deadline is the failure."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.page.evaluate(condition) if isinstance(condition, str) else condition()
            if found:
                return found
            self.page.wait_for_timeout(20)
        pytest.fail(f"still not so after {seconds} s: {condition}")

    def until_live(self, seconds: float = 10) -> None:
        self.until("document.querySelector('#app').dataset.phase === 'live'", seconds)
        self.until("document.querySelector('#puppet').videoWidth > 0", seconds)
        self.until("document.querySelector('#veil').hidden", seconds)

    def until_frames(self, more: int, seconds: float = 10) -> None:
        """Wait until so many more pictures of the puppet were shown."""
        before = self.page.evaluate(FRAMES)
        self.until(f"{FRAMES} >= {before + more}", seconds)

    def perform(self, path: str = "/r/studio", seconds: float = 10) -> Visitor:
        self.open(path).page.click("#perform")
        self.until_live(seconds)
        return self

    def watch(self, path: str = "/r/studio", seconds: float = 10) -> Visitor:
        self.open(path).page.click("#watch")
        self.until_live(seconds)
        return self

    def notice(self, kind: str) -> str:
        """Wait for the card with this problem; gives its text."""
        self.page.wait_for_selector(f"#notice[data-kind={kind}]")
        return self.page.inner_text("#notice")

    def figure(self, name: str) -> float:
        """A number of the list under Connection; NaN while there is none."""
        text = self.page.inner_text(f"[data-figure={name}]")
        return float(text.split()[0]) if text[0].isdigit() else float("nan")

    def picture(self, name: str = "#puppet", width: int = 160) -> Array:
        """(H, width, 3) int: what a video shows at this moment."""
        return png_of(self.page.evaluate(GRAB, [name, width]))


def png_of(data_url: str) -> Array:
    """(H, W, 3) int of a PNG in a data address."""
    return decoded(base64.b64decode(data_url.partition(",")[2]))


def decoded(png: bytes) -> Array:
    """(H, W, 3) int of a PNG's bytes."""
    codec = av.CodecContext.create("png", "r")
    return codec.decode(av.Packet(png))[0].to_ndarray(format="rgb24").astype(int)


@pytest.fixture(scope="package")
def server() -> Iterator[MockServer]:
    mock = MockServer(every_pixel=2).start()
    yield mock
    mock.stop()


@pytest.fixture
def mock(server: MockServer) -> MockServer:
    server.reset()
    return server


@pytest.fixture(scope="package")
def camera_args(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Options that make the bundled performance Chromium's camera."""
    from tools.render_page import camera_file

    path: Path = camera_file(tmp_path_factory.mktemp("camera"), CLIP_FRAMES)
    return [f"--use-file-for-fake-video-capture={path}"]


@pytest.fixture(scope="package")
def browser(camera_args: list[str]) -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("chromium is missing: apt-get install chromium")
    # Of this package, not of the session: Playwright keeps an event loop running, and later tests want their own.
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGS, *camera_args, "--disable-gpu"])
        yield running
        running.close()


@pytest.fixture(scope="package")
def drawing_browser(browser: Any, camera_args: list[str]) -> Iterator[Any]:
    """One with WebGL, in software."""
    running = browser.browser_type.launch(executable_path=CHROMIUM, args=[*ARGS, *camera_args, *IN_SOFTWARE])
    yield running
    running.close()


@pytest.fixture
def visit(browser: Any, mock: MockServer) -> Iterator[Callable[..., Visitor]]:
    """Open pages, each in a profile of its own; at the end none may have complained or asked another host."""
    visitors: list[Visitor] = []

    def make(camera: bool = True, size: tuple[int, int] = (1280, 800)) -> Visitor:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            permissions=["camera"] if camera else [],
            accept_downloads=True,
            reduced_motion="reduce",
        )
        visitors.append(Visitor(context.new_page(), mock.url))
        return visitors[-1]

    yield make
    for visitor in visitors:
        visitor.page.context.close()
        assert visitor.complaints == []
        assert visitor.hosts <= {urlsplit(mock.url).netloc}
