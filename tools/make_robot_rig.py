"""Make the avatar `rigs/robot/` from nothing but code: a robot that acts all 52 channels without a human face.

python -m tools.make_robot_rig [--out FOLDER]
"""

from __future__ import annotations

import numpy as np

from tools.human.glb import glb_from_pieces
from tools.human.making import Made, make
from tools.robot.paint import looks
from tools.robot.parts import all_parts, eye_centre_cm

JOINTS_CM = {
    "chest": ("", np.array([0.0, -24.0, -4.6])),
    "neck": ("chest", np.array([0.0, -13.5, -3.8])),
    "head": ("neck", np.array([0.0, -7.6, -3.6])),
    "leftEye": ("head", eye_centre_cm(1)),
    "rightEye": ("head", eye_centre_cm(-1)),
}


def made() -> Made:
    """The pieces and the finished file."""
    pieces = all_parts()
    return pieces, glb_from_pieces(pieces, looks(), JOINTS_CM)


def main() -> None:
    """Write `robot.glb`."""
    make("robot", __doc__, made)


if __name__ == "__main__":
    main()
