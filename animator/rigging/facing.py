"""Which way an avatar looks and where its face is, from what its morphs move and where its joints are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..data import Array, Expression, Gaze, HeadPose, Motion
from ..rig import Joint, Rig
from ..topology import LEFT_EYE, LIPS_OUTER, RIGHT_EYE, canonical_face
from .expressions import MorphDriver
from .placing import carrying_joints
from .skeleton import joint_globals

ABOVE_EYES_CM, HEAD_WIDTH_CM, LEAST_HEAD_CM = 13.5, 27.0, 13.0
"""In the picture: the most from the eyes to the top of the hair, the widest head, the lowest head."""
HEAD_HEIGHT_CM, EYES_SHARE = 20.5, 0.4
"""A head above its joint, and how far up in it the eyes are, where nothing else tells."""
WHOLE_CM = 26.0
"""What is no head at all fills so much of the picture."""
MOST_HAT = 1.9
"""Hats and wings may shrink a face by this factor, no more."""

_REGIONS = {
    "leftEye": (("eyeBlinkLeft",), (LEFT_EYE,)), "rightEye": (("eyeBlinkRight",), (RIGHT_EYE,)),
    "mouth": (("mouthPucker", "mouthFunnel", "jawOpen"), (LIPS_OUTER,) * 3),
}  # fmt: skip
"""Place in a face -> channels that move it alone, the best first, and where it is on the canonical face."""


def facing(rig: Rig, bones: Mapping[str, int]) -> Array | None:
    """(3, 3) the turn, by quarters, that makes an avatar look along +z with y up; None if it does or cannot be told.

    bones : humanoid bone -> joint, by names"""
    axes = _axes_of_arms(rig.joints, bones)
    if axes is None:
        axes = _axes_of_face(rig)
    if axes is None:
        return None
    best = max(_quarter_turns(), key=lambda turn: float(np.trace(turn @ axes)))
    return None if np.allclose(best, np.eye(3)) or np.trace(best @ axes) < 2.0 else best


def turned(rig: Rig, rotation: Array) -> Rig:
    """The avatar turned as a whole."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    joints = tuple(replace(j, rest_local=matrix @ j.rest_local) if j.parent < 0 else j for j in rig.joints)
    rotation = rotation.astype(np.float32)
    normals = None if rig.normals is None else rig.normals @ rotation.T
    return replace(rig, positions=rig.positions @ rotation.T, normals=normals, morphs=rig.morphs @ rotation.T,
                   joints=joints)  # fmt: skip


def _quarter_turns() -> list[Array]:
    """The 24 turns that map axes onto axes."""
    turns = []
    for x in range(3):
        for y in range(3):
            for signs in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
                if x != y:
                    a, b = np.eye(3)[x] * signs[0], np.eye(3)[y] * signs[1]
                    turns.append(np.array([a, b, np.cross(a, b)]))
    return turns


def _axes_of_arms(joints: tuple[Joint, ...], bones: Mapping[str, int]) -> Array | None:
    """(3, 3) columns left, up, forward, from shoulders and head."""
    if not {"leftUpperArm", "rightUpperArm", "head"} <= bones.keys():
        return None
    places = joint_globals(joints)[:, :3, 3]
    left, right, head = (places[bones[b]] for b in ("leftUpperArm", "rightUpperArm", "head"))
    return _axes(left - right, head - (left + right) / 2)


def _axes_of_face(rig: Rig) -> Array | None:
    """The same from eyes and mouth; forward is where they stand out of the head."""
    places = face_places(rig, with_joints=False)
    if not {"leftEye", "rightEye", "mouth"} <= places.keys():
        return None
    eyes = (places["leftEye"] + places["rightEye"]) / 2
    across, up = places["leftEye"] - places["rightEye"], eyes - places["mouth"]
    axes = _axes(across, up)
    if axes is None:
        return None
    # Near the eyes only, as a whole body below would pull the middle of all away.
    near = np.linalg.norm(rig.positions - eyes, axis=1) < 3 * np.linalg.norm(up)
    outward = (eyes + places["mouth"]) / 2 - rig.positions[near].mean(0)
    if float(outward @ axes[:, 2]) < 0:  # sides named as the viewer sees them
        axes[:, [0, 2]] *= -1
    return axes


def _axes(left: Array, up: Array) -> Array | None:
    left, up = left.astype(np.float64), up.astype(np.float64)
    size = np.linalg.norm(left)
    if not size > 1e-9:
        return None
    left = left / size
    up = up - (up @ left) * left
    size = np.linalg.norm(up)
    if not size > 1e-9:
        return None
    return np.stack([left, up / size, np.cross(left, up / size)], 1)


def face_places(rig: Rig, *, with_joints: bool = True) -> dict[str, Array]:
    """Where eyes and mouth are, of those that can be told: (3,) each, in the rig's space."""
    places = {}
    for name, (channels, _) in _REGIONS.items():
        for channel in channels:
            strength = _strength(rig, channel)
            if strength.sum() > 0:
                places[name] = strength @ rig.positions / strength.sum()
                break
    eyes = {"leftEye", "rightEye"} & places.keys()
    if len(eyes) == 2 and np.linalg.norm(places["leftEye"] - places["rightEye"]) < 0.01 * np.ptp(rig.positions):
        _split_eyes(rig, places)
    if with_joints and len({"leftEye", "rightEye"} & places.keys()) < 2:
        carrying = carrying_joints(rig.joints, rig.skin_joints, rig.skin_weights)
        spots = joint_globals(rig.joints)[:, :3, 3]
        for eye in ("leftEye", "rightEye"):
            if eye in rig.roles and carrying[rig.roles[eye]]:
                places[eye] = spots[rig.roles[eye]]
    return places


def _split_eyes(rig: Rig, places: dict[str, Array]) -> None:
    """Both eyes blink by one morph: tell them apart by side."""
    strength = _strength(rig, "eyeBlinkLeft")
    middle = float(places["leftEye"][0])
    for name, side in (("leftEye", rig.positions[:, 0] > middle), ("rightEye", rig.positions[:, 0] < middle)):
        share = strength * side
        if share.sum() > 0:
            places[name] = share @ rig.positions / share.sum()


def _strength(rig: Rig, channel: str) -> Array:
    """(V,) how much a channel moves each vertex, squared."""
    motion = Motion(0.0, 0, HeadPose.rest(), Gaze.rest(), Expression.of(**{channel: 1.0}))
    weights = MorphDriver(rig).weights(motion)
    moves = np.zeros_like(rig.positions)
    for row in np.flatnonzero(weights):
        moves += weights[row] * rig.morphs[row]
    return np.einsum("vi,vi->v", moves, moves)


def rig_from_face_guess(rig: Rig) -> Array:
    """Lay the canonical face over an avatar's, so that its head fills the picture and shoulders are in view.

    returns : (4, 4) float64 scale and translation, centimetres -> the rig's units"""
    places = face_places(rig)
    head = _head_vertices(rig)
    points = rig.positions[head] if head.any() else rig.positions
    low, high = np.percentile(points, [0.5, 99.5], axis=0).astype(np.float64)
    canonical = canonical_face().positions_cm.astype(np.float64)
    known = [name for name in _REGIONS if name in places]
    if {"leftEye", "rightEye"} <= set(known):
        source = np.array([canonical[list(_REGIONS[name][1][0])].mean(0) for name in known])
        target = np.array([places[name] for name in known], np.float64)
        here, there = source.mean(0), target.mean(0)
        scale = float(np.linalg.norm(target - there) / np.linalg.norm(source - here))
        eyes_y = float((places["leftEye"][1] + places["rightEye"][1]) / 2)
        wanted = max(scale, (high[1] - eyes_y) / ABOVE_EYES_CM, (high[0] - low[0]) / HEAD_WIDTH_CM)
        tall = (high[1] - low[1]) / LEAST_HEAD_CM
        scale = min(wanted, MOST_HAT * scale, max(tall, 1e-9)) if scale > 0 else tall
    elif head.any() and not head.all():
        base = float(joint_globals(rig.joints)[rig.roles["head"], 1, 3])
        bottom = min(max(base, float(low[1])), float(high[1]))
        scale = max((high[1] - bottom) / HEAD_HEIGHT_CM, (high[0] - low[0]) / HEAD_WIDTH_CM)
        here = canonical[[*LEFT_EYE, *RIGHT_EYE]].mean(0) * [1, 1, 0] + [0, 0, -3]
        there = np.array([(low[0] + high[0]) / 2, bottom + EYES_SHARE * (high[1] - bottom), (low[2] + high[2]) / 2])
    else:
        low, high = points.min(0).astype(np.float64), points.max(0).astype(np.float64)
        scale = max(high[0] - low[0], high[1] - low[1]) / WHOLE_CM
        here, there = np.array([0.0, -1.0, 0.0]), (low + high) / 2
    if not scale > 1e-12:
        scale = float(np.ptp(rig.positions, axis=0).max()) / WHOLE_CM or 0.01
    matrix = np.eye(4)
    matrix[:3, :3] *= scale
    matrix[:3, 3] = there - scale * here
    return matrix


def _head_vertices(rig: Rig) -> Array:
    """(V,) bool: mostly hanging on the head joint or what is below it."""
    below = np.zeros(len(rig.joints), bool)
    if "head" in rig.roles:
        below[rig.roles["head"]] = True
        for index, joint in enumerate(rig.joints):
            below[index] |= joint.parent >= 0 and below[joint.parent]
    return (below[rig.skin_joints] * rig.skin_weights).sum(1) > 0.5
