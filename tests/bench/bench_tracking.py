"""Our tracker beside MediaPipe's own graph: time, start, and how far apart their landmarks are.

    python -m tests.bench.bench_tracking [--shared FOLDER]

Every run is a process of its own on the bundled performance (640x480, one face), taken in turn, the fastest of each
counted; the noise of a shared machine only ever adds. Distances are measured picture by picture on the bundled
performance and, where the folder is there, on real clips, in distances between the eyes, with one face wanted (both
smooth) and two (neither does).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np

from animator.data import Array, Frame
from animator.resources import asset_path
from animator.sources.video import VideoSource
from animator.topology import LEFT_EYE, RIGHT_EYE
from animator.tracking.config import TrackingConfig
from animator.tracking.litert_faces import LiteRTFaces
from animator.tracking.mediapipe_faces import MediaPipeFaces
from animator.tracking.model import find_or_fetch_model

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
REPEATS = 5
FRAMES = 150
CLIPS = ("d0.mp4", "d3.mp4", "d18.mp4", "s13.mp4", "s32.mp4", "single_face.mp4", "face_noface.mov",
         "head-pose-face-detection-female-and-male.gif", "iris_tracking_example.gif")  # fmt: skip
WAYS = {
    "MediaPipe": "MediaPipeFaces(model)",
    "LiteRT, one thread": "LiteRTFaces(model, threads=1)",
    "LiteRT, two threads (default)": "LiteRTFaces(model, threads=2)",
}

_TIMED = """
import json, time
from animator.resources import asset_path
from animator.sources.video import VideoSource
from animator.tracking.model import find_or_fetch_model
model = find_or_fetch_model()
pictures = list(VideoSource(asset_path("performance.mp4")))[:{frames}]
from animator.tracking.litert_faces import LiteRTFaces
from animator.tracking.mediapipe_faces import MediaPipeFaces
begun = time.perf_counter()
tracker = {make}
tracker.track(pictures[0])
start_s = time.perf_counter() - begun
for picture in pictures[1:10]:
    tracker.track(picture)
wall_s, cpu_s = time.perf_counter(), time.process_time()
for picture in pictures[10:]:
    tracker.track(picture)
count = len(pictures) - 10
print(json.dumps([(time.perf_counter() - wall_s) / count, (time.process_time() - cpu_s) / count, start_s]))
tracker.close()
"""


def timed() -> dict[str, Array]:
    """(wall s, CPU s, start s) a picture, the best of the runs, of each way."""
    runs: dict[str, list] = {way: [] for way in WAYS}
    for _ in range(REPEATS):
        for way, make in WAYS.items():
            code = _TIMED.format(make=make, frames=FRAMES)
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
            runs[way].append(json.loads(done.stdout.splitlines()[-1]))
    return {way: np.min(values, axis=0) for way, values in runs.items()}


def apart(path: Path, faces: int) -> tuple[int, int, float, float]:
    """(faces MediaPipe saw, faces we saw, median and 95th percentile of the landmarks' distance in eye distances)."""
    source = VideoSource(path)
    pictures: list[Frame] = list(islice(source, FRAMES))
    source.close()
    model, config = find_or_fetch_model(), TrackingConfig(faces=faces)
    theirs, ours = MediaPipeFaces(model, config), LiteRTFaces(model, config)
    if faces > 1:
        for tracker in (theirs, ours):
            _leave_as_they_are(tracker)
    distances, counts = [], np.zeros(2, int)
    for picture in pictures:
        seen, known = theirs.track(picture), ours.track(picture)
        counts += len(seen), len(known)
        for one in seen:
            if known:
                other = min(known, key=lambda face, one=one: np.abs(face.landmarks_px - one.landmarks_px).mean())
                eyes = one.landmarks_px[list(LEFT_EYE)].mean(0) - one.landmarks_px[list(RIGHT_EYE)].mean(0)
                distances.append(np.linalg.norm(one.landmarks_px - other.landmarks_px, axis=1) / np.linalg.norm(eyes))
    theirs.close()
    ours.close()
    both = np.concatenate(distances) if distances else np.array([np.nan])
    return int(counts[0]), int(counts[1]), float(np.median(both)), float(np.percentile(both, 95))


def _leave_as_they_are(tracker: MediaPipeFaces | LiteRTFaces) -> None:
    """Switch our smoothing off: with two faces wanted, MediaPipe has none."""
    seated = tracker._seating.faces
    tracker._seating.faces = lambda found, sure, frame, smooth: seated(found, sure, frame, smooth=False)


def markdown(shared: Path) -> str:
    """Both tables."""
    results = timed()
    base = results["MediaPipe"]
    lines = [
        "| tracker | ms a picture | ratio | CPU ms | ratio | start to first face, ms |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for way, (wall_s, cpu_s, start_s) in results.items():
        lines.append(
            f"| {way} | {1000 * wall_s:.2f} | {wall_s / base[0]:.2f} | {1000 * cpu_s:.2f} "
            f"| {cpu_s / base[1]:.2f} | {1000 * start_s:.0f} |"
        )
    lines += [
        "",
        "| pictures of | faces wanted | faces MediaPipe saw | we saw | apart, median, % of the eye distance | 95 % |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    clips = [asset_path("performance.mp4"), *(p for name in CLIPS if (p := shared / "clips" / name).exists())]
    for path in clips:
        for faces in (1, 2):
            theirs, ours, median, high = apart(Path(path), faces)
            lines.append(
                f"| {Path(path).name} | {faces} | {theirs} | {ours} | {100 * median:.3f} | {100 * high:.3f} |"
            )
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=SHARED)
    print(markdown(parser.parse_args().shared))


if __name__ == "__main__":
    main()
