"""Learn, channel by channel, from which reading on a channel counts as moved, and how much more it is than was read.

    python -m tools.learn_settling MODEL PLACE… [--hold-out N]

MODEL was learned by `tools.learn_face_model` with the same `--hold-out`; the takes that were left out there, every
N-th of each file, are solved here, and the figures are written into MODEL. `learn_face_model --settling MODEL` puts
them into a model that is learned from all takes.

Every file counts alike, however many takes it holds; of the lids' gains that one is taken whose worst file has the
best F1 of blinks. A channel and its mirror image get the same figures.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from animator.channels import ARKIT, INDEX, MIRRORED
from animator.data import Array, Face
from animator.solving.face_model import FaceModel, load_face_model
from animator.solving.network import settled
from animator.solving.solver import LinearSolver, SolverConfig

from .face_model_file import save_face_model
from .lessons import Lesson, files_in, read_lesson

FPS = 30.0
BELOW, WIDTHS, GAINS = (0.05, 0.075, 0.1, 0.13), (0.06, 0.1), (0.9, 1.0, 1.1, 1.2, 1.35, 1.5, 1.7)
"""What is tried: thresholds, how far above them a channel counts in full, and gains."""
# Captured lids often hover just below one half, and quick acted blinks are read too low: with a gain of 1.0, 1.06, 1.1
# and 1.2 the F1 of blinks is 0.93, 0.92, 0.91, 0.88 on captured takes held out, 0.86, 0.88, 0.88, 0.89 on acted ones.
LID_GAINS = (0.95, 1.0, 1.03, 1.06, 1.1, 1.15, 1.2)
ACTIVE_ABOVE, REST_BELOW, BLINK_AT = 0.1, 0.02, 0.5
REST_COST = 3.3
"""So much error on active frames is given for one of error at rest."""
AS_READ = (-1.0, -0.5, 1.0)
LIDS = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]


def readings(model: FaceModel, lesson: Lesson) -> tuple[Array, Array]:
    """What is read, and the truth, (n, 52), of all frames that are not neutral; everybody is calibrated."""
    as_read, read, truth = replace(model, settling=np.tile(np.float32(AS_READ), (len(ARKIT), 1))), [], []
    for take in range(lesson.take[-1] + 1):
        rows = np.flatnonzero(lesson.take == take)
        solver = LinearSolver(SolverConfig(calibrate=lesson.neutral[rows].sum() / FPS, smoothing=0.0), model=as_read)
        for i, row in enumerate(rows):
            size_px = tuple(int(side) for side in lesson.sizes_px[row])
            (motion,) = solver.solve((Face(lesson.landmarks_norm[row], size_px, 0, 1.0, i / FPS),), i / FPS)
            if not lesson.neutral[row]:
                read.append(motion.expression.weights)
                truth.append(lesson.weights[row])
    return np.array(read, np.float64), np.array(truth)


def cost(read: Array, truth: Array, settling: Array) -> Array:
    """(52,): the error on active frames and, at its price, that at rest; nan where a channel is never the one or the
    other."""
    miss = np.abs(settled(read, settling) - truth)
    parts = []
    for chosen in (truth > ACTIVE_ABOVE, truth < REST_BELOW):
        with np.errstate(invalid="ignore"):
            parts.append((miss * chosen).sum(0) / chosen.sum(0))
    return parts[0] + REST_COST * parts[1]


def blink_f1(read: Array, truth: Array, settling: Array) -> float:
    """F1 of lids being closed by more than half, each eye and frame counted."""
    said, was = settled(read, settling)[:, LIDS] > BLINK_AT, truth[:, LIDS] > BLINK_AT
    return 2 * float((said & was).sum()) / max(1, int(said.sum() + was.sum()))


def best_settling(seen: list[tuple[Array, Array]]) -> Array:
    """(52, 3): the best of what is tried, over all files."""
    tried = [(below, below + width, gain) for below, width, gain in product(BELOW, WIDTHS, GAINS)]
    costs = np.array([[cost(*one, np.tile(figures, (len(ARKIT), 1))) for one in seen] for figures in tried])
    costs = np.nansum(costs, 1) / np.maximum(1, (~np.isnan(costs)).sum(1))
    costs = 0.5 * (costs + costs[:, list(MIRRORED)])
    settling = np.array(tried)[costs.argmin(0)]

    def with_lids(gain: float) -> Array:
        settling[LIDS, 2] = gain
        return settling

    f1 = [min(blink_f1(*one, with_lids(gain)) for one in seen) for gain in LID_GAINS]
    return with_lids(LID_GAINS[int(np.argmax(f1))])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("places", type=Path, nargs="+")
    parser.add_argument("--hold-out", type=int, default=5)
    options = parser.parse_args()
    model = load_face_model(options.model)
    lessons = [read_lesson([path], options.hold_out, held=True) for path in files_in(options.places)]
    settling = best_settling([readings(model, lesson) for lesson in lessons])
    save_face_model(options.model, replace(model, settling=settling))
    for name, (below, full_from, gain) in zip(ARKIT, settling, strict=True):
        print(f"{name:20s} {below:.2f} {full_from:.2f} {gain:.2f}")


if __name__ == "__main__":
    main()
