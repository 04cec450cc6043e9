"""The avatar of a photo: whole, like the person, and acting as the human does."""

from __future__ import annotations

import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest

from animator.channels import ARKIT
from animator.data import Array, Expression, Gaze, HeadPose, Motion
from animator.errors import SinkError
from animator.maths.rigid import fit_similarity
from animator.maths.rotations import wxyz_from_matrix
from animator.photo.making import check_folder
from animator.photo.subject import Subject
from animator.rendering.framing import Framing
from animator.rendering.renderer import Renderer
from animator.rendering.scene import Appearance
from animator.resources import rigs_folder
from animator.rig import Rig
from animator.rigging.deform import Deformer
from animator.rigging.library import load_rig, rig_description
from animator.topology import LEFT_EYE

from .conftest import faces_in


@pytest.fixture(scope="module")
def rig(made: Path) -> Rig:
    return load_rig(made)


@pytest.fixture(scope="module")
def human() -> Rig:
    return load_rig("human")


def drawn(rig: Rig, weights: Array, rotation: Array) -> Array:
    pose = HeadPose(wxyz_from_matrix(rotation), np.array([0.0, 0.0, -60.0]))
    renderer = Renderer(rig, (512, 512))
    renderer.scene.framing = Framing((0.0, 0.0, 0.0), 30.0)
    mesh = Deformer(rig).deform(Motion(0.0, 0, pose, Gaze.rest(), Expression(np.asarray(weights, np.float32))))
    picture = renderer.draw("avatar", None, [Appearance(0, mesh, pose)])
    renderer.close()
    return picture


def distance_in_eyes(seen_px: Array, subject: Subject) -> float:
    """Mean distance of landmarks to the photo's in eye distances, after the best similarity."""
    flat = ((0, 0), (0, 1))
    seen, photo = (np.pad(px[:468].astype(np.float64), flat) for px in (seen_px, subject.landmarks_px))
    scale, rotation, shift = fit_similarity(seen, photo, np.ones(468))
    off = scale * seen @ rotation.T + shift - photo
    return float(np.linalg.norm(off, axis=1).mean() / subject.eye_distance_px)


def test_the_folder_is_whole(made: Path) -> None:
    assert {file.name for file in made.iterdir()} == {"avatar.glb", "picture.png", "rig.toml"}
    assert rig_description(made)["title"] == 'Me "myself"'
    assert tomllib.loads((made / "rig.toml").read_text("utf-8"))["source"] == "made from portrait.png"
    assert cv2.imread(str(made / "picture.png")).shape == (480, 640, 3)


def test_a_tracker_finds_the_same_face_in_it(rig: Rig, subject: Subject, model_path: Path) -> None:
    faces = faces_in(drawn(rig, subject.weights, subject.rotation), model_path)
    assert len(faces) == 1
    assert distance_in_eyes(faces[0].landmarks_px, subject) < 0.05


def test_it_is_more_like_the_person_than_the_human_is(rig: Rig, human: Rig, subject: Subject, model_path: Path) -> None:
    own, others = (
        distance_in_eyes(faces_in(drawn(one, subject.weights, subject.rotation), model_path)[0].landmarks_px, subject)
        for one in (rig, human)
    )
    assert own < others


def test_it_keeps_all_channels_and_joints(rig: Rig, human: Rig) -> None:
    assert rig.morph_names == human.morph_names
    assert set(rig.roles) == set(human.roles)
    np.testing.assert_array_equal(rig.mapping, human.mapping)
    for name, own, others in zip(rig.morph_names, rig.morphs, human.morphs, strict=True):
        reach, before = (float(np.linalg.norm(moves, axis=1).max()) for moves in (own, others))
        assert 0.5 * before < reach < 2.0 * before, name


def test_left_stays_left(rig: Rig) -> None:
    names = {rig.morph_names[row]: row for row in range(len(rig.morph_names))}
    for name in ARKIT:
        if name.endswith("Left") and name not in ("jawLeft", "mouthLeft"):
            moves = np.linalg.norm(rig.morphs[names[name]], axis=1)
            assert (moves @ rig.positions[:, 0]) > 0, name
    assert rig.joints[rig.roles["leftEye"]].rest_local[0, 3] > 0


def test_lids_that_close_meet_over_the_eyeball(rig: Rig, human: Rig) -> None:
    """The narrowest and widest places of the closed slit are as the human's, up to a millimetre."""
    upper, lower = [*LEFT_EYE[9:]], [*LEFT_EYE[7:0:-1]]
    first = next(part.first_vertex for part in rig.parts if part.name == "face")
    slits = []
    for one in (rig, human):
        closed = one.positions + one.morphs[one.morph_names.index("eyeBlinkLeft")]
        slits.append(np.linalg.norm(closed[first + np.array(upper)] - closed[first + np.array(lower)], axis=1))
    assert np.abs(slits[0] - slits[1]).max() < 0.001


def test_no_lid_sinks_into_the_eyeball(rig: Rig) -> None:
    for side in ("left", "right"):
        ball = next(part for part in rig.parts if part.name == f"{side}EyeBall")
        points = rig.positions[ball.first_vertex : ball.first_vertex + ball.vertex_count]
        centre = 0.5 * (points.max(0) + points.min(0))
        centre[2] = points[:, 2].max() - 0.5 * np.ptp(points[:, 0])
        radius = 0.5 * np.ptp(points[:, 0])
        blink = rig.positions + rig.morphs[rig.morph_names.index(f"eyeBlink{side.title()}")]
        face = next(part for part in rig.parts if part.name == "face")
        near = blink[face.first_vertex : face.first_vertex + 468]
        assert np.linalg.norm(near - centre, axis=1).min() > 0.98 * radius


def test_only_an_avatar_is_replaced_and_only_when_asked(made: Path, tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="--force"):
        check_folder(made)
    check_folder(made, overwrite=True)
    with pytest.raises(SinkError, match="not made from a photo"):
        check_folder(rigs_folder() / "human", overwrite=True)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SinkError, match="other things than an avatar"):
        check_folder(tmp_path, overwrite=True)
    with pytest.raises(SinkError, match="there is a file"):
        check_folder(tmp_path / "notes.txt")
    with pytest.raises(SinkError, match="built in"):
        check_folder(Path("human"))
