"""A look for every material: pictures painted by code."""

from __future__ import annotations

import numpy as np

from animator.data import Array

from .glb import Look
from .head import Head
from .paint_skin import body_picture, face_picture, hollows
from .paint_small import collar_picture, eye_picture, hair_picture, shirt_picture, teeth_picture, tongue_picture
from .piece import Piece, normals
from .subdivide import graph_laplacian


def looks(head: Head, pieces: list[Piece], scalp: Array) -> dict[str, Look]:
    """scalp : (V,) 1 where hair grows on the refined head."""
    skin = np.isin(head.region, (0, 1, 3))
    laplacian = graph_laplacian(head.triangles[skin], len(head.positions))
    hollow = hollows(head.positions, laplacian, normals(head.positions, head.triangles))
    by_name = {piece.name: piece for piece in pieces}
    face, body = by_name["face"], _joined(by_name["skull"], by_name["neck"])
    body_rows = np.concatenate([by_name["skull"].rows, by_name["neck"].rows])
    return {
        "face": Look(face_picture(face, hollow[face.rows]), roughness=0.72, jpeg_quality=92),
        "body": Look(body_picture(body, hollow[body_rows], scalp[body_rows]), roughness=0.72),
        "ear": Look(color=(0.905, 0.690, 0.600), roughness=0.72),
        "shirt": Look(shirt_picture(), roughness=0.95),
        "collar": Look(collar_picture(), roughness=0.95, double_sided=True),
        "hair": Look(hair_picture(), roughness=0.55),
        "locks": Look(hair_picture(), roughness=0.55, double_sided=True),
        "lash": Look(color=(0.10, 0.07, 0.06), roughness=0.9, double_sided=True),
        "mouth": Look(color=(0.36, 0.10, 0.10), roughness=0.7),
        "eye": Look(eye_picture(), roughness=0.15),
        "teeth": Look(teeth_picture(), roughness=0.3),
        "tongue": Look(tongue_picture(), roughness=0.45),
    }


def _joined(one: Piece, other: Piece) -> Piece:
    """Two pieces that share a picture, to be painted as one."""
    return Piece(
        one.name,
        one.material,
        np.concatenate([one.positions, other.positions]),
        np.concatenate([one.uv, other.uv]),
        np.concatenate([one.triangles, other.triangles + len(one.positions)]),
        np.concatenate([one.weights, other.weights]),
    )
