"""Makes docs/images/page.png: the page of `animator serve` in a real browser, wide and on a phone.

    python -m tools.render_page [--out docs/images/page.png]

Needs Debian's chromium and the extra `test` (playwright). The camera is the bundled performance.
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
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
from playwright.sync_api import Browser, sync_playwright

from animator.resources import asset_path
from tools.render_rig_sheets import save

ROOT = Path(__file__).resolve().parents[1]
PORT = 18444
LINK = f"http://127.0.0.1:{PORT}/r/studio"
SHOWN_AFTER_S = 9.0
"""By then the performance is in the midst of a smile."""
SIZES = ({"width": 1280, "height": 800}, {"width": 390, "height": 800})


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


def screenshot(browser: Browser, size: dict[str, int]) -> np.ndarray:
    """(H, W, 3) uint8 of the page while somebody performs."""
    page = browser.new_page(viewport=size)
    page.goto(LINK)
    page.get_by_role("button", name="Perform").first.click()
    page.wait_for_timeout(1000 * SHOWN_AFTER_S)
    # Chromium calls its fake camera by the file's path, which is nobody's business.
    page.evaluate("document.querySelectorAll('option').forEach(o => { if (o.text.includes('/')) o.text = 'Webcam' })")
    data = page.screenshot()
    page.close()
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def main() -> None:
    """Serve, open, look, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images" / "page.png")
    out = parser.parse_args().out
    command = [sys.executable, "main.py", "serve", "--host", "127.0.0.1", "--port", str(PORT)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        while server.poll() is None:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health").close()
                break
            time.sleep(0.2)
        with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"),
                args=[
                    "--no-sandbox",
                    "--disable-gpu",
                    "--use-fake-device-for-media-stream",
                    "--use-fake-ui-for-media-stream",
                    f"--use-file-for-fake-video-capture={camera_file(Path(folder))}",
                    "--disable-background-networking",
                ],
            )
            wide, phone = (screenshot(browser, size) for size in SIZES)
            browser.close()
    finally:
        server.terminate()
        server.wait(20)
    gap = np.full((wide.shape[0], 24, 3), 255, np.uint8)
    save(out, np.hstack([wide, gap, phone]), step=2)


if __name__ == "__main__":
    main()
