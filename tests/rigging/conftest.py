"""The built-in avatar and a few motions."""

from __future__ import annotations

import numpy as np
import pytest

from animator.data import Array, Expression, Gaze, HeadPose, Motion
from animator.maths.rotations import matrix_from_yaw_pitch_roll, wxyz_from_matrix
from animator.rig import Part, Rig
from animator.rigging.deform import Deformer
from animator.rigging.library import load_rig


@pytest.fixture(scope="session")
def human() -> Rig:
    return load_rig("human")


@pytest.fixture
def deformer(human: Rig) -> Deformer:
    return Deformer(human)


def motion(
    yaw_pitch_roll_rad: tuple[float, float, float] = (0, 0, 0),
    gaze_rad: tuple[tuple[float, float], tuple[float, float]] = ((0, 0), (0, 0)),
    **weights: float,
) -> Motion:
    rotation = wxyz_from_matrix(matrix_from_yaw_pitch_roll(np.array(yaw_pitch_roll_rad)))
    pose = HeadPose(rotation, np.array([0.0, 0.0, -50.0]))
    return Motion(0.0, 0, pose, Gaze(np.array(gaze_rad, float)), Expression.of(**weights))


def part_named(rig: Rig, name: str) -> Part:
    return next(part for part in rig.parts if part.name == name)


def rows_of(rig: Rig, name: str) -> slice:
    part = part_named(rig, name)
    return slice(part.first_vertex, part.first_vertex + part.vertex_count)


def landmarks_of(rig: Rig, positions: Array) -> Array:
    """(468, 3): the human rig's face begins with the canonical face's vertices, in their order."""
    first = part_named(rig, "face").first_vertex
    return positions[first : first + 468]
