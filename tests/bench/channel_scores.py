"""How well each channel is seen, written for `animator doctor --solver`.

    python -m tests.bench.bench_solver --write-scores

Measured as in `bench_solver`, calibrated over the neutral frames that each take begins with, on the frames of all
public sets together: one alone moves some channels in a dozen frames."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from animator.channels import ARKIT
from animator.data import Array
from animator.solving.honesty import SCORES, model_sha256
from animator.solving.solver import SolverConfig

from . import scores
from .bench_solver import NEUTRAL_S, SETS, solve_set

OUT = Path(__file__).resolve().parents[2] / "assets" / SCORES


def channel_scores(solved: Array, truth: Array) -> dict[str, dict[str, float]]:
    """Correlation and mean absolute error of every channel whose truth varies; solved, truth: (N, 52)."""
    out = {}
    for channel in scores.SEEN:
        a, b = solved[:, channel].astype(np.float64), truth[:, channel].astype(np.float64)
        if b.std() <= 1e-6:
            continue
        correlation = float(np.corrcoef(a, b)[0, 1]) if a.std() > 1e-6 else 0.0
        out[ARKIT[channel]] = {"correlation": round(correlation, 3), "error": round(float(np.abs(a - b).mean()), 4)}
    return out


def write(shared: Path, out: Path = OUT) -> None:
    """Measure, and write the file."""
    solved, truth, people = [], [], 0
    for name in SETS:
        stored = scores.load_eval_set(shared / "eval" / f"{name}.npz")
        chosen = stored.scored
        solved.append(solve_set(stored, SolverConfig(calibrate=NEUTRAL_S)).weights[chosen])
        truth.append(stored.weights[chosen])
        people += len(stored.lengths)
    channels = channel_scores(np.concatenate(solved), np.concatenate(truth))
    said = {"frames": sum(map(len, truth)), "people": people, "face_model": model_sha256(), "channels": channels}
    out.write_text(json.dumps(said, indent=1) + "\n", "utf-8")
