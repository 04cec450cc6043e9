"""One avatar of the bundled portrait, made once: the first picture of the performance that is shipped."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from animator.data import Array, Face, Frame
from animator.photo.making import rig_from_photo
from animator.photo.subject import Subject, find_subject
from animator.tracking.config import TrackingConfig
from animator.tracking.opening import open_tracker


def faces_in(rgb: Array, model_path: Path, faces: int = 8) -> tuple[Face, ...]:
    """What a tracker sees in one picture."""
    tracker = open_tracker(model_path, TrackingConfig(faces=faces))
    try:
        return tracker.track(Frame(np.ascontiguousarray(rgb), 0.0, 0))
    finally:
        tracker.close()


def write_picture(path: Path, rgb: Array) -> Path:
    """A PNG."""
    cv2.imwrite(str(path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    return path


@pytest.fixture(scope="session")
def portrait(performance_path: Path) -> Array:
    """(H, W, 3) uint8: a face from the front."""
    with av.open(str(performance_path)) as film:
        rgb = next(film.decode(video=0)).to_ndarray(format="rgb24")
    return cv2.resize(rgb, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="session")
def subject(portrait: Array, model_path: Path) -> Subject:
    """The person in it."""
    return find_subject(faces_in(portrait, model_path), portrait, "portrait")


@pytest.fixture(scope="session")
def made(portrait: Array, model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the person's avatar."""
    folder = tmp_path_factory.mktemp("photo")
    photo = write_picture(folder / "portrait.png", portrait)
    rig_from_photo(photo, folder / "me", 'Me "myself"', model_path=model_path)
    return folder / "me"
