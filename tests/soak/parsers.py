"""Every reader of files that come from outside, with true files to spoil and what is done with what was read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.soak import avatar_files, other_files, spoiling, take_files

LARGE_BYTES = 100_000
"""Seeds above this come seldom: each case with them takes a second."""


@dataclass(frozen=True)
class Parser:
    """One reader."""

    name: str
    file: str
    """What the spoilt file is called; it lies in `avatar/` below the worker's own folder."""
    seeds: Callable[[], list[bytes]]
    spoil: spoiling.Spoil
    read: Callable[[Path], object]
    """Reads the file and uses what came; raises AnimatorError for one that cannot be read."""


PARSERS: Sequence[Parser] = (
    Parser("avatar", "spoilt.vrm", avatar_files.avatars, spoiling.spoilt_glb, avatar_files.move),
    Parser("gltf", "spoilt.gltf", avatar_files.described_avatars, spoiling.spoilt_json, avatar_files.move),
    Parser(
        "rig.toml", "rig.toml", lambda: [avatar_files.RIG_TOML], spoiling.spoilt_settings, avatar_files.described_rig
    ),
    Parser("mapping", "mapping.csv", avatar_files.tables, spoiling.spoilt_text, avatar_files.table),
    Parser("texture", "spoilt.png", avatar_files.pictures, spoiling.spoilt_png, avatar_files.texture),
    Parser("picture", "spoilt.png", avatar_files.pictures, spoiling.spoilt_png, other_files.picture_source),
    Parser("take", "spoilt.npz", take_files.takes, spoiling.spoilt_npz, take_files.played),
    Parser("landmarks", "spoilt.npz", take_files.landmark_takes, spoiling.spoilt_npz, take_files.played),
    Parser("csv", "spoilt.csv", take_files.csvs, spoiling.spoilt_text, take_files.played),
    Parser("json", "spoilt.json", take_files.jsons, spoiling.spoilt_json, take_files.played),
    Parser("journal", "spoilt.npz.journal", take_files.journals, spoiling.spoilt_journal, take_files.finished),
    Parser("profile", "spoilt.json", other_files.profiles, spoiling.spoilt_json, other_files.profile),
    Parser("keepsake", "spoilt.json", other_files.keepsakes, spoiling.spoilt_json, other_files.keepsake),
    Parser("settings", "settings.toml", lambda: [other_files.SETTINGS], spoiling.spoilt_settings, other_files.settings),
    Parser("film", "spoilt.mp4", other_files.films, spoiling.spoilt_bytes, other_files.film),
    Parser("packed", "packed", avatar_files.packed, spoiling.spoilt_npz, avatar_files.load_packed),
    Parser("ledger", ".animator-batch/spoilt.json", other_files.ledgers, spoiling.spoilt_json, other_files.ledger),
)
