"""Video files and network streams, decoded by PyAV."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..data import Array, Frame
from ..errors import SourceError
from ..recycling import PICTURES

log = logging.getLogger("animator")

DEFAULT_FPS = 30.0
TEXT_ART = frozenset({"tty", "bin", "xbin", "adf", "idf"})
"""FFmpeg draws any text file as a film of a terminal; nobody means that."""
CONTAINERS = (
    "mov", "matroska", "avi", "mpegts", "mpeg", "mpegvideo", "flv", "ogg", "asf", "gif", "apng", "mxf", "nut", "ivf",
    "dv", "h263", "h264", "hevc", "vvc", "av1", "obu", "m4v", "vc1", "mjpeg", "mjpeg_2000", "yuv4mpegpipe", "wtv", "rm",
    "swf", "webp", "amv", "gxf", "nsv", "tty", "bin",
)  # fmt: skip
"""What a file may be: not a playlist or a session's description, in whose name FFmpeg would open other files and
connections; that is what URLs are for."""
HIDDEN_FRAMES, HIDDEN_SHARE = 5, 0.05
"""A whole file may show this many frames fewer than it holds: edit lists hide some at the ends."""
MAX_PICTURE_PX = 36 * 2**20
"""Of a film: 8K has 33 million. A file of 600 bytes may claim 65536 x 65536."""
OPEN_TIMEOUT_S, READ_TIMEOUT_S = 10.0, 10.0


class VideoSource:
    """A video file or an http/rtsp stream.

    A file that breaks off in the middle gives the frames before the break; `broken` then tells why.
    loop    : begin again at the end, time going on
    threads : of the decoder; None leaves it to FFmpeg"""

    def __init__(self, address: str | Path, *, loop: bool = False, threads: int | None = None) -> None:
        import av

        self._address, self._loop = str(address), loop
        self.is_stream = "://" in self._address
        self.name = self._address if self.is_stream else Path(address).name
        self.broken: str | None = None
        with self._errors("open"):
            timeout = (OPEN_TIMEOUT_S, READ_TIMEOUT_S) if self.is_stream else None
            self._container = av.open(self._address, timeout=timeout) if self.is_stream else opened(Path(address))
        if not self._container.streams.video or self._container.format.name in TEXT_ART:
            self._container.close()
            raise SourceError(f"{self.name} holds no video: wanted a video file, a picture, a take or a camera number")
        self._stream = self._container.streams.video[0]
        if self._stream.codec_context is None:
            self._container.close()
            raise SourceError(f"{self.name} is not a video that can be read: FFmpeg does not know how it is coded")
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.options = {"max_pixels": str(MAX_PICTURE_PX)}
        if threads is not None:
            self._stream.codec_context.thread_count = threads
        self.fps = float(self._stream.average_rate or self._stream.guessed_rate or DEFAULT_FPS)
        self.frame_count = None if loop else (self._stream.frames or self._count_from_duration())
        self.live = self.is_stream and self.frame_count is None
        self._origin_s = 0.0
        self._frames = self._decoded()
        self._first: Frame | None = next(self._frames, None)  # a file that only looks like a video fails here
        if self._first is None:
            raise SourceError(f"{self.name} is not a video that can be read: {self.broken or 'it has no frames'}")
        self.size_px = self._first.size_px

    def __iter__(self) -> Iterator[Frame]:
        if self._first is not None:
            first, self._first = self._first, None
            yield first
        yield from self._frames

    def from_key_frame(self, start_s: float) -> Iterator[Frame]:
        """The frames from the key frame nearest before `start_s` on, with the times that the whole file gives them;
        counted from 0. For files whose times rise, before anything else was read."""
        origin_s = self._origin_s
        half_a_frame = 0.5 / self.fps
        offset = round((origin_s + start_s + half_a_frame) / self._stream.time_base)
        self._container.seek(offset, stream=self._stream)
        passed = 0
        for index, (rgb, time_s) in enumerate(self._one_pass(origin_s)):
            if time_s < start_s - half_a_frame:  # pictures that lean on those before the key frame may be spoilt
                passed += 1
                continue
            yield Frame(rgb, time_s, index - passed)

    def close(self) -> None:
        """Give the file or the connection back."""
        self._frames.close()
        self._container.close()

    def _count_from_duration(self) -> int | None:
        duration = self._container.duration
        return round(duration / 1e6 * self.fps) if duration and duration > 0 else None

    def _decoded(self) -> Iterator[Frame]:
        index, start_s = 0, 0.0
        while True:
            before = index
            last_s = start_s - 1e-3
            for rgb, time_s in self._one_pass():
                last_s = max(last_s + 1e-3, start_s + time_s)  # some files repeat or drop timestamps
                yield Frame(rgb, last_s, index)
                index += 1
            if not self._loop or index == before:
                break
            start_s = last_s + 1 / self.fps
            self._container.seek(0)
        expected = self._stream.frames
        missing = expected - index
        if not self._loop and self.broken is None and missing > max(HIDDEN_FRAMES, HIDDEN_SHARE * expected):
            self.broken = f"it ends after {index} of {expected} frames"

    def _one_pass(self, origin: float | None = None) -> Iterator[tuple[Array, float]]:
        """Every picture and its time from the first one's, or from `origin` on the file's clock."""
        import av

        count = 0
        try:
            for picture in self._container.decode(self._stream):
                time_s = picture.time if picture.time is not None else count / self.fps
                origin = self._origin_s = time_s if origin is None else origin
                yield _upright(_rgb(picture), picture.rotation), time_s - origin
                count += 1
        except (av.FFmpegError, ValueError) as error:
            self.broken = f"it breaks off after {count} frames ({_reason(error)})"

    @contextmanager
    def _errors(self, verb: str) -> Iterator[None]:
        import av

        try:
            yield
        except (av.FFmpegError, OSError, ValueError) as error:
            what = "stream" if self.is_stream else "video"
            raise SourceError(f"cannot {verb} {self.name} as a {what}: {_reason(error)}") from error


def opened(path: Path) -> Any:
    """A file as PyAV's container; raises FFmpegError. By its whole path: `concat:a` would mean something to FFmpeg."""
    import av

    return av.open(str(path.absolute()), options={"format_whitelist": ",".join(CONTAINERS)})


def _rgb(picture: Any) -> Array:
    """(H, W, 3) uint8 of a decoded picture: what its `to_ndarray` gives, in memory that is used again."""
    if picture.width * picture.height > MAX_PICTURE_PX:
        raise ValueError(f"a picture of {picture.width}x{picture.height} is larger than any camera's")
    plane = picture.reformat(format="rgb24").planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    rgb = PICTURES.empty((plane.height, plane.width, 3))
    np.copyto(rgb.reshape(plane.height, -1), rows[: plane.height, : 3 * plane.width])
    return rgb


def _upright(rgb: Array, rotation_deg: int) -> Array:
    """Turn a picture as the file's display matrix says (phones film sideways)."""
    quarter_turns = round(rotation_deg / 90) % 4
    return np.ascontiguousarray(np.rot90(rgb, quarter_turns)) if quarter_turns else rgb


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
