"""Codecs, by writing a few pictures with each and reading them back."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np

from .findings import Finding, Verdict

CODECS = (
    ("H.264", ("libx264", "libopenh264", "h264_videotoolbox"), "h264", "bad", ".mp4 and browsers"),
    ("VP8", ("libvpx",), "vp8", "bad", "browsers"),
    ("VP9", ("libvpx-vp9",), "vp9", "warn", ".webm"),
    ("MPEG-4", ("mpeg4",), "mpeg4", "warn", ".avi"),
)
"""Name, encoders of which one is enough, decoder, how bad it is without, what it is for."""
_PICTURES, _SIZE_PX = 3, (64, 48)
_REMEDY = "pip install --force-reinstall av"


def codecs() -> Iterator[Finding]:
    """A line for each codec."""
    import av

    for name, encoders, decoder, without, use in CODECS:
        what = f"codec {name}"
        encoder = next((encoder for encoder in encoders if encoder in av.codecs_available), None)
        verdict: Verdict = without  # type: ignore[assignment]
        if encoder is None:
            yield Finding(what, verdict, f"for {use}: this PyAV has none of {', '.join(encoders)}", _REMEDY)
            continue
        try:
            read = _there_and_back(encoder, decoder)
        except (av.FFmpegError, ValueError) as error:
            yield Finding(what, verdict, f"for {use}: {encoder}: {error}", _REMEDY)
            continue
        detail = f"for {use}: {encoder} writes, {decoder} reads, PyAV {av.__version__}"
        if read == _PICTURES:
            yield Finding(what, "ok", detail)
        else:
            yield Finding(what, verdict, f"{detail}, but {read} of {_PICTURES} pictures came back", _REMEDY)


def _there_and_back(encoder: str, decoder: str) -> int:
    """How many pictures come back from a file that was written in memory, by this very decoder."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream(encoder, rate=30)
        stream.width, stream.height, stream.pix_fmt = *_SIZE_PX, "yuv420p"
        for number in range(_PICTURES):
            picture = np.full((*_SIZE_PX[::-1], 3), 60 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as container:
        found = container.streams.video[0].codec_context.codec.canonical_name
        if found != decoder:
            raise ValueError(f"it wrote {found}")
        return sum(1 for _ in container.decode(video=0))
