"""Make the avatar `rigs/mask/`: the tracker's own 468-point face mesh as a painted mask, with the human's 52 morphs.

    python -m tools.make_mask_rig [--out FOLDER]

Laid over a person's own face (`--view mask`) eyes and mouth are left open; alone, eyeballs and a dark mouth fill them.
"""

from __future__ import annotations

import numpy as np

from animator.topology import FACE_OVAL
from tools.human.eyes import eyeball
from tools.human.glb import Look, glb_from_pieces
from tools.human.head import Head
from tools.human.making import Made, make
from tools.human.paint_mask import mask_picture
from tools.human.paint_small import eye_picture
from tools.human.piece import HEAD, LEFT_EYE_JOINT, RIGHT_EYE_JOINT, Piece, rigid
from tools.make_human_rig import JOINTS_CM

RIM_CM = 0.9
"""How deep the mask's edge is turned back."""


def all_pieces(head: Head) -> list[Piece]:
    """The mesh as the tracker has it, its rims, and what is seen through its holes."""
    cage = head.cage
    count = len(cage.positions)
    skin = rigid(count, HEAD)
    whole = Piece(
        "face", "mask", head.positions[:count], cage.face_uv, cage.triangles, skin,
        {name: moves[:count] for name, moves in head.moves.items()},
    )  # fmt: skip
    mask = _rimmed(whole.part("face", np.isin(cage.region, (0, 3))))
    mouth = whole.part("mouth", cage.region == 2)
    mouth.material = "mouth"
    pieces = [mask, mouth]
    for side, name, joint in ((1, "leftEye", LEFT_EYE_JOINT), (-1, "rightEye", RIGHT_EYE_JOINT)):
        positions, uv, triangles = eyeball(side)
        pieces.append(Piece(f"{name}Ball", "eye", positions, uv, triangles, rigid(len(positions), joint)))
    return pieces


def _rimmed(mask: Piece) -> Piece:
    """The mask with its outer edge turned back, so that it has a thickness from the side."""
    outline = np.array(FACE_OVAL)
    first = len(mask.positions)
    back = mask.positions[outline] * [0.985, 0.99, 1.0] - [0, 0, RIM_CM]
    ring = first + np.arange(len(outline))
    following, ring_following = np.roll(outline, -1), np.roll(ring, -1)
    strip = np.concatenate(
        [np.stack([outline, ring, ring_following], 1), np.stack([outline, ring_following, following], 1)]
    )
    return Piece(
        mask.name, mask.material, np.concatenate([mask.positions, back]),
        np.concatenate([mask.uv, mask.uv[outline]]), np.concatenate([mask.triangles, strip]),
        np.concatenate([mask.weights, mask.weights[outline]]),
        {name: np.concatenate([moves, moves[outline]]) for name, moves in mask.moves.items()},
    )  # fmt: skip


def looks(mask: Piece) -> dict[str, Look]:
    """What each material looks like."""
    return {
        "mask": Look(mask_picture(mask), roughness=0.35, double_sided=True, jpeg_quality=92),
        "mouth": Look(color=(0.16, 0.05, 0.07), roughness=0.9, double_sided=True),
        "eye": Look(eye_picture(), roughness=0.15),
    }


def made() -> Made:
    """The pieces and the finished file."""
    pieces = all_pieces(Head())
    return pieces, glb_from_pieces(pieces, looks(pieces[0]), JOINTS_CM)


def main() -> None:
    """Write `mask.glb`."""
    make("mask", __doc__, made)


if __name__ == "__main__":
    main()
