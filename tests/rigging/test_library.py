"""Avatars by name and by folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from animator.errors import RigError
from animator.resources import rigs_folder
from animator.rigging.library import known_rigs, load_rig, rig_description

HUMAN = rigs_folder() / "human"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the built-in avatar to be spoilt."""
    return Path(shutil.copytree(HUMAN, tmp_path / "copy"))


def test_the_human_is_known() -> None:
    assert "human" in known_rigs()
    assert rig_description("human")["licence"] == "MIT"


def test_name_folder_and_file_give_the_same_surface() -> None:
    by_name, by_folder, by_file = load_rig("human"), load_rig(HUMAN), load_rig(str(HUMAN / "human.glb"))
    np.testing.assert_array_equal(by_name.positions, by_folder.positions)
    np.testing.assert_array_equal(by_name.positions, by_file.positions)
    assert by_name.roles == by_file.roles
    assert by_name.hidden_in_mask


def test_the_face_is_found_without_being_told() -> None:
    told, guessed = load_rig("human").rig_from_face, load_rig(HUMAN / "human.glb").rig_from_face
    np.testing.assert_allclose(guessed, told, atol=0.006)


@pytest.mark.parametrize("name", ["nobody", "/nowhere/at/all"])
def test_an_unknown_name_lists_the_known_ones(name: str) -> None:
    with pytest.raises(RigError, match="human"):
        load_rig(name)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(RigError, match=r"absent\.glb"):
        load_rig("absent.glb")


@pytest.mark.parametrize(
    ("sound", "spoilt"),
    [
        ('model = "human.glb"', 'model = "other.glb"'),
        ('head = "head"', 'head = "knee"'),
        ('head = "head"', 'elbow = "head"'),
        ('hidden_in_mask = ["shirt"', 'hidden_in_mask = ["wings"'),
        ("scale = 0.01", "scale = -1"),
        ("scale = 0.01", 'scale = "big"'),
        ("offset = [0.0, 0.0, 0.0]", "offset = [0.0, 0.0]"),
        ("[joints]", "[joints"),
    ],
)
def test_a_wrong_description_is_refused(folder: Path, sound: str, spoilt: str) -> None:
    text = (folder / "rig.toml").read_text("utf-8")
    assert sound in text
    (folder / "rig.toml").write_text(text.replace(sound, spoilt), "utf-8")
    with pytest.raises(RigError):
        load_rig(folder)


def test_a_mapping_file_overrides_names(folder: Path) -> None:
    text = (folder / "rig.toml").read_text("utf-8")
    (folder / "rig.toml").write_text('mapping = "mapping.csv"\n' + text, "utf-8")
    (folder / "mapping.csv").write_text("morph,channel,gain\njawOpen,mouthFunnel,0.5\n", "utf-8")
    rig = load_rig(folder)
    assert rig.mapping.sum() == 0.5
