"""Runs every benchmark, prints it, and writes docs/benchmarks.md.

python -m tests.bench.report [--shared ../shared]
"""

from __future__ import annotations

import argparse
import os
import platform
from pathlib import Path

from animator.takes.live_link_csv import load_csv
from tests.bench import (
    bench_deform,
    bench_loop,
    bench_render,
    bench_run,
    bench_solver,
    bench_steadiness,
    bench_tracking,
    bench_webrtc,
)

WEBRTC_S, LONG_MIN = 15.0, 10.0
ACTIVE_CHANNELS, LOOP_STEP = 16, 2
PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"

TEXT = """# Benchmarks

Made by `make bench`; `make bench-solver` and `make bench-run` print one table each.
Machine of these figures: {machine}.
Times on shared machines are noisy: read the ratios, which stand beside a baseline of the same run.

## The solver beside MediaPipe's own network

Measured on the evaluation sets: synthetic performances with exact truth, seen by MediaPipe, of people that no
set learned from holds (they are not part of the repository). Scores are means over the 51 channels that have a
truth, on the frames after each take's 20 neutral ones.

- *correlation*: Pearson's, channel by channel over all those frames of a set; channels that never move are left out.
- *error*: mean absolute; *active* where a channel's truth is above 0.1, *rest* where it is below 0.02.
- *blink F1*: frame by frame, eyeBlink above 0.5, each eye alone.
- *rotation*: after removing each take's mean offset over its neutral frames. *gaze*: median angle.
- *calibrated*: the neutral is the mean of those 20 frames; *auto*: nobody calibrates, the default of `animator run`.
- `public_nat` is driven by a recorded performance that its training set shares (other people, same motion), so its
  figures flatter every learned solver; `public` and `public_wide` share nothing with what was learned from.

{solver}

`make bench-steadiness`:

{steadiness}

*turn*: how far a channel goes while only the head turns (yaw -40 to 40 degrees); *jitter*: standard deviation on a
still face; *lag*: behind the unfiltered answer. What the solver cannot see is in [solver.md](solver.md).

## The tracker beside MediaPipe's graph

`make bench-tracking`: the same networks, run by MediaPipe's graph and by LiteRT alone; one face, 640x480.

{tracking}

The landmark network by itself takes 4.9 ms of one core here, 0.6 of what MediaPipe takes in all: what lies around it
(cropping 0.35, the rest 0.5) is all that can be saved. With a face too small for the whole picture (`s13.mp4`) the two
look at different crops of it; in `iris_tracking_example.gif` the face jumps from pose to pose, one nearly a profile.

## The whole program

300 frames of the bundled performance, 640x480, one face, the avatar `human`, off screen, to H.264. OpenGL in
software. Each row is a process of its own, the fastest of {repeats}.

{run}

Where the time goes without a graphics card: about half of it is drawing. `make bench-render` tells what a picture of
an avatar costs beside VTK's bare drawing of the same mesh: most of it is VTK filling triangles, 18 700 of them for the
human. Smoothing edges where they are takes 2 to 3 ms of processor time (FXAA took 16), and laying the avatar over its
background here instead of in OpenGL saves 2. Light is computed for each
vertex, in half a millisecond; for each pixel it costs 5. Tracking is a fifth, nearly all in MediaPipe's networks.

## An avatar's picture

`make bench-render`: deform, draw and read back, beside VTK's bare drawing of the same mesh at rest.

{render}

`make bench-deform`:

```
{deform}
```

## An avatar, tracked and solved again

`make bench-loop`: a recorded performance drives `human`, which is drawn, found by a tracker and solved. Its morphs were
tuned by this very recording. *taken for*: the channel that the answer resembles more.

{loop}

## There and back over WebRTC

`make bench-webrtc`: a client sends the bundled performance, 640x480 at 30 frames a second, with a number painted into a
corner that the `mesh` view keeps; the time until it comes back is the latency. The echo is aiortc alone, decoding and
encoding. All ends share this machine's cores. Sessions and viewers are clients that count what they receive and decode
nothing, in a process of their own; the server's processor time is that of all its processes.

{webrtc}

The motion stream's figures: `make bench-motion`. Elsewhere: [takes](takes.md#how-long-how-large),
[protocols](protocols.md#what-a-frame-costs), [how cost grows, and folders of films](scaling.md).
"""


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=bench_solver.SHARED)
    shared = parser.parse_args().shared
    solver = bench_solver.markdown(shared)
    steadiness, tracking = bench_steadiness.markdown(shared), bench_tracking.markdown(shared)
    run = bench_run.markdown(bench_run.measure_all())
    render = "\n\n".join(bench_render.markdown(name, bench_loop.SIZE_PX) for name in ("human", "made"))
    deform = "\n".join(bench_deform.lines(bench_deform.made_rig(), ACTIVE_CHANNELS))
    loop = bench_loop.markdown(bench_loop.close_loop("human", load_csv(shared / bench_loop.RECORDING), LOOP_STEP))
    webrtc = bench_webrtc.markdown(WEBRTC_S, LONG_MIN)
    text = TEXT.format(
        machine=_machine(), solver=solver, steadiness=steadiness, tracking=tracking,
        run=run, repeats=bench_run.REPEATS, render=render, deform=deform, loop=loop, webrtc=webrtc,
    )  # fmt: skip
    PAGE.write_text(text, "utf-8")
    print(text)


def _machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return f"{os.cpu_count()} cores ({model}), no graphics card, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
