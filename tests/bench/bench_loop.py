"""Does an avatar act so that a face tracker reads it? A recorded performance goes in, is drawn, tracked and solved.

    python -m tests.bench.bench_loop [--rig human] [--shared FOLDER] [--step 2] [--markdown]

The rig is driven by a real performance (`recordings/alex_rom_3.csv`, 134 s of every movement a face can make)
with gentle turns of the head, drawn at 640x480, found by MediaPipe and solved by our solver, which has seen the
rig at rest for its first 20 pictures. Compared is what came back with what was put in: Pearson's correlation of each
channel over all pictures. tongueOut, which no landmark shows, and channels that the performance hardly moves
are left out. The last column tells which other channel the answer resembles more, where there is one: a morph that a
tracker takes for another is one that a person mistakes, too.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from animator.channels import ARKIT, UNSEEN
from animator.data import Array, Frame, HeadPose, Motion
from animator.maths.rotations import matrix_from_yaw_pitch_roll, wxyz_from_matrix
from animator.rendering.renderer import Renderer
from animator.rendering.scene import Appearance
from animator.rigging.deform import Deformer
from animator.rigging.library import load_rig
from animator.solving.solver import LinearSolver, SolverConfig
from animator.takes.live_link_csv import load_csv
from animator.takes.take import Take
from animator.tracking.mediapipe_faces import MediaPipeFaces
from animator.tracking.model import find_or_fetch_model

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared"
RECORDING = Path("recordings") / "alex_rom_3.csv"
SIZE_PX = (640, 480)
REST_FRAMES = 20
TURNS_DEG, TURN_S = (14.0, 7.0, 4.0), (5.3, 3.7, 7.1)
"""Yaw, pitch and roll swing so far, once in so many seconds."""
LEAST_DEVIATION = 0.01
"""A channel that varies less in the recording has nothing to be compared."""
WANTED_MEAN, WANTED_KEY, WANTED_FOUND = 0.60, 0.90, 0.99
KEY = ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight", "mouthSmileLeft", "mouthSmileRight")


@dataclass(frozen=True, slots=True)
class Loop:
    """What went in and what came back, F frames without the rest before them."""

    driven: Array
    """(F, 52)."""
    solved: Array
    """(F, 52); of the frames without a face what the solver last said."""
    found: Array
    """(F,) bool."""

    def channels(self) -> list[int]:
        """Those that the recording moves and landmarks show."""
        moved = self.driven[self.found].std(0) > LEAST_DEVIATION
        return [i for i, name in enumerate(ARKIT) if moved[i] and name not in UNSEEN]

    def correlations(self) -> Array:
        """(52, 52): row a driven channel, column a solved one; 0 where one of them never varies."""
        driven, solved = (x[self.found] - x[self.found].mean(0) for x in (self.driven, self.solved))
        lengths = np.linalg.norm(driven, axis=0)[:, None] * np.linalg.norm(solved, axis=0)[None]
        return np.where(lengths > 1e-9, driven.T @ solved / np.maximum(lengths, 1e-9), 0.0)


def performed(take: Take, step: int) -> Iterator[Motion]:
    """The rest, then every `step`-th frame of the take with turns of the head."""
    interval_s = step / take.fps
    for number in range(REST_FRAMES):
        yield Motion(number * interval_s, 0)
    for number, frame in enumerate(range(0, len(take), step), start=REST_FRAMES):
        time_s = number * interval_s
        phase = 2 * np.pi * (time_s - REST_FRAMES * interval_s) / np.array(TURN_S)
        rotation = wxyz_from_matrix(matrix_from_yaw_pitch_roll(np.radians(TURNS_DEG) * np.sin(phase)))
        pose = HeadPose(rotation, np.array([0.0, 0.0, -60.0]))
        yield replace(take.motion(frame), time_s=time_s, pose=pose)


def close_loop(rig_name: str, take: Take, step: int) -> Loop:
    """Act, draw, track, solve."""
    rig = load_rig(rig_name)
    deformer, renderer = Deformer(rig), Renderer(rig, SIZE_PX)
    tracker = MediaPipeFaces(find_or_fetch_model())
    solver = LinearSolver(SolverConfig(calibrate=REST_FRAMES * step / take.fps - 1e-3))
    answer = Motion(0.0, 0)
    driven, solved, found = [], [], []
    for index, motion in enumerate(performed(take, step)):
        rgb = renderer.draw("avatar", None, [Appearance(0, deformer.deform(motion), motion.pose)])
        faces = tracker.track(Frame(rgb, motion.time_s, index))
        answer = next(iter(solver.solve(faces, motion.time_s)), answer)
        if index >= REST_FRAMES:
            driven.append(motion.expression.weights.copy())
            solved.append(answer.expression.weights.copy())
            found.append(bool(faces))
    tracker.close()
    renderer.close()
    return Loop(np.array(driven), np.array(solved), np.array(found))


def markdown(loop: Loop) -> str:
    """The summary and a row for each channel, the weakest first."""
    matrix, seen = loop.correlations(), loop.channels()
    own = matrix[seen, seen]
    keys = ", ".join(f"{name} {matrix[ARKIT.index(name), ARKIT.index(name)]:.2f}" for name in KEY)
    lines = [
        f"Found in {loop.found.mean():.1%} of {len(loop.found)} frames; mean correlation {own.mean():.3f} "
        f"over {len(seen)} channels; {keys}.",
        "",
        "| channel | correlation | gain | taken for |",
        "| --- | --- | --- | --- |",
    ]
    driven, solved = loop.driven[loop.found], loop.solved[loop.found]
    for i in sorted(seen, key=lambda i: matrix[i, i]):
        gain = np.polyfit(driven[:, i], solved[:, i], 1)[0]
        rival = max((j for j in seen if j != i), key=lambda j: matrix[i, j])
        taken = f"{ARKIT[rival]} {matrix[i, rival]:.2f}" if matrix[i, rival] > matrix[i, i] else ""
        lines.append(f"| {ARKIT[i]} | {matrix[i, i]:.2f} | {gain:.2f} | {taken} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rig", default="human")
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--step", type=int, default=2, help="use every so-manieth frame of the recording")
    parser.add_argument("--markdown", action="store_true", help="as a Markdown table")
    args = parser.parse_args()
    recording = args.shared / RECORDING
    if not recording.is_file():
        print(f"bench_loop: {RECORDING} is not in {args.shared}: nothing to drive the avatar by")
        return
    text = markdown(close_loop(args.rig, load_csv(recording), args.step))
    if args.markdown:
        print(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console(width=110).print(Markdown(text))


if __name__ == "__main__":
    main()
