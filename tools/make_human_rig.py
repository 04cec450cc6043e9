"""Make the avatar `rigs/human/` from nothing but code and the canonical face.

    python -m tools.make_human_rig [--out FOLDER]

The same code makes the same file, byte for byte on one machine.
"""

from __future__ import annotations

import numpy as np

from tools.human.decimate import thinned
from tools.human.ears import ear
from tools.human.eyes import eye_centre_cm, eyeball
from tools.human.glb import glb_from_pieces
from tools.human.hair import covered, hair, scalp
from tools.human.head import Head
from tools.human.lashes import lashes
from tools.human.making import Made, make
from tools.human.mouth import teeth, tongue
from tools.human.paint import looks
from tools.human.piece import LEFT_EYE_JOINT, RIGHT_EYE_JOINT, Piece, rigid

TRIANGLES = {"face": 5800, "skull": 1200, "neck": 800, "shirt": 700, "collar": 460, "mouth": 420}
"""How many triangles the pieces of the refined head keep. At 640x480 a head covers 80 000 pixels; with 55 000
triangles in all, a picture took software OpenGL twice as long, and no one could tell the two apart."""
LANDMARKS = 468
JOINTS_CM = {
    "chest": ("", np.array([0.0, -24.0, -6.0])),
    "neck": ("chest", np.array([0.0, -13.0, -5.8])),
    "head": ("neck", np.array([0.0, -5.0, -4.4])),
    "leftEye": ("head", eye_centre_cm(1)),
    "rightEye": ("head", eye_centre_cm(-1)),
}


def all_pieces(head: Head) -> list[Piece]:
    """The whole avatar, piece by piece."""
    pieces = head.pieces(covered(head.positions))
    for side, name, joint in ((1, "leftEye", LEFT_EYE_JOINT), (-1, "rightEye", RIGHT_EYE_JOINT)):
        positions, uv, triangles = eyeball(side)
        pieces.append(Piece(f"{name}Ball", "eye", positions, uv, triangles, rigid(len(positions), joint)))
    others = [teeth(True), teeth(False), tongue(), lashes(head), ear(1), ear(-1)]
    return [*hair(), *pieces, *others]  # nearest first: what the hair hides is not coloured


def lighter(pieces: list[Piece]) -> list[Piece]:
    """The same avatar with fewer triangles; the face keeps the canonical face's vertices, in their order."""
    return [
        thinned(piece, TRIANGLES[piece.name], kept=LANDMARKS if piece.name == "face" else 0)
        if piece.name in TRIANGLES
        else piece
        for piece in pieces
    ]


def made() -> Made:
    """The pieces and the finished file. Colours are laid on before triangles are taken away."""
    head = Head()
    hairy = scalp(head.positions)
    pieces = all_pieces(head)
    painted = looks(head, pieces, hairy)
    pieces = lighter(pieces)
    return pieces, glb_from_pieces(pieces, painted, JOINTS_CM)


def main() -> None:
    """Write `human.glb`."""
    make("human", __doc__, made)


if __name__ == "__main__":
    main()
