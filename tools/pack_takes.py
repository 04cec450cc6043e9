"""Join performances that were stored one by one into one file to learn from.

    python -m tools.pack_takes FOLDER FILE [--match PATTERN]

Every `.npz` in FOLDER holds one take, as the studio of the evaluation sets writes them: `landmark_steps` or
`landmarks` (uint16), `tracked`, `weights` in the order of the channels' names, `rotation`, `gaze`, `size`. FILE
gets the format of `tools.lessons`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from animator.channels import ARKIT
from animator.data import Array

from .lessons import NEUTRAL_FRAMES

STUDIO_CHANNELS = sorted(name for name in ARKIT if name != "tongueOut")
TRACKED_AT_LEAST = 0.8
"""Takes that were seen more seldom are left out."""


def read_take(path: Path) -> dict[str, Array]:
    """One take by the names of `tools.lessons`, without `lengths`."""
    with np.load(path, allow_pickle=False) as stored:
        take = {name: stored[name] for name in ("tracked", "weights", "rotation", "gaze", "size")}
        take["neutral"] = stored["neutral"] if "neutral" in stored else np.array(NEUTRAL_FRAMES)
        if "landmark_steps" in stored:
            take["landmark_steps"] = stored["landmark_steps"]
        else:
            counts = np.round(stored["landmarks"] / 65535 * 2e4).astype(np.uint16)
            counts[~take["tracked"]] = 0
            take["landmark_steps"] = np.diff(counts, axis=0, prepend=np.zeros_like(counts[:1]))
    return take


def pack(paths: list[Path]) -> dict[str, Array]:
    """The arrays of one file with all takes of `paths`."""
    takes = [take for take in map(read_take, paths) if take["tracked"].mean() >= TRACKED_AT_LEAST]
    # Each take begins its sums anew, the file goes on: the first step takes the last take's sum back.
    end = np.zeros_like(takes[0]["landmark_steps"][0])
    for take in takes:
        steps = take["landmark_steps"] = take["landmark_steps"].copy()
        last = steps.sum(0, dtype=np.uint16)
        steps[0] -= end
        end = last
    packed = {
        name: np.concatenate([take[name] for take in takes])
        for name in ("landmark_steps", "tracked", "weights", "rotation", "gaze")
    }
    packed["weights"] = packed["weights"].astype(np.float16)
    packed["rotation"] = packed["rotation"].astype(np.float32)
    packed["lengths"] = np.array([len(take["tracked"]) for take in takes])
    packed["neutral"] = np.array([int(take["neutral"]) for take in takes])
    packed["size"] = np.stack([take["size"] for take in takes])
    packed["channels"] = np.array(STUDIO_CHANNELS)
    return packed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--match", default="*.npz")
    options = parser.parse_args()
    packed = pack(sorted(options.folder.glob(options.match)))
    np.savez_compressed(options.file, **packed)
    print(f"{len(packed['lengths'])} takes, {len(packed['tracked'])} frames, {options.file.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
