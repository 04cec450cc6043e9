"""Profiles, settings, films and what a batch notes: true ones, and what is done with one that was read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from .seeds import scratch, take, written


def profiles() -> list[bytes]:
    from animator.solving.profile import Profile, save_profile

    profile = Profile("me", take(1).profile_cm, {"eyeBlinkLeft": 0.7})
    return [written(lambda path: save_profile(path, profile), "g.json")]


def profile(path: Path) -> None:
    from animator.solving.profile import load_profile

    found = load_profile(path)
    assert np.isfinite(found.neutral_cm).all()


def keepsakes() -> list[bytes]:
    from animator.server.keepsake import keepsake
    from animator.solving.profile import Profile

    return [json.dumps(keepsake(0, Profile("", take(1).profile_cm, {"eyeBlinkLeft": 0.7}))).encode()]


def keepsake(path: Path) -> None:
    """As the data channel hands it on: parsed JSON whose constants are refused."""
    from animator.errors import ProtocolError
    from animator.server.keepsake import profile_from_keepsake

    def refuse(name: str) -> None:
        raise ProtocolError(name)

    try:
        said = json.loads(path.read_text("utf-8"), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("not JSON") from error
    if isinstance(said, dict):
        _, profile = profile_from_keepsake(said)
        assert np.isfinite(profile.neutral_cm).all()


SETTINGS = b"""[tracking]
faces = 2
detection_confidence = 0.5
tracker = "litert"
[solving]
smoothing = 0.4
calibrate = "auto"
[tuning]
[show]
rig = "human"
view = "avatar"
size_px = [640, 480]
fps = 30.0
background = "#102030,white"
mirror = true
[serve]
host = "127.0.0.1"
port = 8080
max_sessions = 4
token = "secret"
ice_servers = ["stun:stun.example:3478", "turn:turn.example:3478,user,password"]
trusted_proxies = ["10.0.0.0/8"]
allow_hosts = ["*.example"]
silent_s = 20.0
"""


def settings(path: Path) -> None:
    from animator.config import config_from_toml
    from animator.server.settings import table_from_toml

    config_from_toml(path)
    table_from_toml(path)


def picture_source(path: Path) -> None:
    from animator.rendering.overlay import picture_from_file
    from animator.sources.images import ImageSource

    source = ImageSource(path)
    for frame in source:
        assert frame.rgb.dtype == np.uint8
    picture_from_file(path)


def films() -> list[bytes]:
    import av

    found = []
    for suffix, codec in ((".mp4", "libx264"), (".mkv", "libvpx"), (".webm", "libvpx-vp9"), (".avi", "mpeg4")):
        path = scratch() / f"h{suffix}"
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=24)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for index in range(4):
                picture = np.full((48, 64, 3), 40 * index, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
        found.append(path.read_bytes())
    lists = (b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.mp4\n#EXT-X-ENDLIST\n",
             b"ffconcat version 1.0\nfile secret.mp4\n",
             b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
             b"a=rtpmap:96 H264/90000\n")  # fmt: skip
    return [*found, *lists]


def film(path: Path) -> None:
    from animator.sources.video import VideoSource

    source = VideoSource(path, threads=1)
    try:
        for _ in zip(range(8), source, strict=False):
            pass
    finally:
        source.close()


def ledgers() -> list[bytes]:
    record = {"path": "/x.mp4", "film": [1, 2], "settings": "abc", "result": {"name": "x", "files": ["x.csv"]}}
    return [json.dumps(record).encode()]


def ledger(path: Path) -> None:
    """As a second run reads what the first one noted in the folder."""
    from animator.batch.ledger import Ledger

    ledger = Ledger(path.parents[1])
    for film in ledger.names():
        ledger.finished(film, "abc")
