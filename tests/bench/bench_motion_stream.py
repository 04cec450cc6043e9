"""How small, how exact and how sturdy the motion stream is, beside plain ways to send a face.

    python -m tests.bench.bench_motion_stream [--shared FOLDER] [--take FILE]... [--markdown]

Conventions: payload only, at 30 Hz. Weight errors are over all 52 channels and all frames, degrees are the largest
head turn and the largest gaze angle, over all frames. Loss is random, each message alone; a frame counts as shown
if it could be decoded the moment it came (the baselines' frames stand alone, so they show what arrives). Times are
the median of one frame's messages. The real performance is one of those that the stream's tables were learned from;
`--take` measures others.
"""

from __future__ import annotations

import argparse
import json
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from animator.data import Array, Motion
from animator.protocols.motion_stream import Decoder, Encoder
from animator.resources import asset_path
from animator.takes.live_link_csv import load_csv
from animator.takes.npz import load_takes
from animator.takes.take import Take
from tests.protocols.faces import talking_face, turn_deg

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared"
RECORDING = "recordings/alex_rom_3.csv"
RATE_HZ = 30
LOSSES = (0.0, 0.02, 0.1)
LIVE_LINK_BYTES = 270 + 36 + 6
"""A Live Link Face packet: its fixed part, the device's 36 letters and a short subject name."""
COLUMNS = (
    "performance", "sent as", "kbit/s", "weight error max / mean", "turn, gaze ° max",
    "frames shown at 0 / 2 / 10 % loss", "µs encode / decode",
)  # fmt: skip


def motions_of(path: Path, track_id: int = 0) -> list[Motion]:
    """A take's motion at 30 Hz."""
    take = load_csv(path) if path.suffix == ".csv" else load_takes(path)[0]
    return list(_at_30_hz(take).motions(track_id))


def _at_30_hz(take: Take) -> Take:
    times_s = np.arange(take.times_s[0], take.times_s[-1], 1 / RATE_HZ)

    def between(values: Array) -> Array:
        flat = values.reshape(len(values), -1).astype(np.float64)
        columns = [np.interp(times_s, take.times_s, column) for column in flat.T]
        return np.stack(columns, 1).reshape(len(times_s), *values.shape[1:])

    wxyz = between(take.rotations_wxyz)
    return Take(
        times_s,
        between(take.weights).astype(np.float32),
        wxyz / np.linalg.norm(wxyz, axis=1, keepdims=True),
        between(take.translations_cm),
        between(take.gaze_rad),
        between(take.confidence).astype(np.float32),
        RATE_HZ,
    )


def performances(shared: Path, takes: list[Path]) -> Iterator[tuple[str, list[Motion]]]:
    """What is measured, as far as it is here."""
    yield "synthetic talk", talking_face(900)
    yield "bundled performance", motions_of(asset_path("performance.npz"))
    if (shared / RECORDING).exists():
        yield "real, all channels", motions_of(shared / RECORDING)
    for path in takes:
        yield path.stem, motions_of(path)


def rows(shared: Path, takes: list[Path]) -> Iterator[tuple[str, ...]]:
    """One row of COLUMNS per performance and way of sending."""
    for name, motions in performances(shared, takes):
        yield (name, *_stream_row(motions))
        yield (name, *_plain_row("JSON of 3 decimals, zlib", motions, lambda m: zlib.compress(_json(m), 9), 3))
        yield (name, *_plain_row("32-bit floats", motions, _floats))
        yield (name, *_plain_row("Live Link Face packet", motions, lambda m: bytes(LIVE_LINK_BYTES), timed=False))


def _stream_row(motions: list[Motion]) -> tuple[str, ...]:
    encoder, decoder = Encoder(), Decoder()
    groups, got, encode_s, decode_s = [], [], [], []
    for motion in motions:
        start = time.perf_counter()
        groups.append(encoder.encode(motion))
        middle = time.perf_counter()
        got.append([decoder.decode(message) for message in groups[-1]][-1])
        encode_s.append(middle - start)
        decode_s.append(time.perf_counter() - middle)
    pairs = list(zip(got, motions, strict=True))
    errors = np.abs([a.expression.weights - b.expression.weights for a, b in pairs])
    gaze = np.degrees(np.abs([a.gaze.angles_rad - b.gaze.angles_rad for a, b in pairs]).max())
    turn = max(turn_deg(a, b) for a, b in pairs)
    shown = " / ".join(f"{100 * _shown(groups, loss):.1f}" for loss in LOSSES)
    return (
        "**motion stream**",
        _kbit_per_s([sum(map(len, group)) for group in groups]),
        f"{errors.max():.4f} / {errors.mean():.4f}",
        f"{turn:.2f}, {gaze:.2f}",
        shown + " %",
        f"{1e6 * np.median(encode_s):.0f} / {1e6 * np.median(decode_s):.0f}",
    )


def _shown(groups: list[tuple[bytes, ...]], loss: float, runs: int = 5) -> float:
    """The share of frames whose own message, the last of its group, came and was decoded at once."""
    random, shown = np.random.default_rng(0), 0
    for _ in range(runs):
        decoder = Decoder()
        for group in groups:
            for message in group:
                came = random.random() >= loss
                motion = decoder.decode(message) if came else None
            shown += motion is not None
    return shown / (runs * len(groups))


def _plain_row(
    name: str, motions: list[Motion], encode: Callable[[Motion], bytes], decimals: int = 9, timed: bool = True
) -> tuple[str, ...]:
    sizes, seconds = [], []
    for motion in motions:
        start = time.perf_counter()
        sizes.append(len(encode(motion)))
        seconds.append(time.perf_counter() - start)
    shown = " / ".join(f"{100 * (1 - loss):.1f}" for loss in LOSSES)
    weights = np.array([motion.expression.weights for motion in motions], np.float64)
    errors = np.abs(weights.round(decimals) - weights)
    error = f"{errors.max():.4f} / {errors.mean():.4f}"
    return name, _kbit_per_s(sizes), error, "-", shown + " %", f"{1e6 * np.median(seconds):.0f} / -" if timed else "-"


def _kbit_per_s(sizes: list[int]) -> str:
    return f"{8 * np.mean(sizes) * RATE_HZ / 1e3:.1f}"


def _json(motion: Motion) -> bytes:
    """No names, three decimals: as small as JSON gets without tricks."""
    pose, gaze = motion.pose, motion.gaze.angles_rad.ravel()
    arrays = (motion.expression.weights, pose.rotation_wxyz, pose.translation_cm, gaze)
    told = [round(motion.time_s, 3), motion.track_id, *([round(float(v), 3) for v in array] for array in arrays), 1]
    return json.dumps(told, separators=(",", ":")).encode()


def _floats(motion: Motion) -> bytes:
    values = (*motion.pose.rotation_wxyz, *motion.pose.translation_cm, *motion.gaze.angles_rad.ravel())
    return struct.pack("<dB64f", motion.time_s, motion.track_id, *motion.expression.weights, *values, motion.confidence)


def markdown(shared: Path = SHARED) -> str:
    """The table for `docs/benchmarks.md`."""
    lines = [COLUMNS, ("---",) * len(COLUMNS), *rows(shared, [])]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--take", type=Path, action="append", default=[], help="a .npz or .csv to measure as well")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    if options.markdown:
        print(markdown(options.shared))
        return
    table = Table(*COLUMNS, title="Sending a face at 30 Hz")
    for row in rows(options.shared, options.take):
        table.add_row(*(cell.strip("*") for cell in row), end_section=row[1].startswith("Live"))
    Console(width=170).print(table)


if __name__ == "__main__":
    main()
