"""The table from channels to morphs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from animator.channels import ARKIT, INDEX
from animator.errors import RigError
from animator.rigging.mapping import mapping_from_csv, mapping_from_names

SPELLINGS = {
    "eyeBlinkLeft": "eyeBlinkLeft", "EyeBlinkLeft": "eyeBlinkLeft", "eyeBlink_L": "eyeBlinkLeft",
    "head.mouthSmile_R": "mouthSmileRight", "face_blendShape:jawOpen": "jawOpen", "jawLeft": "jawLeft",
    "mouthRight": "mouthRight", "CheekPuff": "cheekPuff", "eye_look_up_left": "eyeLookUpLeft",
}  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_names_are_found_in_every_spelling(spelling: str) -> None:
    mapping = mapping_from_names([spelling])
    assert mapping[0, INDEX[SPELLINGS[spelling]]] == 1
    assert mapping.sum() == 1


@pytest.mark.parametrize("name", ["viseme_aa", "Fcl_ALL_Joy", "jaw_L", "mouth_R", ""])
def test_other_names_follow_nothing(name: str) -> None:
    assert not mapping_from_names([name]).any()


def test_all_channels_map_to_themselves() -> None:
    np.testing.assert_array_equal(mapping_from_names(ARKIT), np.eye(len(ARKIT)))


def test_dense_and_sparse_tables_agree(tmp_path: Path) -> None:
    dense, sparse = tmp_path / "dense.csv", tmp_path / "sparse.csv"
    dense.write_text("morph,jawOpen,mouthFunnel\nA,0.8,0.2\nO,,1\n", "utf-8")
    sparse.write_text("# a comment\nmorph,channel,gain\nA,jawOpen,0.8\nA,mouthFunnel,0.2\nO,mouthFunnel,1\n", "utf-8")
    np.testing.assert_array_equal(mapping_from_csv(dense, ["A", "O"]), mapping_from_csv(sparse, ["A", "O"]))


@pytest.mark.parametrize(
    "text",
    ["", "name,jawOpen\nA,1\n", "morph,channel,gain\nZ,jawOpen,1\n", "morph,channel,gain\nA,jaw,1\n",
     "morph,channel,gain\nA,jawOpen,much\n", "morph,channel,gain\nA,jawOpen,inf\n"],
)  # fmt: skip
def test_wrong_tables_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mapping.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(RigError, match=r"mapping\.csv"):
        mapping_from_csv(path, ["A"])


def test_an_absent_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(RigError, match=r"none\.csv"):
        mapping_from_csv(tmp_path / "none.csv", ["A"])
