"""What deforming costs: an avatar of 25 000 vertices and 52 morphs, beside one dense matrix product for its morphs.

    python -m tests.bench.bench_deform [--rig NAME_OR_FILE] [--active 16]

The made avatar is a head on a body: half of its vertices are a face of a grid, each morph moves a round patch of
it, and head, neck, eyes and chest are joints. Deforming means morphs, joints and normals of all vertices.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from animator.channels import ARKIT
from animator.data import Array, Expression, Gaze, HeadPose, Motion
from animator.maths.rotations import matrix_from_yaw_pitch_roll, wxyz_from_matrix
from animator.rig import Joint, Material, Part, Rig
from animator.rigging.deform import Deformer
from animator.rigging.library import load_rig

SIDE = 112
PATCH = 0.16
"""Radius of what a morph moves, as a share of the face's side."""


def made_rig(side: int = SIDE, morph_count: int = len(ARKIT)) -> Rig:
    """Two grids of `side` squared vertices: a face with its morphs, and a body.

    A 53rd morph and those after it begin the channels anew, so that a channel moves several."""
    across, up = np.meshgrid(np.linspace(-1, 1, side), np.linspace(1, -1, side))
    face = np.stack([0.09 * across, 0.12 * up + 1.6, 0.09 * np.cos(across) * np.cos(up)], -1).reshape(-1, 3)
    body = np.stack([0.3 * across, 0.7 * up + 0.75, 0.1 * np.cos(across)], -1).reshape(-1, 3)
    corner = np.arange(side * (side - 1)).reshape(side - 1, side)[:, :-1].ravel()
    first, second = [corner, corner + side, corner + 1], [corner + 1, corner + side, corner + side + 1]
    triangles = np.concatenate([np.stack(first, 1), np.stack(second, 1)]).astype(np.int32)
    dice, count = np.random.default_rng(0), len(face)
    morphs = np.zeros((morph_count, 2 * count, 3), np.float32)
    for row in range(morph_count):
        middle = dice.uniform(-0.7, 0.7, 2)
        far = np.hypot(across.ravel() - middle[0], up.ravel() - middle[1]) / (2 * PATCH)
        bump = np.where(far < 1, (1 - far**2) ** 2, 0)
        morphs[row, :count] = bump[:, None] * dice.normal(0, 0.006, 3)
    places = {"chest": (0, 1.2, 0), "neck": (0, 0.2, 0), "head": (0, 0.08, 0), "leftEye": (0.03, 0.1, 0.08),
              "rightEye": (-0.03, 0.1, 0.08)}  # fmt: skip
    joints, parents = [], {"chest": -1, "neck": 0, "head": 1, "leftEye": 2, "rightEye": 2}
    for name, place in places.items():
        local = np.eye(4)
        local[:3, 3] = place
        joints.append(Joint(name, parents[name], local))
    share = np.clip((np.concatenate([face, body])[:, 1] - 1.44) / 0.06, 0, 1)
    skin_weights = np.zeros((2 * count, 4), np.float32)
    skin_weights[:, 0], skin_weights[:, 1] = share, 1 - share
    skin_joints = np.tile(np.int32([2, 0, 0, 0]), (2 * count, 1))
    rig_from_face = np.diag([0.01, 0.01, 0.01, 1.0])
    rig_from_face[:3, 3] = 0, 1.6, 0.04
    parts = (Part("face", 0, count, triangles, Material("skin")), Part("body", count, count, triangles, Material("x")))
    return Rig(
        name="made", positions=np.concatenate([face, body]).astype(np.float32),
        uvs=np.zeros((2 * count, 2), np.float32), parts=parts,
        morph_names=tuple(f"{ARKIT[row % len(ARKIT)]}{row // len(ARKIT) or ''}" for row in range(morph_count)),
        morphs=morphs, mapping=np.eye(len(ARKIT), dtype=np.float32)[np.arange(morph_count) % len(ARKIT)],
        joints=tuple(joints), roles={name: number for number, name in enumerate(places)}, skin_joints=skin_joints,
        skin_weights=skin_weights, rig_from_face=rig_from_face,
    )  # fmt: skip


def motion_with(active: int) -> Motion:
    """Some channels at work, a turned head, a gaze."""
    dice = np.random.default_rng(1)
    weights = np.zeros(len(ARKIT), np.float32)
    weights[dice.permutation(len(ARKIT))[:active]] = dice.uniform(0.1, 1, active)
    rotation = wxyz_from_matrix(matrix_from_yaw_pitch_roll(np.array([0.3, 0.1, 0.05])))
    return Motion(1.0, 0, HeadPose(rotation, np.array([0, 0, -50.0])), Gaze(np.full((2, 2), 0.1)), Expression(weights))


def milliseconds(call: Callable[[], object], times: int = 400) -> Array:
    """Median and 95th percentile."""
    taken = []
    for _ in range(times):
        start_s = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start_s)
    return 1000 * np.percentile(taken[times // 10 :], [50, 95])


def lines(rig: Rig, active: int) -> list[str]:
    """A headline, and a row for each of the two and their ratio."""
    deformer, motion = Deformer(rig), motion_with(active)
    flat, weights = rig.morphs.reshape(len(rig.morphs), -1), rig.mapping @ motion.expression.weights
    ours = milliseconds(lambda: deformer.deform(motion))
    dense = milliseconds(lambda: weights @ flat, 60)
    return [
        f"{len(rig.positions)} vertices, {len(rig.morphs)} morphs, {active} channels at work",
        f"deform (morphs, joints, normals)       {ours[0]:6.2f} ms, 95 % within {ours[1]:6.2f}",
        f"dense product of weights and morphs    {dense[0]:6.2f} ms, 95 % within {dense[1]:6.2f}",
        f"ratio of the medians                   {ours[0] / dense[0]:6.2f}",
    ]


def main() -> None:
    """Print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rig", help="another avatar than the made one")
    parser.add_argument("--active", type=int, default=16, help="channels at work")
    args = parser.parse_args()
    print("\n".join(lines(load_rig(args.rig) if args.rig else made_rig(), args.active)))


if __name__ == "__main__":
    main()
