"""Left and right exchanged: what a mirror shows, of a picture, a face and a motion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..channels import MIRRORED
from ..data import Expression, Face, Frame, Gaze, HeadPose, Motion

_MIRRORED = np.array(MIRRORED)
_ROTATION_SIGNS = np.array([1.0, 1.0, -1.0, -1.0])
"""Of w, x, y, z: a reflection in x keeps turns about x and reverses those about y and z."""
_TRANSLATION_SIGNS = np.array([-1.0, 1.0, 1.0])
_GAZE_SIGNS = np.array([-1.0, 1.0])


def mirrored_frame(frame: Frame) -> Frame:
    """The picture with left and right exchanged."""
    return replace(frame, rgb=np.ascontiguousarray(frame.rgb[:, ::-1]))


def mirrored_face(face: Face) -> Face:
    """The face where the mirrored picture shows it. Landmarks keep their indices: the subject's left stays left."""
    landmarks = face.landmarks_norm.copy()
    landmarks[:, 0] = 1 - landmarks[:, 0]
    return replace(face, landmarks_norm=landmarks)


def mirrored_motion(motion: Motion) -> Motion:
    """What the performer's mirror image does: its own inverse."""
    return replace(
        motion,
        pose=HeadPose(motion.pose.rotation_wxyz * _ROTATION_SIGNS, motion.pose.translation_cm * _TRANSLATION_SIGNS),
        gaze=Gaze(motion.gaze.angles_rad[::-1] * _GAZE_SIGNS),
        expression=Expression(motion.expression.weights[_MIRRORED]),
    )
