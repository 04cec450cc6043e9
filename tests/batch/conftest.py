"""Films for batches."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ..cli.conftest import animator

__all__ = ["animator"]


@pytest.fixture
def films(tmp_path: Path, face_clip: Path, make_video: Callable[..., Path]) -> Path:
    """Three films, two of one name: a face in two of them."""
    folder = tmp_path / "films"
    for name in ("one/talk.mp4", "two/talk.mp4"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(face_clip, folder / name)
    shutil.move(make_video("empty.mp4", frames=6), folder / "nobody.mp4")
    return folder


def no_scratch_in(folder: Path) -> bool:
    return not list(folder.rglob("*.part*"))
