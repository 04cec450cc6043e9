"""From what a person types to a source: the only place that knows which word means what."""

from __future__ import annotations

import logging
from pathlib import Path

from ..addresses import scheme_of
from ..errors import SourceError
from ..resources import asset_path
from ..stages import FrameSource, MotionSource
from .images import SUFFIXES, ImageSource
from .landmarks import LandmarkSource
from .replay import ReplaySource
from .video import VideoSource

log = logging.getLogger("animator")

WANTED = "wanted a camera number, a video, a picture, a folder of pictures, an http or rtsp URL, a take, or \
vmc://, livelink://, ifacialmocap:// or ws:// with :PORT"


def open_source(
    spec: str | None,
    *,
    size_px: tuple[int, int] | None = None,
    fps: float | None = None,
    loop_performance: bool = False,
    solve_again: bool = False,
) -> FrameSource | MotionSource:
    """The source that `spec` names; None means the webcam or, with none, the bundled performance.

    size_px, fps     : what to ask of a camera
    loop_performance : play the bundled performance over and over (in a window)
    solve_again      : of a take with landmarks give those, not the motion that was solved from them
    raises           : SourceError or TakeError with what was wanted and what came"""
    if spec is None:
        return _webcam_or_performance(size_px, fps, loop_performance)
    if spec.isdigit():
        from .camera import CameraSource

        return CameraSource(int(spec), size_px, fps)
    if "://" in spec:
        return _open_url(spec)
    path = Path(spec).expanduser()
    if not path.exists():
        raise SourceError(f"there is no {spec}: {WANTED}")
    return _open_path(path, solve_again)


def _open_url(url: str) -> FrameSource | MotionSource:
    from . import network_urls

    return network_urls.open_network_source(url) if scheme_of(url) in network_urls.PROTOCOLS else VideoSource(url)


def _open_path(path: Path, solve_again: bool) -> FrameSource | MotionSource:
    suffix = path.suffix.lower()
    if path.is_dir() or suffix in SUFFIXES:
        return ImageSource(path)
    if suffix in (".csv", ".json"):
        return ReplaySource(path)
    if suffix == ".npz":
        from ..takes.npz import kind_of_npz

        kinds = {"take": ReplaySource, "landmarks": LandmarkSource}
        kinds["take with landmarks"] = LandmarkSource if solve_again else ReplaySource
        kind = kind_of_npz(path)
        if kind not in kinds:
            raise SourceError(f"{path} is neither a take nor a landmark take: {WANTED}")
        return kinds[kind](path)
    return VideoSource(path)


def performance(*, loop: bool = False) -> VideoSource:
    """The bundled performance, so that every machine has a moving face."""
    return VideoSource(asset_path("performance.mp4"), loop=loop)


def _webcam_or_performance(size_px: tuple[int, int] | None, fps: float | None, loop: bool) -> FrameSource:
    from .camera import CameraSource

    try:
        return CameraSource(0, size_px, fps)
    except SourceError as error:
        log.warning("no webcam (%s): playing the bundled performance", error)
        return performance(loop=loop)
