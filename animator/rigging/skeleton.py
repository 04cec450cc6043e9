"""The few joints that a performer moves: head, neck, eyes, jaw, chest; every other joint follows its parent.

A joint's turn is given in the rig's own axes about the joint's own place, so the direction in which an
avatar's maker let a joint's axes point at rest does not matter.
"""

from __future__ import annotations

import math

import numpy as np

from ..channels import INDEX
from ..data import Array, Motion
from ..maths.rotations import IDENTITY_WXYZ, matrix_from_wxyz, slerp_wxyz
from ..rig import ROLES, Joint, Rig
from .presets import ranged

NECK_SHARE = 0.4
"""The part of the head's rotation that the neck takes on; the head does the rest."""
JAW_OPEN_RAD = 0.35
"""How far a jaw joint drops at jawOpen = 1, in rigs whose jaw is a joint and not a morph."""
MOST_TURN_RAD = np.radians(80.0)
"""No head turns farther from where its shoulders face."""
BREATH_S, BREATH_RAD = 4.2, np.radians(0.35)
"""A calm breath, and how far the chest leans back at its height: 2 mm at the chin."""


def joint_globals(joints: tuple[Joint, ...]) -> Array:
    """rig_from_joint of each joint at rest: (J, 4, 4) float64."""
    result = np.zeros((len(joints), 4, 4))
    for index, joint in enumerate(joints):
        result[index] = joint.rest_local if joint.parent < 0 else result[joint.parent] @ joint.rest_local
    return result


def eye_rotation(angles_rad: Array | tuple[float, float]) -> Array:
    """head_from_eye of one eye.

    angles_rad : (2,) yaw (+ to the subject's left), pitch (+ up)
    returns    : (3, 3) float64, pitch outermost as on ARKit devices: + about x looks down"""
    yaw, down = float(angles_rad[0]), -float(angles_rad[1])
    cy, sy, cx, sx = math.cos(yaw), math.sin(yaw), math.cos(down), math.sin(down)
    return np.array([[cy, 0.0, sy], [sx * sy, cx, -sx * cy], [-cx * sy, sx, cx * cy]])


class Skeleton:
    """Moving joints of a rig as a small tree, and where a motion puts them.

    `moving` lists the roles that the rig has, parents first; index 0 of every table stands for the part
    of the rig that stays where it is."""

    def __init__(self, rig: Rig) -> None:
        places = joint_globals(rig.joints)[:, :3, 3]
        role_of = {rig.roles[role]: role for role in ROLES if role in rig.roles}
        self.moving: list[str] = []
        self.slot_of_joint = np.zeros(len(rig.joints), np.int64)
        """(J,) which moving slot each of the rig's joints follows; 0 is at rest."""
        self._parents, self._places = [0], [np.zeros(3)]
        for index, joint in enumerate(rig.joints):
            parent_slot = int(self.slot_of_joint[joint.parent]) if joint.parent >= 0 else 0
            self.slot_of_joint[index] = parent_slot
            if index in role_of:
                self.moving.append(role_of[index])
                self._parents.append(parent_slot)
                self._places.append(places[index])
                self.slot_of_joint[index] = len(self.moving)
        self.turns = np.zeros((len(self.moving) + 1, 3, 4))
        """(S, 3, 4) moved_from_rest of each slot, written by `pose`."""
        self.turns[:, :, :3] = np.eye(3)
        self._jaw_open_rad = 0.0 if jaw_is_morphed(rig) else JAW_OPEN_RAD
        self._look_at = rig.look_at

    def pose(self, motion: Motion, head_turns: bool) -> Array:
        """Set and return `turns`: (S, 3, 4) float64, rig's space to itself, metres."""
        of_neck, of_head = self._shared_turn(motion.pose.rotation_wxyz) if head_turns else (None, None)
        for slot, role in enumerate(self.moving, start=1):
            if role == "head":
                own = of_head
            elif role == "neck":
                own = of_neck
            else:
                own = self._rotation(role, motion, head_turns)
            parent, place, turn = self.turns[self._parents[slot]], self._places[slot], self.turns[slot]
            if own is None:
                turn[:] = parent
                continue
            np.matmul(parent[:, :3], own, out=turn[:, :3])
            turn[:, 3] = parent[:, :3] @ place + parent[:, 3] - turn[:, :3] @ place
        return self.turns

    def _shared_turn(self, wxyz: Array) -> tuple[Array | None, Array | None]:
        """(3, 3) turns of neck and head, which together make up the performer's; a rig with one of them turns that."""
        whole = within_human_range(wxyz)
        if not ("neck" in self.moving and "head" in self.moving):
            matrix = matrix_from_wxyz(whole)
            return matrix, matrix
        of_neck = slerp_wxyz(IDENTITY_WXYZ, whole, NECK_SHARE)
        # Both turn about one axis, so the head's share needs no product.
        return matrix_from_wxyz(of_neck), matrix_from_wxyz(slerp_wxyz(IDENTITY_WXYZ, whole, 1 - NECK_SHARE))

    def _rotation(self, role: str, motion: Motion, head_turns: bool) -> Array | None:
        """(3, 3) turn of one joint relative to its parent, in the rig's axes; None: it rests."""
        if role in ("leftEye", "rightEye"):
            return eye_rotation(self._ranged(role, motion.gaze.angles_rad[0 if role == "leftEye" else 1]))
        if role == "jaw":
            drop_rad = self._jaw_open_rad * motion.expression["jawOpen"]
            return eye_rotation((0.0, -drop_rad)) if drop_rad else None
        if not head_turns:
            return None
        return eye_rotation((0.0, BREATH_RAD * math.sin(2 * math.pi * motion.time_s / BREATH_S)))

    def _ranged(self, role: str, angles_rad: Array) -> Array:
        """An eye's yaw and pitch as far as the avatar's maker lets it turn."""
        look = self._look_at
        if look is None or look.by_expressions:
            return angles_rad
        yaw_deg, up_deg = math.degrees(angles_rad[0]), math.degrees(angles_rad[1])
        outward = yaw_deg if role == "leftEye" else -yaw_deg
        across = ranged(outward, look.outer) - ranged(-outward, look.inner)
        up = ranged(up_deg, look.up) - ranged(-up_deg, look.down)
        return np.array([math.radians(across if role == "leftEye" else -across), math.radians(up)])


def within_human_range(wxyz: Array) -> Array:
    """The rotation, or where it is farther than any neck turns, as far as that in its direction."""
    angle = 2 * math.acos(min(abs(float(wxyz[0])), 1.0))
    return wxyz if angle <= MOST_TURN_RAD else slerp_wxyz(IDENTITY_WXYZ, wxyz, MOST_TURN_RAD / angle)


def jaw_is_morphed(rig: Rig) -> bool:
    """Whether an open mouth is a matter of morphs, so that a jaw joint rests."""
    said = rig.expressions
    if said is not None and ("aa" in said.presets or said.gains[:, INDEX["jawOpen"]].any()):
        return True
    return bool(rig.mapping[:, INDEX["jawOpen"]].any())
