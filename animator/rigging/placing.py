"""What a foreign avatar does not say: which joints are head, neck, eyes, jaw and chest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..data import Array
from ..rig import Joint

_NAMES = {
    "head": ("head", "jbipchead", "mixamorighead", "headjoint", "face"),
    "neck": ("neck", "jbipcneck", "mixamorigneck", "neck1"),
    "leftEye": ("lefteye", "eyeleft", "eyel", "leye", "grpeyeleft", "jadjlfaceeye", "mixamoriglefteye"),
    "rightEye": ("righteye", "eyeright", "eyer", "reye", "grpeyeright", "jadjrfaceeye", "mixamorigrighteye"),
    "jaw": ("jaw", "jawjoint", "mixamorigjaw", "lowerjaw"),
    "chest": ("upperchest", "chest", "jbipcupperchest", "jbipcchest", "mixamorigspine2", "spine2"),
}
_BONES = {"chest": ("upperChest", "chest")}
"""VRM's humanoid bones that play a role, where they are not called like it; the first that is there does."""


def joint_named(names: Sequence[str], wanted: str, carrying: Array) -> int | None:
    """The joint of a name, or None; of several (a mesh is often called like a joint) one that carries skin."""
    found = [index for index, name in enumerate(names) if name == wanted]
    return max(found, key=lambda index: (bool(carrying[index]), -index)) if found else None


def carrying_joints(joints: Sequence[Joint], skin_joints: Array, skin_weights: Array) -> Array:
    """(J,) bool: vertices hang on the joint or on one below it."""
    carrying = np.zeros(len(joints), bool)
    carrying[np.unique(skin_joints[skin_weights > 0])] = True
    for index in range(len(joints) - 1, 0, -1):  # children come after their parents
        if joints[index].parent >= 0:
            carrying[joints[index].parent] |= carrying[index]
    return carrying


def roles_of(
    joints: tuple[Joint, ...],
    positions: Array,
    skin_joints: Array,
    skin_weights: Array,
    bones: Mapping[str, int] | None = None,
) -> tuple[tuple[Joint, ...], dict[str, int], Array]:
    """Find the joints that a performer moves, by a VRM's humanoid bones, else by their names.

    bones   : humanoid bone -> joint; None where the file names none
    returns : joints, roles, skin_joints. An avatar without a head joint gets one, as the parent of all,
              at the middle of its lowest third: the whole of it is a head then"""
    plain = ["".join(c for c in joint.name.lower() if c.isalnum()) for joint in joints]
    carrying = carrying_joints(joints, skin_joints, skin_weights)
    roles = {}
    for role, names in _NAMES.items():
        if bones:
            named = [bones[bone] for bone in _BONES.get(role, (role,)) if bone in bones]
            roles |= {role: named[0]} if named else {}
            continue
        found = [index for name in names if (index := joint_named(plain, name, carrying)) is not None]
        if found:
            roles[role] = found[0]
    if "head" in roles and not _above(joints, roles):
        return joints, roles, skin_joints
    low, high = positions.min(0), positions.max(0)
    place = np.eye(4)
    place[:3, 3] = (low + high) / 2
    place[1, 3] = low[1] + (high[1] - low[1]) / 3
    away = np.linalg.inv(place)
    shifted = tuple(
        Joint(j.name, 0, away @ j.rest_local) if j.parent < 0 else Joint(j.name, j.parent + 1, j.rest_local)
        for j in joints
    )
    roles = {role: index + 1 for role, index in roles.items() if role not in ("head", "neck")}
    return (Joint("head", -1, place), *shifted), {"head": 0, **roles}, skin_joints + 1


def _above(joints: tuple[Joint, ...], roles: dict[str, int]) -> bool:
    """True if an eye does not hang on the head joint: then that one is only the head's mesh."""
    for role in ("leftEye", "rightEye"):
        joint = roles.get(role, roles["head"])
        while joint not in (-1, roles["head"]):
            joint = joints[joint].parent
        if joint == -1:
            return True
    return False
