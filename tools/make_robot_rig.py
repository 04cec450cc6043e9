"""Make the avatar `rigs/robot/` from nothing but code: a robot that acts all 52 channels without a human face.

python -m tools.make_robot_rig [--out FOLDER]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from animator.resources import rigs_folder
from tools.human.glb import glb_from_pieces, write_glb
from tools.human.piece import Piece
from tools.make_mask_rig import report
from tools.robot.paint import looks
from tools.robot.parts import all_parts, eye_centre_cm

JOINTS_CM = {
    "chest": ("", np.array([0.0, -24.0, -4.6])),
    "neck": ("chest", np.array([0.0, -13.5, -3.8])),
    "head": ("neck", np.array([0.0, -7.6, -3.6])),
    "leftEye": ("head", eye_centre_cm(1)),
    "rightEye": ("head", eye_centre_cm(-1)),
}


def made() -> tuple[list[Piece], bytes]:
    """The pieces and the finished file."""
    pieces = all_parts()
    return pieces, glb_from_pieces(pieces, looks(), JOINTS_CM)


def main() -> None:
    """Write `robot.glb`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=rigs_folder() / "robot")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    pieces, data = made()
    write_glb(folder / "robot.glb", data)
    print(report(folder / "robot.glb", pieces, data))


if __name__ == "__main__":
    main()
