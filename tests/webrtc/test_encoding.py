"""Packets can be decoded, and say when."""

from __future__ import annotations

import itertools

import av
import numpy as np
import pytest

from animator.data import Array
from animator.errors import SettingError, ShapeError, SinkError
from animator.webrtc.encoding import CODECS, VideoEncoder

from .helpers import picture

DECODERS = {"H264": "h264", "VP8": "libvpx"}


def decoded(codec: str, packets: list[av.Packet]) -> list[Array]:
    decoder = av.CodecContext.create(DECODERS[codec], "r")
    return [frame.to_ndarray(format="rgb24") for packet in packets for frame in decoder.decode(packet)]


@pytest.fixture(params=CODECS)
def codec(request: pytest.FixtureRequest) -> str:
    return request.param


def test_every_picture_comes_out_at_once(codec: str) -> None:
    encoder, decoder = VideoEncoder(codec), av.CodecContext.create(DECODERS[codec], "r")
    for index in range(10):
        packet = encoder.encode(picture(20 * index), index / 30)
        assert packet.pts == 3000 * index
        assert (packet.time_base.numerator, packet.time_base.denominator) == (1, 90_000)
        assert packet.is_keyframe == (index == 0)
        (frame,) = decoder.decode(packet)
        assert abs(frame.to_ndarray(format="rgb24").mean() - 20 * index) < 8


def test_colours_stay(codec: str) -> None:
    rgb = picture(0)
    rgb[:48], rgb[48:] = (200, 40, 30), (20, 60, 220)
    (back,) = decoded(codec, [VideoEncoder(codec).encode(rgb, 0.0)])
    assert np.abs(back[10, 10].astype(int) - (200, 40, 30)).max() < 15
    assert np.abs(back[80, 10].astype(int) - (20, 60, 220)).max() < 15


def test_key_frames_on_request(codec: str) -> None:
    encoder, packets = VideoEncoder(codec), []
    for index in range(9):
        if index == 5:
            encoder.request_key_frame()
        packets.append(encoder.encode(picture(25 * index), index / 30))
    assert [packet.is_keyframe for packet in packets] == [index in (0, 5) for index in range(9)]
    assert len(decoded(codec, packets[5:])) == 4  # a viewer who comes late needs nothing from before
    if codec == "H264":
        assert bytes(packets[5])[:5] in (b"\0\0\0\1\x67", b"\0\0\0\1\x27")  # Annex B, parameters first


def test_key_frames_come_by_themselves_now_and_then(codec: str) -> None:
    encoder = VideoEncoder(codec, fps=3.0)
    keys = [index for index in range(62) if encoder.encode(picture(index), index / 3).is_keyframe]
    assert keys == [0, 30, 60]


def test_a_new_size_or_bitrate_starts_anew(codec: str) -> None:
    encoder = VideoEncoder(codec)
    packets = [encoder.encode(picture(80), 0.0), encoder.encode(picture(80)[:49, :63], 0.1)]
    encoder.bitrate_bps = 300_123
    packets.append(encoder.encode(picture(80)[:49, :63], 0.2))
    assert all(packet.is_keyframe for packet in packets)
    assert not encoder.encode(picture(80)[:49, :63], 0.3).is_keyframe  # once
    assert [frame.shape for frame in decoded(codec, packets)] == [(96, 128, 3), (50, 64, 3), (50, 64, 3)]


def test_less_bitrate_makes_less_data(codec: str) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (60, 96, 128, 3), np.uint8)

    def size(bitrate_bps: int) -> int:
        encoder = VideoEncoder(codec, 30.0, bitrate_bps)
        return sum(encoder.encode(rgb, index / 30).size for index, rgb in enumerate(noise))

    assert size(300_000) < 0.6 * size(1_200_000)


def test_time_rises_whatever_the_clock_says(codec: str) -> None:
    encoder = VideoEncoder(codec)
    times_s = (5.0, 5.1, 0.0, 0.1, 0.1, -3.0)
    pts = [encoder.encode(picture(40), time_s).pts for time_s in times_s]
    assert all(later > earlier for earlier, later in itertools.pairwise(pts))
    assert pts[3] - pts[2] == 9000


def test_a_size_that_the_codec_cannot_do_is_one_line(codec: str) -> None:
    with pytest.raises(SinkError, match=f"cannot encode 20000x2 as {codec}") as caught:
        VideoEncoder(codec).encode(np.zeros((2, 20_000, 3), np.uint8), 0.0)
    assert "\n" not in str(caught.value)


def test_nonsense_is_refused() -> None:
    with pytest.raises(SettingError, match="AV1"):
        VideoEncoder("AV1")
    for rgb in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(ShapeError):
            VideoEncoder().encode(rgb, 0.0)
