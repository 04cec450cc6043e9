"""What the solver sees of each channel, as measured: `assets/solver_scores.json`, written by the benchmark."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..channels import ARKIT, UNSEEN
from ..errors import ModelError
from ..resources import asset_path

Verdict = Literal["good", "fair", "weak", "unseen"]
GOOD, FAIR, CHANCE = 0.7, 0.4, 0.05
"""Correlations with the truth from which a channel counts as good and as fair; below the last it is chance."""
SCORES = "solver_scores.json"


@dataclass(frozen=True, slots=True)
class ChannelScore:
    """How well one channel is seen."""

    name: str
    correlation: float | None
    """Pearson's, with the truth; None where there is no truth to compare with."""
    error: float | None
    """Mean absolute."""

    @property
    def verdict(self) -> Verdict:
        """In a word."""
        if self.name in UNSEEN or self.correlation is None or self.correlation < CHANCE:
            return "unseen"
        return "good" if self.correlation >= GOOD else "fair" if self.correlation >= FAIR else "weak"


@dataclass(frozen=True, slots=True)
class SolverScores:
    """All channels, and what they were measured on."""

    channels: tuple[ChannelScore, ...]
    """In ARKit's order."""
    frames: int
    people: int
    is_current: bool
    """Measured with the face model that is here."""

    def by_verdict(self) -> Iterator[tuple[Verdict, list[str]]]:
        """The names under each verdict."""
        for verdict in ("good", "fair", "weak", "unseen"):
            yield verdict, [channel.name for channel in self.channels if channel.verdict == verdict]


def model_sha256() -> str:
    """Which face model is here."""
    return hashlib.sha256(asset_path("face_model.npz").read_bytes()).hexdigest()


def load_scores(path: Path | None = None) -> SolverScores:
    """Read what was measured; raises ModelError if the file is missing or damaged."""
    path = path or asset_path(SCORES)
    try:
        said = json.loads(path.read_text("utf-8"))
        channels = tuple(_score(name, said["channels"].get(name)) for name in ARKIT)
        return SolverScores(channels, int(said["frames"]), int(said["people"]), said["face_model"] == model_sha256())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(f"{type(error).__name__} {error}".split())
        raise ModelError(
            f"{path} holds no scores ({reason}); python -m tests.bench.bench_solver --write-scores writes it"
        ) from error


def _score(name: str, said: dict[str, float] | None) -> ChannelScore:
    if said is None:
        return ChannelScore(name, None, None)
    correlation, error = float(said["correlation"]), float(said["error"])
    if not (-1 <= correlation <= 1 and math.isfinite(error)):
        raise ValueError(f"{name}: wanted a correlation from -1 to 1, got {correlation}")
    return ChannelScore(name, correlation, error)
