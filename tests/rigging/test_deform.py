"""Laws of deforming: rest, head, mask view, mirror, normals, buffers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from animator.channels import ARKIT, MIRRORED
from animator.data import Expression, Gaze, HeadPose, Motion
from animator.maths.rotations import matrix_from_wxyz
from animator.rig import Joint, Material, Part, Rig
from animator.rigging.deform import Deformer
from animator.topology import canonical_face

from .conftest import landmarks_of, motion, rows_of


def random_motion(seed: int) -> Motion:
    dice = np.random.default_rng(seed)
    weights = np.where(dice.random(52) < 0.3, dice.random(52), 0).astype(np.float32)
    turned = motion(tuple(dice.normal(0, 0.3, 3)), tuple(map(tuple, dice.normal(0, 0.2, (2, 2)))))
    return replace(turned, expression=Expression(weights))


def mirrored(given: Motion) -> Motion:
    pose = HeadPose(given.pose.rotation_wxyz * [1, 1, -1, -1], given.pose.translation_cm * [-1, 1, 1])
    gaze = Gaze(given.gaze.angles_rad[::-1] * [-1, 1])
    return replace(given, pose=pose, gaze=gaze, expression=Expression(given.expression.weights[list(MIRRORED)]))


def test_rest_is_the_neutral_shape(deformer: Deformer) -> None:
    np.testing.assert_allclose(deformer.deform(motion()).positions, deformer.rig.positions, atol=1e-6)


def test_morphs_add_up(deformer: Deformer) -> None:
    rig = deformer.rig
    made = deformer.deform(motion(jawOpen=0.5, mouthSmileLeft=0.7)).positions
    wanted = rig.positions + 0.5 * rig.morphs[rig.morph_names.index("jawOpen")]
    wanted = wanted + 0.7 * rig.morphs[rig.morph_names.index("mouthSmileLeft")]
    np.testing.assert_allclose(made, wanted, atol=1e-6)


def test_weights_above_one_are_clipped(deformer: Deformer) -> None:
    once = deformer.deform(motion(jawOpen=1.0)).positions.copy()
    np.testing.assert_array_equal(deformer.deform(motion(jawOpen=1.7)).positions, once)


@pytest.mark.parametrize("angles_rad", [(0.5, 0, 0), (0, 0.3, 0), (0, 0, -0.4), (0.6, -0.2, 0.2)])
def test_the_head_turns_as_one_and_the_shoulders_stay(
    deformer: Deformer, angles_rad: tuple[float, float, float]
) -> None:
    rig, turned = deformer.rig, motion(angles_rad)
    now = deformer.deform(turned).positions
    rotation = matrix_from_wxyz(turned.pose.rotation_wxyz)
    for name in ("face", "hair", "upperTeeth", "leftEyeBall"):
        before, after = rig.positions[rows_of(rig, name)].astype(float), now[rows_of(rig, name)].astype(float)
        np.testing.assert_allclose(after - after[0], (before - before[0]) @ rotation.T, atol=2e-6)
    low = rig.positions[:, 1] < -0.20
    assert low.sum() > 100
    np.testing.assert_allclose(now[low], rig.positions[low], atol=1e-6)


def test_mask_view_leaves_the_head_at_rest(deformer: Deformer) -> None:
    rest = deformer.deform(motion(jawOpen=0.4)).positions.copy()
    turned = deformer.deform(motion((0.5, 0.2, 0.1), jawOpen=0.4), head_turns=False).positions
    np.testing.assert_array_equal(turned, rest)


def test_positive_yaw_turns_the_nose_to_the_subjects_left(deformer: Deformer) -> None:
    nose = landmarks_of(deformer.rig, deformer.deform(motion((0.5, 0, 0))).positions)[1]
    assert nose[0] > 0.02
    nose = landmarks_of(deformer.rig, deformer.deform(motion((0, 0.3, 0))).positions)[1]
    assert nose[1] > landmarks_of(deformer.rig, deformer.rig.positions)[1, 1]


@pytest.mark.parametrize("seed", range(6))
def test_a_mirrored_motion_makes_a_mirrored_face(deformer: Deformer, seed: int) -> None:
    face = canonical_face().positions_cm
    other = np.array([np.argmin(np.linalg.norm(face - p, axis=1)) for p in face * [-1, 1, 1]])
    given = random_motion(seed)
    made = landmarks_of(deformer.rig, deformer.deform(given).positions).copy()
    back = landmarks_of(deformer.rig, deformer.deform(mirrored(given)).positions)[other] * [-1, 1, 1]
    np.testing.assert_allclose(made, back, atol=2e-4)


@pytest.mark.parametrize("seed", range(3))
def test_normals_are_unit_and_turn_with_the_head(deformer: Deformer, seed: int) -> None:
    mesh = deformer.deform(random_motion(seed))
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-4)
    upright = deformer.deform(motion()).normals.copy()
    turned = motion((0.5, 0.1, 0))
    rotation = matrix_from_wxyz(turned.pose.rotation_wxyz)
    for name in ("hair", "face"):
        rows = rows_of(deformer.rig, name)
        inner = slice(rows.start, rows.start + 100)
        wanted = upright[inner] @ rotation.T
        np.testing.assert_allclose(deformer.deform(turned).normals[inner], wanted, atol=2e-3)


def test_normals_look_outward(deformer: Deformer) -> None:
    rig = deformer.rig
    normals = deformer.deform(motion()).normals
    assert landmarks_of(rig, normals)[1, 2] > 0.8  # the tip of the nose
    hair = rows_of(rig, "hair")
    outward = rig.positions[hair] - rig.positions[hair].mean(0)
    assert (np.einsum("vi,vi->v", outward, normals[hair]) > 0).mean() > 0.9


def test_no_seam_shows_where_parts_meet(deformer: Deformer) -> None:
    rig = deformer.rig
    mesh = deformer.deform(motion(jawOpen=0.6))
    face, body = rows_of(rig, "face"), rows_of(rig, "skull")
    places = {tuple(p): n for p, n in zip(rig.positions[face], mesh.normals[face], strict=True)}
    shared = [(places[tuple(p)], n) for p, n in zip(rig.positions[body], mesh.normals[body], strict=True)
              if tuple(p) in places]  # fmt: skip
    assert len(shared) > 60
    for one, other in shared:
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_buffers_are_reused(deformer: Deformer) -> None:
    one, other = deformer.deform(motion()), deformer.deform(motion(jawOpen=1.0))
    assert one.positions is other.positions
    assert one.normals is other.normals


def tiny_rig(**changes: object) -> Rig:
    """One triangle in front of a head joint, with a jaw joint and one eye."""
    place = np.eye(4)
    values = {
        "name": "tiny",
        "positions": np.array([[0, 0, 1], [1, 0, 1], [0, 1, 1]], np.float32),
        "uvs": np.zeros((3, 2), np.float32),
        "parts": (Part("only", 0, 3, np.array([[0, 1, 2]], np.int32), Material("plain")),),
        "morph_names": (),
        "morphs": np.zeros((0, 3, 3), np.float32),
        "mapping": np.zeros((0, len(ARKIT)), np.float32),
        "joints": (Joint("head", -1, place), Joint("jaw", 0, place)),
        "roles": {"head": 0, "jaw": 1},
        "skin_joints": np.tile(np.int32([1, 0, 0, 0]), (3, 1)),
        "skin_weights": np.tile(np.float32([1, 0, 0, 0]), (3, 1)),
        "rig_from_face": np.eye(4),
    }
    return Rig(**{**values, **changes})


def test_a_jaw_joint_opens_where_no_morph_does() -> None:
    deformer = Deformer(tiny_rig())
    assert deformer.deform(motion(jawOpen=1.0)).positions[0, 1] < -0.1


def test_a_rig_without_roles_stays_still() -> None:
    rig = tiny_rig(roles={})
    np.testing.assert_array_equal(Deformer(rig).deform(motion((0.5, 0.2, 0))).positions, rig.positions)


def test_eyeballs_that_hang_on_joints_are_not_turned_twice() -> None:
    morphs = np.full((1, 3, 3), 0.5, np.float32)
    mapping = np.zeros((1, len(ARKIT)), np.float32)
    mapping[0, ARKIT.index("eyeLookUpLeft")] = 1
    rig = tiny_rig(morph_names=("eyeLookUpLeft",), morphs=morphs, mapping=mapping, roles={"head": 0, "leftEye": 1})
    np.testing.assert_array_equal(Deformer(rig).deform(motion(eyeLookUpLeft=1.0)).positions, rig.positions)
