"""Pictures become packets of H.264 or VP8, ready to be sent at once: no frame waits for another."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.codec.codec import UnknownCodecError
from av.video.frame import PictureType
from av.video.reformatter import VideoReformatter

from ..data import Array, check_shape
from ..errors import SettingError, ShapeError, SinkError

TICKS_PER_S = 90_000
"""Every packet's pts counts these, as RTP does for video."""
KEY_FRAME_EVERY_S = 10.0
"""A key frame comes at least this often, so that even a viewer who cannot ask for one recovers."""
CODECS = ("H264", "VP8")
"""In the order in which they are preferred: H.264 is decoded by hardware nearly everywhere."""

_TIME_BASE = Fraction(1, TICKS_PER_S)
_LEVEL_31_MACROBLOCKS = 3600
_COLOURS = {"colorspace": 5, "color_range": 1}
"""BT.601 in the limited range: what swscale makes of RGB."""


class PictureMaker:
    """Turns rgb arrays into yuv420p pictures, which one maker may do for several encoders."""

    def __init__(self) -> None:
        # One that is kept: 0.7 ms a 640x480 picture; a new one each time takes 1.2 ms.
        self._reformatter = VideoReformatter()

    def picture_from_rgb(self, rgb: Array) -> av.VideoFrame:
        """rgb : (H, W, 3) uint8; an odd side gets its last row or column twice, as 4:2:0 video has none"""
        check_shape("picture", rgb, None, None, 3)
        if rgb.dtype != np.uint8 or 0 in rgb.shape:
            raise ShapeError(f"picture: expected (H, W, 3) uint8 with something in it, got {rgb.shape} {rgb.dtype}")
        height, width = rgb.shape[:2]
        if height % 2 or width % 2:
            rgb = np.pad(rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        picture = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(rgb), "rgb24")
        return self._reformatter.reformat(picture, picture.width, picture.height, "yuv420p", threads=1)


class VideoEncoder:
    """Encodes on the caller's thread. A new size or bitrate takes effect with the next picture, as a key frame.

    codec       : `H264` or `VP8`
    fps         : pictures per second that the bitrate is shared out to
    bitrate_bps : bits per second"""

    def __init__(self, codec: str = "H264", fps: float = 30.0, bitrate_bps: int = 1_000_000) -> None:
        if codec not in CODECS:
            raise SettingError(f"the codec must be one of {', '.join(CODECS)}, not {codec!r}")
        self.codec, self.fps, self.bitrate_bps = codec, fps, bitrate_bps
        self._maker = PictureMaker()
        self._context: Any = None
        self._opened_for: tuple[int, int, int] | None = None  # the context's own numbers are rounded
        self._key_wanted = False
        self._last_pts, self._shift = -1, 0

    def request_key_frame(self) -> None:
        """Make the next picture one that can be decoded without those before it."""
        self._key_wanted = True

    def encode(self, rgb: Array, time_s: float) -> av.Packet | None:
        """The packet of one picture (pts in 1/90000 s, rising), or None where the rate control left it out.

        rgb    : (H, W, 3) uint8
        time_s : seconds; a clock that goes back is taken to go on where it was"""
        return self.encode_picture(self._maker.picture_from_rgb(rgb), time_s)

    def encode_picture(self, picture: av.VideoFrame, time_s: float) -> av.Packet | None:
        """As `encode`, of a yuv420p picture with even sides. Raises SinkError where the codec cannot."""
        picture.pts, picture.time_base = self._next_pts(time_s), _TIME_BASE
        picture.pict_type = PictureType.I if self._key_wanted else PictureType.NONE
        self._key_wanted = False
        try:
            packets = self._context_for(picture).encode(picture)
        except (av.FFmpegError, UnknownCodecError) as error:
            raise SinkError(
                f"cannot encode {picture.width}x{picture.height} as {self.codec}: {error}; try another size or codec"
            ) from error
        if not packets:
            return None
        packet = packets[0]
        packet.pts, packet.time_base = picture.pts, _TIME_BASE
        return packet

    def _next_pts(self, time_s: float) -> int:
        pts = round(time_s * TICKS_PER_S) + self._shift
        if pts <= self._last_pts:
            step = max(1, round(TICKS_PER_S / self.fps))
            self._shift += self._last_pts + step - pts
            pts = self._last_pts + step
        self._last_pts = pts
        return pts

    def _context_for(self, picture: av.VideoFrame) -> Any:
        wanted = (picture.width, picture.height, self.bitrate_bps)
        # Neither codec takes a new bitrate by way of FFmpeg while it runs, so a change costs a key frame.
        if wanted != self._opened_for:
            self._context, self._opened_for = _open(self.codec, *wanted, self.fps), wanted
        return self._context


def _open(codec: str, width: int, height: int, bitrate_bps: int, fps: float) -> Any:
    context = av.CodecContext.create("libx264" if codec == "H264" else "libvpx", "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.bit_rate, context.gop_size = bitrate_bps, round(KEY_FRAME_EVERY_S * fps)
    context.time_base, context.framerate = _TIME_BASE, Fraction(fps).limit_denominator(1001)
    # Slices and further threads cost bits and, at these sizes, gain nothing that other sessions do not lose.
    context.thread_count = 1
    for name, value in _COLOURS.items():
        setattr(context, name, value)
    # Half a second of buffer: a key frame may be some ten times an ordinary one, yet never chokes a thin line.
    rate = {"maxrate": str(bitrate_bps), "bufsize": str(bitrate_bps // 2)}
    if codec == "H264":
        context.profile = "Baseline"
        # 640x480, one core, 1 Mbit/s: ultrafast 1.3 ms at 41.0 dB, superfast 1.9 at 42.4, veryfast 3.4 at 42.5.
        rate |= {"preset": "superfast", "tune": "zerolatency", "forced-idr": "1", "x264-params": "scenecut=0"}
        if (width + 15) // 16 * ((height + 15) // 16) <= _LEVEL_31_MACROBLOCKS:
            rate["level"] = "31"  # what the session description promises; a larger picture says its own
    else:
        # A negative cpu-used is kept to, a positive one adapts to the machine's mood: -6 takes 1.9 ms at 41.2 dB.
        rate |= {
            "deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0", "minrate": str(bitrate_bps),
            "undershoot-pct": "100", "overshoot-pct": "15", "static-thresh": "1", "qmin": "2", "qmax": "56",
        }  # fmt: skip
    context.options = rate
    return context
