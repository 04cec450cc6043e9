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
from .tracking.config import MAX_FACES

OVERTAKE_CM = 6.0
"""Two faces change places once one is so far past the other: those one above the other must not flicker."""


class Puppets:
    """The avatars' bodies: one deformed mesh per performer, from left to right as the picture shows them.

    Faces of one camera have track numbers from one multiple of MAX_FACES to the next; where there are several
    cameras, each camera's faces stand together, in the order of their numbers.
    spares : bodies of the same rig that wait to be used, and where those go that are needed no longer"""

    def __init__(self, rig: Rig, stopwatch: Stopwatch, spares: list[Deformer] | None = None) -> None:
        self._stopwatch = stopwatch
        self._spares = [] if spares is None else spares
        self._order: list[int] = []
        self._begin(rig)

    def use_rig(self, rig: Rig) -> None:
        """Give every performer another body."""
        self._spares = []  # those that waited fit another rig
        self._begin(rig)

    def _begin(self, rig: Rig) -> None:
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
        motions = self._from_left_to_right(motions)
        self._free_bodies({motion.track_id for motion in motions})
        if not as_mask:
            motions = [replace(motion, pose=as_looked_at(motion.pose)) for motion in motions]
        with self._stopwatch.measuring("deform"):
            return [
                Appearance(number, self._deformer(motion.track_id).deform(motion, head_turns=not as_mask), motion.pose)
                for number, motion in enumerate(motions)
            ]

    def close(self) -> None:
        """Give all bodies back to the spares; they may be used again."""
        self._free_bodies(set())

    def _from_left_to_right(self, motions: list[Motion]) -> list[Motion]:
        x_cm = {motion.track_id: float(motion.pose.translation_cm[0]) for motion in motions}
        stayed = [track for track in self._order if track in x_cm]
        self._order = stayed + sorted(x_cm.keys() - set(stayed), key=x_cm.get)
        self._order.sort(key=lambda track: track // MAX_FACES)
        for end in range(1, len(self._order)):  # by insertion: who is new finds a place, who has overtaken moves up
            for place in range(end, 0, -1):
                left, right = self._order[place - 1 : place + 1]
                margin_cm = OVERTAKE_CM if left in stayed and right in stayed else 0.0
                if left // MAX_FACES != right // MAX_FACES or x_cm[left] - x_cm[right] <= margin_cm:
                    break
                self._order[place - 1 : place + 1] = right, left
        return sorted(motions, key=lambda motion: self._order.index(motion.track_id))

    def _deformer(self, track_id: int) -> Deformer:
        if track_id not in self._deformers:
            # 140 ms to make one of 25 000 vertices: the first picture of a newcomer should not wait for that.
            self._deformers[track_id] = self._spares.pop() if self._spares else Deformer(self.rig)
        return self._deformers[track_id]

    def _free_bodies(self, present: set[int]) -> None:
        for gone in self._deformers.keys() - present:
            self._spares.append(self._deformers.pop(gone))


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
