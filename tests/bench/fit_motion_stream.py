"""Learns the likelihoods of the motion stream from takes and prints animator/protocols/motion_tables.py.

    python -m tests.bench.fit_motion_stream TAKE... > animator/protocols/motion_tables.py

Takes are .csv (Live Link Face) or .npz. Each counts with the square root of its frames, so that one long take does
not drown the rest. Changing the tables changes the format: that needs a new version byte.
"""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path

import numpy as np

from animator.protocols import motion_coding as coding
from animator.protocols.motion_numbers import REST, numbers_from_motion
from animator.protocols.motion_stream import KEY_EVERY
from tests.bench.bench_motion_stream import motions_of

PREFIX_ROWS, SIGN_ROWS, LENGTHS = 96, 18, 6
PHASES = (0, 5, 11)
"""Where the first key frame falls: more pairs of frames from the same takes."""
JITTER_MS = 3.0
"""How unevenly frames are taken to come; the takes themselves are at an even 30 Hz."""
CLEAREST = 3
"""No answer is taken to be likelier than 253 in 256: surprises stay affordable."""
TEMPLATE = '''"""How likely each answer is: part of the format, not to be changed. See tests/bench/fit_motion_stream.py.

{sources}
"""

LENGTHS = {lengths}
"""Questions about the length of a difference that have a likelihood of their own; the last serves all beyond."""

PREFIXES = bytes.fromhex(
    """
{prefixes}
    """
)
"""96 rows of 6, in 256ths: yes to "is it longer than k bits?", k = 0..5 and beyond.
Row: 6 (8 (1 in a key frame) + kind) + nearness."""

SIGNS = bytes.fromhex("{signs}")
"""18, in 256ths: yes to "is it positive?". Place: 3 kind + 1 + sign of the nearest neighbour's difference."""
'''


def main() -> None:
    """Count, divide, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("takes", type=Path, nargs="+")
    parser.add_argument("--sources", default="takes", help="where they come from, in words")
    args = parser.parse_args()
    prefixes, signs = np.full((PREFIX_ROWS, LENGTHS, 2), 0.25), np.full((SIGN_ROWS, 2), 0.25)
    jitter = np.random.default_rng(0)
    for path in args.takes:
        motions = motions_of(path)
        for phase in PHASES:
            frames = [numbers_from_motion(m) for m in motions[phase:]]
            late_ms = np.rint(jitter.normal(0, JITTER_MS, len(frames))).astype(int).tolist()
            _count(frames, late_ms, prefixes, signs, 1 / np.sqrt(len(motions)))
    print(
        TEMPLATE.format(
            sources=textwrap.fill(f"Learned from {args.sources}.", 110),
            lengths=LENGTHS,
            prefixes=textwrap.indent("\n".join(textwrap.wrap(_hex(prefixes), 96)), "    "),
            signs=_hex(signs),
        ),
        end="",
    )


def _count(frames: list[list[int]], late_ms: list[int], prefixes: np.ndarray, signs: np.ndarray, weight: float) -> None:
    """Add how often each question was answered no and yes."""
    for index, numbers in enumerate(frames):
        since = index % KEY_EVERY
        base = [*frames[index - since], 0] if since else REST
        numbers = [*numbers, late_ms[index]] if since else numbers
        differences: list[int] = []
        for place, (number, known) in enumerate(zip(numbers, base, strict=True)):
            row, sign = coding.likelihoods(place, differences, known, not since)
            difference = number - known - coding.shared_gaze(place, differences)
            bits = abs(difference).bit_length()
            for k in range(bits + 1):
                prefixes[row, min(k, LENGTHS - 1), int(k < bits)] += weight
            if bits and sign is not None:
                signs[sign, int(difference > 0)] += weight
            differences.append(difference)


def _hex(counts: np.ndarray) -> str:
    yes = np.rint(256 * counts[..., 1] / counts.sum(-1))
    return bytes(np.clip(yes, CLEAREST, 256 - CLEAREST).astype(np.uint8).ravel().tolist()).hex()


if __name__ == "__main__":
    main()
