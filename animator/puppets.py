"""The back of the corridor: moments become bodies and pictures, ready to be drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .data import Array, HeadPose, Motion
from .errors import SettingError
from .maths.rotations import multiply_wxyz, wxyz_between
from .pipeline import Moment
from .rendering.overlay import draw_faces
from .rendering.scene import Appearance
from .rig import Rig
from .rigging.deform import Deformer
from .rigging.posing import Poser
from .timing import Stopwatch


class Puppets:
    """The avatars' bodies: one deformed mesh per performer, from left to right as the picture shows them."""

    def __init__(self, rig: Rig, stopwatch: Stopwatch) -> None:
        self._stopwatch = stopwatch
        self.use_rig(rig)

    def use_rig(self, rig: Rig) -> None:
        """Give every performer another body."""
        self.rig = rig
        self._deformers: dict[int, Deformer] = {}
        self._poser = Poser()

    def act(self, moment: Moment, view: str) -> list[Appearance]:
        """Every performer's appearance; with nobody there one avatar rests.

        A mask lies on a face that is there: lost faces have none once they are no longer held."""
        present = [(motion, self._poser.presence(motion)) for motion in moment.motions]
        as_mask = view == "mask" and moment.frame is not None
        motions = [self._poser.pose(motion) for motion, share in present if share == 1.0 or not as_mask]
        if not motions and not as_mask:
            motions = [Motion(moment.time_s, 0)]
        motions.sort(key=lambda motion: float(motion.pose.translation_cm[0]))
        if not as_mask:
            motions = [replace(motion, pose=as_looked_at(motion.pose)) for motion in motions]
        with self._stopwatch.measuring("deform"):
            return [
                Appearance(number, self._deformer(motion.track_id).deform(motion, head_turns=not as_mask), motion.pose)
                for number, motion in enumerate(motions)
            ]

    def _deformer(self, track_id: int) -> Deformer:
        if track_id not in self._deformers:
            self._deformers[track_id] = Deformer(self.rig)
        return self._deformers[track_id]


def as_looked_at(pose: HeadPose) -> HeadPose:
    """The pose with the head turned as the camera sees it, wherever in the picture it is.

    Someone at the picture's edge who looks into the lens has turned the head; on the stage, where the
    camera stands in front of every avatar, that avatar must look into the lens too."""
    if not pose.translation_cm[2] < 0:
        return pose
    to_middle = wxyz_between(pose.translation_cm, np.array([0.0, 0.0, -1.0]))
    return HeadPose(multiply_wxyz(to_middle, pose.rotation_wxyz), pose.translation_cm)


def picture_of(moment: Moment, view: str) -> Array | None:
    """The camera picture as a view shows it: with the mesh drawn in, or as it is."""
    check_picture(view, moment.frame is not None)
    if moment.frame is None:
        return None
    if view == "mesh":
        return draw_faces(moment.frame.rgb, moment.faces)
    return moment.frame.rgb


def check_picture(view: str, there_is_one: bool) -> None:
    """Raise SettingError if a view needs a camera picture and there is none."""
    if view in ("mesh", "mask") and not there_is_one:
        raise SettingError(f"view: {view} needs a camera picture, and a take has none; choose avatar")
