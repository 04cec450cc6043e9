"""Recordings: true ones, and what is done with one that was read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .seeds import scratch, shared, take, written


def takes() -> list[bytes]:
    from animator.takes.npz import save_takes

    bare = take(3)
    return [
        written(lambda path: save_takes(path, [take(3), take(3)]), "a.npz"),
        written(lambda path: save_takes(path, [bare]), "b.npz"),
    ]


def landmark_takes() -> list[bytes]:
    from animator.takes.npz import LandmarkTake, save_landmark_take

    whole = take(3)
    seen = LandmarkTake(whole.landmarks_norm, (640, 480), whole.times_s, np.ones(3, bool))
    return [written(lambda path: save_landmark_take(path, seen), "c.landmarks.npz")]


def csvs() -> list[bytes]:
    from animator.takes.live_link_csv import save_csv

    recorded = [b"".join(data.splitlines(True)[:6]) for data in shared("recordings/*.csv")]
    return [written(lambda path: save_csv(path, take(5)), "d.csv"), *recorded]


def jsons() -> list[bytes]:
    from animator.takes.json_layouts import LAYOUTS, save_json

    return [written(lambda path, layout=layout: save_json(path, take(3), layout), "e.json") for layout in LAYOUTS]


def journals() -> list[bytes]:
    from animator.sinks.recorder import MotionRecorder
    from tests.takes.writer import face_at, motion_at

    found = []
    for landmarks in (False, True):
        recorder = MotionRecorder(scratch() / "f.npz", 60.0, landmarks=landmarks, about={"source": "clip", "rig": "x"})
        for frame in range(3):
            motions = [motion_at(frame, 0), motion_at(frame, 1)]
            faces = [face_at(frame, 0)] if landmarks else []
            recorder.write(motions, frame / 60, faces=faces, stages_ms={"track": 1.0, "solve": 2.0})
        found.append((scratch() / "f.npz.journal").read_bytes())
        recorder.close()
    return found


def played(path: Path) -> None:
    """Played, brought to another rate, and turned into other formats."""
    from animator.sources.opening import open_source
    from animator.takes.bvh import save_bvh
    from animator.takes.editing import mirrored, resampled, smoothed
    from animator.takes.live_link_csv import save_csv

    source = open_source(str(path))
    for _ in zip(range(3), source, strict=False):
        pass
    for found in getattr(source, "takes", ()):
        again = mirrored(resampled(found, 30.0))
        smoothed(again, 0.1)
        save_csv(path.with_name("out.csv"), found)
        save_bvh(path.with_name("out.bvh"), found)
    source.close()


def finished(path: Path) -> None:
    from animator.takes.finishing import finish
    from animator.takes.npz import load_takes

    out = path.with_name("out.npz")
    done = finish(path, out)
    if done.paths:
        load_takes(out)
        out.unlink()
