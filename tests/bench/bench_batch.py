"""How fast a folder of films goes: on one and two cores, and, by a model of measured costs, on a cluster.

    python -m tests.bench.bench_batch [--films 6] [--rounds 1] [--no-throughput] [--figure FILE]

Times on a shared machine are noisy. The ratio of two cores to one is of runs in turns; the costs of stages are
processor time, not time on the clock."""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from animator import batch
from animator.batch import work
from animator.batch.tracks import Part
from animator.config import Config
from animator.resources import asset_path
from animator.tracking.model import find_or_fetch_model

from .batch_model import Costs, Outcome, first_limit, simulate

WORKERS = (1, 10, 100, 1000, 10_000)
LENGTHS_S = {"2 s": 2, "10 s": 10, "5 min": 300, "1 h": 3600}
FPS, PART_S, TASKS, SMALL_FILMS = 30, 60, 1500, 24
WANTED_RATIO = 1.7


def throughput(films: int, rounds: int) -> dict[int, list[tuple[float, float]]]:
    """Frames a second on the clock, and milliseconds of processor a frame, by number of cores, in turns.

    One core is one process that keeps to it, where the system can tell it to: its decoder has a thread of its own."""
    ours = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    found: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(films):
            shutil.copy(asset_path("performance.mp4"), folder / f"{number}.mp4")
        for number in range(2 * rounds):
            jobs = 1 + number % 2
            if ours:
                os.sched_setaffinity(0, ours[:jobs])
            started_s, before = time.perf_counter(), os.times()
            results = batch.run([folder], folder / f"out{number}", batch.BatchConfig(jobs=jobs))
            frames = sum(r.frames for r in results)
            spent_s = sum(os.times()[:4]) - sum(before[:4])  # the processes have ended: theirs is in it
            found[jobs].append((frames / (time.perf_counter() - started_s), 1e3 * spent_s / frames))
            if ours:
                os.sched_setaffinity(0, ours)
    return found


def cpu_s(call: Callable[[], object], repeats: int = 3) -> float:
    """Processor time of a call: the least of several."""
    spent = []
    for _ in range(repeats):
        start_s = time.process_time()
        call()
        spent.append(time.process_time() - start_s)
    return min(spent)


def measured_costs() -> Costs:
    """What the stages cost here, on the bundled performance."""
    film, model, config, parts = asset_path("performance.mp4"), find_or_fetch_model(), Config(), [Part()]
    work.track_part(film, Part(0.0, 0.0, 0.2), config, model, [])  # what is loaded once
    tracked = work.track_part(film, parts[0], config, model, [])
    frames = len(tracked.track.times_s)
    scheduler_s, client_s = on_dask()
    return Costs(
        track_s=cpu_s(lambda: work.track_part(film, parts[0], config, model, [])) / frames,
        solve_s=cpu_s(lambda: work.solve(film, parts, config, model, ("npz",), tracked)) / frames,
        survey_s=cpu_s(lambda: work.survey(film, PART_S)),
        scheduler_s=scheduler_s,
        client_s=client_s,
        film_bytes=film.stat().st_size / frames,
    )


def on_dask() -> tuple[float, float]:
    """The scheduler's processor time for a task that does nothing, and this process's for a small film."""
    import psutil
    from distributed import Client

    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        told = folder / "scheduler.json"
        scheduler = dask(stack, "scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(told))
        while not told.exists():
            time.sleep(0.2)
        client = stack.enter_context(Client(scheduler_file=str(told)))
        dask(stack, "worker", client.scheduler.address, "--nthreads", "1", "--no-nanny", "--local-directory", name)
        client.gather(client.map(abs, range(50), pure=False))
        spent = psutil.Process(scheduler.pid).cpu_times
        start_s = sum(spent()[:2])
        client.gather(client.map(abs, range(TASKS), pure=False))
        scheduler_s = (sum(spent()[:2]) - start_s) / TASKS
        films = folder / "films"
        films.mkdir()
        for number in range(SMALL_FILMS):
            small_film(films / f"{number}.mp4")
        start_s = time.process_time()
        batch.run([films], folder / "out", batch.BatchConfig(cluster=client.scheduler.address))
        client_s = (time.process_time() - start_s) / SMALL_FILMS
    return scheduler_s, client_s


def dask(stack: ExitStack, *arguments: str) -> subprocess.Popen:
    """`dask scheduler` or `dask worker`, ended with the stack."""
    command = [sys.executable, "-m", f"distributed.cli.dask_{arguments[0]}", *arguments[1:], "--no-dashboard"]
    process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    stack.callback(process.kill)
    return process


def small_film(path: Path) -> None:
    """The first six pictures of the bundled performance."""
    import av

    with av.open(str(asset_path("performance.mp4"))) as given, av.open(str(path), "w") as made:
        stream = made.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(video=0):
            if packet.dts is not None and packet.pts * packet.time_base < 5.5 / FPS:
                packet.stream = stream
                made.mux(packet)


def table(costs: Costs) -> list[str]:
    """Markdown: frames a second by film length and workers, and where it bends."""
    lines = [
        "| films of | "
        + " | ".join(f"{n:,} workers" for n in WORKERS)
        + " | workers that fill: scheduler | storage | client |",
        "|---|" + "---:|" * (len(WORKERS) + 3),
    ]
    for name, seconds in LENGTHS_S.items():
        cells = [f"{run(costs, seconds, n).frames_per_s:,.0f}" for n in WORKERS]
        limits = first_limit(costs, seconds * FPS, PART_S * FPS)
        cells += [f"{limits[key]:,.0f}" for key in ("scheduler", "storage", "client")]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def run(costs: Costs, seconds: int, workers: int) -> Outcome:
    """Enough films that nobody waits at the end, but not more events than are worth it."""
    parts = max(1, round(seconds / PART_S))
    films = max(40, min(20 * workers, 200_000) // parts)
    return simulate(costs, workers, films, seconds * FPS, PART_S * FPS)


def draw(costs: Costs, path: Path) -> None:
    """Frames a second over workers, for each length of film."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    workers = [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000]
    figure, axes = pyplot.subplots(figsize=(8, 4.6), dpi=110, layout="constrained")
    for (name, seconds), colour in zip(LENGTHS_S.items(), ("#c2410c", "#15803d", "#1d4ed8", "#7e22ce"), strict=True):
        rates = [run(costs, seconds, n).frames_per_s for n in workers]
        axes.plot(workers, rates, marker="o", markersize=4, color=colour, label=f"films of {name}")
    ideal = [n / (costs.track_s + costs.solve_s) for n in workers]
    axes.plot(workers, ideal, color="#888", linestyle=":", label="as many times one worker")
    axes.set(xscale="log", yscale="log", xlabel="workers, of one thread each", ylabel="frames a second")
    axes.grid(True, which="major", alpha=0.3)
    axes.legend(frameon=False)
    axes.set_title("A simulated cluster, from costs measured on one machine", fontsize=11)
    figure.savefig(path)


def main() -> None:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--no-throughput", action="store_true")
    parser.add_argument("--figure", type=Path)
    options = parser.parse_args()
    if not options.no_throughput:
        found = throughput(options.films, options.rounds)
        (one, one_ms), (two, two_ms) = (tuple(map(statistics.median, zip(*found[n], strict=True))) for n in (1, 2))
        print(f"one core {one:.1f} frames/s, two {two:.1f}: {two / one:.2f} times as many (wanted {WANTED_RATIO})")
        print(
            f"processor time a frame {one_ms:.2f} and {two_ms:.2f} ms: {2 * one_ms / two_ms:.2f} times as many on two "
            f"cores that do nothing else ({os.cpu_count()} cores here, load {os.getloadavg()[0]:.1f})"
        )
    costs = measured_costs()
    print(f"track {1e3 * costs.track_s:.2f} ms a frame, solve {1e3 * costs.solve_s:.2f} ms a frame, "
          f"survey {1e3 * costs.survey_s:.1f} ms a film, scheduler {1e3 * costs.scheduler_s:.2f} ms a task, "
          f"client {1e3 * costs.client_s:.1f} ms a film, {costs.film_bytes:.0f} bytes of film a frame")  # fmt: skip
    print("\n".join(table(costs)))
    if options.figure:
        draw(costs, options.figure)
        print(f"wrote {options.figure}")


if __name__ == "__main__":
    main()
