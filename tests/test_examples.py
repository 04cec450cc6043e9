"""The examples run with what they need beside the package: `pip install streamlit streamlit-webrtc`."""

from __future__ import annotations

import runpy
import time
from pathlib import Path
from types import SimpleNamespace

import av
import pytest

from .conftest import ROOT

STREAMLIT = ROOT / "docs/examples/streamlit_app.py"
DEADLINE_S = 20.0


@pytest.mark.filterwarnings("default")
def test_the_streamlit_page_draws_the_mesh(performance_path: Path, model_path: Path, monkeypatch) -> None:
    testing = pytest.importorskip("streamlit.testing.v1", reason="streamlit is not here")
    webrtc = pytest.importorskip("streamlit_webrtc", reason="streamlit-webrtc is not here")
    # Streamlit's own test bench has no server, without which this component does not start.
    monkeypatch.setattr(webrtc, "webrtc_streamer", lambda *_what, **_how: SimpleNamespace(video_processor=None))
    page = testing.AppTest.from_file(str(STREAMLIT), default_timeout=DEADLINE_S).run()
    assert not page.exception
    assert [slider.label for slider in page.sidebar.slider] == [
        "Number of faces", "Detection confidence", "Tracking confidence",
    ]  # fmt: skip
    mesh = runpy.run_path(str(STREAMLIT))["Mesh"]()
    with av.open(str(performance_path)) as clip:
        picture = next(clip.decode(video=0))
    end_s = time.monotonic() + DEADLINE_S
    while (drawn := mesh.recv(picture)) is picture and time.monotonic() < end_s:
        time.sleep(0.05)
    mesh.on_ended()
    assert drawn is not picture
    assert (drawn.width, drawn.height) == (picture.width, picture.height)
    assert mesh.performance.frames_with_face > 0


def test_the_streamlit_page_is_short() -> None:
    assert len(STREAMLIT.read_text("utf-8").splitlines()) < 60
