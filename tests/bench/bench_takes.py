"""An hour of a take at 60 frames a second: recorded, loaded, converted.

    python -m tests.bench.bench_takes [--frames 216000] [--markdown]

The motion is that of the bundled performance over and over, with noise in its last bits, as a solver's is. Each step
runs in a process of its own, which tells its seconds and its peak memory; the ratio is to NumPy alone with the same
arrays in the same run (np.savez, np.load, and np.savetxt for the table), so that a busy machine slows both.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from animator.exporting import save_glb_take, save_vrma
from animator.resources import asset_path
from animator.sinks.recorder import MotionRecorder
from animator.takes import Take, arrays_of, take_from_arrays
from animator.takes.json_layouts import save_json
from animator.takes.live_link_csv import load_csv, save_csv
from animator.takes.npz import load_takes

FPS = 60.0
NAMES = {"take": "a.npz", "plain": "plain.npz"}
COLUMNS = ("step", "seconds", "wanted", "MB written", "peak MB", "of NumPy's", "NumPy")


def performed(frames: int) -> Take:
    """The bundled performance at 60 a second, again and again."""
    (once,) = load_takes(asset_path("performance.npz"))
    rows = np.arange(frames) // 2 % len(once)
    rng = np.random.default_rng(0)
    arrays = {name: values[rows] for name, values in arrays_of(once).items()}
    arrays["times_s"] = np.arange(frames) / FPS
    for name, noise in (("weights", 1e-3), ("translations_cm", 1e-2), ("gaze_rad", 1e-3)):
        arrays[name] = arrays[name] + rng.normal(0, noise, arrays[name].shape)
    arrays["weights"] = arrays["weights"].clip(0, 1)
    turns = arrays["rotations_wxyz"] + rng.normal(0, 1e-3, (frames, 4))
    arrays["rotations_wxyz"] = turns / np.linalg.norm(turns, axis=1, keepdims=True)
    return take_from_arrays(arrays, FPS)


def record(folder: Path, frames: int) -> None:
    """Frame by frame through the journal, and the take made of it."""
    recorder = MotionRecorder(folder / NAMES["take"], FPS)
    stages = {"track": 11.0, "solve": 1.0}
    for motion in performed(min(frames, 18_000)).motions():  # five minutes, again and again: the source holds no hour
        recorder.write([motion], motion.time_s, stages_ms=stages)
    for frame in range(recorder.frames, frames):
        recorder.write([motion], frame / FPS, stages_ms=stages)
    recorder.close()


def numpy_save(folder: Path, frames: int) -> None:
    np.savez(folder / NAMES["plain"], **arrays_of(performed(frames)))


def load(folder: Path, frames: int) -> None:
    assert len(load_takes(folder / NAMES["take"])[0]) == frames


def numpy_load(folder: Path, frames: int) -> None:
    with np.load(folder / NAMES["plain"]) as stored:
        assert all(len(stored[name]) == frames for name in stored)


def to_csv(folder: Path, frames: int) -> None:
    save_csv(folder / "a.csv", load_takes(folder / NAMES["take"])[0])


def numpy_csv(folder: Path, frames: int) -> None:
    (take,) = load_takes(folder / NAMES["take"])
    table = np.concatenate([take.weights, take.rotations_wxyz, take.gaze_rad.reshape(-1, 4)], axis=1)
    np.savetxt(folder / "plain.csv", table, "%.10f", ",")


def from_csv(folder: Path, frames: int) -> None:
    assert len(load_csv(folder / "a.csv")) == frames


def numpy_from_csv(folder: Path, frames: int) -> None:
    assert len(np.loadtxt(folder / "plain.csv", delimiter=",")) == frames


def to_glb(folder: Path, frames: int) -> None:
    save_glb_take(folder / "a.glb", load_takes(folder / NAMES["take"])[0])


def to_vrma(folder: Path, frames: int) -> None:
    save_vrma(folder / "a.vrma", load_takes(folder / NAMES["take"])[0])


def to_json(folder: Path, frames: int) -> None:
    save_json(folder / "a.json", load_takes(folder / NAMES["take"])[0])


Step = Callable[[Path, int], None]
STEPS: dict[str, tuple[Step, Step | None, float | None, str | None]] = {
    "record": (record, numpy_save, None, "a.npz"),
    "load": (load, numpy_load, 1.0, None),
    "to .csv": (to_csv, numpy_csv, 15.0, "a.csv"),
    "from .csv": (from_csv, numpy_from_csv, None, None),
    "to .glb": (to_glb, numpy_save, 10.0, "a.glb"),
    "to .vrma": (to_vrma, numpy_save, None, "a.vrma"),
    "to .json": (to_json, None, None, "a.json"),
}
"""Step: ours, NumPy's, the seconds that were wanted, and the file that comes of it."""
WANTED_MB, WANTED_PEAK_MB = 120, 1000


def in_own_process(step: Step, folder: Path, frames: int) -> tuple[float, float]:
    """(seconds, peak megabytes) of one step."""
    command = [sys.executable, "-m", "tests.bench.bench_takes", "--step", step.__name__, str(folder), str(frames)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.decode())
    said = json.loads(done.stdout)
    return said["seconds"], said["peak_mb"]


def run_step(name: str, folder: Path, frames: int) -> None:
    """One step in this process; prints what it took, without the imports."""
    start_s = time.perf_counter()
    globals()[name](folder, frames)
    seconds = time.perf_counter() - start_s
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)
    print(json.dumps({"seconds": seconds, "peak_mb": peak}))


def rows(frames: int) -> list[tuple[str, ...]]:
    """A row for each step."""
    made = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for step, (ours, theirs, wanted_s, file) in STEPS.items():
            seconds, peak_mb = in_own_process(ours, folder, frames)
            plain_s = in_own_process(theirs, folder, frames)[0] if theirs else None
            size = f"{(folder / file).stat().st_size / 1e6:.0f}" if file else "-"
            made.append(
                (
                    step, f"{seconds:.2f}", "-" if wanted_s is None else f"{wanted_s:g}", size, f"{peak_mb:.0f}",
                    "-" if plain_s is None else f"{seconds / plain_s:.1f}",
                    "-" if plain_s is None else f"{plain_s:.2f}",
                )
            )  # fmt: skip
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=216_000)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--step", nargs=3, metavar=("STEP", "FOLDER", "FRAMES"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.step:
        run_step(args.step[0], Path(args.step[1]), int(args.step[2]))
        return
    found = rows(args.frames)
    if args.markdown:
        print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
        print("\n".join("| " + " | ".join(row) + " |" for row in found))
        return
    table = Table(*COLUMNS, box=None, title=f"{args.frames} frames; wanted: {WANTED_MB} MB, {WANTED_PEAK_MB} MB peak")
    for row in found:
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
