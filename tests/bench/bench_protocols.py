"""What one frame costs in each protocol, beside the standard library's json of the same numbers.

    python -m tests.bench.bench_protocols [--frames 600] [--markdown]

Encoding is a `Motion` to all of a frame's messages; decoding is those messages to a `Motion` again. Times are medians
over the frames of a talking face on a warm cache, in one process; the ratio is to json.dumps of a dictionary of the
same numbers, measured in turn with it, frame by frame, so that a busy machine slows both.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from animator.channels import ARKIT
from animator.data import Motion
from animator.protocols import ifacialmocap, live_link, motion_json, vmc
from animator.protocols.reading import Reader, Writer
from tests.protocols.faces import talking_face

WANTED_US = 100.0
WARM_UP = 50
WAYS: dict[str, tuple[Callable[[], Writer], Callable[[], Reader]]] = {
    "Live Link Face": (lambda: live_link.LiveLinkWriter("animator", 0.0), live_link.LiveLinkReader),
    "iFacialMocap v1": (ifacialmocap.IFacialMocapWriter, ifacialmocap.IFacialMocapReader),
    "iFacialMocap v2": (lambda: ifacialmocap.IFacialMocapWriter("v2"), ifacialmocap.IFacialMocapReader),
    "VMC, Perfect Sync": (vmc.VmcWriter, vmc.VmcReader),
    "VMC, VRM 0": (lambda: vmc.VmcWriter("vrm0"), vmc.VmcReader),
    "VMC, both": (lambda: vmc.VmcWriter("both", emotions=True), vmc.VmcReader),
    "JSON": (motion_json.JsonWriter, motion_json.JsonReader),
}
COLUMNS = ("protocol", "messages", "bytes", "encode µs", "of json.dumps", "decode µs", "of json.loads")


def plain_json(motion: Motion) -> str:
    """What anyone would write first."""
    return json.dumps(
        {
            "time_s": motion.time_s,
            "rotation_wxyz": motion.pose.rotation_wxyz.tolist(),
            "translation_cm": motion.pose.translation_cm.tolist(),
            "gaze_rad": motion.gaze.angles_rad.tolist(),
            "weights": dict(zip(ARKIT, motion.expression.weights.tolist(), strict=True)),
        }
    )


def timed_us(work: Callable[..., Any], *given: Any) -> tuple[float, Any]:
    """(microseconds, result) of one call."""
    start_ns = time.perf_counter_ns()
    result = work(*given)
    return (time.perf_counter_ns() - start_ns) / 1000, result


def measured(
    make_writer: Callable[[], Writer], make_reader: Callable[[], Reader], motions: list[Motion]
) -> list[float]:
    """Messages, bytes, encoding, its ratio, decoding, its ratio."""
    writer, reader, rows = make_writer(), make_reader(), []

    def read(messages: list[bytes], now_s: float) -> list:
        return [heard for message in messages for heard in reader.read(message, now_s)]

    for motion in motions:
        plain_us, text = timed_us(plain_json, motion)
        encode_us, messages = timed_us(writer.write, [motion], motion.time_s)
        parse_us, _ = timed_us(json.loads, text)
        decode_us, heard = timed_us(read, messages, motion.time_s)
        assert len(heard) == 1
        rows.append((len(messages), sum(map(len, messages)), encode_us, plain_us, decode_us, parse_us))
    count, size, encode_us, plain_us, decode_us, parse_us = np.median(rows[WARM_UP:], axis=0)
    return [count, size, encode_us, encode_us / plain_us, decode_us, decode_us / parse_us]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    motions = talking_face(options.frames + WARM_UP)
    rows = []
    for name, (make_writer, make_reader) in WAYS.items():
        count, size, encode_us, encode_ratio, decode_us, decode_ratio = measured(make_writer, make_reader, motions)
        verdict = "" if encode_us <= WANTED_US else f" (wanted {WANTED_US:.0f})"
        rows.append(
            (name, f"{count:.0f}", f"{size:.0f}", f"{encode_us:.0f}{verdict}", f"{encode_ratio:.2f}",
             f"{decode_us:.0f}", f"{decode_ratio:.2f}")
        )  # fmt: skip
    if options.markdown:
        print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
        print("\n".join("| " + " | ".join(row) + " |" for row in rows))
        return
    table = Table(*COLUMNS, box=None)
    for row in rows:
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
