"""Video files, encoded by PyAV."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..data import Array, Frame
from ..errors import SinkError
from ..takes.files import check_writable, scratch_beside

TIME_BASE = Fraction(1, 90_000)
"""MPEG's own: every camera's and film's frame rate is exact or nearly so in it."""
QUALITY_CRF = 18
"""x264's constant rate factor: 18 looks like the original."""

_CODECS = {
    ".mp4": ("libx264", "libopenh264", "mpeg4"),
    ".m4v": ("libx264", "libopenh264", "mpeg4"),
    ".mov": ("libx264", "libopenh264", "mpeg4"),
    ".mkv": ("libx264", "libopenh264", "mpeg4"),
    ".avi": ("mpeg4",),
    ".webm": ("libvpx-vp9", "libvpx"),
}
VIDEO_SUFFIXES = tuple(_CODECS)
LASTING_FROM = (61, 7)
"""Of libavformat (FFmpeg 7.1): it writes MP4 in pieces that play by themselves, and makes them one at the end."""
PIECE_S = 1.0
_OPTIONS = {
    # 640x480, two cores: veryfast takes 2.5 ms of wall a frame, medium 9; the files differ by a tenth.
    "libx264": {"preset": "veryfast", "crf": str(QUALITY_CRF)},
    "libvpx-vp9": {"crf": "30", "b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"},
    "mpeg4": {"qscale": "3"},
}


class VideoSink:
    """Writes pictures at their own times; the file stands under its name only once it is closed.

    When the disk is full, what was written before plays, and stands under the name too.

    Pictures with an odd side get their last row or column twice, as 4:2:0 video has none."""

    def __init__(self, path: Path, fps: float) -> None:
        if path.suffix.lower() not in _CODECS:
            raise SinkError(f"cannot write {path}: wanted a name that ends in {', '.join(VIDEO_SUFFIXES)}")
        check_writable(path)
        self.path, self._fps = path, fps
        self._scratch = scratch_beside(path)
        self._container: Any = None
        self._first_s = 0.0
        self._last_pts = -1
        self.frames = 0

    def write(self, frame: Frame) -> None:
        """Append one picture. All must have one size."""
        import av

        rgb = _even(frame.rgb)
        try:
            if self._container is None:
                self._open(rgb, frame.time_s)
            picture = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            picture = picture.reformat(format="yuv420p", dst_colorspace="ITU709")
            self._last_pts = max(self._last_pts + 1, round((frame.time_s - self._first_s) / self._time_base))
            picture.pts, picture.time_base = self._last_pts, self._time_base
            self._container.mux(self._stream.encode(picture))
        except (av.FFmpegError, OSError) as error:
            raise SinkError(f"cannot write {self.path}: {error.strerror or error}") from error
        self.frames += 1

    def close(self) -> None:
        """Finish the file so that it plays; without a single picture there is none. May be called twice.

        raises : SinkError where it cannot be finished; what can be played of it is kept"""
        import av

        if self._container is None:
            return
        container, self._container = self._container, None
        try:
            container.mux(self._stream.encode(None))
            container.close()
            self._scratch.replace(self.path)
        except (av.FFmpegError, OSError) as error:
            kept = self._keep_what_plays()
            raise SinkError(f"cannot write {self.path}: {error.strerror or error}{kept}") from error

    def _keep_what_plays(self) -> str:
        """Of a file that could not be finished; what to say of it."""
        import av

        try:
            with av.open(str(self._scratch)) as container:
                next(container.decode(video=0))
            self._scratch.replace(self.path)
        except (av.FFmpegError, OSError, StopIteration, IndexError):
            self._scratch.unlink(missing_ok=True)
            return ""
        return "; it has what came before"

    def _open(self, rgb: Array, time_s: float) -> None:
        import av

        suffix = self.path.suffix.lower()
        self._codec = next((name for name in _CODECS[suffix] if name in av.codecs_available), None)
        if self._codec is None:
            raise SinkError(f"cannot write {self.path}: this build of FFmpeg has no {_CODECS[suffix][0]}; try .avi")
        options = _container_options() if suffix in (".mp4", ".m4v", ".mov") else {}
        self._container = av.open(str(self._scratch), "w", options=options)
        rate = Fraction(self._fps).limit_denominator(1001)
        self._stream = self._container.add_stream(self._codec, rate=rate, options=_OPTIONS.get(self._codec, {}))
        self._stream.width, self._stream.height = rgb.shape[1], rgb.shape[0]
        self._stream.pix_fmt = "yuv420p"
        context = self._stream.codec_context
        # AVI knows only frames at one rate; MPEG-4's clock has 16 bits.
        self._time_base = 1 / rate if self._codec == "mpeg4" else TIME_BASE
        self._stream.time_base = context.time_base = self._time_base
        # BT.709, as every player takes untagged HD to be; and said in the file, for those who read it.
        context.colorspace = context.color_primaries = context.color_trc = 1
        context.color_range = 1
        self._first_s = time_s

    def __del__(self) -> None:
        with suppress(Exception):  # the interpreter may be half gone; a stray scratch file is all we can remove
            self._scratch.unlink(missing_ok=True)


def _container_options() -> dict[str, str]:
    """Of MP4 and MOV: a file that is never finished, as the disk is full or the program killed, plays all the same."""
    import av

    if av.library_versions["libavformat"] < LASTING_FROM:
        return {"movflags": "+faststart"}
    return {"movflags": "+hybrid_fragmented", "frag_duration": str(round(PIECE_S * 1e6))}


def _even(rgb: Array) -> Array:
    height, width = rgb.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return rgb
    return np.pad(rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
