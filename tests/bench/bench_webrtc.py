"""What `animator serve` gives over WebRTC: latency beside aiortc's own echo, first pictures, sessions, viewers.

    python -m tests.bench.bench_webrtc [--seconds 15] [--minutes 0.5] [--only latency,first,sessions,viewers,long]

A client sends the bundled performance, 640x480 at 30 frames a second, with a number painted into the
picture's corner; the server sends back its `mesh` view, in which the corner survives. The time between is
the latency. The baseline is a process that sends back what it receives by aiortc alone: decoded and
encoded, nothing else. All ends run on this machine and share its cores.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from statistics import median

import numpy as np

from animator.config import Config
from animator.server.drawing import Output, Painter
from animator.server.performer import Performer
from animator.timing import monotonic_s
from animator.webrtc.encoding import VideoEncoder

from .webrtc_crowd import FPS, bundled_motions, crowd
from .webrtc_latency import Latency, long_run, measured
from .webrtc_server import ROOT, Served, echoing, serving

VIEWERS = (1, 20)
WARM_CLIENTS = 3
SAME_RATE = 0.05
"""Pictures a second may differ by this share between runs whose costs are compared."""


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Markdown; what is not a number is a dash."""
    head = list(head)
    lines = [" | ".join(head), " | ".join(["---"] * len(head))]
    lines += [" | ".join("-" if "nan" in str(cell) else str(cell) for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def latency(seconds: float) -> str:
    """(a) The echo first, then two views."""
    with echoing() as echo:
        rows = [measured("aiortc's echo", echo, seconds, None)]
    with serving() as served:
        rows += [measured(f"`serve`, {view}", served, seconds, view) for view in ("mesh", "avatar")]
    head = (
        "what",
        "median, ms",
        "over the echo",
        "95 %, ms",
        "over the echo",
        "pictures a second back",
        "server CPU, cores",
    )

    def cells(row: Latency) -> tuple[str, ...]:
        over = (row.median_ms - rows[0].median_ms, row.p95_ms - rows[0].p95_ms)
        return (row.what, f"{row.median_ms:.0f}", f"{over[0]:+.0f}", f"{row.p95_ms:.0f}", f"{over[1]:+.0f}",
                f"{row.fps:.1f}", f"{row.server_cpu:.2f}")  # fmt: skip

    return table(head, map(cells, rows))


def first_pictures() -> str:
    """(e) From the offer to the first puppet, in a server that has just become ready, and in a warm one."""
    with serving() as served:
        first_ms = [measured("first", served, 6.0, "avatar").first_ms for _ in range(1 + WARM_CLIENTS)]
    rows = [("the first client after a start", f"{first_ms[0]:.0f}")]
    rows.append((f"later ones, median of {WARM_CLIENTS}", f"{median(first_ms[1:]):.0f}"))
    return table(("first picture of", "ms after the offer"), rows)


def sessions(seconds: float) -> str:
    """(c) Several performers at once, each in a room of their own."""
    rows = []
    for kind, counts, what in (
        ("perform", (1, 2), "avatar as video, pictures a second each"),
        ("numbers", (2, 4), "numbers mode, motion messages a second each"),
    ):
        for count in counts:
            with serving() as served:
                spent = Meter(served)
                got = crowd(served, kind, count, seconds, spent.begin)
                each = [member["pictures" if kind == "perform" else "motions"] for member in got]
                rows.append((count, what, ", ".join(f"{rate:.1f}" for rate in each), f"{spent.cores():.2f}"))
    return table(("sessions", "what", "measured", "server CPU, cores"), rows)


class Meter:
    """Processor time of a server between two instants."""

    def __init__(self, served: Served) -> None:
        self._served = served

    def begin(self) -> None:
        """From here."""
        self._cpu_s, self._start_s = self._served.cpu_s(), time.monotonic()

    def cores(self) -> float:
        """To here, of one core."""
        return (self._served.cpu_s() - self._cpu_s) / (time.monotonic() - self._start_s)


def viewers(seconds: float) -> str:
    """(d) What a further viewer of one puppet costs beside encoding it once."""
    encode = encode_cores()
    rows, costs, fps = [], [], []
    with serving() as served:
        command = [sys.executable, "-m", "tests.bench.webrtc_crowd", served.url, "act", "1", "3600"]
        actor = subprocess.Popen(command, cwd=ROOT)
        try:
            while served.health()["sessions"] < 1:
                time.sleep(0.2)
            for count in VIEWERS:
                spent = Meter(served)
                got = crowd(served, "watch", count, seconds, spent.begin)
                costs.append(spent.cores())
                rates = [median(member[name] for member in got) for name in ("pictures", "packets")]
                fps.append(rates[0])
                rows.append((count, *(f"{rate:.1f}" for rate in rates), f"{costs[-1]:.3f}"))
        finally:
            actor.kill()
            actor.wait()
    further = (costs[1] - costs[0]) / (VIEWERS[1] - VIEWERS[0])
    head = ("viewers", "pictures a second each", "packets a second each", "server CPU, cores")
    if abs(fps[1] / fps[0] - 1) > SAME_RATE:  # then the difference is mostly that of the drawing
        return table(head, rows) + "\n\nThis machine was too busy to keep the rate: no figure for a further viewer."
    return table(head, rows) + (
        f"\n\nA further viewer costs {100 * further:.2f} % of a core; encoding the same pictures once, 640x480 at "
        f"{FPS:g} a second, {100 * encode:.2f} %: {100 * further / encode:.0f} % of one encode."
    )


class _Pictures:
    """Stands in for a Fanout: keeps what is drawn."""

    subscribers = 1

    def __init__(self) -> None:
        self.drawn: list[np.ndarray] = []

    def publish(self, rgb: np.ndarray, _time_s: float) -> None:
        self.drawn.append(rgb)


def encode_cores() -> float:
    """Processor time of encoding a puppet once at 30 pictures a second, of one core."""
    painter, kept = Painter(monotonic_s), _Pictures()
    performer = Performer(Config(), lambda: None)
    output = Output(kept, lambda: [performer], of_room=True)
    for motion in bundled_motions()[:120]:
        performer.hear(motion)
        painter.draw([output])
    painter.close()
    encoder = VideoEncoder("H264", FPS)
    start_s = time.thread_time()
    for number, rgb in enumerate(kept.drawn):
        encoder.encode(rgb, number / FPS)
    return (time.thread_time() - start_s) / len(kept.drawn) * FPS


def growth(minutes: float) -> str:
    """(b) Whether latency or memory grow."""
    with serving() as served:
        run = long_run(served, minutes)
    rows = [
        ("latency, median (95 %), ms", *(f"{mid:.0f} ({high:.0f})" for mid, high in (run.first_ms, run.last_ms))),
        ("server's memory, MB", *(f"{memory:.0f}" for memory in run.memory_mb)),
    ]
    text = table((f"{run.minutes:g} minutes of `mesh`, {run.fps:.1f} pictures a second", "at first", "at last"), rows)
    return text + f"\n\nMemory grew by {run.memory_mb[1] - run.memory_mb[0]:+.1f} MB."


def parts(seconds: float, minutes: float) -> dict[str, Callable[[], str]]:
    """By name, in the order in which they are shown."""
    return {
        "latency": lambda: latency(seconds),
        "first": first_pictures,
        "sessions": lambda: sessions(seconds),
        "viewers": lambda: viewers(seconds),
        "long": lambda: growth(minutes),
    }


def markdown(seconds: float = 15.0, minutes: float = 0.5, only: Iterable[str] | None = None) -> str:
    """All tables, or those named, and how busy the machine was before."""
    load = os.getloadavg()[0]
    made = [make() for name, make in parts(seconds, minutes).items() if only is None or name in only]
    return "\n\n".join([*made, f"Load average before: {load:.1f} on {os.cpu_count()} cores."])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each measurement")
    parser.add_argument("--minutes", type=float, default=0.5, help="of the long run; 10 for the claim of no growth")
    parser.add_argument("--only", type=lambda text: text.split(","), help=",".join(parts(0, 0)))
    parser.add_argument("--markdown", action="store_true", help="plain Markdown")
    arguments = parser.parse_args()
    text = markdown(arguments.seconds, arguments.minutes, arguments.only)
    if arguments.markdown:
        print(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console(width=160).print(Markdown(text))


if __name__ == "__main__":
    main()
