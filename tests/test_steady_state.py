"""Once a live loop has shown some pictures it makes no new array of a picture's size: their memory goes round.

Python and numpy report what they allocate to tracemalloc. What FFmpeg, LiteRT and OpenGL keep for themselves is not in
this: the decoder's own pool of pictures, the networks' tensors, the textures.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from animator.config import Config, ShowConfig
from animator.data import Frame
from animator.filming import Camera
from animator.pipeline import AHEAD, open_performance
from animator.recycling import PICTURES
from animator.rigging.library import load_rig
from animator.sinks.behind import WAITING_PICTURES, WriteBehind
from animator.sources.video import VideoSource

SIZE_PX = (1920, 1440)
"""Large, so that a picture stands out from the networks' inputs and the lists of edge pixels."""
PICTURE_BYTES = SIZE_PX[0] * SIZE_PX[1] * 3
WARM, WATCHED, MOST_AT_ONCE = 14, 12, 2 * AHEAD + WAITING_PICTURES + 8


class Onlooker:
    """A sink that looks at each picture and keeps none."""

    def __init__(self) -> None:
        self.seen = 0

    def write(self, frame: Frame) -> None:
        self.seen += int(frame.rgb.any())

    def close(self) -> None: ...


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, performance_path: Path) -> Path:
    """The bundled performance, three times as large."""
    from animator.sinks.video import VideoSink

    path = tmp_path_factory.mktemp("film") / "large.mp4"
    with closing(VideoSource(performance_path)) as source, closing(VideoSink(path, 30)) as sink:
        for frame in islice(source, WARM + WATCHED + 8):
            sink.write(replace(frame, rgb=cv2.resize(frame.rgb, SIZE_PX)))
    return path


def most_new_bytes(step: Callable[[int], object], warm: int = WARM, watched: int = WATCHED) -> int:
    """By how much memory ever stood above where it was after the first steps."""
    for number in range(warm):
        step(number)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(warm, warm + watched):
            step(number)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak - before


@pytest.mark.parametrize("show", [ShowConfig(), ShowConfig(view="side-by-side"), ShowConfig(background="blur"),
                                  ShowConfig(view="mesh"), ShowConfig(view="mask")], ids=str)  # fmt: skip
def test_no_new_picture_per_frame(film: Path, show: ShowConfig) -> None:
    config, onlooker = Config(show=replace(show, size_px=SIZE_PX)), Onlooker()
    with (
        open_performance(str(film), config) as performance,
        closing(WriteBehind(onlooker, performance.stopwatch)) as behind,
        closing(Camera(load_rig(config.show.rig), config, SIZE_PX, performance.stopwatch)) as camera,
    ):
        moments = iter(performance)
        # As if every queue had been full once: how far the threads run ahead of each other is the machine's affair.
        for picture in [PICTURES.empty((SIZE_PX[1], SIZE_PX[0], 3)) for _ in range(MOST_AT_ONCE)]:
            assert picture.size == PICTURE_BYTES
        del picture

        def step(_number: int) -> None:
            moment = next(moments)
            behind.write(Frame(camera.take(moment), moment.time_s, moment.index))

        new = most_new_bytes(step)
    assert onlooker.seen == WARM + WATCHED
    assert new < PICTURE_BYTES


def test_the_measure_sees_a_picture_that_is_made_anew() -> None:
    def step(_number: int) -> None:
        np.empty((SIZE_PX[1], SIZE_PX[0], 3), np.uint8)

    assert most_new_bytes(step) >= PICTURE_BYTES


