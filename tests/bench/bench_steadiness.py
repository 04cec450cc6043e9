"""Whether the solver is steady: on a turning head, on a still face, on a sudden change, and without a neutral start.

    python -m tests.bench.bench_steadiness [--shared FOLDER]

`steady.npz` holds the landmarks, as MediaPipe saw them, of four synthetic performers: 20 neutral frames, eight frames
into some expression, which is then held; from frame 60 to 140 the head turns from 0 to -40, 40 and 0 degrees of yaw.

- *turn*: how far a channel is, while only the head turns, from its mean before; mean over channels and frames.
- *jitter*: standard deviation of a channel while head and face are still; mean over channels.
- *lag*: frames by which a motion from rest to the held expression is shown later with filters than without, where each
  channel that moves by 0.2 or more crosses half its way.
- *late*: correlation from 2 s on, when frames 0 to 20 of every take are cut away and nobody calibrates, and its
  ratio to that of the calibrated run on the same frames.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from animator.channels import INDEX
from animator.data import Array
from animator.solving.solver import SolverConfig

from . import scores
from .bench_solver import FPS, NEUTRAL_S, SETS, SHARED, solve_set

STEADY = Path(__file__).with_name("steady.npz")
STILL, TURNING = slice(36, 60), slice(60, 140)
MOVES = 0.2
LATE_FRAME = scores.NEUTRAL_FRAMES + int(2 * FPS)
COLUMNS = ("solver", "turn", "jitter, mean", "jitter, 95 %", "lag, frames: median / worst")
LATE_COLUMNS = ("set", "calibrated", "auto, no neutral start", "ratio")


def load_steady(path: Path = STEADY) -> tuple[scores.EvalSet, Array]:
    """The performances, and what MediaPipe's own network says of them, (N, 52)."""
    with np.load(path, allow_pickle=False) as stored:
        counts = np.cumsum(stored["landmark_steps"], 0, dtype=np.uint16)
        columns = [INDEX[str(name)] for name in stored["channels"]]
        weights = np.zeros((len(counts), len(INDEX)), np.float32)
        weights[:, columns] = stored["weights"]
        peer = np.zeros_like(weights)
        peer[:, columns] = stored["mediapipe_scores"][:, 1:]
        rotations = stored["rotation"].astype(np.float64)
        return scores.EvalSet(
            path.stem, stored["lengths"], counts * np.float32(1e-4) - np.float32(0.5), stored["tracked"], weights,
            rotations, np.radians(stored["gaze"]), stored["size"], peer, rotations,
        ), peer  # fmt: skip


def per_take(stored: scores.EvalSet, values: Array) -> Array:
    """(T, frames, 52), as all takes are equally long."""
    return values.reshape(len(stored.lengths), -1, values.shape[1])[:, :, scores.SEEN]


def turn_change(takes: Array) -> float:
    """How far channels go from what they were before the head turned."""
    return float(np.abs(takes[:, TURNING] - takes[:, STILL].mean(1, keepdims=True)).mean())


def jitter(takes: Array) -> Array:
    """(T, 51) standard deviation of each channel on a still face."""
    return takes[:, STILL].std(1)


def lags_frames(takes: Array, unfiltered: Array) -> list[float]:
    """The delay, in frames, of each channel's way from rest to the held expression, of all takes."""
    lags = []
    for shown, raw in zip(takes, unfiltered, strict=True):
        rest, held = raw[:16].mean(0), raw[STILL].mean(0)
        for channel in np.flatnonzero(np.abs(held - rest) >= MOVES):
            half = 0.5 * (rest[channel] + held[channel])
            rises = held[channel] > rest[channel]
            lags.append(crossing(shown[:, channel], half, rises) - crossing(raw[:, channel], half, rises))
    return lags


def crossing(signal: Array, level: float, rises: bool) -> float:
    """Where a signal first passes a level after the neutral frames, between frames."""
    beyond = signal >= level if rises else signal <= level
    i = scores.NEUTRAL_FRAMES + int(np.argmax(beyond[scores.NEUTRAL_FRAMES :]))
    step = signal[i] - signal[i - 1]
    return i - (float((signal[i] - level) / step) if step else 0.0)


def steady_rows() -> list[tuple[str, ...]]:
    """The table of turn, jitter and lag."""
    stored, peer = load_steady()
    config = SolverConfig(calibrate=NEUTRAL_S * 0.6)  # the first 12 frames of these takes are wholly still
    solved = per_take(stored, solve_set(stored, config).weights)
    raw = per_take(stored, solve_set(stored, replace(config, smoothing=0.0)).weights)
    rows = []
    for name, takes in (("MediaPipe", per_take(stored, peer)), ("ours", solved), ("ours, unsmoothed", raw)):
        lags = lags_frames(takes, raw) if takes is solved else []
        lag = f"{np.median(lags):.2f} / {max(lags):.2f}" if lags else ""
        shaking = jitter(takes)
        rows.append(
            (name, f"{turn_change(takes):.3f}", f"{shaking.mean():.4f}", f"{np.percentile(shaking, 95):.4f}", lag)
        )
    return rows


def cut(stored: scores.EvalSet) -> scores.EvalSet:
    """The same takes without their neutral beginnings."""
    kept = stored.frame >= scores.NEUTRAL_FRAMES
    names = ("landmarks_norm", "tracked", "weights", "rotations", "gaze_rad", "peer_weights", "peer_rotations")
    return replace(
        stored, lengths=stored.lengths - scores.NEUTRAL_FRAMES, **{name: getattr(stored, name)[kept] for name in names}
    )


def late_rows(shared: Path) -> list[tuple[str, ...]]:
    """The table of runs without a neutral start."""
    rows = []
    for name in SETS:
        stored = scores.load_eval_set(shared / "eval" / f"{name}.npz")
        whole = solve_set(stored, SolverConfig(calibrate=NEUTRAL_S)).weights
        late = (stored.frame >= LATE_FRAME) & stored.tracked
        short = cut(stored)
        found = solve_set(short, SolverConfig()).weights
        late_found = (short.frame >= LATE_FRAME - scores.NEUTRAL_FRAMES) & short.tracked
        one = scores.correlation(whole[late], stored.weights[late])
        other = scores.correlation(found[late_found], short.weights[late_found])
        rows.append((name, f"{one:.3f}", f"{other:.3f}", f"{other / one:.2f}"))
    return rows


def markdown(shared: Path = SHARED) -> str:
    """Both tables."""
    tables = ((COLUMNS, steady_rows()), (LATE_COLUMNS, late_rows(shared)))
    text = []
    for columns, rows in tables:
        text.append("\n".join("| " + " | ".join(row) + " |" for row in (columns, ("---",) * len(columns), *rows)))
    return "\n\n".join(text) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=SHARED)
    print(markdown(parser.parse_args().shared))


if __name__ == "__main__":
    main()
