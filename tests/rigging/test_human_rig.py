"""What the built-in avatar promises: every channel does its own anatomical thing, on its own side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import label

from animator.channels import ARKIT, INDEX
from animator.data import HeadPose, Motion
from animator.maths.rotations import matrix_from_yaw_pitch_roll, wxyz_from_matrix
from animator.rendering.renderer import Renderer
from animator.rendering.scene import Appearance
from animator.rig import Rig
from animator.rigging.deform import Deformer
from animator.rigging.skeleton import joint_globals
from animator.topology import LEFT_EYE, RIGHT_EYE

from .conftest import landmarks_of, motion, rows_of

MILLIMETRE = 1e-3
EYES = {"Left": ("leftEye", LEFT_EYE), "Right": ("rightEye", RIGHT_EYE)}


def eye_place(rig: Rig, side: str) -> tuple[np.ndarray, float]:
    """Centre and radius of an eyeball, metres."""
    centre = joint_globals(rig.joints)[rig.roles[EYES[side][0]], :3, 3]
    ball = rig.positions[rows_of(rig, EYES[side][0] + "Ball")]
    return centre, float(np.linalg.norm(ball - centre, axis=1).max())


def test_every_channel_has_a_morph_of_its_own(human: Rig) -> None:
    assert set(human.morph_names) == set(ARKIT)
    flat = human.morphs.reshape(len(ARKIT), -1).astype(float)
    lengths = np.linalg.norm(flat, axis=1)
    assert np.abs(flat).max(1).min() > MILLIMETRE
    alike = (flat / lengths[:, None]) @ (flat / lengths[:, None]).T
    np.fill_diagonal(alike, 0)
    assert alike.max() < 0.97


def test_mapping_drives_each_morph_by_its_channel(human: Rig) -> None:
    for row, name in enumerate(human.morph_names):
        assert human.mapping[row, INDEX[name]] == 1
    assert human.mapping.sum() == len(ARKIT)


def test_the_face_lies_where_the_canonical_face_is(human: Rig) -> None:
    from animator.topology import canonical_face

    face = canonical_face().positions_cm @ human.rig_from_face[:3, :3].T + human.rig_from_face[:3, 3]
    away = np.linalg.norm(landmarks_of(human, human.positions) - face, axis=1)
    assert np.median(away) < 1 * MILLIMETRE
    assert away.max() < 8 * MILLIMETRE  # the eyes are larger and the lips are closed


@pytest.mark.parametrize("channel", [name for name in ARKIT if name.startswith(("eye", "brow", "cheekSquint"))])
def test_sides_do_not_touch_each_other(human: Rig, channel: str) -> None:
    moved = human.positions[np.abs(human.morphs[human.morph_names.index(channel)]).max(1) > 0.3 * MILLIMETRE]
    reach = (5 if channel.startswith("browDown") else 2) * MILLIMETRE  # brows knit the skin between them
    if channel.endswith("Left"):
        assert moved[:, 0].min() > -reach
    elif channel.endswith("Right"):
        assert moved[:, 0].max() < reach


@pytest.mark.parametrize(("channel", "lower", "upper"), [("mouthSmile", 291, 61), ("mouthFrown", 291, 61)])
def test_mouth_corners_move_on_their_own_side(deformer: Deformer, channel: str, lower: int, upper: int) -> None:
    moves = landmarks_of(deformer.rig, deformer.deform(motion(**{channel + "Left": 1.0})).positions)
    moves = moves - landmarks_of(deformer.rig, deformer.rig.positions)
    assert np.linalg.norm(moves[lower]) > 3 * MILLIMETRE
    assert np.linalg.norm(moves[upper]) < 0.5 * MILLIMETRE
    assert (moves[lower, 1] > 0) == (channel == "mouthSmile")


@pytest.mark.parametrize("side", ["Left", "Right"])
def test_blink_closes_the_lids(deformer: Deformer, side: str) -> None:
    closed = landmarks_of(deformer.rig, deformer.deform(motion(**{"eyeBlink" + side: 1.0})).positions)
    opened = landmarks_of(deformer.rig, deformer.rig.positions)
    loop = EYES[side][1]
    for k in range(1, 8):
        upper, lower = loop[16 - k], loop[k]
        assert np.linalg.norm(closed[upper] - closed[lower]) < 1 * MILLIMETRE
        assert opened[upper, 1] > opened[lower, 1]


@pytest.mark.parametrize("side", ["Left", "Right"])
@pytest.mark.parametrize("stem", ["eyeBlink", "eyeSquint", "eyeWide", "eyeLookDown", "eyeLookUp", "cheekSquint"])
def test_lids_slide_over_the_eyeball(deformer: Deformer, side: str, stem: str) -> None:
    centre, radius = eye_place(deformer.rig, side)
    rows = rows_of(deformer.rig, "face")
    rest = deformer.rig.positions[rows]
    away = np.linalg.norm(rest - centre, axis=1)
    outside = (away > radius + 0.8 * MILLIMETRE) & (away < 2 * radius) & (rest[:, 2] > centre[2])
    assert outside.sum() > 200
    for weight in (0.25, 0.5, 0.75, 1.0):
        now = deformer.deform(motion(**{stem + side: weight})).positions[rows][outside]
        assert np.linalg.norm(now - centre, axis=1).min() > radius


def test_the_jaw_takes_the_lower_teeth_along(deformer: Deformer) -> None:
    rig = deformer.rig
    opened = deformer.deform(motion(jawOpen=1.0)).positions - rig.positions
    assert opened[rows_of(rig, "lowerTeeth"), 1].max() < -5 * MILLIMETRE
    assert np.abs(opened[rows_of(rig, "upperTeeth")]).max() == 0
    lips = landmarks_of(rig, opened)
    assert lips[14, 1] < -15 * MILLIMETRE
    assert abs(lips[13, 1]) < 1 * MILLIMETRE


def test_mouth_close_cancels_the_parting_of_the_lips(deformer: Deformer) -> None:
    lips = landmarks_of(deformer.rig, deformer.deform(motion(jawOpen=1.0, mouthClose=1.0)).positions)
    assert np.linalg.norm(lips[13] - lips[14]) < 2 * MILLIMETRE


def test_lips_meet_at_rest(human: Rig) -> None:
    lips = landmarks_of(human, human.positions)
    assert np.linalg.norm(lips[13] - lips[14]) < 1 * MILLIMETRE


def test_looking_left_turns_both_pupils_to_the_left(deformer: Deformer) -> None:
    rig = deformer.rig
    pupils = [rows_of(rig, name).start for name in ("leftEyeBall", "rightEyeBall")]  # a ball begins at its pole
    rest = rig.positions[pupils].copy()
    left = deformer.deform(motion(gaze_rad=((0.4, 0), (0.4, 0)))).positions[pupils] - rest
    assert (left[:, 0] > 3 * MILLIMETRE).all()
    up = deformer.deform(motion(gaze_rad=((0, 0.3), (0, 0.3)))).positions[pupils] - rest
    assert (up[:, 1] > 3 * MILLIMETRE).all()


def test_look_channels_move_lids_and_leave_the_eyeballs_to_the_joints(deformer: Deformer) -> None:
    rig = deformer.rig
    moved = deformer.deform(motion(eyeLookDownLeft=1.0, eyeLookDownRight=1.0)).positions - rig.positions
    assert np.abs(moved[rows_of(rig, "leftEyeBall")]).max() == 0
    assert np.abs(moved[rows_of(rig, "face")]).max() > 1 * MILLIMETRE


def test_tongue_comes_out_in_front_of_the_lips(deformer: Deformer) -> None:
    rig = deformer.rig
    out = deformer.deform(motion(tongueOut=1.0)).positions
    assert out[rows_of(rig, "tongue"), 2].max() > landmarks_of(rig, out)[[0, 17], 2].max()
    assert rig.positions[rows_of(rig, "tongue"), 2].max() < landmarks_of(rig, rig.positions)[[13, 14], 2].min()


STRANDS_PX = 12
"""Less between the tips of locks, at the outline of the head, is no hole."""
TURNS_DEG = [(0, 0), (0, 25), (-20, 25), (20, 25), (-40, 12), (40, 12), (0, -25)]


@pytest.mark.parametrize(("yaw_deg", "pitch_deg"), TURNS_DEG)
def test_no_background_is_seen_through_the_hair(human: Rig, yaw_deg: float, pitch_deg: float) -> None:
    acted = replace(Motion(0.0, 0), pose=HeadPose(
        wxyz_from_matrix(matrix_from_yaw_pitch_roll(np.radians([yaw_deg, pitch_deg, 0.0]))), np.zeros(3)))  # fmt: skip
    renderer = Renderer(human, (320, 320), smooth_edges=False)
    rgba = renderer.draw_alone([Appearance(0, Deformer(human).deform(acted), acted.pose)])
    renderer.close()
    empty, places = label(rgba[..., 3] == 0)
    at_border = np.unique(np.concatenate([empty[0], empty[:, 0], empty[:, -1]]))
    holes = [k for k in range(1, places + 1) if k not in at_border and np.count_nonzero(empty == k) > STRANDS_PX]
    assert not holes
