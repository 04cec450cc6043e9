"""Writes what the performance consists of: the clip, its truth, and a contact sheet for the documents."""

from __future__ import annotations

import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from animator.data import Array

from .choreography import FPS


def write_clip(path: Path, pictures: Iterable[Array]) -> None:
    """H.264 yuv420p in mp4; pictures: (480, 640, 3) uint8 each."""
    partial = path.with_name("." + path.name + ".partial.mp4")
    with av.open(str(partial), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(FPS).limit_denominator())
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "20", "preset": "slow", "x264-params": "keyint=60:threads=1"}
        for rgb in pictures:
            if stream.width != rgb.shape[1]:
                stream.width, stream.height = rgb.shape[1], rgb.shape[0]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode())
    os.replace(partial, path)


def read_clip(path: Path) -> list[Array]:
    """The clip's pictures, (480, 640, 3) uint8 each."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def write_truth(path: Path, take: dict[str, Array]) -> None:
    """The take as .npz, written beside and then renamed."""
    partial = path.with_name("." + path.name + ".partial.npz")
    np.savez_compressed(partial, **take)
    os.replace(partial, path)


def write_sheet(path: Path, pictures: list[Array], columns: int = 4) -> None:
    """A contact sheet of the middle of each picture, at less than half size, as PNG."""
    small = [cv2.resize(rgb[:, 40:520], (200, 200), interpolation=cv2.INTER_AREA) for rgb in pictures]
    rows = [np.hstack(small[i : i + columns]) for i in range(0, len(small), columns)]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.vstack(rows)[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
