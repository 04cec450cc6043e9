"""Records without end, telling each frame once it is written: to be killed.

python -m tests.takes.writer TARGET"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from animator.data import Expression, Face, Gaze, HeadPose, Motion
from animator.sinks.recorder import MotionRecorder


def motion_at(frame: int, track_id: int = 0) -> Motion:
    """Numbers that tell which frame they belong to, with all their bits in use."""
    rng = np.random.default_rng([frame, track_id])
    wxyz = rng.normal(size=4) + [4, 0, 0, 0]
    return Motion(
        frame / 60,
        track_id,
        HeadPose(wxyz / np.linalg.norm(wxyz), rng.normal(size=3) - [0, 0, 50]),
        Gaze(rng.normal(size=(2, 2))),
        Expression(rng.random(52).astype(np.float32)),
        float(np.float32(rng.random())),
    )


def face_at(frame: int, track_id: int = 0) -> Face:
    landmarks = np.random.default_rng([frame, track_id, 1]).random((478, 3)).astype(np.float32)
    return Face(landmarks, (640, 480), track_id, 1.0, frame / 60)


def main(target: str) -> None:
    recorder = MotionRecorder(Path(target), 60.0)
    frame = 0
    while True:
        recorder.write([motion_at(frame)], frame / 60, stages_ms={"track": frame})
        sys.stdout.write(f"{frame}\n")
        sys.stdout.flush()
        frame += 1


if __name__ == "__main__":
    main(sys.argv[1])
