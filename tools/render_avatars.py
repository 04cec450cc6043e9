"""Draw a sheet of avatars, all acting the same moments of recordings, to look at and for the docs.

python -m tools.render_avatars AVATAR_OR_FOLDER... --take RECORDING.csv [--take ANOTHER.npz] [--out FILE]

The moments are those that differ most from each other and from rest; where the recording keeps its head
still, it is turned gently. Only pictures of avatars whose licences allow it belong into the docs.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from animator.data import Array, HeadPose, Motion
from animator.errors import RigError
from animator.maths.rotations import matrix_from_yaw_pitch_roll, wxyz_from_matrix
from animator.rendering.framing import Framing
from animator.rigging.library import load_rig
from animator.takes.live_link_csv import load_csv
from animator.takes.npz import load_takes
from animator.takes.take import Take

from .render_rig_sheets import Studio, grid, labelled, save

SUFFIXES = (".vrm", ".glb", ".gltf")
YAWS_DEG = (0.0, 14.0, -18.0, 26.0, -10.0, 20.0, -28.0)
"""How the head is turned from moment to moment."""


def avatars_in(paths: list[str]) -> list[str]:
    """Names and files as they are, folders as the files in and below them."""
    found = []
    for path in paths:
        inside = sorted(str(f) for f in Path(path).rglob("*") if f.suffix.lower() in SUFFIXES)
        found += inside if Path(path).is_dir() and inside else [path]
    return found


def telling_frames(take: Take, count: int) -> list[int]:
    """Frames that differ most from rest and from each other."""
    weights = take.weights.astype(np.float64)
    nearest = np.linalg.norm(weights, axis=1)
    chosen = []
    for _ in range(min(count, len(weights))):
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, np.linalg.norm(weights - weights[chosen[-1]], axis=1))
    return sorted(chosen)


def moments_of(take: Take, count: int) -> list[Motion]:
    """Telling moments; of a take that keeps its head still with a turned head."""
    moments = []
    still = np.allclose(take.rotations_wxyz, take.rotations_wxyz[0], atol=1e-3)
    for number, frame in enumerate(telling_frames(take, count), start=1):
        motion = take.motion(frame)
        if still:
            yaw_rad = np.radians(YAWS_DEG[number % len(YAWS_DEG)])
            rotation = wxyz_from_matrix(matrix_from_yaw_pitch_roll(np.array([yaw_rad, 0.0, 0.0])))
            motion = replace(motion, pose=HeadPose(rotation, motion.pose.translation_cm))
        moments.append(motion)
    return moments


def row_of(name: str, moments: list[Motion], size_px: tuple[int, int]) -> list[Array]:
    """One avatar in each moment."""
    rig = load_rig(name)
    studio = Studio(rig, size_px, Framing())
    label = dict(rig.about).get("name") or rig.name
    plain = label.encode("ascii", "replace").decode()
    return [labelled(studio.draw(motion), plain if number == 0 else "") for number, motion in enumerate(moments)]


def main() -> None:
    """Draw the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("avatars", nargs="+", help="files, folders of files, or names of built-in avatars")
    parser.add_argument("--take", type=Path, action="append", required=True,
                        help="a recording: .csv of Live Link Face, or .npz; may be given several times")  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parents[1] / "docs/images/avatars.png")
    parser.add_argument("--moments", type=int, default=3, help="of each recording")
    parser.add_argument("--size", default="150x170")
    args = parser.parse_args()
    takes = [load_csv(path) if path.suffix == ".csv" else load_takes(path)[0] for path in args.take]
    moments = [Motion(0.0, 0), *(moment for take in takes for moment in moments_of(take, args.moments))]
    width, height = map(int, args.size.split("x"))
    cells = []
    for name in avatars_in(args.avatars):
        try:
            cells += row_of(name, moments, (width, height))
        except RigError as error:
            print(f"left out: {error}")
    if cells:
        save(args.out, grid(cells, len(moments)), step=8)


if __name__ == "__main__":
    main()
