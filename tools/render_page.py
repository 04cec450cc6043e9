"""Makes docs/images/page.png and page-states.png: the page of `animator serve` in a real browser, wide and on a phone.

    python -m tools.render_page [--out docs/images] [--every FOLDER]

Needs Debian's chromium and the extra `test` (playwright). The camera is the bundled performance.
`--every` also writes each of the page's states, wide and narrow, light and dark, as a picture of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from animator.resources import asset_path
from tools.render_rig_sheets import save

ROOT = Path(__file__).resolve().parents[1]
PORT = 18444
LINK = f"http://127.0.0.1:{PORT}/r/studio"
WAKING_S, SHOWN_AFTER_S = 3.0, 9.0
"""By then the performance is in the midst of a smile."""
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
GAP_PX = 24
NO_CAMERA = "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', '{}'))"
REFUSAL = """(() => {{
  const real = window.fetch;
  window.fetch = (url, how) => String(url).startsWith('/offer')
    ? Promise.resolve(new Response(JSON.stringify({{error: '{1}'}}), {{status: {0}, headers: {{'Retry-After': '5'}}}}))
    : real(url, how);
}})()"""
NO_WAY = """window.RTCPeerConnection = class extends RTCPeerConnection {
  get connectionState() { return 'failed'; }
  setRemoteDescription() {
    setTimeout(() => this.dispatchEvent(new Event('connectionstatechange')), 50);
    return Promise.resolve();
  }
}"""
STATES = {
    "camera-refused": NO_CAMERA.format("NotAllowedError"),
    "camera-busy": NO_CAMERA.format("NotReadableError"),
    "camera-none": NO_CAMERA.format("NotFoundError"),
    "insecure": "Object.defineProperty(window, 'isSecureContext', {value: false})",
    "full": REFUSAL.format(503, "This server is full: 16 people are connected."),
    "worker-lost": REFUSAL.format(503, "This part of the server has died and starts again: try once more."),
    "token-wrong": "sessionStorage.setItem('animator-token', 'x');" + REFUSAL.format(401, "This link needs its token."),
    "rate": REFUSAL.format(429, "Too many attempts from this address."),
    "unreachable": REFUSAL.format(502, ""),
    "no-path": NO_WAY,
    "no-webrtc": "delete window.RTCPeerConnection",
}
"""What brings a page into each state of page/problems.js: a script that runs before the page's own."""
SHOWN_STATES = ("camera-refused", "full", "worker-lost", "no-path")


def camera_file(folder: Path, frames: int | None = None) -> Path:
    """The bundled performance, or its first frames, as Chromium's fake camera wants it."""
    path = folder / "camera.mjpeg"
    with av.open(str(asset_path("performance.mp4"))) as given, av.open(str(path), "w", format="mjpeg") as made:
        stream = made.add_stream("mjpeg", rate=30, options={"qscale": "3"})
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuvj420p"
        for picture in islice(given.decode(video=0), frames):
            made.mux(stream.encode(picture.reformat(format="yuvj420p")))
        made.mux(stream.encode(None))
    return path


def seen(page: Page) -> np.ndarray:
    """(H, W, 3) uint8 of the page as it is."""
    # Chromium calls its fake camera by the file's path, which is nobody's business.
    page.evaluate("document.querySelectorAll('option').forEach(o => { if (o.text.includes('/')) o.text = 'Webcam' })")
    data = np.frombuffer(page.screenshot(), np.uint8)
    return cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


@contextlib.contextmanager
def opened(browser: Browser, size: dict[str, int], dark: bool, script: str = "") -> Iterator[Page]:
    """The page in a profile of its own, at the choice of performing or watching."""
    context = browser.new_context(
        viewport=size, color_scheme="dark" if dark else "light", permissions=["camera"], reduced_motion="reduce"
    )
    if script:
        context.add_init_script(script)
    page = context.new_page()
    page.goto(LINK)
    yield page
    context.close()


def performing(browser: Browser, size: dict[str, int], dark: bool = False) -> np.ndarray:
    """The page while somebody performs."""
    with opened(browser, size, dark) as page:
        page.get_by_role("button", name="Perform").first.click()
        page.wait_for_timeout(1000 * WAKING_S)
        page.wait_for_selector("#veil", state="hidden", timeout=60_000)  # a busy machine wakes the puppet slowly
        page.wait_for_timeout(1000 * (SHOWN_AFTER_S - WAKING_S))
        return seen(page)


def in_trouble(browser: Browser, state: str, size: dict[str, int], dark: bool = False) -> np.ndarray:
    """The page in one of STATES."""
    with opened(browser, size, dark, STATES[state]) as page:
        if state != "no-webrtc":
            page.get_by_role("button", name="Perform").first.click()
        page.wait_for_selector(f"#notice[data-kind={state}]")
        page.wait_for_timeout(600)
        return seen(page)


def write_every(browser: Browser, folder: Path) -> None:
    """Each state, wide and narrow, light and dark."""
    folder.mkdir(parents=True, exist_ok=True)
    for size, width in ((WIDE, "wide"), (PHONE, "phone")):
        for dark in (False, True):
            ending = f"{width}-{'dark' if dark else 'light'}.png"
            with opened(browser, size, dark) as page:
                page.wait_for_timeout(600)
                save(folder / f"landing-{ending}", seen(page))
            save(folder / f"live-{ending}", performing(browser, size, dark))
            for state in STATES:
                save(folder / f"{state}-{ending}", in_trouble(browser, state, size, dark))


def beside(*pictures: np.ndarray) -> np.ndarray:
    """Pictures of one height side by side on white."""
    gap = np.full((pictures[0].shape[0], GAP_PX, 3), 255, np.uint8)
    return np.hstack([part for picture in pictures for part in (gap, picture)][1:])


@contextlib.contextmanager
def serving() -> Iterator[None]:
    """A server of our own, ready."""
    command = [sys.executable, "main.py", "serve", "--host", "127.0.0.1", "--port", str(PORT)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        while server.poll() is None:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health").close()
                break
            time.sleep(0.2)
        yield
    finally:
        server.terminate()
        server.wait(20)


def main() -> None:
    """Serve, open, look, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--every", type=Path, metavar="FOLDER")
    args = parser.parse_args()
    with serving(), tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={camera_file(Path(folder))}",
                "--disable-background-networking",
            ],
        )
        if args.every:
            write_every(browser, args.every)
        wide = performing(browser, {"width": 1280, "height": 844})
        save(args.out / "page.png", beside(wide, performing(browser, PHONE)), step=4)
        troubles = [in_trouble(browser, state, PHONE, dark=n % 2 == 1) for n, state in enumerate(SHOWN_STATES)]
        save(args.out / "page-states.png", beside(*troubles))
        browser.close()


if __name__ == "__main__":
    main()
