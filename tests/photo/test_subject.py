"""Photos of which no avatar can be made: one line with the remedy, and no folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from animator.cli import main
from animator.data import Array
from animator.errors import SourceError
from animator.maths.rotations import yaw_pitch_roll_from_matrix
from animator.photo.subject import Subject, find_subject, read_picture, settled
from animator.solving.face_model import face_model

from .conftest import faces_in, write_picture


def said(capsys: pytest.CaptureFixture[str], photo: Path, folder: Path, *more: str) -> str:
    """The one line of an error of the command."""
    assert main(["rigs", "photo", str(photo), "-o", str(folder), *more]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("animator: ")
    assert not (folder / "rig.toml").exists()
    return lines[0]


def test_files_that_are_no_photo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is no file" in said(capsys, tmp_path / "none.jpg", tmp_path / "me")
    assert "is a folder" in said(capsys, tmp_path, tmp_path / "me")
    (tmp_path / "text.jpg").write_text("no picture")
    assert "not a picture" in said(capsys, tmp_path / "text.jpg", tmp_path / "me")


def test_no_face(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo = write_picture(tmp_path / "grey.png", np.full((300, 300, 3), 120, np.uint8))
    assert "there is no face in it" in said(capsys, photo, tmp_path / "me")


def test_several_faces_are_counted(portrait: Array, model_path: Path) -> None:
    smaller = cv2.resize(portrait, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)
    both = np.full((portrait.shape[0], portrait.shape[1] + smaller.shape[1], 3), 90, np.uint8)
    both[: smaller.shape[0], : smaller.shape[1]] = smaller
    both[:, smaller.shape[1] :] = portrait
    faces = faces_in(both, model_path)
    assert len(faces) == 2
    with pytest.raises(SourceError, match=r"there are 2 faces.*--largest"):
        find_subject(faces, both, "two.png")
    chosen = find_subject(faces, both, "two.png", largest=True)
    assert chosen.landmarks_px[:, 0].min() > smaller.shape[1]


def test_a_small_face_is_named_with_its_size(portrait: Array, subject: Subject, model_path: Path) -> None:
    shrink = 25 / subject.eye_distance_px
    small = cv2.resize(portrait, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    with pytest.raises(SourceError, match=r"2\d pixels between the eyes, expected 40"):
        find_subject(faces_in(small, model_path), small, "small.png")


def test_a_face_from_the_side_is_refused(portrait: Array, model_path: Path) -> None:
    """A face squeezed and sheared is no turned one; so landmarks are turned as a head would be."""
    face = faces_in(portrait, model_path)[0]
    scale = np.array([*face.image_size_px, face.image_size_px[0]], np.float64)
    px = face.landmarks_norm * scale
    middle = px.mean(0)
    c, s = np.cos(np.radians(40)), np.sin(np.radians(40))
    turned = (px - middle) @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]]) + middle
    with pytest.raises(SourceError, match="degrees to a side, expected at most 25"):
        find_subject((replace(face, landmarks_norm=turned / scale),), portrait, "side.png")


def test_where_the_face_is_in_the_photo_does_not_matter(portrait: Array, subject: Subject, model_path: Path) -> None:
    """A crop is the same person in the same pose."""
    wide = cv2.copyMakeBorder(portrait, 200, 0, 300, 0, cv2.BORDER_REPLICATE)
    moved = find_subject(faces_in(wide, model_path), wide, "wide.png")
    before, after = (yaw_pitch_roll_from_matrix(one.rotation) for one in (subject, moved))
    assert np.degrees(np.abs(before - after)).max() < 2
    assert np.linalg.norm(moved.shape_cm - subject.shape_cm, axis=1).mean() < 0.1


def test_a_shape_that_is_settled_is_symmetric_and_sealed(subject: Subject) -> None:
    once = settled(np.random.default_rng(1).normal(size=(478, 3)))
    mirrored = once[face_model().mirror] * [-1, 1, 1]
    np.testing.assert_allclose(once, mirrored, atol=1e-9)
    np.testing.assert_array_equal(once[13], once[14])


def test_a_photo_is_read_as_it_is(tmp_path: Path, portrait: Array) -> None:
    frame = read_picture(write_picture(tmp_path / "p.png", portrait))
    np.testing.assert_array_equal(frame.rgb, portrait)
