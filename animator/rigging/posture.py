"""How an avatar stands: arms that were modelled straight out are lowered, as shoulders in view look odd else."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..data import Array
from ..rig import Joint
from .skeleton import joint_globals

ARM_DOWN_RAD = np.radians(68.0)
"""Below the horizon: a natural A-pose."""
LOWERED_RAD = np.radians(40.0)
"""Arms that already hang so far are left as they are."""
_ARMS = (("leftUpperArm", "leftLowerArm"), ("rightUpperArm", "rightLowerArm"))
_NAMES = {
    "leftUpperArm": ("leftarm", "leftupperarm", "upperarml", "mixamorigleftarm", "jbiplupperarm"),
    "leftLowerArm": ("leftforearm", "leftlowerarm", "lowerarml", "forearml", "mixamorigleftforearm", "leftelbow"),
    "rightUpperArm": ("rightarm", "rightupperarm", "upperarmr", "mixamorigrightarm", "jbiprupperarm"),
    "rightLowerArm": ("rightforearm", "rightlowerarm", "lowerarmr", "forearmr", "mixamorigrightforearm", "rightelbow"),
}


def arms_by_names(joints: tuple[Joint, ...]) -> dict[str, int]:
    """The arms' joints by their common names."""
    names = ["".join(c for c in joint.name.lower() if c.isalnum()) for joint in joints]
    return {bone: names.index(name) for bone, known in _NAMES.items() for name in known if name in names}


def with_arms_lowered(joints: tuple[Joint, ...], bones: Mapping[str, int]) -> tuple[Joint, ...]:
    """The joints with both arms hanging, the legs and the trunk as they were.

    bones : humanoid bone -> joint"""
    result = list(joints)
    for upper, lower in _ARMS:
        if upper not in bones or lower not in bones:
            continue
        rest = joint_globals(tuple(result))
        index, place = bones[upper], rest[bones[upper], :3, 3]
        along = rest[bones[lower], :3, 3] - place
        turn = _lowering(along)
        if turn is None or not np.isfinite(turn).all():
            continue
        turned = rest[index].copy()
        turned[:3, :3] = turn @ turned[:3, :3]
        parent = result[index].parent
        above = rest[parent] if parent >= 0 else np.eye(4)
        if abs(np.linalg.det(above[:3, :3])) < 1e-12:
            continue
        result[index] = Joint(result[index].name, parent, np.linalg.inv(above) @ turned)
    return tuple(result)


def _lowering(along: Array) -> Array | None:
    """(3, 3) the turn that lowers an arm that points along a vector; None if it hangs or has no direction."""
    across = np.hypot(along[0], along[2])
    below = float(np.arctan2(-along[1], across))
    if across < 1e-6 or below > LOWERED_RAD or below < -LOWERED_RAD:
        return None
    axis = np.cross(along / np.linalg.norm(along), [0.0, -1.0, 0.0])
    x, y, z = axis / np.linalg.norm(axis)
    angle = ARM_DOWN_RAD - below
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
