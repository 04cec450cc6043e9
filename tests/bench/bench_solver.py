"""How well faces are solved, against exact truth and against MediaPipe's own network.

    python -m tests.bench.bench_solver [--shared FOLDER] [--markdown | --write-scores]

Conventions: scores are means over the 51 channels that have a truth, on the frames after each take's 20
neutral ones. Correlation is Pearson's, per channel over all those frames of the set together; channels
whose truth does not vary are skipped. "Active" and "rest" are the mean absolute errors where a channel's
truth is above 0.1 or below 0.02. Rotation is compared after removing each take's mean offset over its
neutral frames. The solver runs as in live use: frame by frame, at 30 fps, with its default smoothing.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from animator.data import Array, Face
from animator.maths.rotations import matrix_from_wxyz
from animator.solving.solver import LinearSolver, SolverConfig

from . import scores

SETS = ("public", "public_nat", "public_wide")
FPS = 30.0
NEUTRAL_S = scores.NEUTRAL_FRAMES / FPS
SHARED = Path(__file__).resolve().parents[2] / ".." / "shared"
COLUMNS = (
    "set", "solver", "correlation", "error", "active", "rest", "blink F1",
    "rotation ° median / 95 %", "gaze ° median", "ms / face",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Solved:
    """What a solver made of a set of N frames."""

    weights: Array
    """(N, 52)."""
    rotations: Array
    """(N, 3, 3) camera_from_head."""
    gaze_rad: Array | None
    """(N, 2, 2) left, right eye x yaw, pitch."""
    seconds: Array
    """(N,) time taken by each frame; empty if not measured."""


def solve_set(stored: scores.EvalSet, config: SolverConfig) -> Solved:
    """Solve every take with a fresh solver; frames without a face keep what the solver says of them."""
    count = len(stored.tracked)
    weights, wxyz = np.zeros((count, 52)), np.tile([1.0, 0, 0, 0], (count, 1))
    gaze_rad, seconds = np.zeros((count, 2, 2)), np.zeros(count)
    first = 0
    for length, size in zip(stored.lengths, stored.sizes_px, strict=True):
        solver = LinearSolver(config)
        for i in range(first, first + length):
            now_s = (i - first) / FPS
            face = Face(stored.landmarks_norm[i], (int(size[0]), int(size[1])), 0, 1.0, now_s)
            began = time.perf_counter()
            motions = solver.solve((face,) if stored.tracked[i] else (), now_s)
            seconds[i] = time.perf_counter() - began
            if motions:
                weights[i], wxyz[i] = motions[0].expression.weights, motions[0].pose.rotation_wxyz
                gaze_rad[i] = motions[0].gaze.angles_rad
        first += length
    return Solved(weights, matrix_from_wxyz(wxyz), gaze_rad, seconds)


def score_row(stored: scores.EvalSet, name: str, solved: Solved) -> tuple[str, ...]:
    """One line of the table."""
    chosen = stored.scored
    weights, truth = solved.weights[chosen], stored.weights[chosen]
    turn = scores.rotation_errors_deg(solved.rotations, stored.rotations, stored.lengths)[chosen]
    gaze = "" if solved.gaze_rad is None else (
        f"{np.median(scores.gaze_errors_deg(solved.gaze_rad[chosen], stored.gaze_rad[chosen])):.1f}"
    )
    active, rest = truth > scores.ACTIVE_ABOVE, truth < scores.REST_BELOW
    return (
        stored.name, name,
        f"{scores.correlation(weights, truth):.3f}", f"{scores.error(weights, truth):.3f}",
        f"{scores.error_where(weights, truth, active):.3f}", f"{scores.error_where(weights, truth, rest):.3f}",
        f"{scores.blink_f1(weights, truth):.2f}",
        f"{np.median(turn):.2f} / {np.percentile(turn, 95):.2f}", gaze,
        f"{np.median(solved.seconds) * 1e3:.2f}" if solved.seconds.size else "",
    )  # fmt: skip


def rows(shared: Path) -> Iterator[tuple[str, ...]]:
    """All lines of the table, set by set."""
    for name in SETS:
        stored = scores.load_eval_set(shared / "eval" / f"{name}.npz")
        plain = stored.peer_weights
        subtracted = scores.neutral_subtracted(plain, stored.lengths)
        none = np.zeros(0)
        yield score_row(stored, "MediaPipe", Solved(plain, stored.peer_rotations, None, none))
        yield score_row(
            stored, "MediaPipe, neutral subtracted", Solved(subtracted, stored.peer_rotations, None, none)
        )
        yield score_row(stored, "ours, calibrated", solve_set(stored, SolverConfig(calibrate=NEUTRAL_S)))
        yield score_row(stored, "ours, auto", solve_set(stored, SolverConfig()))
        yield score_row(
            stored, "ours, calibrated, unsmoothed",
            solve_set(stored, SolverConfig(calibrate=NEUTRAL_S, smoothing=0.0)),
        )  # fmt: skip


def markdown(shared: Path = SHARED) -> str:
    """The table for `docs/benchmarks.md`."""
    lines = [COLUMNS, ("---",) * len(COLUMNS), *rows(shared)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--write-scores", action="store_true", help="write assets/solver_scores.json; nothing else")
    options = parser.parse_args()
    if options.write_scores:
        from .channel_scores import write

        write(options.shared)
        return
    if options.markdown:
        print(markdown(options.shared))
        return
    table = Table(*COLUMNS, title="Solving faces, against exact truth")
    for row in rows(options.shared):
        table.add_row(*row, end_section=row[1].endswith("unsmoothed"))
    Console(width=170).print(table)


if __name__ == "__main__":
    main()
