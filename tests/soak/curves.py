"""The curves of a soak as a picture, and its verdict in words."""

from __future__ import annotations

import argparse
import signal
from pathlib import Path

import numpy as np

from tests.conftest import ROOT

from .watching import Record, Verdict, warm_up_s

PANELS = (("memory",), ("handles", "threads", "tasks"), ("blocks",), ("latency",))
COLOURS = ("#1f5fa8", "#c2571a", "#2e7d4f")


def draw(record: Record, path: Path) -> None:
    """A panel for each kind of quantity; the fitted line is dashed, the warm-up grey."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    verdicts = {verdict.bound.what: verdict for verdict in record.verdicts()}
    panels = [[what for what in panel if what in verdicts] for panel in PANELS]
    panels = [panel for panel in panels if panel]
    figure, axes = plt.subplots(len(panels), 1, figsize=(8, 1.9 * len(panels) + 0.6), sharex=True, squeeze=False)
    for axis, panel in zip(axes[:, 0], panels, strict=True):
        for what, colour in zip(panel, COLOURS, strict=False):
            _curve(axis, record, verdicts[what], colour)
        axis.axvspan(0, warm_up_s(record.duration_s) / 60, color="0.93", zorder=0)
        axis.set_ylim(bottom=0)
        if panel == ["latency"]:  # strokes of a busy machine are a hundred times what is usual
            axis.set_ylim(top=4 * max(verdicts["latency"].first, verdicts["latency"].last))
        axis.set_ylabel(", ".join(panel) + _unit(verdicts[panel[0]]))
        axis.legend(loc="lower right", fontsize=8, framealpha=0.9)
        axis.grid(alpha=0.25)
    axes[-1, 0].set_xlabel("minutes (grey: warm-up, not judged)")
    axes[-1, 0].set_xlim(0, record.duration_s / 60)
    figure.suptitle(record.about, fontsize=10)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _curve(axis, record: Record, verdict: Verdict, colour: str) -> None:
    what = verdict.bound.what
    times_s, values = record.latency() if what == "latency" else record.series(what)
    times_min = np.array(times_s) / 60
    at_rest = any(not sample.get("rest", 1.0) for sample in record.samples) and what != "latency"
    axis.plot(times_min, values, color=colour, lw=0.8, alpha=0.35 if at_rest else 0.8)
    if at_rest:
        rest_s, resting = record.series(what, at_rest=True)
        axis.plot(np.array(rest_s) / 60, resting, ".", color=colour, ms=4)
    ends_min = np.array([warm_up_s(record.duration_s) / 60, times_min[-1]])
    label = f"{what}: {verdict.an_hour:+.2g}{f' {verdict.bound.unit}' if verdict.bound.unit else ''} an hour"
    axis.plot(ends_min, verdict.offset + verdict.an_hour * ends_min / 60, "--", color=colour, lw=1.6, label=label)


def _unit(verdict: Verdict) -> str:
    return f" ({verdict.bound.unit})" if verdict.bound.unit else ""


def arguments(about: str) -> argparse.Namespace:
    """What every soak is told on its command line."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the programs end with us
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--folder", type=Path, default=Path("out/soak"), help="films, takes, logs and samples go here")
    parser.add_argument("--figure", type=Path, help="a picture of the curves")
    return parser.parse_args()


def conclude(record: Record, folder: Path, figure: Path | None, faults: list[str]) -> int:
    """Keep the samples, draw, say what came; the exit code: 0 if nothing grew and nothing went wrong."""
    verdicts = record.verdicts()
    print(f"\n{record.name}: {record.about}, {record.duration_s / 60:.0f} min, {len(record.samples)} samples")
    for line in (*verdicts, *(f"FAULT: {fault}" for fault in faults)):
        print(f"  {line}")
    draw(record, figure if figure is not None else folder / f"soak-{record.name}.png")
    passed = all(verdict.passed for verdict in verdicts) and not faults
    print(f"  {record.name} {'PASSED' if passed else 'FAILED'}", flush=True)
    return 0 if passed else 1


def main() -> None:
    """Draw the pictures of docs/ again, from the samples that runs have left."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("samples", type=Path, nargs="+")
    for samples in parser.parse_args().samples:
        record = Record.load(samples)
        draw(record, ROOT / "docs" / "images" / f"soak-{record.name}.png")
        print(*record.verdicts(), sep="\n")


if __name__ == "__main__":
    main()
