"""Make the bundled performance: `assets/performance.mp4` and its truth, `assets/performance.npz`.

    python -m tools.make_performance [--model face_landmarker.task] [--sheet] [--check]

A moving face for every machine without a camera. NASA's portrait of Eileen Collins (public domain, from
scikit-image's data) becomes a relief in space that turns, looks, blinks, smiles and talks by a score
(`performance/choreography.py`), so every number is known exactly. The camera is a pinhole with 50 degrees
of vertical field of view at the origin, looking along -z; the truth is a take (see the file contracts):
camera_from_head with the head at rest facing +z, translation that of the canonical face's origin in
centimetres, gaze relative to the head, ARKit weights relative to the neutral first 20 frames, in which
the portrait's smile is relaxed. Needs the extra `tools`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from animator.data import Array
from animator.maths.rotations import matrix_from_wxyz
from animator.tracking.model import find_or_fetch_model
from tools.performance.check import report
from tools.performance.choreography import perform
from tools.performance.compose import Studio
from tools.performance.expressions import build_face
from tools.performance.files import read_clip, write_clip, write_sheet, write_truth
from tools.performance.head_mesh import build_head
from tools.performance.inner import build_inner
from tools.performance.portrait import load_portrait

ROOT = Path(__file__).resolve().parents[1]
SHEET_FRAMES = (10, 68, 86, 112, 139, 196, 237, 265)


def main() -> None:
    """Parse, render, write, check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, help="face_landmarker.task (default: found or fetched)")
    parser.add_argument("--sheet", action="store_true", help="also write docs/images/performance.png")
    parser.add_argument("--check", action="store_true", help="track the finished clip and compare with the truth")
    arguments = parser.parse_args()
    model_path = find_or_fetch_model(arguments.model)
    clip, truth = ROOT / "assets/performance.mp4", ROOT / "assets/performance.npz"
    take = make(clip, truth, model_path)
    pictures = read_clip(clip) if arguments.sheet or arguments.check else []
    if arguments.sheet:
        write_sheet(ROOT / "docs/images/performance.png", [pictures[i] for i in SHEET_FRAMES])
    if arguments.check:
        print(report(pictures, take, model_path))


def make(clip: Path, truth: Path, model_path: Path) -> dict[str, Array]:
    """Render the clip, write clip and truth, return the truth."""
    portrait = load_portrait(model_path)
    head = build_head(portrait.landmarks_px)
    studio = Studio(portrait, head, build_face(head), build_inner(head, portrait))
    take = perform(head.rest_translation_cm)
    write_clip(clip, pictures_of(studio, take))
    studio.close()
    write_truth(truth, take)
    return take


def pictures_of(studio: Studio, take: dict[str, Array]) -> Iterator[Array]:
    """Each frame of the take, (480, 640, 3) uint8."""
    rotations = matrix_from_wxyz(take["rotations_wxyz"])
    rows = zip(take["weights"], take["gaze_rad"], rotations, take["translations_cm"], strict=True)
    for i, (weights, gaze_rad, rotation, translation_cm) in enumerate(rows):
        if i % 30 == 0:
            print(f"frame {i} of {len(rotations)}", flush=True)
        yield studio.picture(weights.astype(np.float64), gaze_rad, rotation, translation_cm)


if __name__ == "__main__":
    main()
