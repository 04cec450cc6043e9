"""How fast the whole program is, what each stage costs, and how much memory it takes.

    python -m tests.bench.bench_run [--markdown]

Every measurement is a process of its own that runs the bundled performance (300 frames, 640x480, one face)
through the program, beside one that only decodes and tracks it with MediaPipe: the machine is shared, so the
ratio says more than the seconds. The last process is given the same film as a camera would give it, a picture each
thirtieth of a second, and tells how old each is once it is drawn.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REPEATS = 3

_BASELINE = """
from animator.resources import asset_path
from animator.sources.video import VideoSource
from animator.tracking.mediapipe_faces import MediaPipeFaces
from animator.tracking.model import find_or_fetch_model
tracker = MediaPipeFaces(find_or_fetch_model())
clock.start()
for frame in VideoSource(asset_path("performance.mp4")):
    with clock.stage("track"):
        tracker.track(frame)
    clock.frames += 1
"""

_RUN = """
from pathlib import Path
from animator.config import Config, ShowConfig
from animator.filming import film, open_sink
from animator.pipeline import open_performance
from animator.sources import performance
config = Config(show=ShowConfig(view={view!r}))
with open_performance(performance(), config) as acted:
    clock.start()
    clock.frames = film(acted, config, open_sink(Path({out!r}), 30))
    clock.stages = {{name: 1000 * s / clock.frames for name, s in acted.stopwatch.total_s.items()}}
"""

_LIVE = """
from contextlib import closing
from animator.config import Config, ShowConfig
from animator.filming import Camera
from animator.pipeline import open_performance
from animator.rigging.library import load_rig
from animator.sources import performance
from animator.timing import paced
class LikeACamera:
    name, live, frame_count = "film", True, None
    def __init__(self, film):
        self.film, self.fps, self.size_px, self.given_s, self.close = film, film.fps, film.size_px, {{}}, film.close
    def __iter__(self):
        for frame in paced(self.film, lambda frame: frame.time_s, time.perf_counter, time.sleep):
            self.given_s[frame.index] = time.perf_counter()
            yield frame
source, config = LikeACamera(performance()), Config()
with open_performance(source, config) as acted, \\
        closing(Camera(load_rig("human"), config, source.size_px, acted.stopwatch)) as camera:
    clock.start()
    for moment in acted:
        camera.take(moment)
        clock.late_ms.append(1000 * (time.perf_counter() - source.given_s[moment.index]))
    clock.frames = len(clock.late_ms)
    clock.stages = {{name: 1000 * s / clock.frames for name, s in acted.stopwatch.total_s.items() if name != "capture"}}
"""

_FRAME = """
import json, re, time
from contextlib import contextmanager
from pathlib import Path
def peak_mb():  # this process's own: ru_maxrss begins with that of who started it
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
class Clock:
    frames, stages, late_ms = 0, {{}}, []
    def start(self): self.wall_s, self.cpu_s = time.perf_counter(), time.process_time()
    @contextmanager
    def stage(self, name):
        start_s = time.perf_counter()
        yield
        self.stages[name] = self.stages.get(name, 0) + (time.perf_counter() - start_s) / 300 * 1000
clock = Clock()
{body}
print(json.dumps(dict(
    frames=clock.frames, wall_s=time.perf_counter() - clock.wall_s, cpu_s=time.process_time() - clock.cpu_s,
    stages_ms=clock.stages, peak_mb=peak_mb(), late_ms=sorted(clock.late_ms))))
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One process's figures."""

    what: str
    fps: float
    cpu_ms: float
    """Of all threads together, a frame."""
    peak_mb: float
    stages_ms: dict[str, float]
    """Wall clock a frame; stages on different threads overlap."""
    late_ms: tuple[float, ...] = ()
    """How old each picture was once it was drawn, rising; of the live run."""

    @property
    def busy(self) -> float:
        """Share of all cores that it kept at work: what its throughput is of that which its processor time allows."""
        return self.fps * self.cpu_ms / 1000 / (os.cpu_count() or 1)


def measure(what: str, body: str) -> Measured:
    """The fastest of a few runs: noise only ever adds."""
    runs = []
    for _ in range(REPEATS):
        done = subprocess.run(
            [sys.executable, "-c", _FRAME.format(body=body)], capture_output=True, text=True, check=True, cwd=ROOT
        )
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    best = min(runs, key=lambda run: statistics.median(run["late_ms"] or [run["wall_s"]]))
    return Measured(
        what,
        best["frames"] / best["wall_s"],
        1000 * best["cpu_s"] / best["frames"],
        best["peak_mb"],
        best["stages_ms"],
        tuple(best["late_ms"]),
    )


def measure_all() -> list[Measured]:
    """The baseline first, then the program in its views."""
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "out.mp4")
        return [
            measure("MediaPipe alone: decode, track", _BASELINE),
            *(measure(f"`run --view {view}`", _RUN.format(view=view, out=out)) for view in VIEWS),
            measure("live", _LIVE.format()),
        ]


VIEWS = ("mesh", "avatar", "side-by-side", "mask")


def markdown(measured: list[Measured]) -> str:
    """The tables for docs/benchmarks.md."""
    *measured, live = measured
    baseline = measured[0]
    lines = [
        "| what | frames a second | ratio to MediaPipe alone | CPU ms a frame | ratio | cores busy | peak memory, MB |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for m in measured:
        lines.append(
            f"| {m.what} | {m.fps:.1f} | {m.fps / baseline.fps:.2f} | {m.cpu_ms:.1f} "
            f"| {m.cpu_ms / baseline.cpu_ms:.2f} | {m.busy:.0%} | {m.peak_mb:.0f} |"
        )
    stages = list(dict.fromkeys(stage for m in measured for stage in m.stages_ms))
    lines += [
        "",
        "Milliseconds a frame of each stage, and its share of their sum (stages on different threads overlap):",
        "",
        "| what | " + " | ".join(stages) + " |",
        "| --- " * (len(stages) + 1) + "|",
    ]
    for m in measured:
        total = sum(m.stages_ms.values())
        cells = (
            f"{m.stages_ms[s]:.1f} ({m.stages_ms[s] / total:.0%})" if m.stages_ms.get(s, 0) > 0.005 else "-"
            for s in stages
        )
        lines.append(f"| {m.what} | " + " | ".join(cells) + " |")
    late_ms, stages_ms = live.late_ms, sum(live.stages_ms.values())
    lines += [
        "",
        "Live, 30 pictures a second, from a picture's arrival to the drawn avatar:",
        "",
        "| median, ms | 95 %, ms | tracking, solving and drawing together, ms | drawn a second | CPU ms a picture |",
        "| --- | --- | --- | --- | --- |",
        f"| {statistics.median(late_ms):.1f} | {late_ms[int(0.95 * len(late_ms))]:.1f} | {stages_ms:.1f} "
        f"| {live.fps:.1f} | {live.cpu_ms:.1f} |",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--markdown", action="store_true", help="as a Markdown table")
    text = markdown(measure_all())
    if parser.parse_args().markdown:
        print(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console(width=160).print(Markdown(text))


if __name__ == "__main__":
    main()
