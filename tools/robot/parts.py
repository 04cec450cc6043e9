"""The robot's parts, and what each does in the 52 channels; centimetres, the canonical face's frame."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from animator.channels import ARKIT, mirrored_name
from animator.data import Array
from tools.human.piece import CHEST, HEAD, LEFT_EYE_JOINT, NECK, RIGHT_EYE_JOINT, Piece, outward, rigid, sheet

from . import mouth
from .shapes import HEAD_CENTRE_CM, HEAD_POWER, HEAD_RADII_CM, Shape, disc, head_depth_cm, joined, rounded_box, tube

EYE_X_CM, EYE_Y_CM, EYE_SINK_CM = 3.95, 2.9, 0.55
EYE_RADIUS_CM, LID_RADIUS_CM = 2.0, 2.30
"""A lid that turns 56 degrees passes half-way, on a straight line, 12 % nearer: the gap must be more."""
UPPER_EDGE_DEG, LOWER_EDGE_DEG, LID_TOP_DEG = 46.0, -52.0, 104.0
LIDS_DEG = {
    # channel: where the upper and the lower lid's edges go, degrees above level; how far both turn outward
    "eyeBlink": (-9.0, -9.0, 0.0), "eyeSquint": (34.0, -20.0, 0.0), "eyeWide": (72.0, -70.0, 0.0),
    "eyeLookDown": (24.0, -60.0, 0.0), "eyeLookUp": (60.0, -38.0, 0.0),
    "eyeLookIn": (44.0, -50.0, -9.0), "eyeLookOut": (44.0, -50.0, 9.0), "cheekSquint": (46.0, -36.0, 0.0),
}  # fmt: skip
JAW_CM = {
    "jawOpen": (0, -1.5, -0.2), "jawForward": (0, 0, 1.0), "jawLeft": (1.0, 0, 0), "jawRight": (-1.0, 0, 0),
    "tongueOut": (0, -0.4, 0), "mouthShrugLower": (0, 0.35, 0.1),
}  # fmt: skip
GLASS_CM, GLASS_Y_CM = (7.9, 6.7), 0.4


def eye_centre_cm(side: int) -> Array:
    """The middle of the left (1) or right (-1) eyeball."""
    depth = head_depth_cm(np.array(EYE_X_CM), np.array(EYE_Y_CM))
    return np.array([side * EYE_X_CM, EYE_Y_CM, float(depth) - EYE_SINK_CM])


def all_parts() -> list[Piece]:
    """The whole robot."""
    left_half = [_lids(), _brow(), _cheek(), _vent()]
    pieces = [
        _shell(), _glass(), _trim(), _antenna(), _jaw(), *left_half, *(_mirrored(piece) for piece in left_half),
        *_mouth(), _eyeball(1), _eyeball(-1), _neck(), *_torso(),
    ]  # fmt: skip
    # At a ball's pole many points are one and few of them are any triangle's.
    return [piece.part(piece.name, np.ones(len(piece.triangles), bool)) for piece in pieces]


def _piece(name: str, material: str, shape: Shape, joint: int = HEAD, moves: dict[str, Array] | None = None) -> Piece:
    positions, uv, triangles = shape
    return Piece(name, material, positions, uv, triangles, rigid(len(positions), joint), moves or {})


def _mirrored(piece: Piece) -> Piece:
    """The same on the right."""
    moves = {mirrored_name(channel): move * [-1, 1, 1] for channel, move in piece.moves.items()}
    return Piece(
        piece.name.replace("left", "right"), piece.material, piece.positions * [-1, 1, 1], piece.uv,
        piece.triangles[:, ::-1], piece.weights, moves,
    )  # fmt: skip


def _shell() -> Piece:
    head = rounded_box(HEAD_CENTRE_CM, HEAD_RADII_CM, HEAD_POWER)
    ears = [rounded_box(np.array([side * 9.5, 1.4, -3.4]), np.array([1.3, 2.9, 2.9]), 3.4, 12, 20) for side in (1, -1)]
    for _, uv, _ in ears:
        uv[:] = [0.02, 0.60]  # a plain place of the shell's picture
    return _piece("shell", "shell", joined(head, *ears))


def _outline(turn: Array, scale: float = 1.0) -> Array:
    """(n, 2) the edge of the face's glass, a rounded rectangle."""
    flat = np.stack([np.cos(turn), np.sin(turn)], -1)
    length = (np.abs(flat) ** 3.2).sum(-1, keepdims=True) ** (1 / 3.2)
    return scale * flat / length * GLASS_CM + [0, GLASS_Y_CM]


def _glass(rings: int = 9, columns: int = 40) -> Piece:
    turn = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    flat = np.concatenate([[[0, GLASS_Y_CM]], *(_outline(turn, share) for share in np.linspace(0, 1, rings + 1)[1:])])
    depth = head_depth_cm(*flat.T) + 0.14
    positions = np.column_stack([flat, depth])
    uv = 0.5 + 0.5 * (flat - [0, GLASS_Y_CM]) / GLASS_CM * [1, -1]
    first = 1 + np.arange(columns)
    cap = np.stack([np.zeros(columns, int), first, np.roll(first, -1)], 1)
    grid = 1 + np.arange(rings * columns).reshape(rings, columns)
    return _piece("glass", "glass", (positions, uv, np.concatenate([cap, sheet(grid, closed=True)])))


def _trim() -> Piece:
    """Rings of metal around the glass and the eyes."""
    flat = _outline(np.linspace(0, 2 * np.pi, 48, endpoint=False), 1.01)
    rings = [tube(np.column_stack([flat, head_depth_cm(*flat.T) + 0.05]), np.full(48, 0.42), 6, closed=True)]
    turn = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    for side in (1, -1):
        x, y = side * EYE_X_CM + 2.55 * np.cos(turn), EYE_Y_CM + 2.55 * np.sin(turn)
        rings.append(tube(np.column_stack([x, y, head_depth_cm(x, y) + 0.2]), np.full(28, 0.34), 6, closed=True))
    return _piece("trim", "metal", joined(*rings))


def _antenna() -> Piece:
    stalk = np.column_stack([np.zeros(6), np.linspace(9.6, 12.6, 6), np.full(6, -3.0)])
    rod = tube(stalk, np.full(6, 0.28), 8)
    ball = rounded_box(np.array([0, 13.2, -3.0]), np.full(3, 0.95), 2.0, 9, 14)
    shape = joined(rod, ball)
    up = np.clip((shape[0][:, 1:2] - 9.6) / 3.0, 0, 1)
    moves = {"browInnerUp": up * [0, 1.0, 0], "jawOpen": up * [0, 0, -0.5]}
    return _piece("antenna", "orange", shape, moves=moves)


def _jaw() -> Piece:
    t = np.linspace(-1, 1, 33)
    x, y = 7.7 * np.sin(1.15 * t) / np.sin(1.15), -2.7 - 4.6 * np.cos(np.pi / 2 * t) ** 0.75
    shape = tube(np.column_stack([x, y, head_depth_cm(x, y) + 0.15]), 0.35 + 0.65 * np.cos(np.pi / 2 * t) ** 0.5, 9)
    moves = {name: np.ones((len(shape[0]), 1)) * move for name, move in JAW_CM.items()}
    return _piece("jaw", "orange", shape, moves=moves)


def _lids() -> Piece:
    """The left eye's two shutters, which slide over the ball."""
    rest = _shutters(UPPER_EDGE_DEG, LOWER_EDGE_DEG, 0.0)
    count = len(rest)
    half = np.arange(count // 2).reshape(7, 15)
    upper = sheet(half, closed=False)
    triangles = np.concatenate([upper, upper[:, ::-1] + count // 2])
    a, b, c = (rest[triangles[:, k]] - eye_centre_cm(1) for k in range(3))
    if np.einsum("ti,ti->", np.cross(b - a, c - a), a) < 0:
        triangles = triangles[:, ::-1]
    moves = {stem + "Left": _shutters(*edges) - rest for stem, edges in LIDS_DEG.items()}
    return _piece("leftLids", "lid", (rest, np.full((count, 2), 0.5), triangles), moves=moves)


def _shutters(upper_deg: float, lower_deg: float, outward_deg: float) -> Array:
    """(210, 3) points of both shutters with their edges at these angles."""
    across = np.radians(np.linspace(-84, 84, 15))[None]
    halves = []
    for edge, end in ((upper_deg, LID_TOP_DEG), (lower_deg, -LID_TOP_DEG)):
        share = np.linspace(0, 1, 6)[:, None]
        up = np.radians(edge + share * (end - edge))
        up = np.concatenate([up[:1], up])  # the first row is the edge's thickness
        radius = np.concatenate([[LID_RADIUS_CM - 0.24], np.full(6, LID_RADIUS_CM)])[:, None]
        ahead = np.cos(across)
        unit = np.stack(np.broadcast_arrays(np.sin(across), ahead * np.sin(up), ahead * np.cos(up)), -1)
        halves.append((radius[..., None] * unit).reshape(-1, 3))
    turn = np.radians(outward_deg)
    x, y, z = np.concatenate(halves).T
    return eye_centre_cm(1) + np.stack([x * np.cos(turn) + z * np.sin(turn), y, z * np.cos(turn) - x * np.sin(turn)], 1)


def _brow() -> Piece:
    def shape(inner: tuple, outer: tuple) -> Shape:
        share = np.linspace(0, 1, 10)
        x = 1.7 + 4.6 * share + inner[0] * (1 - share) + outer[0] * share
        y = 6.35 + 0.45 * np.sin(np.pi * share) - 0.35 * share + inner[1] * (1 - share) + outer[1] * share
        ends = np.clip(np.minimum(share, 1 - share) / 0.08, 0.35, 1)
        z = head_depth_cm(x, np.full(10, 6.0)) + 1.25
        return tube(np.column_stack([x, y, z]), 0.46 * ends * (1 - 0.25 * share), 7)

    rest = shape((0, 0), (0, 0))
    moved = {
        "browDownLeft": shape((-0.35, -1.75), (0.0, -0.15)), "browOuterUpLeft": shape((0.0, 0.25), (0.1, 1.55)),
        "browInnerUp": shape((0.1, 1.45), (0.0, -0.35)), "eyeWideLeft": shape((0, 0.30), (0, 0.30)),
        "eyeSquintLeft": shape((0, -0.25), (0, -0.25)), "noseSneerLeft": shape((0, -0.6), (0, 0)),
    }  # fmt: skip
    return _piece("leftBrow", "orange", rest, moves={name: s[0] - rest[0] for name, s in moved.items()})


def _cheek() -> Piece:
    place = np.array([5.7, -2.3, float(head_depth_cm(np.array(5.7), np.array(-2.3)))])
    shape = disc(place, (1.25, 0.95), 0.45)
    arm, one = shape[0] - place, np.ones((len(shape[0]), 1))
    moves = {
        "cheekPuff": arm * [0.55, 0.75, 2.2], "cheekSquintLeft": one * [0, 1.0, 0.1] + arm * [0.1, -0.2, 0.5],
        "mouthSmileLeft": one * [0.15, 0.75, 0.05] + arm * [0.2, 0.1, 0.4], "mouthDimpleLeft": one * [0.2, 0, -0.15],
    }  # fmt: skip
    return _piece("leftCheek", "blush", shape, moves=moves)


def _vent() -> Piece:
    """One of the two slits that stand for a nose."""
    place = np.array([0.62, -0.9, float(head_depth_cm(np.array(0.62), np.array(-0.9))) + 0.1])
    shape = disc(place, (0.32, 0.62), 0.35, 3, 16)
    one = np.ones((len(shape[0]), 1))
    moves = {"noseSneerLeft": one * [0.15, 0.95, 0.1], "mouthUpperUpLeft": one * [0.05, 0.22, 0]}
    return _piece("leftVent", "metal", shape, moves=moves)


def _mouth() -> list[Piece]:
    """The ring, what it encloses, and a tongue that waits behind the glass."""

    def moves(shape: Callable[[mouth.Move | None], Shape]) -> dict[str, Array]:
        rest, made = shape(None)[0], {}
        for name, move in mouth.MOVES.items():
            made[name] = shape(move)[0] - rest
            if (other := mirrored_name(name)) != name:
                made[other] = shape(_other_side(move))[0] - rest
        return {name: made[name] for name in ARKIT if name in made}

    tongue = disc(np.array([0.0, -4.6, 2.6]), (1.15, 0.9), 0.55)
    down = np.clip(-(tongue[0][:, 1:2] + 3.7) / 1.8, 0, 1)
    out = [0, -0.45, 3.1] + down * [0, -1.25, -0.55]
    return [
        _piece("lips", "lips", mouth.lips(), moves=moves(mouth.lips)),
        _piece("mouth", "mouth", mouth.inside(), moves=moves(mouth.inside)),
        _piece("tongue", "tongue", tongue, moves={"tongueOut": np.broadcast_to(out, tongue[0].shape)}),
    ]


def _other_side(move: mouth.Move) -> mouth.Move:
    def mirrored(across: Array, side: Array, bow: Array) -> tuple:
        x, y, z = move(-across, side, bow)
        return -np.asarray(x), y, z

    return mirrored


def _eyeball(side: int) -> Piece:
    """A ball whose pole looks forward, its picture laid on from the front."""
    positions, _, triangles = rounded_box(np.zeros(3), np.full(3, EYE_RADIUS_CM), 2.0, 14, 24)
    x, y, z = positions.T
    positions = np.stack([x, -z, y], 1)  # its pole forward, which is the piece's first vertex
    uv = 0.5 + 0.5 * positions[:, :2] / EYE_RADIUS_CM * [1, -1] * np.where(positions[:, 2:] > 0, 1, 0.98)
    name, joint = ("leftEyeBall", LEFT_EYE_JOINT) if side > 0 else ("rightEyeBall", RIGHT_EYE_JOINT)
    return _piece(name, "eye", (eye_centre_cm(side) + positions, uv, outward(positions, triangles)), joint)


def _neck() -> Piece:
    turn = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    circle = np.stack([3.4 * np.cos(turn), np.zeros(28), 3.4 * np.sin(turn) - 3.8], 1)
    heights = np.arange(-14.4, -7.0, 1.25)
    rings = [tube(circle + [0, height, 0], np.full(28, 0.75), 7, closed=True) for height in heights]
    return _piece("neck", "rubber", joined(*rings), NECK)


def _torso() -> list[Piece]:
    body = rounded_box(np.array([0.0, -25.5, -4.6]), np.array([13.6, 11.2, 8.2]), 2.7, 20, 32)
    light = disc(np.array([0.0, -19.0, 2.35]), (1.5, 1.5), 0.5)
    return [_piece("torso", "torso", body, CHEST), _piece("light", "blush", light, CHEST)]
